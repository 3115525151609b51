"""The `_…Count` fields: the number of rows of a relation, without answering them."""

from collections.abc import Callable
from typing import Any

from ion_pipeline.sandbox.filters import VIRTUAL_RELATIONS
from ion_pipeline.sandbox.model import NodeType
from ion_pipeline.sandbox.relations import Relations
from ion_pipeline.sandbox.store import Row

#: Counts that are named after a link table, and the relation over that table.
_LINK_TABLES = {
    ("PermissionGroup", "_RolesCount"): "roles",
    ("Role", "_PermissionGroupRolesCount"): "permissionGroups",
    ("Permission", "_PermissionPermissionGroupsCount"): "permissionGroups",
    ("Role", "_TeamRolesCount"): "teams",
    ("Team", "_TeamRolesCount"): "roles",
    ("Team", "_TeamUsersCount"): "users",
    ("Role", "_UserRolesCount"): "users",
    ("User", "_UserRolesCount"): "roles",
    ("PartInventory", "_PartKitInventoriesCount"): "partKitItems",
}
_RESULTS = ("runs", "purchaseOrderLines", "issues", "partInventories")

#: Counts of rows that the schema shows nowhere else: 0 unless the row has a value.
HIDDEN = frozenset(
    {
        ("Organization", "_AnalyticsCredentialsCount"),
        ("User", "_AnalyticsCredentialCount"),
        ("FileAttachment", "_FileAttachmentEntitiesCount"),
        ("FileAttachment", "_AssetEntitiesCount"),
        ("MBom", "_LabelsCount"),
        ("MBom", "_CommentsCount"),
    }
)


def is_count(name: str) -> bool:
    """Whether a column is one of the computed counts."""
    return name.startswith("_") and name.endswith("Count")


def counter(relations: Relations, node: NodeType, name: str) -> Callable[[Row], int]:
    """A function from a row to its count; a value in the row itself takes precedence.

    Raises:
        LookupError: The name matches no relation, which is a gap in the naming rules.
    """
    slot, count = node.slots[name], _computed(relations, node, name)

    def value(row: Row) -> int:
        given = row[slot]
        return count(row) if given is None else int(given)

    return value


def _computed(relations: Relations, node: NodeType, name: str) -> Callable[[Row], int]:
    plain = name.removeprefix("_").removesuffix("Count")
    camel = plain[0].lower() + plain[1:]
    if (node.name, name) in HIDDEN:
        return lambda _row: 0
    if camel == "value" and "value" in node.slots:
        slot = node.slots["value"]
        return lambda row: int(row[slot] is not None)
    if (node.name, camel) in VIRTUAL_RELATIONS:
        fetch: Callable[[Row], Any] = VIRTUAL_RELATIONS[node.name, camel][1](relations, node)
        return lambda row: len(fetch(row))
    if name == "_ResultEntitiesCount":
        parts = [relations.fetch(node.name, field) for field in _RESULTS]
        return lambda row: sum(len(part(row)) for part in parts)
    field = _LINK_TABLES.get((node.name, name)) or next((one for one in (camel, plain) if one in node.references), None)
    if field is None:
        raise LookupError(f"no rule defines what {node.name}.{name} counts")
    relation = relations.fetch(node.name, field)
    return lambda row: len(relation(row))
