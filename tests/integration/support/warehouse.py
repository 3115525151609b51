"""What is in a built warehouse, read row by row, and a value of `raw` compared with that of the world."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb

from ion_pipeline.catalog.catalog import Column
from tests.integration.conftest import Built
from tests.oracle.world import Row

SIGNED = ("X-Amz-", "Signature", "Expires=", "token=")


def expected(column: Column, value: Any) -> Any:
    """A value of the world as `raw` should have it, from the type ION's schema gives the field."""
    if value is None:
        return None
    if isinstance(value, list) and not column.is_json:
        return [expected(column, item) for item in value]
    if column.graphql_type == "DateTime":
        return datetime.fromisoformat(value).astimezone(UTC)
    return {"Float": float, "ID": str}.get(column.graphql_type, lambda same: same)(value)


def same(column: Column, raw: Any, world: Any) -> bool:
    if column.is_json and raw is not None:
        raw = json.loads(raw)
    wanted = expected(column, world)
    if isinstance(wanted, str) and "://" in wanted and any(mark in wanted for mark in SIGNED):
        return bool(raw) and not any(mark in raw for mark in SIGNED)
    if isinstance(wanted, datetime):
        return bool(raw.astimezone(UTC) == wanted)
    return bool(raw == wanted)


def last_load(built: Built) -> datetime:
    """When the latest load was read."""
    [row] = rows(built, "select max(read_at) as read_at from ops.loads")
    return row["read_at"].astimezone(UTC)  # type: ignore[no-any-return]


def last_day(built: Built) -> date:
    """The day of the latest load, in UTC."""
    return last_load(built).date()


def rows(built: Built, sql: str, *values: object) -> list[Row]:
    with duckdb.connect(str(built.published), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        cursor = connection.execute(sql, values)
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def table(built: Built, name: str) -> list[Row]:
    return rows(built, f"select * from {name}")  # noqa: S608 -- our own names


def query(built: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(built), read_only=True) as connection:
        return connection.execute(sql).fetchall()
