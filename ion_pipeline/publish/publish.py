"""Publishes the public schemas as `ion.duckdb`, Parquet files and a data dictionary for analysts and BI tools.

The new files are written next to the old ones, verified, and then swapped in. A process that has an old file open keeps
reading it. The Parquet files of one publish are in one folder, and `parquet` is a symbolic link to it: renaming the
link switches all tables at once, whereas renaming single files would mix two publishes for a while. `latest.json` is
replaced last; its new content shows that the publish is complete.

The Delta tables (`delta/`) are outside of the folder of a publish, because their versions share one log. Their new
versions are written before the files are swapped in, and `latest.json` names them: see `publish.delta`.

The published files hold tables and comments only: no path of this machine and no credential.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from ulid import ULID

from ion_pipeline.counting import OnCount, unheard
from ion_pipeline.files import LockedError, WriterLock
from ion_pipeline.files.storage import LocalStorage
from ion_pipeline.publish import delta, dictionary, latest, swap
from ion_pipeline.publish.compare import Comparison
from ion_pipeline.publish.copy import copy_relations, public_relations, verify
from ion_pipeline.publish.entities import about_rows, make_entities
from ion_pipeline.publish.errors import PublishError
from ion_pipeline.publish.kept import Relation, create_file, find_previous
from ion_pipeline.publish.names import SOURCE, TARGET, schema_in_file
from ion_pipeline.publish.parquet_files import ParquetFile, files_of, write_parquet
from ion_pipeline.publish.parts import PART_ROWS
from ion_pipeline.publish.upload import SendReport
from ion_pipeline.publish.whole import Whole
from ion_pipeline.warehouse import ENTITY_SCHEMA, EntityTable, Fingerprint
from ion_pipeline.warehouse.connection import Resources, attach, connect_memory
from ion_pipeline.warehouse.errors import WarehouseDiskFullError, translate_errors
from ion_pipeline.warehouse.sql import identifier

#: The public schemas that dbt builds. `ENTITY_SCHEMA` is public too; its tables are made when they are published.
PUBLIC_SCHEMAS = ("reference", "genealogy", "production", "quality", "supply", "ops")
# Readable by DuckDB 1.1 and later.
STORAGE_VERSION = "v1.0.0"


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published.

    Attributes:
        database: The database file that analysts open.
        parquet: The folder (a symbolic link) of `<schema>/<table>.parquet`.
        publish_id: ULID of the publish, and name of its folder in `publishes/`.
        sent: What was sent to the target; None if there is no target.
        delta_versions: Number of Delta tables that have a new version; None if Delta is not among the formats.
        tables: The tables, as in the data dictionary.
        changed: How many of them were written; the others are those of the previous publish.
        bytes: Size of the database file.
        seconds: How long the publish took.
    """

    database: Path
    parquet: Path
    tables: tuple[dictionary.TableEntry, ...]
    bytes: int
    seconds: float
    publish_id: str = ""
    sent: SendReport | None = None
    delta_versions: int | None = None
    changed: int = 0


