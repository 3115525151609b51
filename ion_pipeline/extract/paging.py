"""How one page leads to the next, and what must hold between them. Pure logic: `stream` makes the requests.

A pager says which variables to ask with, takes the page, checks it, and knows when it is done.
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

# By how many rows pages may shift between two requests, at least.
_KNOWN_ROWS = 10_000
_FARTHER = 8
_IDLE_PAGES = 100


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a connection.

    Attributes:
        nodes: The rows.
        total: `totalCount`: how many rows match the filters of this request.
        has_next: `hasNextPage`.
        end_cursor: `endCursor`, null on an empty page.
        cursors: The cursor of each row; None where they were not asked for.
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
        """Variables of a count of the rows that could have been read so far."""

    def accept(self, page: Page) -> Page:
        """Check a page, move behind it and give what of it is new. Raises PagingError."""


@dataclass
class KeysetPager:
    """Pages by ascending id: each asks for the ids above the last one seen.

    Attributes:
        entity: For messages.
        filters: Which rows; all of them if empty.
        id_range: The ids to read; all of them by default.
        cutter: Decides at the first page whether the rest is for others to read; None to read it all here.
        last: The last id seen; None before the first row.
        done: Nothing is left.
        rows: Rows so far.
        total: `totalCount` of the first page: the rows in the id_range; None before it.
        rest: The ranges that others are to read; `id_range` ends before them.
        moved: Never: what comes or goes shifts no other row.
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
        """The id_range's ids at first, then those above the last."""
        return self._within(self._floor, self.id_range.until)

    def seen(self) -> Mapping[str, Any]:
        """Rows up to the last id: what was added behind it since is the next read's."""
        return self._within(self.id_range.above, self.last if self.id_range.until is None else self.id_range.until)

    def _within(self, above: int | None, until: int | None) -> Mapping[str, Any]:
        filters = {**self.filters, **between(above, until)}
        return {"filters": filters} if filters else {}

    @property
    def _floor(self) -> int | None:
        return self.id_range.above if self.last is None else self.last

    def accept(self, page: Page) -> Page:
        """Check that ids ascend within the id_range and that the end is one; all of the page is new.

        Raises:
            PagingError: An id is not above the one before it or is not in the id_range, or there is said to be more without
                a row to go on from.
        """
        for node in page.nodes:
            identifier = node["id"]
            if type(identifier) is not int:
                raise PagingError(f"{self.entity}: a row's id is no whole number, so pages cannot follow by id.")
            if self._floor is not None and identifier <= self._floor:
                raise PagingError(
                    f"{self.entity}: id {identifier} came after id {self._floor}, although ids were asked to ascend.",
                    remedy="ION does not order this entity by id; report it.",
                )
            if self.id_range.until is not None and identifier > self.id_range.until:
                raise PagingError(
                    f"{self.entity}: id {identifier} came although ids up to {self.id_range.until} were asked for.",
                    remedy="ION does not filter this entity by id; report it.",
                )
            self.last = identifier
        self.rows += len(page.nodes)
        is_first, self.total = self.total is None, page.total if self.total is None else self.total
        _check_progress(page, self.entity)
        # `hasNextPage` alone is not believed: what is left must also be counted as none.
        self.done = not page.has_next and (page.total <= len(page.nodes) or not page.nodes)
        if is_first and not self.done and self.cutter:
            self._leave(self.cutter, [node["id"] for node in page.nodes], page.total - len(page.nodes))
        return page

    def _leave(self, cutter: Cutter, ids: list[int], left: int) -> None:
        self.rest = cutter.pieces(ids, left, self.id_range.until)
        if self.rest:
            self.id_range, self.done = IdRange(self.id_range.above, self.last), True


