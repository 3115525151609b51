"""How one page leads to the next, and what must hold between them. Pure logic: `stream` makes the requests.

A pager says which variables to ask with, takes the page, checks it, and knows when it is done.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ion_pipeline.extract.errors import PagingError
from ion_pipeline.extract.ranges import Cutter, IdRange


@dataclass(frozen=True, slots=True)
class Page:
    """One answer of a connection.

    Attributes:
        nodes: The rows.
        total: `totalCount`: how many rows match the filters of this request.
        has_next: `hasNextPage`.
        end_cursor: `endCursor`, null on an empty page.
    """

    nodes: list[dict[str, Any]]
    total: int
    has_next: bool
    end_cursor: str | None


class Pager(Protocol):
    """The state of one entity's paging."""

    done: bool
    rows: int
    total: int | None

    def variables(self) -> Mapping[str, Any]:
        """Variables of the next request, without `first`."""

    def seen(self) -> Mapping[str, Any]:
        """Variables of a count of the rows that could have been read so far."""

    def accept(self, page: Page) -> None:
        """Check a page and move behind it. Raises PagingError."""


@dataclass
class KeysetPager:
    """Pages by ascending id: each asks for the ids above the last one seen.

    Attributes:
        entity: For messages.
        filters: Which rows; all of them if empty.
        span: The ids to read; all of them by default.
        cutter: Decides at the first page whether the rest is for others to read; None to read it all here.
        last: The last id seen; None before the first row.
        done: Nothing is left.
        rows: Rows so far.
        total: `totalCount` of the first page: the rows in the span; None before it.
        rest: The ranges that others are to read; `span` ends before them.
    """

    entity: str
    filters: Mapping[str, Any] = field(default_factory=dict)
    span: IdRange = field(default_factory=IdRange)
    cutter: Cutter | None = None
    last: int | None = None
    done: bool = False
    rows: int = 0
    total: int | None = None
    rest: list[IdRange] = field(default_factory=list)

    def variables(self) -> Mapping[str, Any]:
        """The span's ids at first, then those above the last."""
        return self._within(self._floor, self.span.until)

    def seen(self) -> Mapping[str, Any]:
        """Rows up to the last id: what was added behind it since is the next read's."""
        return self._within(self.span.above, self.last if self.span.until is None else self.span.until)

    def _within(self, above: int | None, until: int | None) -> Mapping[str, Any]:
        filters = {**self.filters, **between(above, until)}
        return {"filters": filters} if filters else {}

    @property
    def _floor(self) -> int | None:
        return self.span.above if self.last is None else self.last

    def accept(self, page: Page) -> None:
        """Check that ids ascend within the span and that the end is one.

        Raises:
            PagingError: An id is not above the one before it or is not in the span, or there is said to be more without
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
            if self.span.until is not None and identifier > self.span.until:
                raise PagingError(
                    f"{self.entity}: id {identifier} came although ids up to {self.span.until} were asked for.",
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

    def _leave(self, cutter: Cutter, ids: list[int], left: int) -> None:
        self.rest = cutter.pieces(ids, left, self.span.until)
        if self.rest:
            self.span, self.done = IdRange(self.span.above, self.last), True


@dataclass
class CursorPager:
    """Pages by the server's cursors, which are offsets: rows that shift are skipped or repeated, hence the counting.

    What cannot be seen here: one row deleted and another added between two pages.

    Attributes:
        entity: For messages.
        after: The cursor to go on from; None before the first page.
        done: Nothing is left.
        rows: Rows so far.
        total: `totalCount`, the same on all pages; None before the first.
    """

    entity: str
    after: str | None = None
    done: bool = False
    rows: int = 0
    total: int | None = None
    _seen: set[str] = field(default_factory=set)

    def variables(self) -> Mapping[str, Any]:
        """No cursor at first, then the last one."""
        return {} if self.after is None else {"after": self.after}

    def seen(self) -> Mapping[str, Any]:
        """All rows: offsets know no bound."""
        return {}

    def accept(self, page: Page) -> None:
        """Check that cursors move on and that there are not more rows than counted.

        Raises:
            PagingError: `totalCount` changed, there are more rows than that, a cursor came before, or there is said to
                be more without a cursor to go on from.
        """
        _check_progress(page, self.entity)
        # A row deleted before the cursor hides one behind it, and yet the counts agree in the end.
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
            return
        if page.end_cursor is None or page.end_cursor in self._seen:
            raise PagingError(f"{self.entity}: ION gave no new cursor after {self.rows} rows and says there are more.")
        self._seen.add(page.end_cursor)
        self.after = page.end_cursor


def between(above: int | None, until: int | None) -> Mapping[str, Any]:
    """The filter for ids above one and up to another; empty without bounds."""
    condition = {name: bound for name, bound in (("gt", above), ("lte", until)) if bound is not None}
    return {"id": condition} if condition else {}


def _check_progress(page: Page, entity: str) -> None:
    if page.has_next and not page.nodes:
        raise PagingError(f"{entity}: ION says there are more rows, and gives none.", remedy="Try again; report it.")
