"""Runs unchanged models on a world: its rows as raw tables of the whole catalog, without the loader and without dbt."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from tests.oracle.raw_loads import write_loads
from tests.oracle.world import Row, World
from tests.unit.dbt.models import models_above, sql_of

# Connections whose table is not their name in snake case.
_TABLES = {"aBomEdges": "abom_edges"}
# Lists that are tables of their own: the connection, the list in it, the table, the column that names the owner, and
# the column of the id of what is listed.
_LISTS = (
    ("buildRequirements", "partInventories", "build_requirement_part_inventories", "build_requirement_id",
     "part_inventory_id"),
    ("runSteps", "sessions", "run_step_sessions", "run_step_id", "id"),
    ("planItems", "runs", "plan_item_runs", "plan_item_id", "run_id"),
)  # fmt: skip


class WorldModels:
    """Models as tables of one warehouse with the rows of a world.

    Args:
        path: Where the warehouse is written.
        world: The tenant's data; a field is the column of its name in snake case.
        models: The models wanted; those above are made as well.
        given: Rows in the place of a model, with columns of these types.
    """

    def __init__(
        self,
        path: Path,
        world: World,
        models: Sequence[str],
        given: Mapping[str, tuple[str, Sequence[Row]]],
    ) -> None:
        write_loads(path, [])
        self._connection = duckdb.connect(str(path))
        self._connection.execute("set threads = 1; set timezone = 'UTC'")
        for connection, rows in world.items():
            self._insert(_TABLES.get(connection, _snake(connection)), [_snaked(row) for row in rows])
        for connection, inside, table, owner, key in _LISTS:
            self._insert(
                table,
                [
                    {owner: row["id"], **_snaked(one), key: one["id"]}
                    for row in world.get(connection, ())
                    for one in row.get(inside) or ()
                ],
            )
        for name, (columns, rows) in given.items():
            self._connection.execute(f"create table {name} ({columns})")
            self._insert(name, list(rows), schema="main")
        made = set(given)
        for model in [above for wanted in models for above in models_above(wanted, given=tuple(given))]:
            if model not in made:
                kind = "view" if model.startswith("stg_") else "table"
                self._connection.execute(f"create {kind} {model} as {sql_of(model)}")
                made.add(model)

    def _insert(self, table: str, rows: list[Row], schema: str = "raw") -> None:
        described = self._connection.execute(
            "select column_name from duckdb_columns() where schema_name = ? and table_name = ?", [schema, table]
        ).fetchall()
        columns = {name for (name,) in described} & {name for row in rows for name in row}
        kept = [{name: row.get(name) for name in sorted(columns)} for row in rows]
        if kept:
            arrow = pa.Table.from_pylist(kept)
            self._connection.register("rows_to_insert", arrow)
            self._connection.execute(f"insert into {schema}.{table} by name from rows_to_insert")
            self._connection.unregister("rows_to_insert")

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a model."""
        cursor = self._connection.execute(f"from {table}")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _snaked(row: Row) -> Row:
    return {_snake(name): value for name, value in row.items()}
