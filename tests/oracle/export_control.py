"""The rows of a world that are under export control, from the definition and ION's rows.

A part, procedure or run with `exportControlled` is controlled; so is every row that references a controlled one, by its
own fields, by a list of other rows, or by an entity id. The references are listed field by field from ION's schema, and
the closure is computed by brute force.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from tests.oracle.world import Row, World

#: (connection, key): `id` where a row has one, else its key fields.
Named = tuple[str, Any]

ROOTS = ("parts", "procedures", "runs")
_KEYS = {
    "issuePartInventories": ("issueId", "partInventoryId"),
    "issueRelations": ("originIssueId", "relatedIssueId"),
    "partProcedures": ("partId", "procedureId"),
    "planItemAllocations": ("parentPlanItemId", "childPlanItemId"),
    "datagridValues": ("rowId", "columnId"),
}
#: References of the rows of a connection, by field. `revisedFromId`, `originStepId` of steps and the order of steps are
#: not included: they do not make a row part of the other.
FIELDS: dict[str, dict[str, str]] = {
    "partInventories": {"partId": "parts", "originPartInventoryId": "partInventories"},
    "mboms": {"partId": "parts"},
    "mbomItems": {"mbomId": "mboms", "partId": "parts", "parentId": "parts"},
    "mbomSubstitutes": {"mbomItemId": "mbomItems", "partId": "parts", "parentId": "parts"},
    "mbomItemReferenceDesignators": {"mbomItemId": "mbomItems"},
    "mbomApprovals": {"mbomId": "mboms", "parentId": "mbomApprovals"},
    "mbomApprovalRequests": {"mbomId": "mboms"},
    "buildRequirements": {"partId": "parts", "originMbomItemId": "mbomItems"},
    "abomInstallations": {"buildRequirementId": "buildRequirements", "partInventoryId": "partInventories"},
    "abomItems": {"partInventoryId": "partInventories", "partId": "parts", "originMbomItemId": "mbomItems"},
    "aBomEdges": {"parentAbomItemId": "abomItems", "childAbomItemId": "abomItems"},
    "partProcedures": {"partId": "parts", "procedureId": "procedures"},
    "partKits": {"runId": "runs"},
    "partKitItems": {"partKitId": "partKits", "partId": "parts", "originMbomItemId": "mbomItems"},
    "planInputs": {"partId": "parts"},
    "planItems": {"partId": "parts", "procedureId": "procedures"},
    "planItemAllocations": {"parentPlanItemId": "planItems", "childPlanItemId": "planItems"},
    "planReservations": {"partInventoryId": "partInventories"},
    "steps": {"procedureId": "procedures", "parentId": "steps"},
    "fields": {"stepId": "steps", "partId": "parts"},
    "stepFieldValidations": {"fieldId": "fields"},
    "stepApprovals": {"stepId": "steps", "parentId": "stepApprovals"},
    "stepApprovalRequests": {"stepId": "steps"},
    "stepMbomItemAssociations": {
        "stepId": "steps",
        "mbomItemId": "mbomItems",
        "mbomItemReferenceDesignatorId": "mbomItemReferenceDesignators",
    },
    "reviews": {"procedureId": "procedures", "stepId": "steps", "parentId": "reviews"},
    "reviewRequests": {"procedureId": "procedures"},
    "runs": {"partId": "parts", "partInventoryId": "partInventories", "procedureId": "procedures"},
    "runSteps": {"runId": "runs", "parentId": "runSteps", "originStepId": "steps"},
    "runStepFields": {
        "runStepId": "runSteps",
        "originFieldId": "fields",
        "partId": "parts",
        "partInventoryId": "partInventories",
    },
    "runStepFieldValidations": {"runStepFieldId": "runStepFields", "validationId": "stepFieldValidations"},
    "datagridColumns": {"stepId": "steps", "runStepId": "runSteps"},
    "datagridRows": {"stepId": "steps", "runStepId": "runSteps"},
    "datagridValues": {"rowId": "datagridRows", "columnId": "datagridColumns", "partInventoryId": "partInventories"},
    "redlines": {"stepId": "runSteps", "issueId": "issues"},
    "redlineApprovals": {"redlineId": "redlines", "parentId": "redlineApprovals"},
    "redlineApprovalRequests": {"redlineId": "redlines"},
    "issues": {
        "runStepId": "runSteps",
        "mustCloseByRunStepId": "runSteps",
        "purchaseOrderLineId": "purchaseOrderLines",
        "partInventoryId": "partInventories",
        "fixPartInventoryId": "partInventories",
    },
    "issuePartInventories": {"issueId": "issues", "partInventoryId": "partInventories"},
    "issueRelations": {"originIssueId": "issues", "relatedIssueId": "issues"},
    "issueApprovals": {"issueId": "issues", "parentId": "issueApprovals"},
    "issueApprovalRequests": {"issueId": "issues"},
    "purchaseOrderLines": {"partId": "parts"},
    "receiptItems": {"partInventoryId": "partInventories", "purchaseOrderLineId": "purchaseOrderLines"},
    "comments": {"runId": "runs", "runStepId": "runSteps", "parentId": "comments"},
}
#: Lists of other rows inside a row: list → connection.
LISTS: dict[str, dict[str, str]] = {
    "buildRequirements": {"partInventories": "partInventories"},
    "partKitItems": {"partInventories": "partInventories"},
    "planItems": {
        "inputs": "planInputs",
        "issues": "issues",
        "partInventories": "partInventories",
        "plans": "plans",
        "purchaseOrderLines": "purchaseOrderLines",
        "runs": "runs",
    },
    "purchaseOrderLines": {"partInventories": "partInventories"},
    "runs": {"originPartInventories": "partInventories"},
    "runSteps": {"partInventories": "partInventories"},
}
#: Connections whose `entityId` is that of another row.
BY_HANDLE = ("barcodeLabels", "comments", "datagridValues", "runStepFields")
_HANDLE_OF_ANOTHER = (*BY_HANDLE, "userNotifications", "userSubscriptions")


def controlled(*worlds: World) -> set[Named]:
    """Every row that is controlled; custom fields are `("<connection>.attributes", (owner, key))`.

    Args:
        worlds: The tenant as each load found it. A removed reference still counts; of a flag the last value counts.
    """
    below: defaultdict[Named, list[Named]] = defaultdict(list)
    flags: dict[Named, bool] = {}
    for world in worlds:
        for name, others in _above(world).items():
            for other in others:
                below[other].append(name)
        flags |= {(root, row["id"]): bool(row.get("exportControlled")) for root in ROOTS for row in world.get(root, ())}
    found = {name for name, flag in flags.items() if flag}
    waiting: list[Named] = list(found)
    while waiting:
        for name in below[waiting.pop()]:
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def named(root: str, row: Row) -> Named:
    """The oracle's name of a row."""
    key = _KEYS.get(root)
    return (root, tuple(int(row[field]) for field in key) if key else row["id"])


