"""Filters on ION's link tables and on its `entities` table, which are not node types.

`teamUsers: {userId: {eq: 7}}` filters by a row of the table between teams and users. `resultEntities: {type: …}`
filters by a row of the table in which every row that can have comments, labels or attachments has a global id. The
sandbox stores neither table: it derives both from the rows that they join.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ion_pipeline.sandbox.model import Column, NodeType
from ion_pipeline.sandbox.operators import Test, value_test
from ion_pipeline.sandbox.relations import Fetch, Relations, mirror, same
from ion_pipeline.sandbox.store import Row

Predicate = Callable[[Row], bool]
CompileFilter = Callable[[Relations, str, Mapping[str, Any] | None], Predicate | None]

_INT = Column(name="", kind="Int", is_list=False, read=int, default=None)
_TEXT = Column(name="", kind="String", is_list=False, read=str, default=None)


@dataclass(frozen=True)
class Association:
    """A link table between the filtered type and another.

    Attributes:
        field: The filtered type's list of the linked rows.
        own: The link table's name for the filtered row (`team`, and `teamId`).
        other: The link table's name for the linked row.
    """

    field: str
    own: str
    other: str


ASSOCIATIONS: dict[tuple[str, str], Association] = {
    ("Team", "teamUsers"): Association("users", own="team", other="user"),
    ("Team", "teamRoles"): Association("roles", own="team", other="role"),
    ("Role", "teamRoles"): Association("teams", own="role", other="team"),
    ("Role", "userRoles"): Association("users", own="role", other="user"),
    ("User", "userRoles"): Association("roles", own="user", other="role"),
}

_RESULT_FIELDS = {"runs": "Run", "purchaseOrderLines": "PurchaseOrderLine", "issues": "Issue"} | {
    "partInventories": "PartInventory"
}

#: Filter field → where its entities come from: the row's result lists, or the rows that have the file in this list.
ENTITIES: dict[tuple[str, str], str] = {
    ("PlanItem", "resultEntities"): "results",
    ("FileAttachment", "fileAttachmentEntities"): "fileAttachments",
    ("FileAttachment", "assetEntities"): "assets",
}

_ENTITY_TYPES = {
    "Issue": "ISSUES",
    "Part": "PARTS",
    "PartInventory": "PARTS_INVENTORY",
    "PartKit": "PARTS_KITS",
    "PartKitItem": "PART_KIT_ITEMS",
    "Plan": "PLANS",
    "PurchaseOrder": "PURCHASE_ORDERS",
    "PurchaseOrderLine": "PURCHASE_ORDER_LINES",
    "Receipt": "RECEIPTS",
    "Run": "RUNS",
    "RunStep": "RUN_STEPS",
    "Step": "STEPS",
    "Supplier": "SUPPLIERS",
}
_BY_HANDLE = {"barcodeLabels": "BarcodeLabel", "comments": "Comment", "subscriptions": "UserSubscription"}
_ITSELF = {"locations": "Location", "partInventories": "PartInventory", "partKits": "PartKit"} | {
    "planItems": "PlanItem",
    "reviewRequest": "ReviewRequest",
}


def association_test(
    compile_filter: CompileFilter, relations: Relations, node: NodeType, association: Association, given: Any
) -> Predicate:
    """A test whether any row of the link table that belongs to this row satisfies a filter."""
    types, fetch = relations.store.model.types, relations.fetch(node.name, association.field)
    sides = {association.own: node, association.other: types[node.references[association.field].target]}

    def pair_test(filters: Mapping[str, Any]) -> Callable[[Row, Row], bool]:
        parts = [part(name, value) for name, value in filters.items() if value is not None]
        return lambda own, other: all(one(own, other) for one in parts)

    def part(name: str, value: Any) -> Callable[[Row, Row], bool]:
        if name in ("or_", "and_"):
            inner = [pair_test(one) for one in value if one is not None]
            combine = any if name == "or_" and inner else all
            return lambda own, other: combine(one(own, other) for one in inner)
        side = name.removesuffix("Id")
        if side not in sides:  # ION does not show who linked the rows, and when
            unknown: Test = value_test(_TEXT, value) if name in ("_created", "createdById") else lambda _value: False
            return lambda own, other: unknown(None)  # noqa: ARG005
        if name.endswith("Id"):
            slot, test = sides[side].slots["id"], value_test(_INT, value)
        else:
            slot, test = None, compile_filter(relations, sides[side].name, value) or (lambda _row: True)
        chosen = side == association.own
        return lambda own, other: test(_value(own if chosen else other, slot))

    test = pair_test(given)
    return lambda row: any(test(row, other) for other in fetch(row))


def _value(row: Row, slot: int | None) -> Any:
    return row if slot is None else row[slot]


def entities_test(
    compile_filter: CompileFilter, relations: Relations, node: NodeType, source: str, given: Mapping[str, Any]
) -> Predicate:
    """A test whether any entity that belongs to the row satisfies a filter on entities."""
    tests = [
        (fetch, _entity_test(compile_filter, relations, type_name, given))
        for type_name, fetch in _entities(relations, node, source)
    ]
    return lambda row: any(test(entity) for fetch, test in tests for entity in fetch(row))


def _entities(relations: Relations, node: NodeType, source: str) -> list[tuple[str, Fetch]]:
    if source == "results":
        return [(type_name, relations.fetch(node.name, field)) for field, type_name in _RESULT_FIELDS.items()]
    holders = [name for name in _ENTITY_TYPES if source in relations.store.model.types[name].references]
    return [(name, mirror(f"{name}.{source}")(relations, node)) for name in holders]


def _entity_test(
    compile_filter: CompileFilter, relations: Relations, type_name: str, given: Mapping[str, Any]
) -> Predicate:
    node = relations.store.model.types[type_name]

    def part(name: str, value: Any) -> Predicate:
        if name in ("or_", "and_"):
            inner = [_entity_test(compile_filter, relations, type_name, one) for one in value if one is not None]
            combine = any if name == "or_" and inner else all
            return lambda row: combine(one(row) for one in inner)
        if name == "id":
            slot, test = node.slots["entityId"], value_test(_INT, value)
            return lambda row: test(row[slot])
        if name == "type":
            is_type = value_test(_TEXT, value)(_ENTITY_TYPES[type_name])
            return lambda _row: is_type
        if _ITSELF.get(name) == type_name:
            return compile_filter(relations, type_name, value) or (lambda _row: True)
        if name in _BY_HANDLE:
            target, fetch = _BY_HANDLE[name], same("entityId", _BY_HANDLE[name], "entityId")(relations, node)
        elif name in node.references:
            target, fetch = node.references[name].target, relations.fetch(type_name, name)
        else:
            return lambda _row: False
        inside = compile_filter(relations, target, value) or (lambda _row: True)
        return lambda row: any(inside(found) for found in fetch(row))

    parts = [part(name, value) for name, value in given.items() if value is not None]
    return lambda row: all(one(row) for one in parts)