def publish(
    database: Path,
    published_dir: Path,
    *,
    schemas: Sequence[str] = PUBLIC_SCHEMAS,
    entity_tables: Sequence[EntityTable] = (),
    storage_version: str = STORAGE_VERSION,
    sql_files: Sequence[Path] = (),
    keep: int = 2,
    export_controlled: str = latest.INCLUDED,
    formats: Sequence[str] = (swap.PARQUET,),
    resources: Resources | None = None,
    part_rows: int = PART_ROWS,
    on_count: OnCount = unheard,
) -> PublishReport:
    """Publish the public schemas of a warehouse.

    Tables keep their comments and the order of their rows, which keeps the rows of a unit together. Views become
    tables.

    Args:
        database: The warehouse.
        published_dir: Folder for `ion.duckdb`, `parquet/`, `data_dictionary.{json,md}` and `latest.json`.
        schemas: The public schemas that were built; schemas that do not exist are skipped.
        entity_tables: The tables of ION's entities and lists, which are made here from the rows of the warehouse.
        storage_version: DuckDB storage version of the file: the oldest DuckDB version that can read it.
        sql_files: SQL files with macros and views for analysts, executed in the new file after its tables are copied.
        keep: Number of publishes to keep in `publishes/`, this one included; at least two.
        export_controlled: The value of `export_controlled` in `latest.json`. If rows under export control are left out,
            publishes with a different value are deleted, regardless of `keep`.
        formats: The formats besides the database file: `parquet`, `delta`.
        resources: Memory and threads for DuckDB.
        part_rows: Rows of a part of a large table, see `parts`.
        on_count: Called before each table that is made, copied, checked or written, and when all are.

    Raises:
        MissingDriverError: The library for Delta tables is needed, but not installed.
        PublishError: There is nothing to publish, or the new files differ from the warehouse.
        LockedError: Another process is publishing here.
        WarehouseError: See its subclasses. After any error, the files published before are unchanged.
    """
    began = time.perf_counter()
    if not database.is_file():
        raise PublishError(f"There is no warehouse at {database}.", remedy="Run `ion-pipeline refresh` first.")
    if blocking := swap.blocking_paths(published_dir):
        raise PublishError(
            f"{', '.join(str(path) for path in blocking)} has a name that a publish needs, but no publish created it.",
            remedy="Move it away, or set another ION_DATA_DIR, then publish again. Nothing was written or deleted.",
        )
    if latest.DELTA in formats:
        delta.check_library()
    with _lock(published_dir, resources.wait_seconds if resources else 0.0):
        publish_id, fresh = str(ULID()), None
        try:
            swap.settle(published_dir)
            fresh = swap.prepare(published_dir, publish_id)
            tables, changed, staged = _write(
                database,
                fresh,
                publish_id,
                published_dir=published_dir,
                schemas=schemas,
                entity_tables=entity_tables,
                storage_version=storage_version,
                sql_files=sql_files,
                export_controlled=export_controlled,
                formats=formats,
                resources=resources,
                part_rows=part_rows,
                on_count=on_count,
            )
            size = fresh.database.stat().st_size
            if staged:
                staged.commit(on_count)
            swap.commit(fresh, published_dir, keep=keep)
            if export_controlled != latest.INCLUDED:
                swap.vacuum_unless(
                    published_dir, lambda document: latest.export_control_of(document) == export_controlled
                )
            delta.clean(LocalStorage(published_dir), swap.documents(published_dir))
        except OSError as error:
            raise _write_error(error, published_dir) from error
        finally:
            if fresh is not None:
                swap.discard(fresh)
    return PublishReport(
        database=published_dir / swap.DATABASE,
        parquet=published_dir / swap.PARQUET,
        tables=tuple(tables),
        bytes=size,
        seconds=time.perf_counter() - began,
        publish_id=publish_id,
        delta_versions=len(staged.fresh) if staged else None,
        changed=changed,
    )


def settle(published_dir: Path) -> bool:
    """Finish a publish that was killed while it replaced the old files. Does not wait for a lock.

    Returns:
        Whether there was a publish to finish; False if another process is publishing, because that process finishes it.

    Raises:
        PublishError: The files cannot be replaced.
    """
    if swap.is_settled(published_dir):
        return False
    try:
        with _lock(published_dir, 0.0):
            swap.settle(published_dir)
    except LockedError:
        return False
    except OSError as error:
        raise _write_error(error, published_dir) from error
    return True


def _lock(published_dir: Path, wait_seconds: float) -> WriterLock:
    lock = published_dir.with_name(f".{published_dir.name}.lock")
    return WriterLock(lock, "publishing", wait_seconds=wait_seconds, option="--wait")


