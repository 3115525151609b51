"""Computes one page of a connection: which rows match, in which order, and which of them are on the page.

Cursors have ION's form as far as it is known, base64 of `arrayconnection:<offset>`. So rows that are added or deleted
between two pages shift the following rows. `pageInfo` has `count` (this page) and `totalCount` (all matches).
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from graphql import GraphQLError

from ion_pipeline.sandbox.filters import compile_filter
from ion_pipeline.sandbox.narrow import Candidates, candidates
from ion_pipeline.sandbox.relations import Relations
from ion_pipeline.sandbox.sorting import distinct_rows, orders, sort_rows
from ion_pipeline.sandbox.store import Row, Table

_CURSOR = "arrayconnection:"


class Matches:
    """All rows that match: counted at once, sorted at the first access.

    Attributes:
        count: `totalCount`.
    """

    def __init__(self, count: int, order: Callable[[], tuple[Sequence[Row], int, int]]) -> None:
        self.count = count
        self._order = order

    @cached_property
    def ordered(self) -> tuple[Sequence[Row], int, int]:
        """The rows in order, as a list with a start (inclusive) and a stop (exclusive)."""
        return self._order()


@dataclass(frozen=True)
class Page:
    """The rows of one page and its offset among all matches."""

    rows: Sequence[Row]
    offset: int
    total: int

    def info(self) -> dict[str, Any]:
        """All fields of `pageInfo`."""
        count = len(self.rows)
        return {
            "hasNextPage": self.offset + count < self.total,
            "hasPreviousPage": self.offset > 0,
            "startCursor": encode_cursor(self.offset) if count else None,
            "endCursor": encode_cursor(self.offset + count - 1) if count else None,
            "count": count,
            "totalCount": self.total,
        }


def encode_cursor(offset: int) -> str:
    """The cursor of the row at an offset."""
    return base64.b64encode(f"{_CURSOR}{offset}".encode()).decode()


def decode_cursor(cursor: str | None) -> int | None:
    """The offset in a cursor; None if the cursor is null or empty.

    Raises:
        GraphQLError: It is not a cursor of this server.
    """
    if not cursor:
        return None
    try:
        text = base64.b64decode(cursor, validate=True).decode()
    except ValueError:
        text = ""
    match = re.fullmatch(rf"{_CURSOR}(\d+)", text)
    if match is None:
        raise GraphQLError(f"Invalid cursor: {cursor}")
    return int(match[1])


def table_matches(relations: Relations, table: Table, arguments: Mapping[str, Any]) -> Matches:
    """The rows of a table that the arguments of a root connection select.

    Raises:
        GraphQLError: A filter value is invalid, or sort and distinctOn contradict each other.
    """
    name = table.node.name
    found = candidates(relations.store, name, arguments.get("filters"))
    predicate = None if found.exact else compile_filter(relations, name, arguments.get("filters"))
    if predicate is not None:
        rows = [row for row in found.rows[found.start : found.stop] if predicate(row)]
        found = Candidates(rows, 0, len(rows), found.by_key, exact=True)
    return _in_order(table, found, arguments)


def list_matches(relations: Relations, table: Table, rows: Sequence[Row], arguments: Mapping[str, Any]) -> Matches:
    """The rows that the arguments of a connection in a node select, among the rows of its relation."""
    predicate = compile_filter(relations, table.node.name, arguments.get("filters"))
    kept = [row for row in rows if predicate(row)] if predicate else rows
    return _in_order(table, Candidates(kept, 0, len(kept), by_key=False, exact=True), arguments)


def _in_order(table: Table, found: Candidates, arguments: Mapping[str, Any]) -> Matches:
    by, on = orders(table.node, arguments.get("sort")), orders(table.node, arguments.get("distinctOn"))

    def ordered() -> tuple[Sequence[Row], int, int]:
        if found.by_key and (not by or (by[0].column == "id" and not by[0].descending)) and not on:
            return found.rows, found.start, found.stop
        rows = list(found.rows[found.start : found.stop])
        if not found.by_key:
            rows.sort(key=table.order_of)
        rows = sort_rows(rows, by)
        if on:
            rows = distinct_rows(rows, on, by)
        return rows, 0, len(rows)

    if on:
        rows, start, stop = ordered()
        return Matches(stop - start, lambda: (rows, start, stop))
    return Matches(found.count, ordered)


def page(matches: Matches, arguments: Mapping[str, Any]) -> Page:
    """The page that `after`, `before`, `first` and `last` select.

    Raises:
        GraphQLError: `first` or `last` is negative, or a cursor is invalid.
    """
    first, last = arguments.get("first"), arguments.get("last")
    for name, value in (("first", first), ("last", last)):
        if value is not None and value < 0:
            raise GraphQLError(f"Argument '{name}' must be a non-negative integer.")
    after, before = decode_cursor(arguments.get("after")), decode_cursor(arguments.get("before"))
    start = 0 if after is None else max(0, after + 1)
    stop = matches.count if before is None else max(0, min(before, matches.count))
    if first is not None:
        stop = min(stop, start + first)
    if last is not None:
        start = max(start, stop - last)
    if start >= stop:
        return Page([], min(start, matches.count), matches.count)
    rows, low, _ = matches.ordered
    return Page(rows[low + start : low + stop], start, matches.count)


class MatchCache:
    """Keeps the most recent matches, so that the pages of one list are matched and sorted only once."""

    _KEPT = 16

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int, bytes], Matches] = {}

    def matches(self, relations: Relations, table: Table, arguments: Mapping[str, Any]) -> Matches:
        """The rows that the arguments of a root connection select now.

        Raises:
            GraphQLError: As `table_matches`.
        """
        selecting = {name: arguments.get(name) for name in ("filters", "sort", "distinctOn")}
        key = table.node.name, relations.store.version, orjson.dumps(selecting, option=orjson.OPT_SORT_KEYS)
        found = self._kept.pop(key, None) or table_matches(relations, table, arguments)
        self._kept[key] = found
        if len(self._kept) > self._KEPT:
            del self._kept[next(iter(self._kept))]
        return found
