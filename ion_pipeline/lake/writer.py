"""Writes one load: stages its files where no reader looks, and makes all of them visible at once (see `commit`).

A writer that is killed before its commit leaves files that no reader opens. The next writer deletes them, or resumes
the load from its last checkpoint (see `journal`).
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Self

import pyarrow as pa

from ion_pipeline.files.errors import FileWriteError, ObjectStoreError, StoreWriteError, write_error
from ion_pipeline.files.lock import Lock
from ion_pipeline.files.storage import LakeStorage
from ion_pipeline.lake import paths
from ion_pipeline.lake.background import Background
from ion_pipeline.lake.commit import abandon, commit
from ion_pipeline.lake.journal import Checkpoints, Interrupted, StagedTable, staged_rows
from ion_pipeline.lake.manifest import (
    FORMAT,
    ClockRecord,
    FileEntry,
    LoadManifest,
    SchemaDrift,
    TableManifest,
    TableRead,
    check_reads,
)
from ion_pipeline.lake.part import TableWriter, WriterOptions
from ion_pipeline.lake.place import written_table
from ion_pipeline.lake.rows import difference, stamped, tombstones, with_lake_columns
from ion_pipeline.lake.tenant import Tenant


class LoadWriter:
    """One load being written. Made by `Lake.begin`; several threads may write to it.

    Ending its `with` block without `commit` abandons the load. One thread writes the files (see `background`).

    Attributes:
        load_id: The load's ULID.
        started_at: The instant the load describes.
        interrupted: The interrupted load that the last writer left. If it has a journal, this load resumes it.
        checkpoints: Writes the load's journal; None for a load that cannot be resumed after a crash.
    """

    def __init__(
        self,
        storage: LakeStorage,
        lock: Lock,
        *,
        load_id: str,
        tenant: Tenant,
        schemas: Mapping[str, pa.Schema],
        started_at: datetime,
        schema_hash: str,
        code_version: str,
        options: WriterOptions,
        interrupted: Interrupted | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        self.load_id, self.started_at = load_id, started_at
        self.interrupted = interrupted or Interrupted()
        self.checkpoints = checkpoints
        self._storage, self._lock = storage, lock
        self._tenant, self._schemas = tenant, schemas
        self._schema_hash, self._code_version = schema_hash, code_version
        self._options = options
        self._tables: dict[str, TableWriter] = {}
        self._rows: Counter[str] = Counter()
        self._tombstones: Counter[str] = Counter()
        self._mutex = threading.Lock()
        self._background = Background()
        self._open = True
        for table, staged in self.interrupted.tables.items():
            self._rows[table], self._tombstones[table] = staged.rows, staged.tombstones
            self._writer(table, staged.files)

    def interrupted_rows(self, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows of a table that the interrupted writer has written, in order, tombstones included.

        Raises:
            LakeCorruptionError: A file has been altered since.
        """
        journal = self.interrupted.journal
        return staged_rows(self._storage, journal, table, columns) if journal else iter(())

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Add rows of a table.

        Args:
            table: One of the tables whose schema was given to `begin`.
            batch: Rows with that schema.

        Raises:
            FileWriteError: The disk is full, writing to it failed, or the batch does not have the table's schema.
        """
        self._append(table, batch, deleted=False)

    def delete(self, table: str, keys: pa.RecordBatch) -> None:
        """Add tombstones for rows that no longer exist.

        Args:
            table: As in `write`.
            keys: The key columns of the deleted rows; other columns may be missing.

        Raises:
            FileWriteError: As in `write`.
        """
        self._append(table, tombstones(keys, self._schema(table)), deleted=True)

    def discard(self, table: str) -> None:
        """Discard what has been written of a table, tombstones included: the table is read again from the start.

        Raises:
            FileWriteError: The files cannot be deleted; the load is abandoned.
        """
        with self._mutex:
            self._check_open()
            self._lock.check()
            del self._rows[table], self._tombstones[table]
            writer = self._tables.pop(table, None)
            if writer is None:
                return
            with self._or_abandon(table):
                self._background.drain()
                writer.discard()
                if self.checkpoints and table in self.checkpoints.named:
                    # A journal that names deleted files could not be resumed, so remove the table from it first.
                    self._write_journal(self.checkpoints)
                    self._background.drain()
                self._storage.remove(written_table(self._storage, self.load_id, table))

    def checkpoint(self) -> None:
        """Make everything written so far durable, if a checkpoint is due; after a crash the load resumes from here.

        To be called when the reader's notes match what has been written. Does not wait until the files are written.

        Raises:
            FileWriteError: As in `write`.
        """
        if self.checkpoints and self.checkpoints.is_due:
            self._keep(self.checkpoints)

    def suspend(self) -> None:
        """End this writer but keep the load, invisible, for the next writer to resume; does nothing after the end.

        Raises:
            FileWriteError: As in `write`.
        """
        if self.checkpoints and self._open:
            self._keep(self.checkpoints, wait=True)
            with self._mutex:
                self._end()

    def _keep(self, checkpoints: Checkpoints, *, wait: bool = False) -> None:
        with self._mutex:
            self._check_open()
            with self._or_abandon():
                self._write_journal(checkpoints)
                if wait:
                    self._background.drain()

    def _write_journal(self, checkpoints: Checkpoints) -> None:
        self._lock.check()
        # Counts and notes are taken now, and describe exactly the rows that are flushed now.
        write, tables = checkpoints.begin(), dict(self._tables)
        counts = {table: (self._rows[table], self._tombstones[table]) for table in tables}
        for writer in tables.values():
            writer.flush()
        self._background.do(
            lambda: write({name: StagedTable(writer.settle(), *counts[name]) for name, writer in tables.items()}),
            writes=self._place(),
        )

    def commit(
        self,
        reads: Mapping[str, TableRead],
        *,
        requests: int = 0,
        bytes_received: int = 0,
        drift: Sequence[SchemaDrift] = (),
        read_by: int | None = None,
        clock: ClockRecord | None = None,
    ) -> LoadManifest:
        """Make the whole load visible and durable.

        Args:
            reads: Every table that was read, and how; a table without rows is recorded as empty.
            requests: HTTP requests sent.
            bytes_received: Bytes received.
            drift: How the tenant's schema differed from the catalog.
            read_by: ION's id of the user whose API key was used.
            clock: The clocks when the read began.

        Raises:
            FileWriteError: A file could not be written, or rows were written for a table that is not in `reads`.
                The load is abandoned.
        """
        with self._mutex:
            self._check_open()
            try:
                check_reads(self.load_id, reads, written=self._tables, tombstones=self._tombstones)
                for writer in self._tables.values():
                    writer.flush()
                self._background.drain()
                tables = tuple(self._finish(name, read) for name, read in reads.items())
                manifest = LoadManifest(
                    format=FORMAT,
                    load_id=self.load_id,
                    tenant=self._tenant,
                    started_at=self.started_at,
                    committed_at=datetime.now(UTC),
                    code_version=self._code_version,
                    schema_hash=self._schema_hash,
                    requests=requests,
                    bytes_received=bytes_received,
                    tables=tables,
                    drift=tuple(drift),
                    read_by=read_by,
                    clock=clock,
                )
                self._lock.check()
                commit(self._storage, manifest)
            except OSError as error:
                self._give_up(error)
                raise write_error(error, self._place()) from error
            except BaseException as error:
                self._give_up(error)
                raise
            self._end()
            return manifest

    def abort(self) -> None:
        """Abandon the load; does nothing after the end."""
        with self._mutex:
            if self._open:
                self._abandon()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()

    def _append(self, table: str, batch: pa.RecordBatch, *, deleted: bool) -> None:
        if wrong := difference(batch.schema, self._schema(table)):
            raise FileWriteError(
                f"Rows for {table} do not have its columns: {wrong}.",
                remedy="This is a defect in the extraction: report it. Nothing was committed.",
            )
        rows = stamped(batch, is_deleted=deleted, load_id=self.load_id, seen_at=datetime.now(UTC))
        with self._mutex:
            self._check_open()
            (self._tombstones if deleted else self._rows)[table] += batch.num_rows
            with self._or_abandon(table):
                self._writer(table).append(rows)
                while (waiting := self._waiting_bytes()) > self._options.buffer_bytes // 2:
                    max(self._tables.values(), key=lambda writer: writer.buffered_bytes).flush()
                self._background.wait(self._options.buffer_bytes - waiting)

    def _waiting_bytes(self) -> int:
        return sum(writer.buffered_bytes for writer in self._tables.values())

    @contextmanager
    def _or_abandon(self, table: str | None = None) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._give_up(error)
            raise write_error(error, self._place(table)) from error
        except FileWriteError as error:
            self._give_up(error)
            raise

    def _place(self, table: str | None = None) -> str:
        return f"{table + ' of ' if table else ''}load {self.load_id} in {self._storage.location}"

    def _schema(self, table: str) -> pa.Schema:
        schema = self._schemas.get(table)
        if schema is None:
            raise FileWriteError(
                f"{table} is not a table of this load.", remedy="Pass its schema when the load begins."
            )
        return schema

    def _writer(self, table: str, files: Sequence[FileEntry] = ()) -> TableWriter:
        writer = self._tables.get(table)
        if writer is None:
            folder = written_table(self._storage, self.load_id, table)
            writer = self._tables[table] = TableWriter(
                paths.table_load(table, self.load_id),
                with_lake_columns(self._schema(table)),
                lambda name: self._storage.create(f"{folder}/{name}"),
                self._options,
                files,
                suffix=self._storage.suffix,
                do=lambda work, held_bytes: self._background.do(work, held_bytes, writes=self._place(table)),
            )
        return writer

    def _check_open(self) -> None:
        if not self._open:
            raise FileWriteError(f"Load {self.load_id} has ended and accepts no rows.", remedy="Begin another load.")

    def _finish(self, table: str, read: TableRead) -> TableManifest:
        return TableManifest(
            table=table,
            read=read,
            files=self._writer(table).finish(),
            rows=self._rows[table],
            tombstones=self._tombstones[table],
        )

    def _give_up(self, error: BaseException) -> None:
        # A store that fails now may answer later: the next writer resumes from the last checkpoint.
        # A commit whose answer is unknown is left as it is as well: it can become visible only as a whole.
        self._abandon(keep=isinstance(error, (ObjectStoreError, StoreWriteError)))

    def _abandon(self, *, keep: bool = False) -> None:
        try:
            self._background.close()
            for writer in self._tables.values():
                writer.discard()
            if not keep:
                abandon(self._storage, self.load_id, self._tables)
        finally:
            self._end()

    def _end(self) -> None:
        self._open = False
        self._background.close()
        self._tables.clear()
        self._lock.release()
