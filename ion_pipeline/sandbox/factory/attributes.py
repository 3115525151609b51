"""Custom fields of every type, for every owner type that has them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ion_pipeline.sandbox.factory.clock import iso
from ion_pipeline.sandbox.factory.store import Row, Store
from ion_pipeline.sandbox.factory.text import AWKWARD

#: Root connection of the owner → the column of its attributes that points at it.
OWNERS: Mapping[str, str] = {
    "issues": "issueId", "locations": "locationId", "mboms": "mbomId", "parts": "partId",
    "partInventories": "partInventoryId", "partKits": "partKitId", "partKitItems": "partKitItemId",
    "procedures": "procedureId", "purchaseOrders": "purchaseOrderId", "purchaseOrderLines": "purchaseOrderLineId",
    "receipts": "receiptId", "runs": "runId", "runSteps": "runStepId", "steps": "stepId", "suppliers": "supplierId",
}  # fmt: skip

#: Has the form of a signed link to a file: anybody who has such a link can fetch the file until it expires.
SIGNED_LINK = "https://files.example/x.pdf?X-Amz-Signature=abc123&Expires=1790000000"


def attribute(
    store: Store, root: str, owner: Row, key: str, kind: str, value: Any, when: datetime, by: int, **more: Any
) -> Row:
    """Sets a custom field on a row of a root connection."""
    row: Row = {
        "id": f"{owner['id']}-{key}", "Created": iso(when), "Updated": iso(when), "Etag": store.etag(), "key": key,
        "type": kind, "value": value, OWNERS[root]: owner["id"], "createdById": by, "updatedById": by, **more,
    }  # fmt: skip
    owner.setdefault("attributes", []).append(row)
    return row


def every_kind(store: Store, root: str, owner: Row, part: Row, user: Row, when: datetime, by: int) -> None:
    """Sets one custom field of each type, one that is null, one that is empty and two that contain signed links."""
    plain: tuple[tuple[str, str, Any], ...] = (
        ("Note", "STRING", AWKWARD[len(root) % len(AWKWARD)]), ("Empty", "STRING", ""), ("Unset", "STRING", None),
        ("Certificate link", "STRING", SIGNED_LINK), ("Mass", "NUMBER", 12.5), ("Count", "NUMBER", 3),
        ("Released", "BOOLEAN", False), ("Due", "DATETIME", iso(when)),
    )  # fmt: skip
    for key, kind, value in plain:
        attribute(store, root, owner, key, kind, value, when, by)
    colours = ["red", "grün", "青"]
    attribute(store, root, owner, "Colour", "SELECT", "青", when, by, options=colours)
    attribute(store, root, owner, "Colours", "MULTISELECT", ["red", "grün"], when, by, options=colours)
    attribute(store, root, owner, "Related part", "ION", f"{part['partNumber']} {part['revision']}", when, by,
              entityId=part["entityId"], allowedIonType="PARTS",
              ionValue={"__typename": "Part", "id": part["id"]})  # fmt: skip
    attribute(store, root, owner, "Responsible", "ION", user["name"], when, by, entityId=user["entityId"],
              allowedIonType="USERS", ionValue={"__typename": "User", "id": user["id"]})  # fmt: skip
    number = store.next_id("FileAttachment")
    file = store.file(number, f"attributes/{number:06d}/report ü.pdf", "report ü.pdf", "application/pdf", when, by)
    file["entityId"] = int(owner["entityId"])
    attribute(store, root, owner, "Report", "FILE_ATTACHMENT", file["url"], when, by, fileAttachmentId=number,
              fileAttachment=file)  # fmt: skip
