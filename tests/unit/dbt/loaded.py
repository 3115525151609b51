"""Runs the unchanged models of as-built BOM history on a warehouse of loads: all of them in a second."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from tests.oracle.bom import Bom
from tests.oracle.raw_loads import write_loads
from tests.oracle.world import Row, World
from tests.unit.dbt.models import PROJECT, models_above, sql_of

_MARTS = ("abom_versions", "abom_version_changes", "abom_line_history", "abom_unit_history", "abom_structure_history")
_MACROS = ("abom_as_of", "abom_compare_as_of")


class Loaded:
    """The history marts and the macros that read them, after the given loads.

    Args:
        path: Where the warehouse is written.
        loads: The instant of each load, and the tenant's data at that instant.
    """

    def __init__(self, path: Path, loads: Sequence[tuple[datetime, World]]) -> None:
        write_loads(path, loads)
        self._connection = duckdb.connect(str(path))
        self._connection.execute("set threads = 1; set timezone = 'UTC'; create schema genealogy")
        # Part families come from the oracle: another test covers the model for them.
        bom = Bom.of(loads[-1][1], "both")
        families: dict[str | None, int] = {}
        self._connection.execute("create table parts (part_id bigint, revision_family_id bigint)")
        rows = [[part, families.setdefault(bom.family(part), part)] for part in bom.parts]
        self._connection.executemany("insert into parts values (?, ?)", rows)
        made: list[str] = []
        for model in [model for mart in _MARTS for model in models_above(mart, given=("parts",))]:
            if model not in made:
                kind = "view" if model.startswith("stg_") else "table"
                self._connection.execute(f"create {kind} {model} as {sql_of(model)}")
                made.append(model)
        for mart in _MARTS:
            self._connection.execute(f"create table genealogy.{mart} as from {mart}")
        for macro in _MACROS:
            self._connection.execute((PROJECT / "analyst_macros" / f"{macro}.sql").read_text(encoding="utf-8"))

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of a query, with instants in UTC."""
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(sql, list(values))
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, map(_utc, row), strict=True)) for row in cursor.fetchall()]


def _utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
