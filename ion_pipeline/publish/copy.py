"""Copies tables from the attached warehouse to an attached new file, and from there to Parquet."""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

from ion_pipeline.counting import OnCount, counted
from ion_pipeline.publish.whole import COPYING, WRITING_PARQUET, work_of
from ion_pipeline.warehouse import ENTITY_SCHEMA, Fingerprint
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.sql import identifier, literal

SOURCE = "warehouse"
# The catalog name that DuckDB gives the file when an analyst opens `ion.duckdb`.
TARGET = "ion"


# DuckDB refuses `ion.parts` as ambiguous where the catalog and a schema are both called ion. In the default schema of
# the catalog the same name is unambiguous.
_DEFAULT_SCHEMA = "main"


def schema_in_file(schema: str) -> str:
    """The schema of the published file that holds the tables of a public schema."""
    return _DEFAULT_SCHEMA if schema == ENTITY_SCHEMA else schema


def public_schema(schema: str) -> str:
    """The public schema of the tables in a schema of the published file."""
    return ENTITY_SCHEMA if schema == _DEFAULT_SCHEMA else schema


def counted_tables(
    tables: Mapping[tuple[str, str], Fingerprint], on_count: OnCount, doing: str, kept: int = 0
) -> Iterator[tuple[str, str]]:
    """Yield (schema, name) of tables, and count them; a table is as much work as it has rows.

    Args:
        tables: The tables.
        on_count: As for `counted`.
        doing: As for `counted`.
        kept: Tables of the publish that are kept from the previous one, with which nothing is done.
    """
    return counted(
        list(tables),
        on_count,
        unit="tables",
        doing=doing,
        name=".".join,
        work=[work_of(one.rows) for one in tables.values()],
        before=kept,
    )


def public_relations(connection: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> list[tuple[str, str]]:
    """(schema, name) of every table and view of some schemas of the warehouse, in their order, then by name."""
    return connection.execute(
        """
        select schema_name, name
        from (
            select database_name, schema_name, table_name as name from duckdb_tables()
            union all
            select database_name, schema_name, view_name from duckdb_views() where not internal
        )
        where database_name = $source and list_contains($schemas::varchar[], schema_name)
        order by list_position($schemas::varchar[], schema_name), name
        """,
        {"source": SOURCE, "schemas": list(schemas)},
    ).fetchall()


def copy_relations(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[tuple[str, str], Fingerprint],
    on_count: OnCount,
    kept: int,
) -> None:
    """Copy tables and views, with the order of their rows and their comments; `kept` as for `counted_tables`."""
    for schema, name in counted_tables(tables, on_count, COPYING, kept):
        connection.execute(f"create schema if not exists {identifier(TARGET, schema)}")
        connection.execute(
            f"create table {identifier(TARGET, schema, name)} as select * from {identifier(SOURCE, schema, name)}"
        )
    _copy_comments(connection, tables)


def write_parquet(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[tuple[str, str], Fingerprint],
    folder: Path,
    on_count: OnCount,
    kept: int,
) -> None:
    """Write `<folder>/<schema>/<table>.parquet` for tables of the new file; `kept` as for `counted_tables`."""
    for schema, table in counted_tables(tables, on_count, WRITING_PARQUET, kept):
        path = folder / schema / f"{table}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows, target = identifier(TARGET, schema_in_file(schema), table), literal(str(path))
        connection.execute(f"copy (from {rows}) to {target} (format parquet, compression zstd)")


def _copy_comments(connection: duckdb.DuckDBPyConnection, relations: Collection[tuple[str, str]]) -> None:
    comments = connection.execute(
        """
        select 'table', schema_name, table_name, null, comment from duckdb_tables()
        where database_name = $source and comment is not null
        union all
        select 'table', schema_name, view_name, null, comment from duckdb_views()
        where database_name = $source and comment is not null
        union all
        select 'column', schema_name, table_name, column_name, comment from duckdb_columns()
        where database_name = $source and comment is not null
        """,
        {"source": SOURCE},
    ).fetchall()
    # One transaction: each commit syncs to disk, and there are more than a thousand comments.
    with transaction(connection):
        for kind, schema, table, column, comment in comments:
            if (schema, table) in relations:
                name = identifier(TARGET, schema, table, *([column] if column else []))
                connection.execute(f"comment on {kind} {name} is {literal(comment)}")
