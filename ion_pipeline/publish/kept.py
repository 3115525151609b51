"""The tables of a publish that are those of the previous one, because nothing of them has changed.

They come with a copy of the previous published file, from which everything else is dropped, and with links to the
previous Parquet files. So a publish writes only what changed. A publish with other rules of export control, or made by
another DuckDB, keeps nothing.
"""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`

import hashlib
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import orjson

from ion_pipeline.publish import swap
from ion_pipeline.publish.copy import SOURCE, TARGET, public_schema, schema_in_file
from ion_pipeline.publish.dictionary import describe
from ion_pipeline.warehouse import FINGERPRINT, Fingerprint, Resources, WarehouseError
from ion_pipeline.warehouse.connection import attach, connect, transaction
from ion_pipeline.warehouse.sql import identifier

#: Public schema and name of a table.
Relation = tuple[str, str]
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """The tables that a publish keeps.

    Attributes:
        previous: The publish that they are kept from; None if nothing is kept.
        entries: Their entries in its `latest.json`.
    """

    previous: swap.Publish | None = None
    entries: Mapping[Relation, Entry] = field(default_factory=dict)

    def fingerprints(self) -> dict[Relation, Fingerprint]:
        """The fingerprint of each kept table."""
        return {name: Fingerprint(entry["rows"], int(entry["hash_sum"])) for name, entry in self.entries.items()}


def states(connection: duckdb.DuckDBPyConnection, expected: Mapping[Relation, Fingerprint]) -> dict[Relation, str]:
    """The state of tables and views of the warehouse: equal states mean equal rows, columns and comments.

    Args:
        connection: A connection that the warehouse is attached to.
        expected: The fingerprints of the tables.
    """
    described = describe(connection, SOURCE, {name: found.rows for name, found in expected.items()})
    return {
        (table.schema, table.table): hashlib.sha256(
            repr((table, expected[table.schema, table.table].hash_sum)).encode()
        ).hexdigest()
        for table in described
    }


def find_kept(
    found: Mapping[Relation, str],
    published_dir: Path,
    *,
    made_by: Mapping[str, str],
    with_parquet: bool,
    resources: Resources | None,
) -> Kept:
    """The tables that the previous publish has in the same state, and as it wrote them.

    Args:
        found: The state of each table now.
        published_dir: The folder with the previous publish.
        made_by: As in `latest.to_json`; a previous publish with other values is not used.
        with_parquet: Whether a table must have its Parquet file, too.
        resources: Memory and threads.
    """
    latest = published_dir / swap.LATEST
    document = orjson.loads(latest.read_bytes()) if latest.is_file() else {}
    if {name: document.get(name) for name in made_by} != made_by:
        return Kept()
    previous = swap.Publish(published_dir / swap.PUBLISHES / document["publish_id"])
    same = {
        relation: entry
        for entry in document["tables"]
        if (relation := (entry["schema"], entry["table"])) in found
        and entry.get("state") == found[relation]
        and (not with_parquet or _has_parquet(previous, relation, entry))
    }
    if not same or not previous.database.is_file():
        return Kept()
    if _is_unchanged(previous.database, document["database"]):
        return Kept(previous, same)
    try:
        with connect(previous.database, resources, read_only=True) as connection:
            kept = _as_written(connection, same)
    except (duckdb.Error, WarehouseError):
        # The previous file is damaged or in use: all tables are made from the warehouse, which needs nothing of it.
        return Kept()
    return Kept(previous, kept) if kept else Kept()


def create_file(connection: duckdb.DuckDBPyConnection, fresh: swap.Publish, kept: Kept, storage_version: str) -> None:
    """Create the new database file with the kept tables, and attach it.

    Args:
        connection: A connection.
        fresh: The publish to write.
        kept: The tables to keep.
        storage_version: DuckDB's storage version of the file.
    """
    if kept.previous is None:
        attach(connection, fresh.database, TARGET, storage_version=storage_version)
        return
    shutil.copyfile(kept.previous.database, fresh.database)
    attach(connection, fresh.database, TARGET)
    _drop_all_but(connection, kept.entries)


def link_parquet(kept: Kept, folder: Path, database: Path) -> None:
    """Link the Parquet files of the kept tables into the folder of a new publish.

    Files with other permissions than new files have, because ION_UMASK has changed, are copied.

    Args:
        kept: The tables.
        folder: The folder of the new Parquet files.
        database: A new file.
    """
    if kept.previous is None:
        return
    for schema, table in kept.entries:
        (folder / schema).mkdir(parents=True, exist_ok=True)
        source, target = _parquet(kept.previous, (schema, table)), folder / schema / f"{table}.parquet"
        if source.stat().st_mode == database.stat().st_mode:
            swap.link_or_copy(source, target)
        else:
            shutil.copyfile(source, target)


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


def _has_parquet(publish: swap.Publish, relation: Relation, entry: Entry) -> bool:
    file = _parquet(publish, relation)
    return file.is_file() and file.stat().st_size == entry.get("bytes")


def _parquet(publish: swap.Publish, relation: Relation) -> Path:
    schema, table = relation
    return publish.parquet / schema / f"{table}.parquet"
