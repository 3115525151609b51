"""The tables of ION's entities and lists in a publish, which are made from the rows of the warehouse."""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`

from collections.abc import Mapping, Sequence
from operator import attrgetter

import duckdb

from ion_pipeline.counting import OnCount, counted
from ion_pipeline.publish.copy import replace_parts
from ion_pipeline.publish.errors import PublishError
from ion_pipeline.publish.names import SOURCE, TARGET, schema_in_file
from ion_pipeline.publish.parts import Divided
from ion_pipeline.publish.whole import MAKING, work_of
from ion_pipeline.warehouse import (
    ENTITY_SCHEMA,
    EntityState,
    EntityTable,
    Fingerprint,
    fingerprint,
    load_log,
    states,
)
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.schemas import RAW
from ion_pipeline.warehouse.sql import identifier, literal

_SCHEMA = schema_in_file(ENTITY_SCHEMA)


def entity_states(connection: duckdb.DuckDBPyConnection, tables: Sequence[EntityTable]) -> dict[str, EntityState]:
    """The state of each entity table, by name; empty if no load has been applied.

    Args:
        connection: A connection that the warehouse is attached to.
        tables: The entity tables.

    Raises:
        PublishError: The warehouse lacks what the tables are made from.
    """
    if not tables or not load_log.exists(connection, catalog=SOURCE):
        return {}
    try:
        return states(connection, tables, catalog=SOURCE)
    except duckdb.CatalogException as error:
        raise _not_made("The tables", error) from error


def about_rows(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """About how many rows each table of `raw` has, and so the entity table of this name; DuckDB does not count them."""
    sql = "select table_name, estimated_size from duckdb_tables() where database_name = ? and schema_name = ?"
    return dict(connection.execute(sql, [SOURCE, RAW]).fetchall())


def make_entities(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[EntityTable],
    found: Mapping[str, EntityState],
    *,
    in_parts: Mapping[tuple[str, str], Divided],
    rows: Mapping[str, int],
    on_count: OnCount,
) -> dict[str, Fingerprint]:
    """Create entity tables in the new file, or replace parts of them; return the fingerprints to expect, by name.

    Args:
        connection: A connection that the warehouse and the new file are attached to.
        tables: The tables to make.
        found: Their states.
        in_parts: The tables of which the new file has some parts.
        rows: About how many rows they have, by name.
        on_count: Called before each table.

    Raises:
        PublishError: A table cannot be made from the warehouse as it is.
    """
    connection.execute(f"use {SOURCE}")
    made = {
        table.name: _make(connection, table, in_parts.get((ENTITY_SCHEMA, table.name)))
        for table in counted(
            tables,
            on_count,
            unit="tables",
            doing=MAKING,
            name=attrgetter("name"),
            work=[work_of(rows.get(table.name, 0)) for table in tables],
        )
    }
    connection.execute("use memory")
    # One transaction: each commit syncs to disk.
    with transaction(connection):
        for table in (one for one in tables if (ENTITY_SCHEMA, one.name) not in in_parts):
            _comment(connection, table, found[table.name].description)
    return made


def _make(connection: duckdb.DuckDBPyConnection, table: EntityTable, divided: Divided | None) -> Fingerprint:
    try:
        if divided:
            replace_parts(connection, f"({table.query})", divided, order=table.order)
        else:
            connection.execute(
                f"create table {identifier(TARGET, _SCHEMA, table.name)} as {table.query} order by {table.order}"
            )
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise _not_made(table.name, error) from error
    made = divided.fingerprint if divided else fingerprint(connection, TARGET, _SCHEMA, table.name)
    ((rows,),) = connection.execute(f"select count(*) from {table.source}").fetchall()
    if made.rows != rows:
        raise PublishError(
            f"{ENTITY_SCHEMA}.{table.name} has {made.rows} rows and {table.source} {rows}.",
            remedy="Run `ion-pipeline rebuild`, then publish again. The published files are unchanged.",
        )
    return made


def _not_made(what: str, error: duckdb.Error) -> PublishError:
    return PublishError(
        f"{what} of the schema {ENTITY_SCHEMA} cannot be made from the warehouse ({str(error).splitlines()[0]}).",
        remedy="Run `ion-pipeline refresh`, or `load` and `build`, then publish again. The published files are "
        "unchanged.",
    )


def _comment(connection: duckdb.DuckDBPyConnection, table: EntityTable, description: str) -> None:
    name = identifier(TARGET, _SCHEMA, table.name)
    connection.execute(f"comment on table {name} is {literal(description)}")
    for column in table.columns:
        text = literal(column.description)
        connection.execute(f"comment on column {name}.{identifier(column.name)} is {text}")
