"""Compacts old loads of the lake into one snapshot: replays them in an empty database and writes its `raw_history`.

Because the snapshot holds the `raw_history` that the loads produce, a rebuild from the snapshot cannot differ from a
rebuild from the loads. The snapshot also holds columns that are no longer in the catalog: compacting loses no data.
"""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ion_pipeline.counting import OnCount, counted, unheard
from ion_pipeline.lake import LAKE_COLUMNS, VERSION_COLUMNS, Lake, LoadManifest, SnapshotWriter, TableRead
from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.applying import RowCount, apply, rows_of
from ion_pipeline.warehouse.connection import Resources, connect, transaction
from ion_pipeline.warehouse.errors import CompactionError, translate_errors
from ion_pipeline.warehouse.schemas import HISTORY
from ion_pipeline.warehouse.sql import identifier, identifiers
from ion_pipeline.warehouse.tables import ColumnLike, TableLike, ensure_tables

_BATCH_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class CompactReport:
    """What `compact` did or would do.

    Attributes:
        load_ids: The loads that the snapshot covers; empty if there was nothing to compact.
        kept: Number of loads that are left as they are.
        bytes_before: Bytes of Parquet that the snapshot replaces.
        bytes_after: Bytes of Parquet in the snapshot.
        rows_before: Rows and tombstones in the loads that the snapshot replaces.
        rows_after: Row versions in the snapshot.
        dry_run: Whether the lake was left unchanged.
    """

    load_ids: tuple[str, ...] = ()
    kept: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    rows_before: int = 0
    rows_after: int = 0
    dry_run: bool = False

    @property
    def bytes_saved(self) -> int:
        """Bytes by which the Parquet in the lake shrinks."""
        return self.bytes_before - self.bytes_after


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that is in the lake but no longer in the catalog."""

    name: str
    arrow_type: pa.DataType
    description: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Table:
    """A table with all of its columns, whether they are in the catalog or only in the lake."""

    name: str
    columns: tuple[ColumnLike, ...]
    key: tuple[str, ...]

    def with_columns_of(self, files: Sequence[Path]) -> "_Table":
        known = {column.name for column in self.columns} | {*LAKE_COLUMNS.names, *VERSION_COLUMNS.names}
        found = {field.name: field.type for path in files for field in pq.read_schema(path)}
        extra = (_Column(name, data_type) for name, data_type in found.items() if name not in known)
        return _Table(self.name, (*self.columns, *extra), self.key)

    @property
    def arrow_schema(self) -> pa.Schema:
        return pa.schema([*(pa.field(column.name, column.arrow_type) for column in self.columns), *VERSION_COLUMNS])


def compact(
    lake: Lake,
    scratch: Path,
    tables: Iterable[TableLike],
    *,
    keep: int = 30,
    dry_run: bool = False,
    resources: Resources | None = None,
    on_count: OnCount = unheard,
) -> CompactReport:
    """Compact all loads except the latest ones into a snapshot. If the process is killed, the lake loses no data.

    Args:
        lake: The lake that holds the loads.
        scratch: A temporary folder, created and deleted here; it needs as much space as `raw_history`.
        tables: Every table of the catalog.
        keep: Number of latest loads to leave as they are.
        dry_run: Write and verify the snapshot, but do not commit it.
        resources: Memory and threads for DuckDB.
        on_count: Called before each table of each load with the number of rows, and before each table is written.

    Raises:
        LockedError: Another process is writing to the lake.
        LakeCorruptionError: A file of a load is missing or damaged.
        CompactionError: A load holds a table that the catalog does not have.
        FileWriteError: The snapshot could not be written.
        WarehouseError: See its subclasses.
    """
    with lake.begin_snapshot(keep, wait_seconds=resources.wait_seconds if resources else 0.0) as writer:
        before, kept = writer.loads, sum(1 for _ in lake.load_ids()) - len(writer.loads)
        if len(before) < 2:  # noqa: PLR2004 -- a single load or snapshot cannot be compacted
            return CompactReport(kept=kept, dry_run=dry_run)
        catalog = _catalog(before, tables)
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            with (
                connect(scratch / "compacting.duckdb", resources) as connection,
                translate_errors("Compacting", scratch),
            ):
                _replay(connection, lake, before, catalog, on_count)
                written = counted(
                    list(catalog.values()),
                    on_count,
                    unit="tables",
                    doing="writing the snapshot",
                    name=attrgetter("name"),
                )
                rows_after = _write(connection, writer, before, written, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        bytes_after = writer.bytes
        if not dry_run:
            writer.commit()
    return CompactReport(
        load_ids=tuple(load_id for load in before for load_id in load.covers),
        kept=kept,
        bytes_before=sum(entry.bytes for load in before for entry in load.files),
        bytes_after=bytes_after,
        rows_before=sum(table.rows + table.tombstones for load in before for table in load.tables),
        rows_after=rows_after,
        dry_run=dry_run,
    )


def _catalog(loads: Sequence[LoadManifest], tables: Iterable[TableLike]) -> dict[str, _Table]:
    catalog = {table.name: _Table(table.name, tuple(table.columns), tuple(table.key)) for table in tables}
    held = {table.table: load.load_id for load in loads for table in load.tables}
    for table, load_id in held.items():
        if table not in catalog:
            raise CompactionError(
                f"Load {load_id} holds the table {table}, which is not in the catalog: the key of its rows is unknown.",
                remedy="Compact with the version of ion-pipeline that wrote the load. The lake is unchanged.",
            )
    return {name: catalog[name] for name in held}


def _replay(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    loads: Sequence[LoadManifest],
    catalog: dict[str, _Table],
    on_count: OnCount,
) -> None:
    count = RowCount(on_count, len(loads), rows_of(table for load in loads for table in load.tables))
    for load in loads:
        with lake.checkout(load) as files, transaction(connection):
            for table in load.tables:
                catalog[table.table] = catalog[table.table].with_columns_of(files[table.table])
            ensure_tables(connection, catalog.values())
            apply(connection, load, files, catalog, count)


def _write(
    connection: duckdb.DuckDBPyConnection,
    writer: SnapshotWriter,
    loads: Sequence[LoadManifest],
    tables: Iterable[_Table],
    scratch: Path,
) -> int:
    last_read: dict[str, TableRead] = {table.table: table.read for load in loads for table in load.tables}
    rows = 0
    for table in tables:
        columns = identifiers(table.arrow_schema.names)
        history = f"select {columns} from {identifier(HISTORY, table.name)}"
        batches = _batches(connection, f"{history} order by {identifiers(table.key)}, valid_from", table.arrow_schema)
        writer.write(table.name, batches, table.arrow_schema, last_read[table.name])
        rows += _verify(connection, table, history, writer.staged(table.name, scratch / "staged"))
    for name, query in load_log.exported():
        schema = connection.sql(f"{query} limit 0").to_arrow_table().schema
        writer.write_log_table(name, _batches(connection, query, schema), schema)
    return rows


def _batches(connection: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in connection.sql(query).to_arrow_reader(_BATCH_ROWS):
        yield batch.cast(schema)


def _verify(connection: duckdb.DuckDBPyConnection, table: _Table, history: str, files: Sequence[Path]) -> int:
    """Read the written files back, because the loads are deleted next. Returns the number of rows."""
    columns = identifiers(table.arrow_schema.names)
    sums = "select count(*), coalesce(sum(hash(v)::hugeint), 0) from"
    ((*expected,),) = connection.execute(f"{sums} ({history}) as v").fetchall()
    ((*written,),) = connection.execute(
        f"{sums} (select {columns} from read_parquet($files, hive_partitioning := false)) as v",
        {"files": [str(path) for path in files]},
    ).fetchall()
    if written != expected:
        raise CompactionError(
            f"The snapshot of {table.name} reads back as {written} (rows, checksum) instead of {expected}.",
            remedy="Check the disk, then compact again. The lake is unchanged.",
        )
    return int(expected[0])
