"""Writes a snapshot: one document, with its files, that replaces all loads up to one.

For each table, a snapshot holds every row version that those loads brought, with the instants at which it began and
ended: the content of `raw_history` in a warehouse built from the loads. A load that repeats unchanged rows adds nothing
to it. The warehouse provides the versions; this module stages them, lets the caller check them, and makes them visible.

A commit takes these steps, each durable before the next: write the Parquet files; move their folders to the tables
(`paths.table_snapshot`); write the document in `_loads` (`paths.snapshot_manifest`). Only the document makes the loads
superfluous. If the process is killed before that, nothing has changed; if it is killed after that, the next writer
deletes the rest of the replaced loads.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from ion_pipeline.files.errors import FileWriteError, write_error
from ion_pipeline.files.lock import Lock
from ion_pipeline.files.storage import LakeStorage
from ion_pipeline.lake import paths
from ion_pipeline.lake.manifest import FORMAT, LoadManifest, Snapshot, TableManifest, TableRead, to_json
from ion_pipeline.lake.part import TableWriter, WriterOptions
from ion_pipeline.lake.place import written_snapshot
from ion_pipeline.lake.vacuum import vacuum

# A snapshot adds these columns to each row version: its load, when it was read, and the period in which it was valid.
VERSION_COLUMNS = pa.schema(
    [
        pa.field("_ion_load", pa.string()),
        pa.field("_ion_seen_at", pa.timestamp("us", tz="UTC")),
        pa.field("valid_from", pa.timestamp("us", tz="UTC")),
        pa.field("valid_to", pa.timestamp("us", tz="UTC")),
    ]
)


class SnapshotWriter:
    """One snapshot being written. Made by `Lake.begin_snapshot`; ending its `with` block without `commit` discards it.

    Attributes:
        loads: The loads that it will replace, oldest first; the first may be a snapshot.
    """

    def __init__(
        self,
        storage: LakeStorage,
        lock: Lock,
        readers: Path | None,
        *,
        loads: tuple[LoadManifest, ...],
        options: WriterOptions,
    ) -> None:
        self.loads = loads
        self._storage = storage
        self._lock = lock
        self._readers = readers
        self._options = options
        self._tables: list[TableManifest] = []
        self._load_log: list[TableManifest] = []

    @property
    def bytes(self) -> int:
        """Size of the Parquet files written so far."""
        return sum(entry.bytes for table in (*self._tables, *self._load_log) for entry in table.files)

    def write(self, table: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema, read: TableRead) -> None:
        """Write all versions of a table's rows.

        Args:
            table: The table.
            batches: The versions, with the columns of `schema`.
            schema: The table's own columns and `VERSION_COLUMNS`.
            read: How the last load read the table.

        Raises:
            FileWriteError: The disk is full, or writing to it failed.
        """
        self._tables.append(self._written(table, table, batches, schema, read))

    def write_log_table(self, name: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Write one table of the warehouse's load log. Raises FileWriteError."""
        self._load_log.append(self._written(name, f"{paths.LOAD_LOG}/{name}", batches, schema, TableRead("")))

    def staged(self, table: str, scratch: Path) -> list[Path]:
        """The files of a table that has been written, so that the caller can check them before the commit."""
        entries = next(written.files for written in self._tables if written.table == table)
        folder = self._written_folder(table)
        return [self._storage.fetch(f"{folder}/{Path(entry.path).name}", scratch) for entry in entries]

    def commit(self) -> LoadManifest:
        """Replace the loads by the snapshot, and delete them unless a process is reading the lake.

        Raises:
            FileWriteError: A file could not be written; the loads are unchanged.
        """
        last = self.loads[-1]
        manifest = replace(
            last,
            format=FORMAT,
            tables=tuple(self._tables),
            snapshot=Snapshot(tuple(load_id for load in self.loads for load_id in load.covers), tuple(self._load_log)),
        )
        self._lock.check()
        try:
            for name in self._folders if self._storage.renames else ():
                self._storage.move(self._written_folder(name), paths.table_snapshot(name, last.load_id))
            self._storage.put(paths.snapshot_manifest(last.load_id), to_json(manifest))
        except OSError as error:
            raise self._error(error) from error
        with suppress(OSError):
            # The snapshot is committed; if a replaced load cannot be deleted now, the next writer tries again.
            vacuum(self._storage, self._readers)
        self._lock.release()
        return manifest

    def abort(self) -> None:
        """Discard the snapshot and keep the loads; does nothing after a commit."""
        with suppress(OSError):
            # The staged files are invisible; if they cannot be deleted now, the next writer deletes them.
            if self.loads and self._storage.renames:
                self._storage.remove(paths.staged_snapshot(self.loads[-1].load_id))
            elif self.loads and self._storage.withdraw(paths.snapshot_manifest(self.loads[-1].load_id)):
                for name in self._folders:
                    self._storage.remove(self._written_folder(name))
        self._lock.release()

    @property
    def _folders(self) -> list[str]:
        return [*(t.table for t in self._tables), *(f"{paths.LOAD_LOG}/{b.table}" for b in self._load_log)]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def _written(
        self, table: str, place: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema, read: TableRead
    ) -> TableManifest:
        folder = self._written_folder(place)
        writer = TableWriter(
            paths.table_snapshot(place, self.loads[-1].load_id),
            schema,
            lambda name: self._storage.create(f"{folder}/{name}"),
            self._options,
            suffix=self._storage.suffix,
        )
        rows = 0
        try:
            for batch in batches:
                writer.append(batch)
                rows += batch.num_rows
            writer.flush()
            files = writer.finish()
        except OSError as error:
            writer.discard()
            raise self._error(error) from error
        return TableManifest(table=table, read=read, rows=rows, tombstones=0, files=files)

    def _written_folder(self, place: str) -> str:
        return written_snapshot(self._storage, self.loads[-1].load_id, place)

    def _error(self, error: OSError) -> FileWriteError:
        return write_error(error, f"the snapshot up to load {self.loads[-1].load_id} in {self._storage.location}")
