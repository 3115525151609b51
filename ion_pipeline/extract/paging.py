"""How one page leads to the next, and what must hold between them. Pure logic: `stream` sends the requests.

A pager gives the variables of the next request, checks the page that comes, and knows when the last page has come.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any, Protocol

from ion_pipeline.catalog.catalog import Entity
from ion_pipeline.catalog.shape import NodeShape
from ion_pipeline.extract.errors import PagingError
from ion_pipeline.extract.ranges import Cutter, IdRange

RowKey = Callable[[Mapping[str, Any]], Hashable]

# A pager remembers this many of the latest rows, so it can follow pages that shift by up to as many rows.
_KNOWN_ROWS = 10_000
# Each further step back goes this many times as far.
_STEP_FACTOR = 8
# Pages without a new row before the pager gives up.
_IDLE_PAGES = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a connection.

    Attributes:
        nodes: The rows.
        total: `totalCount`: the number of rows that match the request's filters.
        has_next: `hasNextPage`.
        end_cursor: `endCursor`, null on an empty page.
        cursors: The cursor of each row (the edges' `cursor`); None if they were not selected.
    """

    nodes: list[dict[str, Any]]
    total: int
    has_next: bool
    end_cursor: str | None
    cursors: list[str] | None = None


class Pager(Protocol):
    """The state of one entity's paging."""

    done: bool
    rows: int
    total: int | None
    moved: bool

    def variables(self) -> Mapping[str, Any]:
        """Variables of the next request, without `first`."""

    def seen(self) -> Mapping[str, Any]:
        """Variables of a request that counts the rows that should have been read so far."""

    def accept(self, page: Page) -> Page:
        """Check a page, advance past it and return it with its new rows only. Raises PagingError."""


@dataclass
class KeysetPager:
    """Pages by ascending id (keyset paging): each request asks for the ids above the last one read.

    Attributes:
        entity: For messages.
        filters: Which rows to read; empty for all.
        id_range: The ids to read; all of them by default.
        cutter: Decides after the first page whether other streams read the rest; None to read all in this stream.
        last: The last id read; None before the first row.
        done: Whether the last page has come.
        rows: Rows read so far.
        total: `totalCount` of the first page, the number of rows in the range; None before it.
        rest: The ranges that other streams read; `id_range` ends before them.
        moved: Always False: created and deleted rows do not shift other rows.
    """

    entity: str
    filters: Mapping[str, Any] = field(default_factory=dict)
    id_range: IdRange = field(default_factory=IdRange)
    cutter: Cutter | None = None
    last: int | None = None
    done: bool = False
    rows: int = 0
    total: int | None = None
    rest: list[IdRange] = field(default_factory=list)
    moved: bool = False

    def variables(self) -> Mapping[str, Any]:
        """A filter for the range's ids at first, then for those above the last id read."""
        return self._within(self._floor, self.id_range.until)

    def seen(self) -> Mapping[str, Any]:
        """A filter for the ids up to the last one read: rows added behind it since are left to the next read."""
        return self._within(self.id_range.above, self.last if self.id_range.until is None else self.id_range.until)

    def _within(self, above: int | None, until: int | None) -> Mapping[str, Any]:
        filters = {**self.filters, **between(above, until)}
        return {"filters": filters} if filters else {}

    @property
    def _floor(self) -> int | None:
        return self.id_range.above if self.last is None else self.last

    def accept(self, page: Page) -> Page:
        """Check that ids ascend within the range and that the last page is complete; every row of the page is new.

        Raises:
            PagingError: An id is not above the one before it, or is outside the range; or the page is empty although
                ION says that there are more rows.
        """
        for node in page.nodes:
            identifier = node["id"]
            if type(identifier) is not int:
                raise PagingError(f"{self.entity}: a row's id is not a whole number, so paging by id is not possible.")
            if self._floor is not None and identifier <= self._floor:
                raise PagingError(
                    f"{self.entity}: id {identifier} came after id {self._floor}, although ids should ascend.",
                    remedy="ION does not sort this entity by id; report it.",
                )
            if self.id_range.until is not None and identifier > self.id_range.until:
                raise PagingError(
                    f"{self.entity}: id {identifier} came, although ids up to {self.id_range.until} were requested.",
                    remedy="ION does not filter this entity by id; report it.",
                )
            self.last = identifier
        self.rows += len(page.nodes)
        is_first, self.total = self.total is None, page.total if self.total is None else self.total
        _check_progress(page, self.entity)
        # `hasNextPage` alone is not relied on: `totalCount` must also show that no row is left.
        self.done = not page.has_next and (page.total <= len(page.nodes) or not page.nodes)
        if is_first and not self.done and self.cutter:
            self._hand_over(self.cutter, [node["id"] for node in page.nodes], page.total - len(page.nodes))
        return page

    def _hand_over(self, cutter: Cutter, ids: list[int], left: int) -> None:
        self.rest = cutter.pieces(ids, left, self.id_range.until)
        if self.rest:
            self.id_range, self.done = IdRange(self.id_range.above, self.last), True


