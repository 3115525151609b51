"""Narrows a filter to few candidate rows with indexes, as the planner of a database does.

Ranges of ids and of instants are bisected, foreign keys are looked up, and filters on inline rows (attributes) start
from the inline rows. The candidates always contain every match. If they are exactly the matches, they are marked so,
and counting them reads no row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ion_pipeline.sandbox.check import is_inline
from ion_pipeline.sandbox.filters import column_named
from ion_pipeline.sandbox.load import owner_column
from ion_pipeline.sandbox.model import Column, NodeType
from ion_pipeline.sandbox.operators import as_text, cast
from ion_pipeline.sandbox.store import Row, Store, Table, whole_number

_RANGE = frozenset({"gt", "gte", "lt", "lte"})


@dataclass(frozen=True)
class Candidates:
    """A part of a list of rows.

    Attributes:
        rows: The list, which must not be changed; the candidates are `start` to `stop`.
        by_key: Whether they are in key order.
        exact: Whether they are exactly the rows that match.
    """

    rows: Sequence[Row]
    start: int
    stop: int
    by_key: bool
    exact: bool

    @property
    def count(self) -> int:
        """The number of candidates."""
        return self.stop - self.start


def candidates(store: Store, type_name: str, filters: Mapping[str, Any] | None) -> Candidates:
    """The smallest set of rows that an index gives for a filter; all rows of the type if no index applies.

    Raises:
        GraphQLError: A filter value cannot be converted to its column's type.
    """
    table = store.tables[type_name]
    found = _narrow(store, table, filters or {})
    if found is not None:
        return found
    rows = table.ordered()[1]
    return Candidates(rows, 0, len(rows), by_key=True, exact=not filters)


def _narrow(store: Store, table: Table, filters: Mapping[str, Any]) -> Candidates | None:
    terms = [(name, given) for name, given in filters.items() if given]
    found = [part for name, given in terms if (part := _term(store, table, name, given)) is not None]
    if not found:
        return None
    best = min(found, key=lambda part: part.count)
    return best if len(terms) == 1 else Candidates(best.rows, best.start, best.stop, best.by_key, exact=False)


def _term(store: Store, table: Table, name: str, given: Any) -> Candidates | None:
    if name == "and_":
        return _intersection(store, table, given)
    if name == "or_":
        return _union(store, table, given)
    column = column_named(table.node, name)
    if column is None:
        return _owners(store, table, name, given)
    if column.is_list or any(value is None for value in given.values()):
        return None
    is_key = (column.name,) == table.node.key and column.kind != "ID"
    if given.keys() <= _RANGE:
        return _between(table, column, given) if column.kind == "DateTime" or is_key else None
    return _equal(table, column, given) if len(given) == 1 and column.kind in ("Int", "ID") else None


def _between(table: Table, column: Column, given: Mapping[str, Any]) -> Candidates | None:
    if given.keys() >= {"gt", "gte"} or given.keys() >= {"lt", "lte"}:
        return None
    bound = {name: cast(column, value) for name, value in given.items()}
    low, high = bound.get("gt", bound.get("gte")), bound.get("lt", bound.get("lte"))
    rows, start, stop = table.between(column.name, low, "gt" in bound, high, "lt" in bound)
    return Candidates(rows, start, stop, by_key=column.name == "id", exact=True)


def _equal(table: Table, column: Column, given: Mapping[str, Any]) -> Candidates | None:
    ((name, value),) = given.items()
    if name not in ("eq", "in") or not column.name.lower().endswith("id"):
        return None
    given_values = [one for one in (value if name == "in" else [value]) if one is not None]
    if column.kind == "ID":
        wanted = {whole_number(as_text(one)) for one in given_values}
    else:
        wanted = {cast(column, one) for one in given_values}
    if (column.name,) == table.node.key and column.kind != "ID":
        return _list(table, [row for key in wanted if (row := table.get(key)) is not None])
    index = table.index(column.name)
    return _list(table, [row for key in wanted for row in index.get(key, ())])


def _list(table: Table, rows: list[Row]) -> Candidates:
    rows.sort(key=table.order_of)
    return Candidates(rows, 0, len(rows), by_key=True, exact=True)


def _intersection(store: Store, table: Table, given: Sequence[Mapping[str, Any] | None]) -> Candidates | None:
    parts = [part for one in given if (part := _narrow(store, table, one or {})) is not None]
    best = min(parts, key=lambda part: part.count, default=None)
    return best and Candidates(best.rows, best.start, best.stop, best.by_key, exact=False)


def _union(store: Store, table: Table, given: Sequence[Mapping[str, Any] | None]) -> Candidates | None:
    parts = [_narrow(store, table, one or {}) for one in given]
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    rows = {table.key_of(row): row for part in known for row in part.rows[part.start : part.stop]}
    union = _list(table, list(rows.values()))
    return Candidates(union.rows, 0, union.stop, by_key=True, exact=all(part.exact for part in known))


def _owners(store: Store, table: Table, name: str, given: Mapping[str, Any]) -> Candidates | None:
    """The owners of the inline rows that a filter on inline rows narrows to."""
    reference = table.node.references.get(name)
    if reference is None or reference.union:
        return None
    child = store.tables[reference.target]
    owner = owner_column(table.node, reference, child.node) if _is_child(child.node, table.node) else None
    inner = _narrow(store, child, given) if owner else None
    if owner is None or inner is None or store.links.get((table.node.name, name)):
        return None
    slot = child.node.slots[owner]
    keys = {row[slot] for row in inner.rows[inner.start : inner.stop]}
    found = _list(table, [row for key in keys if (row := table.get(key)) is not None])
    return Candidates(found.rows, 0, found.stop, by_key=True, exact=inner.exact)


def _is_child(child: NodeType, owner: NodeType) -> bool:
    return is_inline(child) and owner.key == ("id",)