def _write(
    database: Path,
    fresh: swap.Publish,
    publish_id: str,
    *,
    published_dir: Path,
    schemas: Sequence[str],
    entity_tables: Sequence[EntityTable],
    storage_version: str,
    sql_files: Sequence[Path],
    export_controlled: str,
    formats: Sequence[str],
    resources: Resources | None,
    part_rows: int,
    on_count: OnCount,
) -> tuple[list[dictionary.TableEntry], int, delta.Staged | None]:
    made_by = {
        "export_controlled": export_controlled,
        "storage_version": storage_version,
        "duckdb_version": duckdb.__version__,
    }
    with connect_memory(database.parent, resources) as connection, translate_errors("Publishing", database):
        attach(connection, database, SOURCE, read_only=True, wait_seconds=resources.wait_seconds if resources else 0.0)
        relations = public_relations(connection, schemas)
        if not relations:
            raise PublishError(
                f"{database} has no table in {', '.join(schemas)}.", remedy="Run `ion-pipeline build` first."
            )
        load, whole, with_parquet = latest.latest_load(connection, SOURCE), Whole(on_count), swap.PARQUET in formats
        previous = find_previous(published_dir, made_by)
        compare = Comparison(connection, previous, part_rows=part_rows, with_parquet=with_parquet)
        plan = compare.plan(relations, entity_tables, resources, whole)
        kept, new = plan.kept, plan.new
        create_file(connection, fresh, kept, storage_version)
        about = about_rows(connection)
        whole.plan(
            [one.rows_to_write for one in new.values()],
            [about.get(table.name, 0) for table in plan.to_make],
            parquet=with_parquet,
            delta=latest.DELTA in formats,
        )
        copy_relations(connection, new, whole, len(relations) - len(new))
        made = make_entities(
            connection, plan.to_make, plan.entities, in_parts=plan.in_parts, rows=about, on_count=whole
        )
        rows = kept.fingerprints() | {relation: one.fingerprint for relation, one in new.items()}
        rows |= {(ENTITY_SCHEMA, name): one for name, one in made.items()}
        rows = {relation: rows[relation] for relation in plan.states}
        expected = {relation: one for relation, one in rows.items() if relation not in kept.entries}
        connection.execute(f"use {TARGET}")
        for path in sql_files:
            _define(connection, path)
        connection.execute("use memory")
        connection.execute(f"detach {TARGET}")
        # Attached again, so that the file on disk is what is verified and copied.
        attach(connection, fresh.database, TARGET, read_only=True)
        verify(connection, expected, whole, len(kept.entries))
        tables = dictionary.describe(connection, TARGET, {relation: one.rows for relation, one in rows.items()})
        described = {(table.schema, table.table): table for table in tables}
        written = {**new, **plan.in_parts} | {
            relation: compare.divided(
                identifier(TARGET, schema_in_file(ENTITY_SCHEMA), table.name), described[relation], table.key_place
            )
            for table in plan.to_make
            if (relation := (ENTITY_SCHEMA, table.name)) not in plan.in_parts
        }
        # Without Parquet files, `parquet` is an empty folder: no reader finds the files of an earlier publish there.
        fresh.parquet.mkdir()
        files = files_of(previous, kept, written)
        if with_parquet:
            write_parquet(connection, previous, files, written, fresh=fresh, on_count=whole)
        now = datetime.now(UTC)
        staged = (
            _stage(connection, fresh, tables, rows, files=files, on_count=whole) if latest.DELTA in formats else None
        )
    fresh.dictionary_json.write_bytes(dictionary.to_json(tables, now))
    fresh.dictionary_md.write_bytes(dictionary.to_markdown(tables, now))
    fresh.latest.write_bytes(
        latest.to_json(
            fresh,
            publish_id,
            now,
            load,
            tables,
            made_by=made_by,
            files=files,
            states={name: {"state": plan.states[name], "hash_sum": str(one.hash_sum)} for name, one in rows.items()},
            formats=formats,
            versions=staged.entries if staged else None,
        )
    )
    return tables, len(expected), staged


def _stage(
    connection: duckdb.DuckDBPyConnection,
    fresh: swap.Publish,
    tables: Sequence[dictionary.TableEntry],
    found: dict[Relation, Fingerprint],
    *,
    files: Mapping[Relation, Sequence[ParquetFile]],
    on_count: OnCount,
) -> delta.Staged:
    """Stage the Delta tables; where no type differs, their data files are the Parquet files of this publish."""
    fresh.scratch.mkdir()

    def data(content: delta.Content) -> list[Path]:
        parquet = [fresh.parquet / file.path for file in files[content.schema, content.table]]
        if not content.casts and parquet[0].is_file():
            return parquet
        converted = fresh.scratch / f"{content.name}.parquet"
        content.write(connection, converted)
        return [converted]

    current = fresh.published / swap.LATEST
    named = delta.entries_of(current.read_bytes()) if current.is_file() else {}
    contents = delta.contents(connection, tables, found)
    return delta.stage(LocalStorage(fresh.published), contents, named, data, on_count)


def _define(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    try:
        connection.execute(path.read_text(encoding="utf-8"))
    except duckdb.CatalogException as error:
        raise PublishError(
            f"{path.name} reads a table that has not been built ({str(error).splitlines()[0]}).",
            remedy="Run `ion-pipeline build` for all models, then publish again. The published files are unchanged.",
        ) from error


def _write_error(error: OSError, published_dir: Path) -> PublishError | WarehouseDiskFullError:
    if swap.is_full(error):
        return WarehouseDiskFullError(
            f"No space left in {published_dir}.", remedy="Free some space, then publish again. Nothing was changed."
        )
    return PublishError(
        f"The files in {published_dir} cannot be written ({error}).",
        remedy="Fix the cause, then publish again. The published files are unchanged.",
    )
