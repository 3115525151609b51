"""Copies tables from the attached warehouse to an attached new file, and from there to Parquet."""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ion_pipeline.counting import OnCount, counted
from ion_pipeline.warehouse import ENTITY_SCHEMA
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.sql import identifier, literal

SOURCE = "warehouse"
# The catalog name that DuckDB gives the file when an analyst opens `ion.duckdb`.
TARGET = "ion"


# DuckDB refuses `ion.parts` as ambiguous where the catalog and a schema are both called ion. In the default schema of
# the catalog the same name is unambiguous.
_DEFAULT_SCHEMA = "main"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Row count and the sum of all row hashes, which do not depend on the order of the rows."""

    rows: int
    hash_sum: int


#: SQL of the fingerprint of a table with the alias `t`.
FINGERPRINT = "count(*), coalesce(sum(hash(t)::hugeint), 0)"


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
        work=[one.rows + 1 for one in tables.values()],
        before=kept,
    )


def copy_relations(
    connection: duckdb.DuckDBPyConnection, schemas: Sequence[str], on_count: OnCount
) -> list[tuple[str, str]]:
    """Copy every table and view of some schemas, with the order of their rows and their comments.

    Returns:
        (schema, name) of each copied table or view, in the order of `schemas`, then by name.
    """
    relations = connection.execute(
        """
        select schema_name, name, comment, size
        from (
            select database_name, schema_name, table_name as name, comment, estimated_size as size from duckdb_tables()
            union all
            select database_name, schema_name, view_name, comment, 0 from duckdb_views() where not internal
        )
        where database_name = $source and list_contains($schemas::varchar[], schema_name)
        order by list_position($schemas::varchar[], schema_name), name
        """,
        {"source": SOURCE, "schemas": list(schemas)},
    ).fetchall()
    for schema, name, comment, _ in counted(
        relations,
        on_count,
        unit="tables",
        doing="copying",
        name=lambda relation: f"{relation[0]}.{relation[1]}",
        work=[size + 1 for *_, size in relations],
    ):
        connection.execute(f"create schema if not exists {identifier(TARGET, schema)}")
        target = identifier(TARGET, schema, name)
        connection.execute(f"create table {target} as select * from {identifier(SOURCE, schema, name)}")
        if comment:
            connection.execute(f"comment on table {target} is {literal(comment)}")
    copied = [(schema, name) for schema, name, *_ in relations]
    _copy_column_comments(connection, set(copied))
    return copied


def fingerprint(connection: duckdb.DuckDBPyConnection, catalog: str, schema: str, table: str) -> Fingerprint:
    """Read a whole table and return its fingerprint."""
    row = connection.execute(f"select {FINGERPRINT} from {identifier(catalog, schema, table)} as t").fetchone()
    if row is None:
        raise RuntimeError(f"No fingerprint of {schema}.{table}")
    return Fingerprint(*row)


def write_parquet(
    connection: duckdb.DuckDBPyConnection,
    tables: Mapping[tuple[str, str], Fingerprint],
    folder: Path,
    on_count: OnCount,
    kept: int,
) -> None:
    """Write `<folder>/<schema>/<table>.parquet` for tables of the new file; `kept` as for `counted_tables`."""
    for schema, table in counted_tables(tables, on_count, "writing Parquet", kept):
        path = folder / schema / f"{table}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows, target = identifier(TARGET, schema_in_file(schema), table), literal(str(path))
        connection.execute(f"copy (from {rows}) to {target} (format parquet, compression zstd)")


def _copy_column_comments(connection: duckdb.DuckDBPyConnection, relations: set[tuple[str, str]]) -> None:
    comments = connection.execute(
        "select schema_name, table_name, column_name, comment from duckdb_columns() "
        "where database_name = ? and comment is not null",
        [SOURCE],
    ).fetchall()
    # One transaction: each commit syncs to disk, and there are more than a thousand comments.
    with transaction(connection):
        for schema, table, column, comment in comments:
            if (schema, table) in relations:
                name = identifier(TARGET, schema, table, column)
                connection.execute(f"comment on column {name} is {literal(comment)}")
