"""Writing a fold: one document that takes the place of all loads up to one.

A fold holds, for each table, every version of a row that those loads brought, with where it began and ended: what a
warehouse made of the loads holds in `raw_history`. A load that repeats unchanged rows adds nothing to it. Which
versions there are is the warehouse's to say; here they are staged, compared as the caller likes, and revealed.

Order of events at the commit, each durable before the next: the Parquet files; their folders moved to
`<table>/fold=<id>`; `_loads/<id>.fold.json`. That document alone makes the loads up to `<id>` superfluous. Killed
before it, nothing has changed; after it, the next writer deletes what is left of them.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa

from ion_pipeline.files.errors import FileWriteError, write_error
from ion_pipeline.files.lock import WriterLock
from ion_pipeline.files.storage import Storage
from ion_pipeline.lake import paths
from ion_pipeline.lake.manifest import FORMAT, LoadManifest, Snapshot, TableManifest, TableRead, to_json
from ion_pipeline.lake.part import TableWriter, WriterOptions
from ion_pipeline.lake.vacuum import vacuum

# What a fold adds to each row: which load brought it, when it was read, and the span in which it was true.
VERSION_COLUMNS = pa.schema(
    [
        pa.field("_ion_load", pa.string()),
        pa.field("_ion_seen_at", pa.timestamp("us", tz="UTC")),
        pa.field("valid_from", pa.timestamp("us", tz="UTC")),
        pa.field("valid_to", pa.timestamp("us", tz="UTC")),
    ]
)


class SnapshotWriter:
    """One fold being written. Made by `Lake.begin_snapshot`; leaving its `with` block without `commit` changes nothing.

    Attributes:
        loads: What it will replace, oldest first; the first may be a fold itself.
    """

    def __init__(
        self,
        storage: Storage,
        lock: WriterLock,
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
            batches: The versions, with these columns.
            schema: The table's own columns and `VERSION_COLUMNS`.
            read: How the last of the loads read the table.

        Raises:
            FileWriteError: The disk is full or fails.
        """
        self._tables.append(self._written(table, table, batches, schema, read))

    def write_log_table(self, name: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> None:
        """Write what the warehouse has noted about the loads. Raises FileWriteError."""
        self._load_log.append(self._written(name, f"{paths.LOAD_LOG}/{name}", batches, schema, TableRead("")))

    def staged(self, table: str, scratch: Path) -> list[Path]:
        """The files of a table that has been written, to be looked at before the commit."""
        entries = next(written.files for written in self._tables if written.table == table)
        folder = self._staged_folder(table)
        return [self._storage.fetch(f"{folder}/{Path(entry.path).name}", scratch) for entry in entries]

    def commit(self) -> LoadManifest:
        """Let the fold take the place of its loads, and delete those unless somebody is reading them.

        Raises:
            FileWriteError: Something could not be written; the loads are as they were.
        """
        last = self.loads[-1]
        manifest = replace(
            last,
            format=FORMAT,
            tables=tuple(self._tables),
            snapshot=Snapshot(tuple(load_id for load in self.loads for load_id in load.covers), tuple(self._load_log)),
        )
        try:
            for name in (*(t.table for t in self._tables), *(f"{paths.LOAD_LOG}/{b.table}" for b in self._load_log)):
                self._storage.move(self._staged_folder(name), paths.table_snapshot(name, last.load_id))
            self._storage.put(paths.snapshot_manifest(last.load_id), to_json(manifest))
        except OSError as error:
            raise self._error(error) from error
        with suppress(OSError):
            # The fold stands; what cannot be deleted now is superfluous, and the next writer tries again.
            vacuum(self._storage, self._readers)
        self._lock.release()
        return manifest

    def abort(self) -> None:
        """Leave the loads as they are; harmless after a commit."""
        with suppress(OSError):
            # Invisible, and swept by the next writer.
            if self.loads:
                self._storage.remove(paths.staged_snapshot(self.loads[-1].load_id))
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()

    def _written(
        self, table: str, place: str, batches: Iterable[pa.RecordBatch], schema: pa.Schema, read: TableRead
    ) -> TableManifest:
        folder = self._staged_folder(place)
        writer = TableWriter(
            paths.table_snapshot(place, self.loads[-1].load_id),
            schema,
            lambda name: self._storage.create(f"{folder}/{name}"),
            self._options,
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

    def _staged_folder(self, place: str) -> str:
        return f"{paths.staged_snapshot(self.loads[-1].load_id)}/{place}"

    def _error(self, error: OSError) -> FileWriteError:
        return write_error(error, f"the fold up to load {self.loads[-1].load_id} in {self._storage.location}")
