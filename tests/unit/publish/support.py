"""A warehouse that changes, and what a publish of it has left."""

from pathlib import Path
from typing import Any

import duckdb
import orjson


def change(database: Path, sql: str, values: list[Any] | None = None) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute(sql, values)


def named(document: Path) -> dict[str, dict[str, Any]]:
    """The Delta tables that a `latest.json` names, by name."""
    tables = orjson.loads(document.read_bytes())["tables"]
    return {f"{table['schema']}.{table['table']}": table["delta"] for table in tables if "delta" in table}


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
