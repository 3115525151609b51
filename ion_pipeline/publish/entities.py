"""The tables of ION's entities and lists in a publish: made from the warehouse, or kept if they have not changed.

Kept tables come with a copy of the previous published file, from which everything else is dropped, and with links to
the previous Parquet files. So the cost of a publish follows what changed, not what there is. A publish with other rules
of export control, or made by another DuckDB, keeps nothing.
"""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any

import duckdb
import orjson

from ion_pipeline.counting import OnCount, counted
from ion_pipeline.publish import swap
from ion_pipeline.publish.copy import FINGERPRINT, SOURCE, TARGET, Fingerprint, fingerprint, schema_in_file
from ion_pipeline.publish.errors import PublishError
from ion_pipeline.warehouse import ENTITY_SCHEMA, EntityState, EntityTable, Resources, WarehouseError, load_log, states
from ion_pipeline.warehouse.connection import attach, connect, transaction
from ion_pipeline.warehouse.sql import identifier, literal

_SCHEMA = schema_in_file(ENTITY_SCHEMA)
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entities:
    """The entity tables of a publish.

    Attributes:
        states: The state of each table, by name.
        kept: The entries in the previous `latest.json` of the tables that are kept, by name.
        previous: The publish that they are kept from; None if nothing is kept.
        made: The fingerprints of the tables that were made.
    """

    states: Mapping[str, EntityState]
    kept: Mapping[str, Entry] = field(default_factory=dict)
    previous: swap.Publish | None = None
    made: dict[str, Fingerprint] = field(default_factory=dict)

    def recorded(self) -> dict[tuple[str, str], dict[str, str]]:
        """What `latest.json` records of each table for the next publish."""
        return {
            (ENTITY_SCHEMA, name): {"state": self.states[name].digest, "hash_sum": str(found.hash_sum)}
            for name, found in self.fingerprints().items()
        }

    def fingerprints(self) -> dict[str, Fingerprint]:
        """The fingerprint of each table, in the order of the catalog."""
        found = self.made | {
            name: Fingerprint(entry["rows"], int(entry["hash_sum"])) for name, entry in self.kept.items()
        }
        return {name: found[name] for name in self.states}


def write_entities(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[EntityTable],
    fresh: swap.Publish,
    published_dir: Path,
    *,
    storage_version: str,
    made_by: Mapping[str, str],
    resources: Resources | None,
    on_count: OnCount,
) -> Entities:
    """Create the new database file, attach it, and write the entity tables to it.

    Args:
        connection: A connection that the warehouse is attached to.
        tables: The entity tables; a warehouse without a load has none.
        fresh: The publish to write.
        published_dir: The folder with the previous publish.
        storage_version: DuckDB's storage version of the file.
        made_by: As in `latest.to_json`; a previous publish with other values is not used.
        resources: Memory and threads.
        on_count: Called before each table that is made.

    Raises:
        PublishError: A table cannot be made from the warehouse as it is.
    """
    if not load_log.exists(connection, catalog=SOURCE):
        tables = ()
    try:
        found = states(connection, tables, catalog=SOURCE) if tables else {}
    except duckdb.CatalogException as error:
        raise _not_made("The tables", error) from error
    entities = _kept(found, published_dir, made_by, resources)
    if entities.previous:
        shutil.copyfile(entities.previous.database, fresh.database)
        attach(connection, fresh.database, TARGET)
        _drop_all_but(connection, entities.kept)
    else:
        attach(connection, fresh.database, TARGET, storage_version=storage_version)
    new = [table for table in tables if table.name not in entities.kept]
    connection.execute(f"use {SOURCE}")
    for table in counted(new, on_count, unit="tables", doing="making ION's", name=attrgetter("name")):
        entities.made[table.name] = _make(connection, table)
    connection.execute("use memory")
    # One transaction: each commit syncs to disk.
    with transaction(connection):
        for table in new:
            _comment(connection, table, found[table.name].description)
    return entities


