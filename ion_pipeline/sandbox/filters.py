"""Compiles filter arguments to predicates over rows.

The fields of one filter object are combined with "and"; `or_` and `and_` take lists. A filter on a relation is true if
any row of the relation satisfies it, so it is false for a missing row. An empty filter object matches every row. Names
in filters are not always the schema's field names: `column_named` and `VIRTUAL` map them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ion_pipeline.sandbox.entity_filters import ASSOCIATIONS, ENTITIES, association_test, entities_test
from ion_pipeline.sandbox.model import Column, NodeType
from ion_pipeline.sandbox.operators import value_test
from ion_pipeline.sandbox.relations import Fetch, Relations, Rule, same, via
from ion_pipeline.sandbox.store import Row

Predicate = Callable[[Row], bool]

#: Filter fields on a column of related rows: (type, filter field) → (relation, column).
VIRTUAL: dict[tuple[str, str], tuple[str, str]] = {
    ("Issue", "runId"): ("runStep", "runId"),
    ("Redline", "runId"): ("step", "runId"),
    ("Run", "partNumber"): ("part", "partNumber"),
    ("Run", "locationId"): ("locations", "id"),
    ("Procedure", "locationId"): ("locations", "id"),
    ("Procedure", "label"): ("", "labels"),
}

#: Filter fields on relations that are not fields of the type: the row that a barcode label belongs to.
VIRTUAL_RELATIONS: dict[tuple[str, str], tuple[str, Rule]] = {
    ("BarcodeLabel", field): (target, same("entityId", target, "entityId"))
    for field, target in (
        ("location", "Location"),
        ("partInventory", "PartInventory"),
        ("partKit", "PartKit"),
        ("run", "Run"),
    )
}

_UNKNOWN = Column(name="", kind="String", is_list=False, read=str, default=None)


def column_named(node: NodeType, name: str) -> Column | None:
    """The column that a name in a filter or sort refers to; None if the type does not have it.

    ION's private columns have an underscore in filters; as fields they are capitalised without it: `_cost` is `Cost`,
    `_latest_revision_scheme` is `LatestRevisionScheme`, an attribute's `_updated` is `Updated`.
    """
    if name in node.columns:
        return node.columns[name]
    words = [word for word in re.split(r"_|(?<=[a-z0-9])(?=[A-Z])", name) if word]
    pascal = "".join(word[0].upper() + word[1:] for word in words)
    camel = pascal[:1].lower() + pascal[1:]
    spellings = (f"_{camel}", pascal, camel) if name.startswith("_") else (camel, pascal)
    return next((node.columns[spelled] for spelled in spellings if spelled in node.columns), None)


def compile_filter(relations: Relations, type_name: str, filters: Mapping[str, Any] | None) -> Predicate | None:
    """A predicate over rows of a type, or None if the filter matches every row.

    Raises:
        GraphQLError: A filter value cannot be converted to its column's type.
    """
    node = relations.store.model.types[type_name]
    parts: list[Predicate] = []
    for name, given in (filters or {}).items():
        if given:
            part = _part(relations, node, name, given)
            if part is not None:
                parts.append(part)
    return _all(parts)


def _all(parts: Sequence[Predicate]) -> Predicate | None:
    if len(parts) <= 1:
        return parts[0] if parts else None
    return lambda row: all(part(row) for part in parts)


def _part(relations: Relations, node: NodeType, name: str, given: Any) -> Predicate | None:
    if name in ("or_", "and_"):
        return _junction(relations, node, name, given)
    column = column_named(node, name)
    if column is not None:
        return _on_column(node, column, given)
    if name in node.references:
        reference = node.references[name]
        fetch = relations.fetch(node.name, name)
        if reference.union:
            return _on_union(relations, fetch, given)
        return _on_relation(fetch, compile_filter(relations, reference.target, given))
    return _irregular(relations, node, name, given)


def _junction(relations: Relations, node: NodeType, name: str, given: Sequence[Any]) -> Predicate | None:
    parts = [compile_filter(relations, node.name, one) for one in given if one is not None]
    if name == "and_":
        return _all([part for part in parts if part is not None])
    known = [part for part in parts if part is not None]
    # An empty branch matches every row, and so does an empty list of branches.
    if len(known) < len(parts) or not known:
        return None
    return lambda row: any(part(row) for part in known)


def _on_column(node: NodeType, column: Column, given: Mapping[str, Any]) -> Predicate:
    slot, test = node.slots[column.name], value_test(column, given)
    return lambda row: test(row[slot])


def _on_relation(fetch: Fetch, inner: Predicate | None) -> Predicate | None:
    if inner is None:
        return None
    return lambda row: any(inner(found) for found in fetch(row))


def _on_union(relations: Relations, fetch: Fetch, given: Mapping[str, Any]) -> Predicate | None:
    """`ionValue: {part: …, user: …}`: the type of a row is the one whose table contains it."""
    parts = []
    for name, filters in given.items():
        if filters is not None:
            table = relations.store.tables[name.capitalize()]
            inner = compile_filter(relations, table.node.name, filters)
            parts.append(_on_relation(_within(fetch, table.rows, table.key_of), inner))
    return _all([part for part in parts if part is not None])


def _within(fetch: Fetch, rows: Mapping[Any, Row], key_of: Callable[[Row], Any]) -> Fetch:
    return lambda row: [found for found in fetch(row) if rows.get(key_of(found)) is found]


def _irregular(relations: Relations, node: NodeType, name: str, given: Any) -> Predicate | None:
    place = (node.name, name)
    if place in VIRTUAL:
        path, column_name = VIRTUAL[place]
        if not path:
            return _on_column(node, node.columns[column_name], given)
        target = relations.store.model.types[node.references[path].target]
        return _on_relation(via(path)(relations, node), _on_column(target, target.columns[column_name], given))
    if place in VIRTUAL_RELATIONS:
        target_name, rule = VIRTUAL_RELATIONS[place]
        return _on_relation(rule(relations, node), compile_filter(relations, target_name, given))
    if place in ASSOCIATIONS:
        return association_test(compile_filter, relations, node, ASSOCIATIONS[place], given)
    if place in ENTITIES:
        return entities_test(compile_filter, relations, node, ENTITIES[place], given)
    # The remaining names are columns of a shared filter type that this type does not have: null in every row.
    test = value_test(_UNKNOWN, given) if _is_operators(given) else None
    return (lambda _row: test(None)) if test else (lambda _row: False)


def _is_operators(given: Any) -> bool:
    return isinstance(given, Mapping) and given.keys() <= {
        *("eq", "neq", "like", "ilike", "notlike", "notilike", "in", "gt", "gte", "lt", "lte", "isnull", "fuzzyMatch")
    }
