"""The public schemas to files that analysts and BI tools open: `ion.duckdb`, Parquet beside it, a data dictionary.

Everything is written beside what is there, verified, and only then swapped in; whoever has the old files open keeps
reading them. The Parquet copies of one publish are one folder and `parquet` is a symbolic link to it: renaming a link
changes all tables at once, renaming files one by one would for a while mix two publishes. `latest.json` is swapped
last: it is the one whose appearance says that a publish is complete.

No path of this machine and no credential goes into a file: they hold tables and comments, nothing attached.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from ulid import ULID

from ion_pipeline.files import LockedError, WriterLock
from ion_pipeline.publish import dictionary, latest, swap
from ion_pipeline.publish.copy import SOURCE, TARGET, Fingerprint, copy_relations, fingerprint, write_parquet
from ion_pipeline.publish.errors import PublishError
from ion_pipeline.publish.upload import SendReport
from ion_pipeline.warehouse.connection import Resources, attach, connect_memory
from ion_pipeline.warehouse.errors import WarehouseDiskFullError, translate_errors

PUBLIC_SCHEMAS = ("reference", "genealogy", "production", "quality", "supply", "ops")
# Readable by DuckDB 1.1 and later.
STORAGE_VERSION = "v1.0.0"


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What was published.

    Attributes:
        database: The file that analysts open.
        parquet: The folder (a link) of `<schema>/<table>.parquet`.
        publish_id: ULID of the publish: its folder below `publishes/`.
        sent: What was sent elsewhere, where a target is set.
        tables: The tables, as in the data dictionary.
        bytes: Size of the database file.
        seconds: How long it took.
    """

    database: Path
    parquet: Path
    tables: tuple[dictionary.TableEntry, ...]
    bytes: int
    seconds: float
    publish_id: str = ""
    sent: SendReport | None = None


def publish(
    database: Path,
    published_dir: Path,
    *,
    schemas: Sequence[str] = PUBLIC_SCHEMAS,
    storage_version: str = STORAGE_VERSION,
    sql_files: Sequence[Path] = (),
    keep: int = 2,
    export_controlled: str = latest.INCLUDED,
    resources: Resources | None = None,
) -> PublishReport:
    """Publish the public schemas of a warehouse.

    Tables keep their row order (the models sort them so that a unit's rows lie together) and their comments; a view
    becomes a table.

    Args:
        database: The warehouse.
        published_dir: Where `ion.duckdb`, `parquet/`, `data_dictionary.{json,md}` and `latest.json` go.
        schemas: What is public; those that do not exist are passed over.
        storage_version: DuckDB storage version of the file: the oldest DuckDB that can read it.
        sql_files: Statements to run in the new file once its tables are there: macros and views for analysts. Names
            in them are resolved in the new file.
        keep: So many publishes stay in `publishes/`, this one included; two at least.
        export_controlled: What `latest.json` says about rows under export control. Where they are left out, publishes
            that say anything else are deleted, however many are to be kept.
        resources: Memory and threads for DuckDB.

    Raises:
        PublishError: There is nothing to publish, or the new files do not hold what the warehouse holds.
        LockedError: Another process is publishing here.
        WarehouseError: See its subclasses. Whatever is raised, the files published before are untouched.
    """
    began = time.perf_counter()
    if not database.is_file():
        raise PublishError(f"There is no warehouse at {database}.", remedy="Run `ion-pipeline refresh` first.")
    if there := swap.in_the_way(published_dir):
        raise PublishError(
            f"{', '.join(str(path) for path in there)} has a name that a publish needs, and was not made by one.",
            remedy="Move it away, or set another ION_DATA_DIR, then publish again: nothing was written or deleted.",
        )
    with _lock(published_dir, resources.wait_seconds if resources else 0.0):
        publish_id, fresh = str(ULID()), None
        try:
            swap.settle(published_dir)
            fresh = swap.prepare(published_dir, publish_id)
            tables = _write(
                database,
                fresh,
                publish_id,
                schemas=schemas,
                storage_version=storage_version,
                sql_files=sql_files,
                export_controlled=export_controlled,
                resources=resources,
            )
            size = fresh.database.stat().st_size
            swap.commit(fresh, published_dir, keep=keep)
            if export_controlled != latest.INCLUDED:
                swap.vacuum_unless(
                    published_dir, lambda document: latest.export_control_of(document) == export_controlled
                )
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
    )


def settle(published_dir: Path) -> bool:
    """Finish a publish that was killed while its files took the place of the ones before. Waits for nobody.

    Returns:
        Whether there was something to finish; False also where another process is publishing, which does it.

    Raises:
        PublishError: The files cannot be exchanged.
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
    schemas: Sequence[str],
    storage_version: str,
    sql_files: Sequence[Path],
    export_controlled: str,
    resources: Resources | None,
) -> list[dictionary.TableEntry]:
    with connect_memory(database.parent, resources) as connection, translate_errors("Publishing", database):
        attach(connection, database, SOURCE, read_only=True, wait_seconds=resources.wait_seconds if resources else 0.0)
        attach(connection, fresh.database, TARGET, storage_version=storage_version)
        relations = copy_relations(connection, schemas)
        if not relations:
            raise PublishError(
                f"{database} has no table in {', '.join(schemas)}.", remedy="Run `ion-pipeline build` first."
            )
        load = latest.latest_load(connection, SOURCE)
        expected = {relation: fingerprint(connection, SOURCE, *relation) for relation in relations}
        connection.execute(f"use {TARGET}")
        for path in sql_files:
            _define(connection, path)
        connection.execute("use memory")
        connection.execute(f"detach {TARGET}")
        # Opened anew, so that what is checked and copied is what is on the disk.
        attach(connection, fresh.database, TARGET, read_only=True)
        _verify(connection, expected)
        write_parquet(connection, list(expected), fresh.parquet)
        now = datetime.now(UTC)
        tables = dictionary.describe(connection, TARGET, {relation: found.rows for relation, found in expected.items()})
    fresh.dictionary_json.write_bytes(dictionary.to_json(tables, now))
    fresh.dictionary_md.write_bytes(dictionary.to_markdown(tables, now))
    fresh.latest.write_bytes(latest.to_json(fresh, publish_id, now, load, tables, export_controlled=export_controlled))
    return tables


def _define(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    try:
        connection.execute(path.read_text(encoding="utf-8"))
    except duckdb.CatalogException as error:
        raise PublishError(
            f"{path.name} reads what has not been built ({str(error).splitlines()[0]}).",
            remedy="Run `ion-pipeline build` for all models, then publish again; the files before are untouched.",
        ) from error


def _verify(connection: duckdb.DuckDBPyConnection, expected: dict[tuple[str, str], Fingerprint]) -> None:
    for relation, wanted in expected.items():
        found = fingerprint(connection, TARGET, *relation)
        if found != wanted:
            raise PublishError(
                f"{'.'.join(relation)} has {found.rows} rows in the new file and {wanted.rows} in the warehouse, "
                "or differs in content.",
                remedy="Publish again when nothing else writes to the warehouse; the files before are untouched.",
            )


def _write_error(error: OSError, published_dir: Path) -> PublishError | WarehouseDiskFullError:
    if swap.is_full(error):
        return WarehouseDiskFullError(
            f"No space left in {published_dir}.", remedy="Free some space and publish again: nothing was changed."
        )
    return PublishError(
        f"The files in {published_dir} could not be written ({error}).",
        remedy="Mend the cause and publish again: the files before are untouched.",
    )
