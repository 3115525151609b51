"""Creates the tables of `raw` and `raw_history` as the catalog defines them, and adds new columns.

A column that is no longer in the catalog stays, with nulls in new rows, until `rebuild` drops it. `merge` fills the
tables.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import duckdb
import pyarrow as pa

from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.errors import REBUILD_REMEDY, RetypedColumnError
from ion_pipeline.warehouse.schemas import HISTORY, RAW
from ion_pipeline.warehouse.sql import duckdb_type, identifier, literal

# The columns that the loader adds to those of the catalog.
VERSION_COLUMNS = {"_ion_load": "VARCHAR", "_ion_seen_at": "TIMESTAMP WITH TIME ZONE"}
_VALIDITY = {"valid_from": "TIMESTAMP WITH TIME ZONE", "valid_to": "TIMESTAMP WITH TIME ZONE", "is_current": "BOOLEAN"}


class ColumnLike(Protocol):
    """The attributes of a catalog column that the warehouse uses."""

    @property
    def name(self) -> str:
        """Name in the warehouse."""

    @property
    def arrow_type(self) -> pa.DataType:
        """Type in the lake."""

    @property
    def description(self) -> str:
        """Description; may be empty."""

    @property
    def members(self) -> Sequence[str]:
        """The values of the column's enum; empty if the column is not an enum."""


class TableLike(Protocol):
    """The attributes of a catalog table that the warehouse uses."""

    @property
    def name(self) -> str:
        """Name of the table in `raw` and of its folder in the lake."""

    @property
    def columns(self) -> Sequence[ColumnLike]:
        """Columns, without those that the lake and the loader add."""

    @property
    def key(self) -> Sequence[str]:
        """Columns that identify a row."""


def ensure_tables(connection: duckdb.DuckDBPyConnection, tables: Iterable[TableLike]) -> None:
    """Create missing schemas, tables and columns, and the load log. New columns are null in existing rows.

    Raises:
        RetypedColumnError: A column has a different type than in the catalog.
    """
    connection.execute(f"create schema if not exists {RAW}; create schema if not exists {HISTORY}")
    load_log.ensure(connection)
    existing: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, data_type in connection.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns() "
        "where database_name = current_database() and schema_name in ($raw, $history)",
        {"raw": RAW, "history": HISTORY},
    ).fetchall():
        existing.setdefault((schema, table), {})[column] = data_type
    for table in tables:
        for schema, extra in ((RAW, VERSION_COLUMNS), (HISTORY, VERSION_COLUMNS | _VALIDITY)):
            wanted = {column.name: duckdb_type(column.arrow_type) for column in table.columns} | extra
            _ensure_table(connection, schema, table, wanted, existing.get((schema, table.name)))


def _ensure_table(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: TableLike,
    wanted: dict[str, str],
    existing: dict[str, str] | None,
) -> None:
    name = identifier(schema, table.name)
    if existing is None:
        columns = ", ".join(f"{identifier(column)} {data_type}" for column, data_type in wanted.items())
        comments = _column_comments(name, table) if schema == RAW else ""
        connection.execute(f"create table {name} ({columns}); {comments}")
        return
    for column, data_type in wanted.items():
        if column not in existing:
            connection.execute(f"alter table {name} add column {identifier(column)} {data_type}")
        elif existing[column] != data_type:
            raise RetypedColumnError(
                f"{schema}.{table.name}.{column} is {existing[column]} in the warehouse, {data_type} in the catalog.",
                remedy=REBUILD_REMEDY,
            )


def _column_comments(name: str, table: TableLike) -> str:
    return "; ".join(
        f"comment on column {name}.{identifier(column.name)} is {literal(column.description)}"
        for column in table.columns
        if column.description
    )
