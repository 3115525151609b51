"""Old loads of the lake into one fold: applied to an empty database as a rebuild would, and its history kept.

What a fold holds is `raw_history` as the loads make it, so a rebuild from the fold cannot differ from one from the
loads. Columns that have left the catalog are folded too: the lake forgets nothing.
"""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ion_pipeline.lake import LAKE_COLUMNS, VERSION_COLUMNS, Lake, LoadManifest, SnapshotWriter, TableRead
from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.applying import LoadProgress, apply
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
        load_ids: The loads that are folded now; empty if there was nothing to fold.
        kept: Loads that stay as they are.
        bytes_before: Parquet that the fold takes the place of.
        bytes_after: Parquet of the fold.
        rows_before: Rows and tombstones in what is folded.
        rows_after: Versions of rows in the fold.
        dry_run: Nothing was changed.
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
        """By how much the Parquet in the lake shrinks."""
        return self.bytes_before - self.bytes_after


@dataclass(frozen=True, slots=True)
class _Column:
    """A column that only the lake knows any more."""

    name: str
    arrow_type: pa.DataType
    description: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Table:
    """A table with every column that the catalog or the lake has for it."""

    name: str
    columns: tuple[ColumnLike, ...]
    key: tuple[str, ...]

    def widened(self, files: Sequence[Path]) -> "_Table":
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
    progress: Callable[[LoadProgress], None] | None = None,
) -> CompactReport:
    """Fold all loads but the last ones. Killed at any moment, the lake holds what it held.

    Args:
        lake: Where the loads are.
        scratch: A folder for the work, made and deleted here; it takes what `raw_history` takes.
        tables: Every table of the catalog.
        keep: So many of the latest loads stay as they are.
        dry_run: Do everything but the last step.
        resources: Memory and threads for DuckDB.
        progress: Told after each table of each load.

    Raises:
        LockedError: Another process is writing to the lake.
        LakeCorruptionError: A file of a load is missing or damaged.
        CompactionError: A load holds a table that the catalog does not have.
        FileWriteError: The fold could not be written.
        WarehouseError: See its subclasses.
    """
    with lake.begin_snapshot(keep, wait_seconds=resources.wait_seconds if resources else 0.0) as writer:
        before, kept = writer.loads, sum(1 for _ in lake.load_ids()) - len(writer.loads)
        if len(before) < 2:  # noqa: PLR2004 -- one load or one fold alone is as small as it can be
            return CompactReport(kept=kept, dry_run=dry_run)
        catalog = _catalog(before, tables)
        shutil.rmtree(scratch, ignore_errors=True)
        try:
            with connect(scratch / "fold.duckdb", resources) as connection, translate_errors("Compacting", scratch):
                _replay(connection, lake, before, catalog, progress)
                rows_after = _write(connection, writer, before, catalog, scratch)
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
                f"Load {load_id} holds {table}, which is no table of the catalog: its versions cannot be told apart.",
                remedy="Compact with the version of ion-pipeline that read it. The lake is as it was.",
            )
    return {name: catalog[name] for name in held}


def _replay(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    loads: Sequence[LoadManifest],
    catalog: dict[str, _Table],
    progress: Callable[[LoadProgress], None] | None,
) -> None:
    for load in loads:
        with lake.checkout(load) as files, transaction(connection):
            for table in load.tables:
                catalog[table.table] = catalog[table.table].widened(files[table.table])
            ensure_tables(connection, catalog.values())
            apply(connection, load, files, catalog, progress)


def _write(
    connection: duckdb.DuckDBPyConnection,
    writer: SnapshotWriter,
    loads: Sequence[LoadManifest],
    catalog: Mapping[str, _Table],
    scratch: Path,
) -> int:
    last_read: dict[str, TableRead] = {table.table: table.read for load in loads for table in load.tables}
    rows = 0
    for table in catalog.values():
        columns = identifiers(table.arrow_schema.names)
        history = f"select {columns} from {identifier(HISTORY, table.name)}"
        batches = _batches(connection, f"{history} order by {identifiers(table.key)}, valid_from", table.arrow_schema)
        writer.write(table.name, batches, table.arrow_schema, last_read[table.name])
        rows += _compared(connection, table, history, writer.staged(table.name, scratch / "staged"))
    for name, query in load_log.exported():
        schema = connection.sql(f"{query} limit 0").to_arrow_table().schema
        writer.write_log_table(name, _batches(connection, query, schema), schema)
    return rows


def _batches(connection: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in connection.sql(query).to_arrow_reader(_BATCH_ROWS):
        yield batch.cast(schema)


def _compared(connection: duckdb.DuckDBPyConnection, table: _Table, history: str, files: Sequence[Path]) -> int:
    """Read back what was written: the loads are about to be deleted. Returns the rows."""
    columns = identifiers(table.arrow_schema.names)
    sums = "select count(*), coalesce(sum(hash(v)::hugeint), 0) from"
    ((*stood,),) = connection.execute(f"{sums} ({history}) as v").fetchall()
    ((*written,),) = connection.execute(
        f"{sums} (select {columns} from read_parquet($files, hive_partitioning := false)) as v",
        {"files": [str(path) for path in files]},
    ).fetchall()
    if stood != written:
        raise CompactionError(
            f"The fold of {table.name} reads back as {written} (rows, checksum) instead of {stood}.",
            remedy="Check the disk and run again. The lake is as it was.",
        )
    return int(stood[0])
