"""The lake as a whole: which loads there are, beginning one, and handing out the files of one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
from ulid import ULID

import ion_pipeline
from ion_pipeline.files.errors import FileWriteError, write_error
from ion_pipeline.files.lock import WriterLock, shared_lock
from ion_pipeline.files.storage import LocalStorage, open_storage
from ion_pipeline.lake import paths
from ion_pipeline.lake.errors import LakeCorruptionError
from ion_pipeline.lake.journal import FORMAT as JOURNAL_FORMAT
from ion_pipeline.lake.journal import Checkpoints, Interrupted, Journal, Resumption, interrupted
from ion_pipeline.lake.manifest import LoadManifest, from_json
from ion_pipeline.lake.part import WriterOptions
from ion_pipeline.lake.snapshot import SnapshotWriter
from ion_pipeline.lake.tenant import Tenant
from ion_pipeline.lake.vacuum import read_log, vacuum
from ion_pipeline.lake.verify import verified_file
from ion_pipeline.lake.writer import LoadWriter


class Lake:
    """An append-only log of loads in Parquet.

    Args:
        location: A local folder or a `pyarrow.fs` URI. Nothing is created before the first load begins.
        lock_file: Where writers exclude each other; below the lake itself where that is a local folder. A lake in an
            object store needs one, since a store has no locks.
    """

    def __init__(self, location: str | Path, *, lock_file: Path | None = None) -> None:
        self._storage = open_storage(location)
        if lock_file is None and isinstance(self._storage, LocalStorage):
            lock_file = self._storage.root / paths.LOCK
        self._lock_file = lock_file

    @property
    def location(self) -> str:
        """Its path or URI."""
        return self._storage.location

    def begin(
        self,
        tenant: Tenant,
        schemas: Mapping[str, pa.Schema],
        *,
        started_at: datetime | None = None,
        schema_hash: str = "",
        code_version: str = ion_pipeline.__version__,
        options: WriterOptions | None = None,
        wait_seconds: float = 0.0,
        resumption: Resumption | None = None,
        lock: WriterLock | None = None,
    ) -> LoadWriter:
        """Begin a load, or go on with an interrupted one, having swept away what else killed writers left.

        Args:
            tenant: Whose data it is, as `claim_tenant` gives it.
            schemas: Columns of every table that may be written, without the lake's own.
            started_at: The instant the load describes: the server's clock at the start of the read. Now, if not given.
            schema_hash: Hash of the tenant's GraphQL schema.
            code_version: Version of this package.
            options: Memory and file sizes.
            wait_seconds: How long to wait for another writer to finish.
            resumption: Which interrupted load to go on with; the load will have a journal. Neither, if not given.
            lock: Held by the caller already, from `writing`.

        Raises:
            LockedError: Another process is writing to this lake.
            FileWriteError: The lake cannot be written.
            LakeCorruptionError: A committed load's manifest is not readable.
        """
        lock = lock or self._lock("writing a load", wait_seconds)
        started_at = started_at or datetime.now(UTC)
        try:
            committed, left = self.load_ids(), Interrupted()
            if resumption:
                left = interrupted(self._storage, resumption, now=started_at, committed=committed)
            vacuum(self._storage, self._readers_file, keep=left.journal.load_id if left.journal else None)
            plan = resumption.plan if resumption else {}
            journal = left.journal or Journal(JOURNAL_FORMAT, _next_id(committed), started_at, plan, {}, {})
            return LoadWriter(
                self._storage,
                lock,
                load_id=journal.load_id,
                tenant=tenant,
                schemas=dict(schemas),
                started_at=journal.started_at,
                schema_hash=schema_hash,
                code_version=code_version,
                options=options or WriterOptions(),
                interrupted=left,
                checkpoints=Checkpoints(self._storage, journal, resumption.checkpoint_seconds) if resumption else None,
            )
        except OSError as error:
            lock.release()
            raise write_error(error, self.location) from error
        except BaseException:
            lock.release()
            raise

    def begin_snapshot(
        self, keep: int, *, options: WriterOptions | None = None, wait_seconds: float = 0.0
    ) -> SnapshotWriter:
        """Begin to fold all loads but the last `keep`, with the fold before them, into one.

        Raises:
            LockedError, FileWriteError, LakeCorruptionError: As in `begin`.
        """
        lock = self._lock("compacting the lake", wait_seconds)
        try:
            vacuum(self._storage, self._readers_file)
            log = read_log(self._storage.names(paths.LOADS))
            compacted = log.load_ids[: len(log.load_ids) - min(keep, len(log.loads))]
            return SnapshotWriter(
                self._storage,
                lock,
                self._readers_file,
                loads=tuple(self.read_manifest(load_id) for load_id in compacted),
                options=options or WriterOptions(),
            )
        except OSError as error:
            lock.release()
            raise write_error(error, self.location) from error
        except BaseException:
            lock.release()
            raise

    @contextmanager
    def writing(self, *, wait_seconds: float = 0.0) -> Iterator[WriterLock]:
        """Keep other writers out from before a load begins: what it is based on has to be the latest.

        Raises:
            LockedError, FileWriteError: As in `begin`.
        """
        lock = self._lock("reading ION", wait_seconds)
        try:
            yield lock
        finally:
            lock.release()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While the block lasts, nothing is deleted that a manifest names which is read within it."""
        readers = self._readers_file
        if readers is None or not readers.parent.is_dir():
            yield
            return
        with shared_lock(readers):
            yield

    def load_ids(self) -> list[str]:
        """Ids of the committed loads, oldest first; a fold goes by the id of the last load that it stands for."""
        return read_log(self._storage.names(paths.LOADS)).load_ids

    def read_manifest(self, load_id: str) -> LoadManifest:
        """What a committed load says about itself; the fold's, where loads are folded up to this one.

        Raises:
            LakeCorruptionError: It is not readable, or is another load's.
        """
        path = paths.snapshot_manifest(load_id)
        where = f"{self.location}/{path}"
        try:
            try:
                data = self._storage.read(path)
            except FileNotFoundError:
                path = paths.load_manifest(load_id)
                where = f"{self.location}/{path}"
                data = self._storage.read(path)
            manifest = from_json(data, where)
        except OSError as error:
            raise LakeCorruptionError(
                f"{where} cannot be read ({error}).", remedy="Restore it from a backup."
            ) from error
        if manifest.load_id != load_id:
            raise LakeCorruptionError(
                f"{where} describes load {manifest.load_id}.", remedy="Files were renamed by hand: put them back."
            )
        return manifest

    def loads(self) -> list[LoadManifest]:
        """The committed loads, oldest first.

        Raises:
            LakeCorruptionError: A manifest is not readable.
        """
        return [self.read_manifest(load_id) for load_id in self.load_ids()]

    @contextmanager
    def checkout(self, load: LoadManifest) -> Iterator[dict[str, list[Path]]]:
        """The verified files of a load by table, on this machine for as long as the block lasts.

        Local files are given as they are; others are copied to a temporary folder first.

        Raises:
            LakeCorruptionError: A file is missing, cut short, altered, or not Parquet; it is named.
        """
        with self._storage.scratch() as scratch:
            yield {
                table.table: [verified_file(self._storage, entry, scratch) for entry in table.files]
                for table in (*load.tables, *(load.snapshot.load_log if load.snapshot else ()))
            }

    def verify(self, load: LoadManifest) -> None:
        """Check every file of a load against its manifest: size, checksum, Parquet footer, rows.

        Raises:
            LakeCorruptionError: As in `checkout`.
        """
        with self.checkout(load):
            return

    @property
    def _readers_file(self) -> Path | None:
        return self._lock_file.with_name(paths.READERS) if self._lock_file else None

    def _lock(self, purpose: str, wait_seconds: float) -> WriterLock:
        if self._lock_file is None:
            raise FileWriteError(
                f"{self.location} is an object store, which has no locks.", remedy="Give the lake a local lock_file."
            )
        lock = WriterLock(self._lock_file, purpose, wait_seconds=wait_seconds, option="--wait")
        lock.acquire()
        return lock


def _next_id(committed: list[str]) -> str:
    """A ULID above all committed ones, also when the clock has been set back or two loads share a millisecond."""
    fresh = ULID()
    if committed and str(fresh) <= committed[-1]:
        fresh = ULID.from_timestamp(ULID.from_str(committed[-1]).milliseconds + 1)
    return str(fresh)