@dataclass
class CursorPager:
    """Pages by the server's cursors, which may be offsets: created and deleted rows then shift the pages.

    Each page therefore begins with the last row of the page before, which shows that nothing has shifted. If no row of
    a page is known, the pager steps back until it finds a known row, and lets pages overlap by more rows from then on.
    So it misses no row that existed during the whole read. Rows created before the position already reached, and rows
    deleted after they were read, are left to the next read.

    If rows have no key or no cursors, all pages must have the same `totalCount` instead. Then a deleted row and a
    created row between two pages cancel each other out and are not noticed.

    Attributes:
        entity: For messages.
        key: Gives the key of a row; None if rows have no key.
        after: The cursor to continue from; None before the first page.
        done: Whether the last page has come.
        rows: Rows read so far.
        total: `totalCount` of the latest page; None before the first.
        moved: Whether rows were created or deleted during the read.
    """

    entity: str
    key: RowKey | None = None
    after: str | None = None
    done: bool = False
    rows: int = 0
    total: int | None = None
    moved: bool = False
    # The latest rows in the server's order, by key, with their cursors.
    _known: dict[Hashable, str] = field(default_factory=dict)
    # By how many rows two pages should overlap, and how many known rows the next page begins with if nothing shifts.
    _overlap: int = 1
    _expected: int = 0
    # Since the last new row: how many rows the pager stepped back, and how many pages came.
    _back: int = 0
    _idle: int = 0
    _asked: set[str] = field(default_factory=set)

    def variables(self) -> Mapping[str, Any]:
        """No cursor at first, then a cursor that makes the next page overlap with the last one."""
        return {} if self.after is None else {"after": self.after}

    def seen(self) -> Mapping[str, Any]:
        """No filter: a cursor does not bound a count."""
        return {}

    def accept(self, page: Page) -> Page:
        """Remove the known rows from the page, and check whether rows were skipped.

        Raises:
            PagingError: Pages have shifted farther than the pager can follow, or ION says that there are more rows but
                no new row comes. Without row cursors: `totalCount` changed, or more rows came than that.
        """
        _check_progress(page, self.entity)
        # An empty page holds no cursors in either case; the way of paging then stays that of the pages before.
        if self.key is None or (page.cursors is None and (page.nodes or not self._known)):
            return self._by_count(page)
        keys, cursors = [self.key(node) for node in page.nodes], page.cursors or []
        has_changed, self.total = self.total not in (None, page.total), page.total
        self.moved |= has_changed or (self._expected > 0 and keys[:1] != list(self._known)[-self._expected :][:1])
        new = [node for node, key in zip(page.nodes, keys, strict=True) if key not in self._known]
        if self.after is not None and len(new) == len(keys) and (self._expected or has_changed):
            self._step_back()
            new = []
        else:
            self._remember(keys, cursors)
            self.rows += len(new)
            self.done = not page.has_next
            # At most half a page may overlap: a page of one row could not both repeat it and advance.
            self._expected = min(self._overlap, len(cursors) // 2)
            self.after = cursors[-1 - self._expected] if cursors else self.after
        self._idle, self._back = (0, 0) if new else (self._idle + 1, self._back)
        # A page without a new row advances by at least one row.
        if self._idle > self._back + _IDLE_PAGES:
            raise PagingError(f"{self.entity}: no new row comes after {self.rows} rows, but ION says there are more.")
        return replace(page, nodes=new)

    def _remember(self, keys: list[Hashable], cursors: list[str]) -> None:
        for key, cursor in zip(keys, cursors, strict=True):
            self._known.pop(key, None)
            self._known[key] = cursor
        while len(self._known) > _KNOWN_ROWS:
            del self._known[next(iter(self._known))]

    def _step_back(self) -> None:
        self.moved, self.done = True, False
        self._overlap *= 2
        self._back = min(max(1, self._back) * _STEP_FACTOR, _KNOWN_ROWS)
        cursors = list(self._known.values())
        if self._back < len(cursors):
            self.after = cursors[-self._back - 1]
        elif self.rows == len(cursors):
            self.after = None
        else:
            raise PagingError(
                f"{self.entity}: none of the last {len(cursors)} rows was found again; pages have shifted too far.",
                remedy="Nothing was kept. Try again when fewer people work in ION.",
            )

    def _by_count(self, page: Page) -> Page:
        if self.total is not None and page.total != self.total:
            raise PagingError(
                f"{self.entity}: ION counted {self.total} rows and then {page.total} during the read; pages may have "
                "shifted.",
                remedy="Nothing was kept. Try again when fewer people work in ION.",
            )
        self.rows += len(page.nodes)
        self.total = page.total
        if self.rows > page.total:
            raise PagingError(f"{self.entity}: {self.rows} rows came, but ION counts {page.total}: pages overlap.")
        self.done = not page.has_next
        if self.done:
            return page
        if page.end_cursor is None or page.end_cursor in self._asked:
            raise PagingError(f"{self.entity}: no new cursor came after {self.rows} rows, but ION says there are more.")
        self._asked.add(page.end_cursor)
        self.after = page.end_cursor
        return page


def row_key(entity: Entity, shape: NodeShape) -> RowKey | None:
    """A function that gives a row's key; None if the entity has no key or a part of it is not read."""
    fields = key_fields(entity, shape)
    return itemgetter(*fields) if fields else None


def key_fields(entity: Entity, shape: NodeShape) -> tuple[str, ...]:
    """The fields of an entity's key; empty if it has no key or a part of it is not read."""
    fields = {field.column.name: field.column.field for field in shape.fields if field.present}
    return tuple(fields[name] for name in entity.key) if fields.keys() >= set(entity.key) else ()


def between(above: int | None, until: int | None) -> Mapping[str, Any]:
    """The filter for ids above `above` and up to `until`; empty without bounds."""
    condition = {name: bound for name, bound in (("gt", above), ("lte", until)) if bound is not None}
    return {"id": condition} if condition else {}


def _check_progress(page: Page, entity: str) -> None:
    if page.has_next and not page.nodes:
        raise PagingError(
            f"{entity}: the page is empty, but ION says there are more rows.",
            remedy="Try again; if the error persists, report it.",
        )
