"""How one page leads to the next, and what must hold between them. Pure logic: `stream` makes the requests.

A pager says which variables to ask with, takes the page, checks it, and knows when it is done.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ion_pipeline.extract.errors import PagingError


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
        last: The last id seen; None before the first row.
        done: Nothing is left.
        rows: Rows so far.
        total: `totalCount` of the first page; None before it.
    """

    entity: str
    filters: Mapping[str, Any] = field(default_factory=dict)
    last: int | None = None
    done: bool = False
    rows: int = 0
    total: int | None = None

    def variables(self) -> Mapping[str, Any]:
        """The given filter at first, then the ids above the last of what it leaves."""
        if self.last is None:
            return {"filters": self.filters} if self.filters else {}
        return {"filters": {**self.filters, "id": {"gt": self.last}}}

    def seen(self) -> Mapping[str, Any]:
        """Rows up to the last id: what was added behind it since is the next read's."""
        return {} if self.last is None else {"filters": {**self.filters, "id": {"lte": self.last}}}

    def accept(self, page: Page) -> None:
        """Check that ids ascend and that the end is one.

        Raises:
            PagingError: An id is not above the one before it, or there is said to be more without a row to go on from.
        """
        for node in page.nodes:
            identifier = node["id"]
            if type(identifier) is not int:
                raise PagingError(f"{self.entity}: a row's id is no whole number, so pages cannot follow by id.")
            if self.last is not None and identifier <= self.last:
                raise PagingError(
                    f"{self.entity}: id {identifier} came after id {self.last}, although ids were asked to ascend.",
                    remedy="ION does not order this entity by id; report it.",
                )
            self.last = identifier
        self.rows += len(page.nodes)
        if self.total is None:
            self.total = page.total
        _check_progress(page, self.entity)
        # `hasNextPage` alone is not believed: what is left must also be counted as none.
        self.done = not page.has_next and (page.total <= len(page.nodes) or not page.nodes)


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


def _check_progress(page: Page, entity: str) -> None:
    if page.has_next and not page.nodes:
        raise PagingError(f"{entity}: ION says there are more rows, and gives none.", remedy="Try again; report it.")
