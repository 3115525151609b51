"""Public tables of two warehouses, compared row by row."""

import math
from collections.abc import Sequence
from typing import Any

import duckdb

from ion_pipeline.publish.publish import PUBLIC_SCHEMAS

Row = tuple[Any, ...]
#: Relative and absolute difference that two sums of doubles in different orders may have.
RELATIVE, ABSOLUTE = 1e-9, 1e-12


def opened(path: object) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(str(path), read_only=True)
    connection.execute("set TimeZone = 'UTC'")
    return connection


def tables(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], list[tuple[str, str, str | None]]]:
    """Columns, types and comments of every public table."""
    found: dict[tuple[str, str], list[tuple[str, str, str | None]]] = {}
    for schema, table, *column in connection.execute(
        "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() "
        "where schema_name in (select unnest($schemas)) order by schema_name, table_name, column_index",
        {"schemas": list(PUBLIC_SCHEMAS)},
    ).fetchall():
        found.setdefault((schema, table), []).append((column[0], column[1], column[2]))
    return found


def rows(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> list[Row]:
    """All rows, in an order in which rows that are equal but for rounding are at the same place."""
    found = connection.execute(f'from "{schema}"."{table}"').fetchall()
    return sorted(found, key=lambda row: (repr([exact(value) for value in row]), repr(row)))


def exact(value: Any) -> Any:
    """A value without what may be rounded differently."""
    if isinstance(value, float):
        return math.isnan(value)
    if isinstance(value, list):
        return [exact(one) for one in value]
    if isinstance(value, dict):
        return sorted((key, exact(one)) for key, one in value.items())
    return value


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        both_nan = math.isnan(left) and math.isnan(right)
        return both_nan or math.isclose(left, right, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    if isinstance(left, list | tuple) and isinstance(right, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


def difference(left: Sequence[Row], right: Sequence[Row]) -> list[Any]:
    """The counts where they differ, or the first rows that differ."""
    if len(left) != len(right):
        return [len(left), len(right)]
    return [pair for pair in zip(left, right, strict=True) if not same(*pair)][:2]