@dataclass
class CursorPager:
    """Pages by the server's cursors, which may be offsets: where rows come and go, pages shift.

    So each page begins with the last row of the one before, which shows that nothing has shifted. If no row of it is
    known, the pager goes back until it meets one, and lets pages overlap by more from then on: no row that was there
    all the time is missed. Rows that come before those already read, or go after they were, are the next read's.

    Where rows cannot be told apart, or have no cursor of their own, the counts must agree on all pages instead. Then
    one row deleted and another added between two pages cannot be seen.

    Attributes:
        entity: For messages.
        key: Tells rows apart; None if nothing does.
        after: The cursor to go on from; None before the first page.
        done: Nothing is left.
        rows: Rows so far.
        total: `totalCount` of the latest page; None before the first.
        moved: Rows came or went while they were read.
    """

    entity: str
    key: RowKey | None = None
    after: str | None = None
    done: bool = False
    rows: int = 0
    total: int | None = None
    moved: bool = False
    # The latest rows in the server's order, with the cursors they had.
    _known: dict[Hashable, str] = field(default_factory=dict)
    # How many rows of a page are to come again, and how many of the next do if nothing shifts.
    _overlap: int = 1
    _again: int = 0
    # Since the last new row: how many rows the pager went back, and how many pages it got.
    _back: int = 0
    _idle: int = 0
    _asked: set[str] = field(default_factory=set)

    def variables(self) -> Mapping[str, Any]:
        """No cursor at first, then the one of the row before the last."""
        return {} if self.after is None else {"after": self.after}

    def seen(self) -> Mapping[str, Any]:
        """All rows: offsets know no bound."""
        return {}

    def accept(self, page: Page) -> Page:
        """Leave out the rows that are known, and see whether any were passed over.

        Raises:
            PagingError: Pages have shifted farther than can be followed, or there is said to be more and it does not
                come; without cursors of rows: `totalCount` changed, or there are more rows than that.
        """
        _check_progress(page, self.entity)
        # An empty page shows no cursors either way: then it goes on as it began.
        if self.key is None or (page.cursors is None and (page.nodes or not self._known)):
            return self._by_count(page)
        keys, cursors = [self.key(node) for node in page.nodes], page.cursors or []
        has_changed, self.total = self.total not in (None, page.total), page.total
        self.moved |= has_changed or (self._again > 0 and keys[:1] != list(self._known)[-self._again :][:1])
        new = [node for node, key in zip(page.nodes, keys, strict=True) if key not in self._known]
        if self.after is not None and len(new) == len(keys) and (self._again or has_changed):
            self._step_back()
            new = []
        else:
            self._remember(keys, cursors)
            self.rows += len(new)
            self.done = not page.has_next
            # A page of one row cannot begin with it and lead on.
            self._again = min(self._overlap, len(cursors) // 2)
            self.after = cursors[-1 - self._again] if cursors else self.after
        self._idle, self._back = (0, 0) if new else (self._idle + 1, self._back)
        # A page without a new row leads on by one at least.
        if self._idle > self._back + _IDLE_PAGES:
            raise PagingError(f"{self.entity}: no new row comes after {self.rows} rows, and ION says there are more.")
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
        self._back = min(max(1, self._back) * _FARTHER, _KNOWN_ROWS)
        cursors = list(self._known.values())
        if self._back < len(cursors):
            self.after = cursors[-self._back - 1]
        elif self.rows == len(cursors):
            self.after = None
        else:
            raise PagingError(
                f"{self.entity}: none of the last {len(cursors)} rows came again; pages have shifted too far.",
                remedy="Nothing was kept. Try again when fewer people are at work.",
            )

    def _by_count(self, page: Page) -> Page:
        if self.total is not None and page.total != self.total:
            raise PagingError(
                f"{self.entity}: ION counted {self.total} rows and then {page.total} while they were read; pages may "
                "have shifted.",
                remedy="Nothing was kept. Try again when fewer people are at work.",
            )
        self.rows += len(page.nodes)
        self.total = page.total
        if self.rows > page.total:
            raise PagingError(f"{self.entity}: {self.rows} rows came, ION counts {page.total}: pages overlap.")
        self.done = not page.has_next
        if self.done:
            return page
        if page.end_cursor is None or page.end_cursor in self._asked:
            raise PagingError(f"{self.entity}: ION gave no new cursor after {self.rows} rows and says there are more.")
        self._asked.add(page.end_cursor)
        self.after = page.end_cursor
        return page


def row_key(entity: Entity, shape: NodeShape) -> RowKey | None:
    """What tells the rows of an entity apart, of those fields that are read; None if a part of its key is not."""
    fields = key_fields(entity, shape)
    return itemgetter(*fields) if fields else None


def key_fields(entity: Entity, shape: NodeShape) -> tuple[str, ...]:
    """The fields of an entity's key; none if it has no key or a part of it is not read."""
    fields = {field.column.name: field.column.field for field in shape.fields if field.present}
    return tuple(fields[name] for name in entity.key) if fields.keys() >= set(entity.key) else ()


def between(above: int | None, until: int | None) -> Mapping[str, Any]:
    """The filter for ids above one and up to another; empty without bounds."""
    condition = {name: bound for name, bound in (("gt", above), ("lte", until)) if bound is not None}
    return {"id": condition} if condition else {}


def _check_progress(page: Page, entity: str) -> None:
    if page.has_next and not page.nodes:
        raise PagingError(f"{entity}: ION says there are more rows, and gives none.", remedy="Try again; report it.")
