"""The tables, and the parts of tables, that a publish has from the previous one, because they have not changed.

They come with a copy of the previous published file, from which everything else is dropped, and with links to the
previous Parquet files (see `parquet_files`). So a publish writes only what changed. A publish with other rules of
export control, or made by another DuckDB, keeps nothing.
"""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb
import orjson

from ion_pipeline.files.storage import copy_file
from ion_pipeline.publish import swap
from ion_pipeline.publish.dictionary import TableEntry
from ion_pipeline.publish.names import TARGET, public_schema, schema_in_file
from ion_pipeline.publish.parts import Part
from ion_pipeline.warehouse import FINGERPRINT, Fingerprint, Resources, WarehouseError
from ion_pipeline.warehouse.connection import attach, connect, transaction
from ion_pipeline.warehouse.sql import identifier

#: Public schema and name of a table.
Relation = tuple[str, str]
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Previous:
    """The previous publish.

    Attributes:
        published_dir: The folder that its paths begin in.
        publish: Its files; None if there is none that something can be kept from.
        document: Its `latest.json`.
        entries: The tables in it.
    """

    published_dir: Path
    publish: swap.Publish | None = None
    document: Entry = field(default_factory=dict)
    entries: Mapping[Relation, Entry] = field(default_factory=dict)

    def parts(self, relation: Relation, form: str) -> tuple[Part, ...]:
        """The parts of a table, if it had several and the same form as now; else none."""
        entry = self.entries.get(relation, {})
        return tuple(map(Part.from_json, entry.get("parts", ()))) if entry.get("form") == form else ()

    def file(self, entry: Entry) -> Path:
        """The file of an entry."""
        return self.published_dir / str(entry["file"])

    def has_file(self, entry: Entry) -> bool:
        """Whether the file of an entry is there."""
        return "file" in entry and (path := self.file(entry)).is_file() and path.stat().st_size == entry["bytes"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the new database file has from the previous one.

    Attributes:
        previous: The publish that it is kept from; None if nothing is kept.
        entries: The kept tables: their entries in its `latest.json`.
        with_parts: The tables of which some parts are kept.
    """

    previous: swap.Publish | None = None
    entries: Mapping[Relation, Entry] = field(default_factory=dict)
    with_parts: Collection[Relation] = ()

    def fingerprints(self) -> dict[Relation, Fingerprint]:
        """The fingerprint of each kept table."""
        return {name: Fingerprint(entry["rows"], int(entry["hash_sum"])) for name, entry in self.entries.items()}


def find_previous(published_dir: Path, made_by: Mapping[str, str]) -> Previous:
    """The previous publish, if tables can be kept from it.

    Args:
        published_dir: The folder with the previous publish.
        made_by: As in `latest.to_json`; a previous publish with other values is not used.
    """
    latest = published_dir / swap.LATEST
    document = orjson.loads(latest.read_bytes()) if latest.is_file() else {}
    if {name: document.get(name) for name in made_by} != made_by:
        return Previous(published_dir)
    publish = swap.Publish(published_dir / swap.PUBLISHES / document["publish_id"])
    if not publish.database.is_file():
        return Previous(published_dir)
    entries = {(entry["schema"], entry["table"]): entry for entry in document["tables"]}
    return Previous(published_dir, publish, document, entries)


def form_of(table: TableEntry) -> str:
    """The form of a table: equal forms mean equal columns and comments."""
    return hashlib.sha256(repr(replace(table, rows=0)).encode()).hexdigest()


def state_of(form: str, rows: Fingerprint) -> str:
    """The state of a table: equal states mean equal rows, columns and comments."""
    return hashlib.sha256(repr((form, rows)).encode()).hexdigest()


def find_kept(
    found: Mapping[Relation, str],
    previous: Previous,
    with_parts: Collection[Relation],
    *,
    with_parquet: bool,
    resources: Resources | None,
) -> Kept:
    """The tables that the previous publish has in the same state, and as it wrote them, and those with the same parts.

    Args:
        found: The state of each table now.
        previous: The previous publish.
        with_parts: The tables of models with parts that the previous publish has, too.
        with_parquet: Whether a table must have its Parquet files, too.
        resources: Memory and threads.
    """
    if previous.publish is None:
        return Kept()
    same = {
        relation: entry
        for relation, entry in previous.entries.items()
        if relation in found
        and entry.get("state") == found[relation]
        and (not with_parquet or all(map(previous.has_file, entry.get("parts", [entry]))))
    }
    if _is_unchanged(previous.publish.database, previous.document["database"]):
        some = set(with_parts) - same.keys()
        return Kept(previous.publish, same, some) if same or some else Kept()
    if not same:
        return Kept()
    try:
        with connect(previous.publish.database, resources, read_only=True) as connection:
            kept = _as_written(connection, same)
    except (duckdb.Error, WarehouseError):
        # The previous file is damaged or in use: all tables are made from the warehouse, which needs nothing of it.
        return Kept()
    return Kept(previous.publish, kept) if kept else Kept()


def create_file(connection: duckdb.DuckDBPyConnection, fresh: swap.Publish, kept: Kept, storage_version: str) -> None:
    """Create the new database file with the kept tables and parts, and attach it.

    Args:
        connection: A connection.
        fresh: The publish to write.
        kept: The tables to keep, and those with parts to keep.
        storage_version: DuckDB's storage version of the file.
    """
    if kept.previous is None:
        attach(connection, fresh.database, TARGET, storage_version=storage_version)
        return
    copy_file(kept.previous.database, fresh.database)
    attach(connection, fresh.database, TARGET)
    _drop_all_but(connection, {*kept.entries, *kept.with_parts})


def _is_unchanged(database: Path, entry: Entry) -> bool:
    """Whether a file has the bytes that its publish wrote. A digest takes a fraction of what reading all rows takes."""
    if database.stat().st_size != entry["bytes"]:
        return False
    with database.open("rb") as stream:
        return bool(hashlib.file_digest(stream, "sha256").hexdigest() == entry["sha256"])


def _as_written(connection: duckdb.DuckDBPyConnection, entries: Mapping[Relation, Entry]) -> dict[Relation, Entry]:
    """The tables whose rows in the file are those that its publish wrote; one query, for each has a cost of its own."""
    names = list(entries)
    each = (
        f"select {number}, {FINGERPRINT} from {identifier(schema_in_file(schema), table)} as t"
        for number, (schema, table) in enumerate(names)
    )
    found = {
        names[number]: (rows, str(hash_sum))
        for number, rows, hash_sum in connection.execute(" union all ".join(each)).fetchall()
    }
    return {name: entry for name, entry in entries.items() if found[name] == (entry["rows"], entry["hash_sum"])}


def _drop_all_but(connection: duckdb.DuckDBPyConnection, kept: Collection[Relation]) -> None:
    """Drop the macros, the views, the tables that are not kept, and the schemas that are then empty."""
    objects = connection.execute(
        """
        select distinct replace(function_type, '_', ' '), schema_name, function_name from duckdb_functions()
        where database_name = $target and not internal
        union all
        select 'view', schema_name, view_name from duckdb_views() where database_name = $target and not internal
        union all
        select 'table', schema_name, table_name from duckdb_tables() where database_name = $target
        """,
        {"target": TARGET},
    ).fetchall()
    schemas = connection.execute(
        "select schema_name from duckdb_schemas() where database_name = $target and not internal",
        {"target": TARGET},
    ).fetchall()
    used = {schema_in_file(schema) for schema, _ in kept}
    with transaction(connection):
        for kind, schema, name in objects:
            if kind != "table" or (public_schema(schema), name) not in kept:
                statement = {"table macro": "macro table"}.get(kind, kind)
                connection.execute(f"drop {statement} {identifier(TARGET, schema, name)}")
        for (schema,) in schemas:
            if schema not in used and schema != "main":
                connection.execute(f"drop schema {identifier(TARGET, schema)}")
    # The dropped tables' space is free for the new ones only after this.
    connection.execute(f"checkpoint {identifier(TARGET)}")
