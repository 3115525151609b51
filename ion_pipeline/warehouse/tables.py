"""The tables of `raw` and `raw_history`: made as the catalog has them, and only ever added to.

A column that has left the catalog stays, with nulls from then on; `rebuild` drops it. Filling tables is `merge`'s work.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import duckdb
import pyarrow as pa

from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.errors import MAKE_ANEW, RetypedColumnError
from ion_pipeline.warehouse.schemas import HISTORY, RAW
from ion_pipeline.warehouse.sql import duckdb_type, identifier, literal

# The version's own columns, beside those of the catalog.
VERSION_COLUMNS = {"_ion_load": "VARCHAR", "_ion_seen_at": "TIMESTAMP WITH TIME ZONE"}
_VALIDITY = {"valid_from": "TIMESTAMP WITH TIME ZONE", "valid_to": "TIMESTAMP WITH TIME ZONE", "is_current": "BOOLEAN"}


class ColumnLike(Protocol):
    """A column of the catalog, as far as the warehouse needs to know it."""

    @property
    def name(self) -> str:
        """Name in the warehouse."""

    @property
    def arrow_type(self) -> pa.DataType:
        """Type in the lake."""

    @property
    def description(self) -> str:
        """What it holds; may be empty."""

    @property
    def members(self) -> Sequence[str]:
        """The values that an enum knows; none where the column is no enum."""


class TableLike(Protocol):
    """A table of the catalog, as far as the warehouse needs to know it."""

    @property
    def name(self) -> str:
        """Name in `raw` and folder in the lake."""

    @property
    def columns(self) -> Sequence[ColumnLike]:
        """Columns, without those of the lake and the loader."""

    @property
    def key(self) -> Sequence[str]:
        """Columns that identify a row."""


def ensure_tables(connection: duckdb.DuckDBPyConnection, tables: Iterable[TableLike]) -> None:
    """Create what is missing: schemas, the load log, tables and columns. New columns are null in the rows there are.

    Raises:
        RetypedColumnError: A column has another type than the catalog gives it.
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
                remedy=MAKE_ANEW,
            )


def _column_comments(name: str, table: TableLike) -> str:
    return "; ".join(
        f"comment on column {name}.{identifier(column.name)} is {literal(column.description)}"
        for column in table.columns
        if column.description
    )
