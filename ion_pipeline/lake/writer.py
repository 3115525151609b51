"""Writing one load: staged where no reader looks, and visible all at once or never (see `commit`).

A writer that is killed before its commit leaves files that no reader opens. The next writer deletes them, or resumes the
load from its last checkpoint (see `journal`).
"""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Self

import pyarrow as pa

from ion_pipeline.files.errors import FileWriteError, write_error
from ion_pipeline.files.lock import WriterLock
from ion_pipeline.files.storage import Storage
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
from ion_pipeline.lake.rows import difference, stamped, tombstones, with_lake_columns
from ion_pipeline.lake.tenant import Tenant


class LoadWriter:
    """One load being written. Made by `Lake.begin`; may be fed from several threads.

    Leaving its `with` block without `commit` abandons the load. Files are written by one thread (see `background`).

    Attributes:
        load_id: The load's ULID.
        started_at: The instant the load describes.
        interrupted: What the writer before left: where it has a journal, this is its load, with what it had written.
        checkpoints: Writes the load's journal; None for a load that starts again after a crash.
    """

    def __init__(
        self,
        storage: Storage,
        lock: WriterLock,
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
        """What the interrupted writer left of a table, in the order written, tombstones included.

        Raises:
            LakeCorruptionError: A file is not as it was.
        """
        journal = self.interrupted.journal
        return staged_rows(self._storage, journal, table, columns) if journal else iter(())

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Add rows of a table.

        Args:
            table: One of the tables whose schema was given to `begin`.
            batch: Rows with that schema.

        Raises:
            FileWriteError: The disk is full or fails, or the batch does not have the table's schema.
        """
        self._append(table, batch, deleted=False)

    def delete(self, table: str, keys: pa.RecordBatch) -> None:
        """Add tombstones: rows that no longer exist.

        Args:
            table: As in `write`.
            keys: The key columns of the deleted rows; other columns may be missing.

        Raises:
            FileWriteError: As in `write`.
        """
        self._append(table, tombstones(keys, self._schema(table)), deleted=True)

    def discard(self, table: str) -> None:
        """Forget what has been written of a table, tombstones included: it is read again from the start.

        Raises:
            FileWriteError: The files cannot be deleted; the load is abandoned.
        """
        with self._mutex:
            self._check_open()
            del self._rows[table], self._tombstones[table]
            writer = self._tables.pop(table, None)
            if writer is None:
                return
            with self._or_abandon(table):
                self._background.drain()
                writer.discard()
                if self.checkpoints and table in self.checkpoints.named:
                    # A journal that names files which are gone would be worth nothing.
                    self._write_journal(self.checkpoints)
                    self._background.drain()
                self._storage.remove(paths.staged_table(self.load_id, table))

    def checkpoint(self) -> None:
        """Make what has been written durable, if it is time; a load that dies later goes on from here.

        To be called when what has been written and the reader's notes fit each other. Does not wait until it is done.

        Raises:
            FileWriteError: As in `write`.
        """
        if self.checkpoints and self.checkpoints.is_due:
            self._keep(self.checkpoints)

    def suspend(self) -> None:
        """Leave the load to the next writer, that it may go on; nobody sees it. Harmless when it has already ended.

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
        # Counts and notes are of this moment, and so is what will have been written.
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
        """Make the load visible, whole and durable.

        Args:
            reads: Every table that was read, and how; a table without rows is recorded as empty.
            requests: HTTP requests the load took.
            bytes_received: Bytes received for it.
            drift: How the tenant's schema differed from the catalog.
            read_by: ION's id of the user whose key it was.
            clock: The clocks when the read began.

        Raises:
            FileWriteError: Something could not be written, or rows were written for a table that is not in `reads`.
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
                commit(self._storage, manifest)
            except OSError as error:
                self._abandon()
                raise write_error(error, self._place()) from error
            except BaseException:
                self._abandon()
                raise
            self._end()
            return manifest

    def abort(self) -> None:
        """Abandon the load; harmless when it has already ended."""
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
                remedy="This is an error in the extraction; nothing was committed.",
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
            self._abandon()
            raise write_error(error, self._place(table)) from error
        except FileWriteError:
            self._abandon()
            raise

    def _place(self, table: str | None = None) -> str:
        return f"{table + ' of ' if table else ''}load {self.load_id} in {self._storage.location}"

    def _schema(self, table: str) -> pa.Schema:
        schema = self._schemas.get(table)
        if schema is None:
            raise FileWriteError(
                f"{table} is not a table of this load.", remedy="Give its schema when the load begins."
            )
        return schema

    def _writer(self, table: str, files: Sequence[FileEntry] = ()) -> TableWriter:
        writer = self._tables.get(table)
        if writer is None:
            folder = paths.staged_table(self.load_id, table)
            writer = self._tables[table] = TableWriter(
                paths.table_load(table, self.load_id),
                with_lake_columns(self._schema(table)),
                lambda name: self._storage.create(f"{folder}/{name}"),
                self._options,
                files,
                do=lambda work, held_bytes: self._background.do(work, held_bytes, writes=self._place(table)),
            )
        return writer

    def _check_open(self) -> None:
        if not self._open:
            raise FileWriteError(f"Load {self.load_id} has ended and takes no more rows.", remedy="Begin another load.")

    def _finish(self, table: str, read: TableRead) -> TableManifest:
        return TableManifest(
            table=table,
            read=read,
            files=self._writer(table).finish(),
            rows=self._rows[table],
            tombstones=self._tombstones[table],
        )

    def _abandon(self) -> None:
        try:
            self._background.close()
            for writer in self._tables.values():
                writer.discard()
            abandon(self._storage, self.load_id, self._tables)
        finally:
            self._end()

    def _end(self) -> None:
        self._open = False
        self._background.close()
        self._tables.clear()
        self._lock.release()
