"""The parts of a large table: the rows with values of a column in a range.

The column is the key of a table of ION, and the first column of others, which is their key, or what their rows are of.
So new rows, and rows that change together, are in few parts. A publish replaces the parts that differ from the previous
publish, and their Parquet files. A part that has become too large is split when it is replaced. The ranges of the
others stay, so their files are still right.
"""
# ruff: noqa: S608 -- names are quoted by `identifier`, values by `literal`

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import duckdb

from ion_pipeline.publish.dictionary import ColumnEntry, TableEntry
from ion_pipeline.warehouse import FINGERPRINT, Fingerprint
from ion_pipeline.warehouse.sql import identifier, literal

#: Rows of a part when a table is split. A part is split again when it has more than twice as many.
PART_ROWS = 250_000
# Types whose values are equal to what is read from their text.
_TYPES = {"BIGINT", "DATE", "INTEGER", "VARCHAR"}
# One of so many values is looked at to find where to split.
_SAMPLED = 32


@dataclass(frozen=True, slots=True)
class Range:
    """A range of values of a column.

    Attributes:
        least: The least value, as text; None if there is no limit, then rows without a value belong to the range, too.
        below: The value, as text, that all are less than; None if there is no limit.
    """

    least: str | None = None
    below: str | None = None

    def condition(self, column: ColumnEntry) -> str:
        """SQL of the condition that a row of a table with the alias `t` is in the range."""
        name = f"t.{identifier(column.name)}"

        def value(text: str) -> str:
            return f"cast({literal(text)} as {column.type})"

        if self.least is None:
            return "true" if self.below is None else f"({name} < {value(self.below)} or {name} is null)"
        at_least = f"{name} >= {value(self.least)}"
        return at_least if self.below is None else f"({at_least} and {name} < {value(self.below)})"


#: All rows of a table.
WHOLE = Range()


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a table.

    Attributes:
        range: Which rows it has.
        fingerprint: Of these rows.
    """

    range: Range
    fingerprint: Fingerprint

    def to_json(self) -> dict[str, Any]:
        """The part as in `latest.json`, without its file: `{from, to, rows, hash_sum}`."""
        return {
            "from": self.range.least,
            "to": self.range.below,
            "rows": self.fingerprint.rows,
            "hash_sum": str(self.fingerprint.hash_sum),
        }

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> "Part":
        """The part that `to_json` has described."""
        return Part(Range(document["from"], document["to"]), Fingerprint(document["rows"], int(document["hash_sum"])))


@dataclass(frozen=True, slots=True)
class Divided:
    """A table to publish, and the parts that it consists of.

    Attributes:
        table: The table; its number of rows is not looked at.
        column: The column of its ranges.
        parts: Its parts, by their ranges; one if it is small.
        kept: The parts that the previous publish has, too.
    """

    table: TableEntry
    column: ColumnEntry
    parts: tuple[Part, ...]
    kept: frozenset[Part] = frozenset()

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of all rows."""
        each = [part.fingerprint for part in self.parts]
        return Fingerprint(sum(one.rows for one in each), sum(one.hash_sum for one in each))

    @property
    def fresh(self) -> list[Part]:
        """The parts to write."""
        return [part for part in self.parts if part not in self.kept]

    @property
    def rows_to_write(self) -> int:
        """The rows of the parts to write."""
        return sum(part.fingerprint.rows for part in self.fresh)

    @property
    def is_fresh(self) -> str:
        """SQL of the condition that a row with the alias `t` is in a part to write."""
        return " or ".join(part.range.condition(self.column) for part in self.fresh)


def find_parts(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    column: ColumnEntry,
    previous: Sequence[Part],
    *,
    part_rows: int = PART_ROWS,
) -> tuple[Part, ...]:
    """Read the rows of a table, and return its parts: one if it is small.

    Args:
        connection: A connection.
        relation: SQL of what has the rows: a quoted name, or a query in brackets.
        column: The column of the ranges.
        previous: The parts that it had, if it had the same columns. Their ranges are kept, except of those that have
            changed and are too large now.
        part_rows: See `PART_ROWS`.
    """
    known = set(previous)
    found = _read(connection, relation, column, [part.range for part in previous] or [WHOLE])
    return tuple(
        chain.from_iterable(
            [part] if part in known else _split(connection, relation, column, part, part_rows) for part in found
        )
    )


def _split(
    connection: duckdb.DuckDBPyConnection, relation: str, column: ColumnEntry, part: Part, part_rows: int
) -> Sequence[Part]:
    rows, name = part.fingerprint.rows, identifier(column.name)
    if rows <= 2 * part_rows or column.type not in _TYPES:
        return [part]
    quantiles = [number / (rows // part_rows) for number in range(1, rows // part_rows)]
    [(limits,)] = connection.execute(
        f"select cast(list_sort(list_distinct(quantile_disc({name}, {quantiles}))) as varchar[]) "
        f"from {relation} as t where {part.range.condition(column)} and hash({name}) % {_SAMPLED} = 0"
    ).fetchall()
    inner = [limit for limit in limits or () if limit != part.range.least]
    return _read(connection, relation, column, list(_between(part.range, inner))) if inner else [part]


def _between(whole: Range, limits: Sequence[str]) -> Iterator[Range]:
    return (Range(least, below) for least, below in pairwise([whole.least, *limits, whole.below]))


def _read(
    connection: duckdb.DuckDBPyConnection, relation: str, column: ColumnEntry, ranges: Sequence[Range]
) -> list[Part]:
    """Read the rows of adjacent ranges once, and return their parts."""
    whole = Range(ranges[0].least, ranges[-1].below)
    found = {
        number: Fingerprint(rows, hash_sum)
        for number, rows, hash_sum in connection.execute(
            f"select {_number_of(column, ranges)}, {FINGERPRINT} from {relation} as t "
            f"where {whole.condition(column)} group by 1"
        ).fetchall()
    }
    return [Part(one, found.get(number, Fingerprint(0, 0))) for number, one in enumerate(ranges)]


def _number_of(column: ColumnEntry, ranges: Sequence[Range], start: int = 0) -> str:
    """SQL of the number of the range that a row is in; by halves, for a table may have a hundred ranges."""
    if len(ranges) == 1:
        return str(start)
    half = len(ranges) // 2
    lower, upper = _number_of(column, ranges[:half], start), _number_of(column, ranges[half:], start + half)
    return f"case when {Range(None, ranges[half].least).condition(column)} then {lower} else {upper} end"
