"""The as-built record in its older form, generation 1, derived from generation 2: items connected by edges.

There is one item for each installation, one without a unit for each requirement without installations, and a top item
for each unit that has requirements and is installed nowhere. Edges connect every item of a parent unit with the items
of its requirements.
"""

from collections import defaultdict
from datetime import datetime
from typing import Any

from ion_pipeline.sandbox.factory.store import Row, Store


def derive_generation1(store: Store) -> None:
    """Fills `abomItems` and `aBomEdges` from requirements and installations.

    Installations whose requirement does not exist are left out, because an edge needs a parent.
    """
    requirements = store.live("buildRequirements")
    inventories = {row["id"]: row for row in store.live("partInventories")}
    installed: dict[int, list[Row]] = {row["id"]: [] for row in requirements}
    for row in store.live("abomInstallations"):
        if row["buildRequirementId"] in installed:
            installed[row["buildRequirementId"]].append(row)

    of_unit: defaultdict[int, list[Row]] = defaultdict(list)
    for unit in _tops(requirements, installed, inventories):
        of_unit[unit["id"]].append(
            _item(store, unit, partInventoryId=unit["id"], partId=unit["partId"], quantity=unit["quantity"])
        )
    acceptable = _acceptable_parts(store)
    places = _mbom_places(store)
    of_requirement: dict[int, list[Row]] = {}
    for requirement in requirements:
        common = _expectation(requirement, inventories, acceptable)
        rows = installed[requirement["id"]]
        items = [_item(store, row, partInventoryId=row["partInventoryId"], quantity=row["quantity"], **common)
                 for row in rows] or [_item(store, requirement, quantity=0.0, **common)]  # fmt: skip
        of_requirement[requirement["id"]] = items
        for row, item in zip(rows, items, strict=False):
            of_unit[row["partInventoryId"]].append(item)
            _place(store, item, row, requirement, places)
    for requirement in requirements:
        for parent in requirement["partInventories"]:
            for above in of_unit[parent["id"]]:
                for item in of_requirement[requirement["id"]]:
                    item.setdefault("parentId", above["id"])
                    when = datetime.fromisoformat(item["_created"])
                    store.add("aBomEdges", when, item["createdById"], parentAbomItemId=above["id"],
                              childAbomItemId=item["id"])  # fmt: skip


def _tops(requirements: list[Row], installed: dict[int, list[Row]], inventories: dict[int, Row]) -> list[Row]:
    below = {row["partInventoryId"] for rows in installed.values() for row in rows}
    parents = {parent["id"] for requirement in requirements for parent in requirement["partInventories"]}
    return [inventories[unit] for unit in sorted(parents - below)]


def _item(store: Store, source: Row, /, **fields: Any) -> Row:
    """Adds an item with the instants and the user of the row that it represents."""
    row = store.add("abomItems", datetime.fromisoformat(source["_created"]), source["createdById"], **fields)
    row["_updated"] = source["_updated"]
    return row


def _expectation(requirement: Row, inventories: dict[int, Row], acceptable: dict[int, list[int]]) -> Row:
    per_piece = requirement["quantityPerParentPartInventory"]
    fixed = requirement["fixedQuantityPerBuildRequirement"]
    pieces = sum(inventories[parent["id"]]["quantity"] for parent in requirement["partInventories"])
    origin = requirement["originMbomItemId"]
    return {
        "partId": requirement["partId"],
        "originMbomItemId": origin,
        "expectedQuantityPer": per_piece,
        "expectedFixedQuantity": fixed,
        "expectedQuantity": fixed if per_piece is None else round(per_piece * pieces, 9),
        "acceptablePartIds": [requirement["partId"], *acceptable.get(origin, ())],
    }


def _acceptable_parts(store: Store) -> dict[int, list[int]]:
    substitutes: defaultdict[int, list[int]] = defaultdict(list)
    for row in store.live("mbomSubstitutes"):
        substitutes[row["mbomItemId"]].append(row["partId"])
    return substitutes


def _mbom_places(store: Store) -> dict[tuple[int, str], int]:
    return {(row["mbomItemId"], row["value"]): row["id"] for row in store.live("mbomItemReferenceDesignators")}


def _place(store: Store, item: Row, installation: Row, requirement: Row, places: dict[tuple[int, str], int]) -> None:
    """Sets the installation's designator on its item."""
    wanted = installation["buildRequirementReferenceDesignatorId"]
    if wanted is None:
        return
    value = next(row["value"] for row in requirement["referenceDesignators"] if row["id"] == wanted)
    by = item["createdById"]
    item["referenceDesignator"] = {
        "id": store.next_id("ABomItemReferenceDesignator"), "_created": item["_created"], "_updated": item["_updated"],
        "_etag": store.etag(), "abomItemId": item["id"], "createdById": by, "updatedById": by, "value": value,
        "originMbomReferenceDesignatorId": places.get((requirement["originMbomItemId"], value)),
    }  # fmt: skip
