"""Tables from an attached warehouse to an attached new file, and from there to Parquet. No swapping, no decisions."""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.sql import identifier, literal

SOURCE = "warehouse"
# The name the file will have when an analyst opens `ion.duckdb`.
TARGET = "ion"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Row count and the sum of all row hashes: equal for equal tables whatever their order."""

    rows: int
    hash_sum: int


def copy_relations(connection: duckdb.DuckDBPyConnection, schemas: Sequence[str]) -> list[tuple[str, str]]:
    """Copy every table and view of some schemas, rows in order and comments with them.

    Returns:
        (schema, name) of what was copied, in the order of `schemas`, then by name.
    """
    relations = connection.execute(
        """
        select schema_name, name, comment
        from (
            select database_name, schema_name, table_name as name, comment from duckdb_tables()
            union all
            select database_name, schema_name, view_name, comment from duckdb_views() where not internal
        )
        where database_name = $source and list_contains($schemas::varchar[], schema_name)
        order by list_position($schemas::varchar[], schema_name), name
        """,
        {"source": SOURCE, "schemas": list(schemas)},
    ).fetchall()
    for schema, name, comment in relations:
        connection.execute(f"create schema if not exists {identifier(TARGET, schema)}")
        target = identifier(TARGET, schema, name)
        connection.execute(f"create table {target} as select * from {identifier(SOURCE, schema, name)}")
        if comment:
            connection.execute(f"comment on table {target} is {literal(comment)}")
    _copy_column_comments(connection, {(schema, name) for schema, name, _ in relations})
    return [(schema, name) for schema, name, _ in relations]


def fingerprint(connection: duckdb.DuckDBPyConnection, catalog: str, schema: str, table: str) -> Fingerprint:
    """Read a whole table and sum it up."""
    row = connection.execute(
        f"select count(*), coalesce(sum(hash(t)::hugeint), 0) from {identifier(catalog, schema, table)} as t"
    ).fetchone()
    if row is None:
        raise RuntimeError(f"No fingerprint of {schema}.{table}")
    return Fingerprint(*row)


def write_parquet(connection: duckdb.DuckDBPyConnection, relations: Sequence[tuple[str, str]], folder: Path) -> None:
    """Write `<folder>/<schema>/<table>.parquet` for each table of the new file."""
    for schema, table in relations:
        path = folder / schema / f"{table}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows, target = identifier(TARGET, schema, table), literal(str(path))
        connection.execute(f"copy (from {rows}) to {target} (format parquet, compression zstd)")


def _copy_column_comments(connection: duckdb.DuckDBPyConnection, relations: set[tuple[str, str]]) -> None:
    comments = connection.execute(
        "select schema_name, table_name, column_name, comment from duckdb_columns() "
        "where database_name = ? and comment is not null",
        [SOURCE],
    ).fetchall()
    # Each commit is written to disk for good, and there are more than a thousand comments.
    with transaction(connection):
        for schema, table, column, comment in comments:
            if (schema, table) in relations:
                name = identifier(TARGET, schema, table, column)
                connection.execute(f"comment on column {name} is {literal(comment)}")
