"""A world with two rows of every entity, every column filled and every foreign key resolved, made from the schema.

Row 2 hangs under row 1 wherever a type hangs on itself; everything else points at row 1. Inline rows stand wherever
the schema has a place for them. Values are typed samples: nothing about them is plausible.
"""

from typing import Any

from graphql import GraphQLEnumType, get_named_type

from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.sandbox.check import is_attribute, is_inline
from ion_pipeline.sandbox.load import owner_column
from ion_pipeline.sandbox.model import VIEWS, Column, NodeType, known_model
from ion_pipeline.sandbox.world import World

SAMPLES: dict[str, Any] = {
    "Int": 1,
    "Float": 1.5,
    "Boolean": True,
    "String": "text",
    "ID": "1",
    "DateTime": "2026-03-01T08:15:00.000000+00:00",
    "JSONString": '{"a": 1}',
    "ScalarValue": "text",
    "SlateContent": {"children": [{"text": "x"}]},
}


LINKS = [
    "buildRequirements.partInventories",
    "parts.partSubtypes",
    "runSteps.partInventories",
    "purchaseOrderLines.partInventories",
    "purchaseOrderLines.requirements",
    "runs.originPartInventories",
    "teams.users",
    "teams.roles",
    "users.roles",
    "roles.permissionGroups",
    "permissionGroups.permissions",
    "planItems.plans",
    "planItems.inputs",
    "webhookReceivers.headers",
]


def complete_world() -> World:
    model = known_model()
    tables = {
        root: [row_of(model.types[type_name], number) for number in (1, 2)] for root, type_name in model.roots.items()
    }
    # A released plan; a step, its field and its check in each of two runs of one batch; a two-level as-built BOM.
    for row in tables["mboms"]:
        row["status"] = "RELEASED"
    tables["runSteps"][1]["runId"] = 2
    tables["runStepFields"][1]["runStepId"] = 2
    tables["runStepFieldValidations"][1]["runStepFieldId"] = 2
    for edge in tables["aBomEdges"]:
        edge["childAbomItemId"] = 2
    tables["issueRelations"][1] |= {"originIssueId": 1, "relatedIssueId": 2}
    for place in LINKS:
        root, field = place.split(".")
        tables[root][0][field] = [{"id": 1}]
    tables["partKitItems"][0]["partInventories"] = [{"id": 1, "issuedQuantity": 2.0}]
    tables["parts"][0]["fileAttachments"] = [{"id": 1, "filename": "a.pdf", "createdById": 1, "updatedById": 1}]
    settings = {"numReviewersRequired": 2}
    return World(tables=tables, organization={"id": 1, "name": "x", "domain": "y", "settings": settings})


def row_of(node: NodeType, number: int) -> dict[str, Any]:
    row = {name: value for name, column in node.columns.items() if (value := sample(node, column)) is not None}
    for name in node.key:
        if row[name] in (1, "1"):
            row[name] = type(row[name])(number)
    if node.key == ("id",):
        own = {reference.name for reference in node.references.values() if reference.target == node.name}
        for name in [f"{field}Id" for field in own if f"{field}Id" in row]:
            row[name] = 1
            if number == 1:
                del row[name]
        if node.columns["id"].kind == "String":
            row["id"] = f"row {number}"
    if number == 1:
        row |= inline_rows(node)
    if number == 2 and "upstreamStepIds" in row:
        row["upstreamStepIds"] = [1]
    else:
        row.pop("upstreamStepIds", None)
    return row


def sample(node: NodeType, column: Column) -> Any:
    if column.name.startswith("_") and column.name.endswith("Count"):
        return None
    if column.kind == "Enum":
        kind = get_named_type(known_schema().type_map[node.name].fields[column.name].type)  # type: ignore[attr-defined]
        assert isinstance(kind, GraphQLEnumType)
        value: Any = next(iter(kind.values))
    elif column.kind == "Float" and column.name.endswith("Id"):
        value = 1.0
    else:
        value = SAMPLES[column.kind]
    return [value] if column.is_list else value


def inline_rows(node: NodeType) -> dict[str, Any]:
    """Attributes, sessions, designators: children that point back at their owner by a column."""
    model = known_model()
    rows: dict[str, Any] = {}
    for name, reference in node.references.items():
        if reference.union or reference.paged or reference.target in VIEWS:
            continue
        child = model.types[reference.target]
        if name in ("Attributes", "upstream", "downstream") or not is_inline(child):
            continue
        if owner_column(node, reference, child) is not None:
            full = {one: value for one, column in child.columns.items() if (value := sample(child, column)) is not None}
            if is_attribute(child):
                full |= {"id": f"{node.name} mass", "key": "mass"}
            rows[name] = [full] if reference.many else full
    return rows