def _above(world: World) -> dict[Named, set[Named]]:
    """The rows that each row references."""
    handles = {
        int(row["entityId"]): (root, row["id"])
        for root, rows in world.items()
        if root not in _HANDLE_OF_ANOTHER
        for row in rows
        if row.get("entityId") is not None and "id" in row
    }
    above: defaultdict[Named, set[Named]] = defaultdict(set)
    for root, rows in world.items():
        for row in rows:
            if "id" not in row and root not in _KEYS:
                continue
            name = named(root, row)
            above[name] |= set(_of_fields(root, row))
            if root in BY_HANDLE and row.get("entityId") is not None and int(row["entityId"]) in handles:
                above[name].add(handles[int(row["entityId"])])
            for field in row.get("attributes") or ():
                own: Named = (f"{root}.attributes", (row["id"], field["key"]))
                above[own].add(name)
                if field.get("entityId") in handles:
                    above[own].add(handles[field["entityId"]])
    for link in world.get("issuePartInventories", ()):
        above["issues", link["issueId"]].add(("partInventories", link["partInventoryId"]))
    # Generation 1: the children of a unit's item are installed in that unit.
    units = {item["id"]: item.get("partInventoryId") for item in world.get("abomItems", ())}
    for edge in world.get("aBomEdges", ()):
        if units.get(edge["parentAbomItemId"]) is not None:
            above["abomItems", edge["childAbomItemId"]].add(("partInventories", units[edge["parentAbomItemId"]]))
    return above


def _of_fields(root: str, row: Row) -> Iterator[Named]:
    for field, other in FIELDS.get(root, {}).items():
        if row.get(field) is not None:
            yield other, int(row[field])
    for field, other in LISTS.get(root, {}).items():
        for one in row.get(field) or ():
            yield other, one["id"]
