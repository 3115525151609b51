"""Sorts rows by sort enums, as PostgreSQL does: nulls are last ascending and first descending, ties are by key.

Text is ordered by code point, because ION's collation is unknown. `distinctOn` is PostgreSQL's DISTINCT ON.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError

from ion_pipeline.sandbox.filters import column_named
from ion_pipeline.sandbox.model import NodeType
from ion_pipeline.sandbox.operators import as_text
from ion_pipeline.sandbox.store import Row, id_order

#: ION stores a field's value in one column for each type; the sort enums name these columns.
_TYPED_VALUES = {
    "_STRING_VALUE": ("STRING", str),
    "_NUMBER_VALUE": ("NUMBER", int | float),
    "_DATETIME_VALUE": ("DATETIME", str),
    "_BOOLEAN_VALUE": ("BOOLEAN", bool),
    "_SELECT_VALUE": ("SELECT", str),
    "_MULTISELECT_VALUES": ("MULTISELECT", list),
}

#: Columns that are in sort enums but not in the types: null in every row here, so the key decides.
HIDDEN_COLUMNS = frozenset({"DATAGRID", "RESULT_TYPE", "AUTH0_SUB", "_LAST_SESSION_ID"})


@dataclass(frozen=True)
class Order:
    """One sort key.

    Attributes:
        name: The enum's value without its direction.
        column: The name of the column, if the key is a column, so that an index can be used.
        value: Returns the row's value; None sorts like PostgreSQL's null.
    """

    name: str
    column: str | None
    descending: bool
    value: Callable[[Row], Any]


def orders(node: NodeType, names: Sequence[str | None] | None) -> list[Order]:
    """Sort enum values as orders; nulls in the list are ignored.

    Raises:
        LookupError: A value matches no column of the type, which is a gap in the naming rules.
    """
    return [_order(node, name) for name in names or () if name is not None]


def _order(node: NodeType, enum_value: str) -> Order:
    name, _, direction = enum_value.rpartition("_")
    descending = direction == "DESC"
    if name in _TYPED_VALUES and "value" in node.columns:
        return Order(name, None, descending, _typed_value(node, *_TYPED_VALUES[name]))
    column = column_named(node, name.lower())
    if column is None and name in HIDDEN_COLUMNS:
        return Order(name, None, descending, lambda _row: None)
    if column is None:
        raise LookupError(f"{node.name} has no column for the sort {enum_value}")
    slot = node.slots[column.name]
    if column.kind in ("SlateContent", "ScalarValue"):
        return Order(name, column.name, descending, lambda row: None if row[slot] is None else as_text(row[slot]))
    if column.kind == "ID":
        return Order(name, column.name, descending, lambda row: None if row[slot] is None else id_order(row[slot]))
    return Order(name, column.name, descending, lambda row: row[slot])


def _typed_value(node: NodeType, field_type: str, python: Any) -> Callable[[Row], Any]:
    type_slot, value_slot = node.slots["type"], node.slots["value"]

    def value(row: Row) -> Any:
        found = row[value_slot]
        return found if row[type_slot] == field_type and isinstance(found, python) else None

    return value


def sort_rows(rows: Sequence[Row], by: Sequence[Order]) -> list[Row]:
    """Sorts rows, which are in key order, by all sort keys."""
    result = list(rows)
    for order in reversed(by):
        result.sort(key=lambda row, of=order.value: _nulls_last(of(row)), reverse=order.descending)  # type: ignore[misc]
    return result


def _nulls_last(value: Any) -> tuple[bool, Any]:
    return (value is None, 0 if value is None else value)


def distinct_rows(rows: Sequence[Row], on: Sequence[Order], by: Sequence[Order]) -> list[Row]:
    """The first of the sorted rows for each combination of values in the `on` columns.

    Raises:
        GraphQLError: The sort does not begin with the `on` columns; the text is PostgreSQL's.
    """
    wanted = {order.name for order in on}
    if by and {order.name for order in by[: len(wanted)]} != wanted:
        raise GraphQLError("SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
    first: dict[tuple[str, ...], Row] = {}
    for row in rows if by else sort_rows(rows, on):
        first.setdefault(tuple(repr(order.value(row)) for order in on), row)
    return list(first.values())
