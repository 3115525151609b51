"""Stores the rows of the sandbox in memory, with the indexes that answers need.

A row is a list in the order of its type's slots, which is small and which `itemgetter` reads fast. An index is built at
its first use and dropped when its table changes. `load` adds rows, `relations` follows references between them.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from ion_pipeline.sandbox.model import VIEWS, Model, NodeType, known_model

Row = list[Any]
Key = Any

_FLAG = "exportControlled"


class Table:
    """All rows of one type.

    Attributes:
        rows: Key → row. Change it only through `put` and `remove`.
        withheld: Key → row that is stored but never answered: an export-controlled one, if `withholds` is set.
        version: Increases with every change.
    """

    def __init__(self, node: NodeType, *, withholds: bool = False) -> None:
        self.node = node
        self.rows: dict[Key, Row] = {}
        self.withheld: dict[Key, Row] = {}
        self._flag = node.slots[_FLAG] if withholds else None
        self.version = 0
        self._key_slots = [node.slots[name] for name in node.key]
        self._text_ids = any(node.columns[name].kind == "ID" for name in node.key)
        self._ordered: tuple[list[Key], list[Row]] | None = None
        self._indexes: dict[str, dict[Any, list[Row]]] = {}
        self._ranges: dict[str, tuple[list[Any], list[Row]]] = {}

    def key_of(self, row: Row) -> Key:
        """The key of a row: its id, or a tuple if the type has no id."""
        if len(self._key_slots) == 1:
            return row[self._key_slots[0]]
        return tuple(row[slot] for slot in self._key_slots)

    def order_of(self, row: Row) -> Any:
        """The default sort key of a row: its key, with ids that are sent as text ordered by their number."""
        if not self._text_ids:
            return self.key_of(row)
        return tuple(id_order(row[slot]) for slot in self._key_slots)

    def get(self, key: Key) -> Row | None:
        """The row, or None."""
        return self.rows.get(key)

    def put(self, row: Row) -> None:
        """Inserts a row, or replaces the one with the same key; its flag decides whether it is withheld."""
        self.remove(key := self.key_of(row))
        is_withheld = self._flag is not None and row[self._flag] is True
        (self.withheld if is_withheld else self.rows)[key] = row
        self._changed()

    def remove(self, key: Key) -> Row | None:
        """Removes a row and returns it; None if there was none."""
        row = self.rows.pop(key, None)
        if row is not None:
            self._changed()
        return self.withheld.pop(key, None) if row is None else row

    def stored(self, key: Key) -> Row:
        """The row, whether it is withheld or not.

        Raises:
            KeyError: There is no such row.
        """
        return self.rows[key] if key in self.rows else self.withheld[key]

    def _changed(self) -> None:
        self.version += 1
        self._ordered = None
        self._indexes.clear()
        self._ranges.clear()

    def ordered(self) -> tuple[list[Key], list[Row]]:
        """The keys in ascending order, and the rows in the same order. The caller must not change them."""
        if self._ordered is None:
            rows = sorted(self.rows.values(), key=self.order_of)
            self._ordered = [self.key_of(row) for row in rows], rows
        return self._ordered

    def index(self, column: str) -> Mapping[Any, Sequence[Row]]:
        """Value → rows with it, in key order, without nulls. Ids that are sent as text are indexed as whole numbers."""
        found = self._indexes.get(column)
        if found is None:
            found = self._indexes[column] = {}
            slot, numeric = self.node.slots[column], self.node.columns[column].kind == "ID"
            for row in self.ordered()[1]:
                value = row[slot]
                if value is not None:
                    found.setdefault(whole_number(value) if numeric else value, []).append(row)
        return found

    def between(self, column: str, low: Any, low_open: bool, high: Any, high_open: bool) -> tuple[list[Row], int, int]:
        """Rows ordered by a column, without nulls, and the start and stop of those within bounds (None: unbounded)."""
        if column == "id" and self.node.key == ("id",):
            values, rows = self.ordered()
        else:
            values, rows = self._range(column)
        start = 0 if low is None else (bisect_right if low_open else bisect_left)(values, low)
        stop = len(values) if high is None else (bisect_left if high_open else bisect_right)(values, high)
        return rows, start, max(start, stop)

    def _range(self, column: str) -> tuple[list[Any], list[Row]]:
        if column not in self._ranges:
            slot = self.node.slots[column]
            rows = sorted((row for row in self.ordered()[1] if row[slot] is not None), key=lambda row: row[slot])
            self._ranges[column] = [row[slot] for row in rows], rows
        return self._ranges[column]


def whole_number(value: Any) -> Any:
    """The number that a text spells, for an id sent as text; any other value is returned unchanged."""
    return int(value) if isinstance(value, str) and value.lstrip("-").isdecimal() else value


def id_order(value: Any) -> tuple[bool, Any]:
    """A sort key for ids sent as text: numbers first, by their value, then the others."""
    number = whole_number(value)
    return isinstance(number, str), number


class Store:
    """All tables of a tenant, and the links between their rows.

    Args:
        withheld: Types whose export-controlled rows are not answered.

    Attributes:
        links: (type, field) → owner's key → keys of the linked rows.
        organization_id: The tenant's id.
    """

    def __init__(self, model: Model | None = None, withheld: frozenset[str] = frozenset()) -> None:
        self.model = model or known_model()
        self.tables = {name: Table(node, withholds=name in withheld) for name, node in self.model.types.items()}
        self.links: dict[tuple[str, str], dict[Key, tuple[Any, ...]]] = {}
        self.organization_id = 1
        self._reverse: dict[tuple[str, str], tuple[int, dict[Any, list[Key]]]] = {}
        self._link_changes = 0

    @property
    def version(self) -> int:
        """Increases with every change in any table."""
        return self._link_changes + sum(table.version for table in self.tables.values())

    def of_root(self, root: str) -> Table:
        """The table behind a root connection."""
        return self.tables[self.model.roots[root]]

    def link(self, owner_type: str, field: str, owner: Key, targets: Sequence[Any] | None) -> None:
        """Sets the rows that an owner's field links to; None removes the links."""
        links = self.links.setdefault((owner_type, field), {})
        if targets is None:
            links.pop(owner, None)
        else:
            links[owner] = tuple(targets)
        self._link_changes += 1

    def owners_of(self, owner_type: str, field: str) -> Mapping[Any, Sequence[Key]]:
        """Key of the target → keys of the owners whose field links to it, in key order."""
        built = self._reverse.get((owner_type, field))
        if built is None or built[0] != self._link_changes:
            found: dict[Any, list[Key]] = {}
            links = self.links.get((owner_type, field), {})
            is_view = self.model.types[owner_type].references[field].target in VIEWS
            for owner in sorted(links):
                for target in links[owner]:
                    # A link to a view contains the view's own columns in addition to the key.
                    found.setdefault(target[0] if is_view else target, []).append(owner)
            built = self._reverse[(owner_type, field)] = self._link_changes, found
        return built[1]
