"""Delta tables read in three ways that share no code: delta-rs, polars, and the protocol by hand with DuckDB."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import orjson
import polars as pl
from deltalake import DeltaTable

Rows = list[str]


def by_delta_rs(table: Path, version: int) -> Rows:
    """Rows of a version as delta-rs reads them."""
    read = DeltaTable(str(table), version=version).to_pyarrow_table()
    return comparable(zip(*(column.to_pylist() for column in read.columns), strict=True))


def by_polars(table: Path, version: int) -> Rows:
    """Rows of a version as polars reads them: the log with delta-rs, the files with its own reader."""
    return comparable(pl.read_delta(str(table), version=version).rows())


def by_hand(table: Path, version: int) -> Rows:
    """Rows of a version: the log replayed from its oldest checkpoint, entry by entry, and the files it names."""
    log = table / "_delta_log"
    start = min(int(path.name[:20]) for path in log.glob("*.checkpoint.parquet"))
    assert start <= version, f"the log begins at {start}"
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        state = connection.read_parquet(str(log / f"{start:020}.checkpoint.parquet")).filter("add.path is not null")
        files = {path for (path,) in state.project("add.path").fetchall()}
        for number in range(start + 1, version + 1):
            entry = log / f"{number:020}.json"
            for line in map(orjson.loads, entry.read_bytes().splitlines()):
                files |= {line["add"]["path"]} if "add" in line else set()
                files -= {line["remove"]["path"]} if "remove" in line else set()
        names = [str(table / name) for name in sorted(files)]
        return comparable(connection.execute("from read_parquet(?)", [names]).fetchall())


READERS: tuple[Callable[[Path, int], Rows], ...] = (by_delta_rs, by_polars, by_hand)


def in_file(database: Path, table: str) -> Rows:
    """Rows of a table in the published file."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return comparable(connection.execute(f"from {table}").fetchall())


def comparable(rows: Iterable[tuple[Any, ...]]) -> Rows:
    """Rows as sorted texts that do not depend on how a reader represents maps, numbers and instants."""
    return sorted(str([_plain(value) for value in row]) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return sorted((key, str(_plain(inner))) for key, inner in value.items())
    if isinstance(value, list | tuple):
        pairs = [_pair(inner) for inner in value]
        if pairs and all(pair is not None for pair in pairs):
            return sorted((key, str(_plain(inner))) for key, inner in filter(None, pairs))
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return "nan" if isinstance(value, float) and math.isnan(value) else value


def _pair(value: Any) -> tuple[str, Any] | None:
    """An entry of a map, which pyarrow reads as a tuple and polars as a struct of key and value."""
    if isinstance(value, tuple) and len(value) == 2:
        return value
    return (value["key"], value["value"]) if isinstance(value, Mapping) and set(value) == {"key", "value"} else None