def link_parquet(entities: Entities, folder: Path) -> None:
    """Link the Parquet files of the kept tables into the folder of a new publish."""
    if entities.previous:
        (folder / ENTITY_SCHEMA).mkdir(parents=True, exist_ok=True)
        for name in entities.kept:
            swap.link_or_copy(_parquet(entities.previous, name), folder / ENTITY_SCHEMA / f"{name}.parquet")


def _kept(
    found: Mapping[str, EntityState], published_dir: Path, made_by: Mapping[str, str], resources: Resources | None
) -> Entities:
    """The tables that the previous publish has in the same state, and as it wrote them."""
    latest = published_dir / swap.LATEST
    document = orjson.loads(latest.read_bytes()) if latest.is_file() else {}
    if {name: document.get(name) for name in made_by} != made_by:
        return Entities(found)
    previous = swap.Publish(published_dir / swap.PUBLISHES / document["publish_id"])
    same = {
        entry["table"]: entry
        for entry in document["tables"]
        if entry["schema"] == ENTITY_SCHEMA
        and entry["table"] in found
        and entry["state"] == found[entry["table"]].digest
        and _parquet(previous, entry["table"]).is_file()
        and _parquet(previous, entry["table"]).stat().st_size == entry["bytes"]
    }
    if not same or not previous.database.is_file():
        return Entities(found)
    try:
        with connect(previous.database, resources, read_only=True) as connection:
            kept = _as_written(connection, same)
    except (duckdb.Error, WarehouseError):
        # The previous file is damaged or in use: all tables are made from the warehouse, which needs nothing of it.
        kept = {}
    return Entities(found, kept, previous) if kept else Entities(found)


def _as_written(connection: duckdb.DuckDBPyConnection, entries: Mapping[str, Entry]) -> dict[str, Entry]:
    """The tables whose rows in the file are those that its publish wrote; one query, for each has a cost of its own."""
    each = (f"select {literal(name)}, {FINGERPRINT} from {identifier(_SCHEMA, name)} as t" for name in entries)
    found = {name: (rows, str(total)) for name, rows, total in connection.execute(" union all ".join(each)).fetchall()}
    return {name: entry for name, entry in entries.items() if found[name] == (entry["rows"], entry["hash_sum"])}


def _drop_all_but(connection: duckdb.DuckDBPyConnection, kept: Mapping[str, Entry]) -> None:
    objects = connection.execute(
        """
        select 'schema', schema_name, null from duckdb_schemas()
        where database_name = $target and not internal and schema_name <> $schema
        union all
        select distinct replace(function_type, '_', ' '), schema_name, function_name from duckdb_functions()
        where database_name = $target and schema_name = $schema and not internal
        union all
        select 'view', schema_name, view_name from duckdb_views()
        where database_name = $target and schema_name = $schema and not internal
        union all
        select 'table', schema_name, table_name from duckdb_tables()
        where database_name = $target and schema_name = $schema and not list_contains($kept::varchar[], table_name)
        """,
        {"target": TARGET, "schema": _SCHEMA, "kept": list(kept)},
    ).fetchall()
    with transaction(connection):
        for kind, schema, name in objects:
            statement = {"table macro": "macro table"}.get(kind, kind)
            quoted = identifier(*(part for part in (TARGET, schema, name) if part))
            connection.execute(f"drop {statement} {quoted}{' cascade' if kind == 'schema' else ''}")
    # The dropped tables' space is free for the new ones only after this.
    connection.execute(f"checkpoint {identifier(TARGET)}")


def _make(connection: duckdb.DuckDBPyConnection, table: EntityTable) -> Fingerprint:
    try:
        connection.execute(f"create table {identifier(TARGET, _SCHEMA, table.name)} as {table.query}")
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        raise _not_made(table.name, error) from error
    made = fingerprint(connection, TARGET, _SCHEMA, table.name)
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


def _parquet(publish: swap.Publish, name: str) -> Path:
    return publish.parquet / ENTITY_SCHEMA / f"{name}.parquet"
