"""The parts of a large table: the rows with values of the first column in a range.

The first column of a published table is its key, or what its rows are of, so new rows, and rows that change together,
are in few parts. A publish replaces the parts that differ from the previous publish, and their Parquet files. A part
that has become too large is split when it is replaced. The ranges of the others stay, so their files are still right.
"""
# ruff: noqa: S608 -- names are quoted by `identifier`, values by `literal`

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

import duckdb

from ion_pipeline.publish.dictionary import TableEntry
from ion_pipeline.publish.names import schema_in_file
from ion_pipeline.warehouse import FINGERPRINT, Fingerprint
from ion_pipeline.warehouse.sql import identifier, literal

#: Rows of a part when a table is split. A part is split again when it has more than twice as many.
PART_ROWS = 500_000
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

    def condition(self, table: TableEntry, alias: str = "t") -> str:
        """SQL of the condition that a row of a table, with the first column that it has, is in the range."""
        column, kind = f"{alias}.{identifier(table.columns[0].name)}", table.columns[0].type

        def value(text: str) -> str:
            return f"cast({literal(text)} as {kind})"

        if self.least is None:
            return "true" if self.below is None else f"({column} < {value(self.below)} or {column} is null)"
        at_least = f"{column} >= {value(self.least)}"
        return at_least if self.below is None else f"({at_least} and {column} < {value(self.below)})"


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
        parts: Its parts, by their ranges; one if it is small.
        kept: The parts that the previous publish has, too.
    """

    table: TableEntry
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


def find_parts(
    connection: duckdb.DuckDBPyConnection,
    catalog: str,
    table: TableEntry,
    previous: Sequence[Part],
    *,
    part_rows: int = PART_ROWS,
) -> tuple[Part, ...]:
    """Read a table or view, and return its parts: one if it is small.

    Args:
        connection: A connection that the database is attached to.
        catalog: The alias that it is attached under.
        table: The table.
        previous: The parts that it had, if it had the same columns. Their ranges are kept, except of those that have
            changed and are too large now.
        part_rows: See `PART_ROWS`.
    """
    relation = identifier(catalog, schema_in_file(table.schema), table.table)
    known = set(previous)
    found = _read(connection, relation, table, [part.range for part in previous] or [WHOLE])
    return tuple(
        chain.from_iterable(
            [part] if part in known else _split(connection, relation, table, part, part_rows) for part in found
        )
    )


def _split(
    connection: duckdb.DuckDBPyConnection, relation: str, table: TableEntry, part: Part, part_rows: int
) -> Sequence[Part]:
    rows, first = part.fingerprint.rows, table.columns[0]
    if rows <= 2 * part_rows or first.type not in _TYPES:
        return [part]
    column = identifier(first.name)
    quantiles = [number / (rows // part_rows) for number in range(1, rows // part_rows)]
    [(limits,)] = connection.execute(
        f"select cast(list_sort(list_distinct(quantile_disc({column}, {quantiles}))) as varchar[]) "
        f"from {relation} as t where {part.range.condition(table)} and hash({column}) % {_SAMPLED} = 0"
    ).fetchall()
    inner = [limit for limit in limits or () if limit != part.range.least]
    return _read(connection, relation, table, list(_between(part.range, inner))) if inner else [part]


def _between(whole: Range, limits: Sequence[str]) -> Iterator[Range]:
    return (Range(least, below) for least, below in pairwise([whole.least, *limits, whole.below]))


def _read(
    connection: duckdb.DuckDBPyConnection, relation: str, table: TableEntry, ranges: Sequence[Range]
) -> list[Part]:
    """Read the rows of adjacent ranges once, and return their parts."""
    whole = Range(ranges[0].least, ranges[-1].below)
    found = {
        number: Fingerprint(rows, hash_sum)
        for number, rows, hash_sum in connection.execute(
            f"select {_number_of(table, ranges)}, {FINGERPRINT} from {relation} as t "
            f"where {whole.condition(table)} group by 1"
        ).fetchall()
    }
    return [Part(one, found.get(number, Fingerprint(0, 0))) for number, one in enumerate(ranges)]


def _number_of(table: TableEntry, ranges: Sequence[Range], start: int = 0) -> str:
    """SQL of the number of the range that a row is in; by halves, for a table may have a hundred ranges."""
    if len(ranges) == 1:
        return str(start)
    half = len(ranges) // 2
    lower, upper = _number_of(table, ranges[:half], start), _number_of(table, ranges[half:], start + half)
    return f"case when {Range(None, ranges[half].least).condition(table)} then {lower} else {upper} end"
