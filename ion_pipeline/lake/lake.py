"""The lake as a whole: lists its loads, begins a load or a snapshot, and gives access to the files of a load."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from ulid import ULID

import ion_pipeline
from ion_pipeline.errors import TenantMismatchError
from ion_pipeline.files.errors import ObjectStoreError, write_error
from ion_pipeline.files.lock import Lock, shared_lock
from ion_pipeline.files.storage import LocalStorage
from ion_pipeline.lake import paths
from ion_pipeline.lake.documents import Documents
from ion_pipeline.lake.errors import LakeCorruptionError
from ion_pipeline.lake.journal import FORMAT as JOURNAL_FORMAT
from ion_pipeline.lake.journal import Checkpoints, Interrupted, Journal, Resumption, interrupted
from ion_pipeline.lake.manifest import FileEntry, LoadManifest, from_json
from ion_pipeline.lake.part import WriterOptions
from ion_pipeline.lake.place import lock_of, open_place
from ion_pipeline.lake.snapshot import SnapshotWriter
from ion_pipeline.lake.tenant import Tenant
from ion_pipeline.lake.vacuum import Log, read_log, vacuum
from ion_pipeline.lake.verify import verified_file
from ion_pipeline.lake.writer import LoadWriter


class Lake:
    """An append-only log of loads in Parquet.

    Args:
        location: A local folder, or the URI of an object store. Nothing is created before the first load begins.
        lock_file: The file by which writers of this machine exclude each other; by default in the lake's own folder, if
            it is local. In an object store, a lease excludes writers of all machines; with a local file besides, a
            lease whose holder was killed on this machine is replaced at once.
    """

    def __init__(self, location: str | Path, *, lock_file: Path | None = None) -> None:
        self._storage = open_place(location)
        self._lock_file = lock_file
        self._documents = Documents(self._storage, lock_file)
        self._log: Log | None = None

    @property
    def location(self) -> str:
        """The lake's path or URI."""
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
        lock: Lock | None = None,
    ) -> LoadWriter:
        """Begin a load, or resume an interrupted one; delete the files that other killed writers left.

        Args:
            tenant: The tenant that the data belongs to, from `claim_tenant`.
            schemas: Columns of every table that may be written, without the lake's own.
            started_at: The instant the load describes: the server's clock at the start of the read; by default now.
            schema_hash: Hash of the tenant's GraphQL schema.
            code_version: Version of this package.
            options: Memory and file sizes.
            wait_seconds: How long to wait for another writer to finish.
            resumption: Which interrupted load may be resumed. If it is given, the new load writes a journal.
            lock: A lock that the caller already holds, from `writing`.

        Raises:
            LockedError: Another process is writing to this lake.
            FileWriteError: The lake cannot be written.
            LakeCorruptionError: A committed load's manifest is not readable.
            TenantMismatchError: The lake is in an object store, and holds the data of another tenant.
        """
        lock = lock or self._lock("writing a load", wait_seconds)
        started_at = started_at or datetime.now(UTC)
        try:
            committed, left = self.load_ids(), Interrupted()
            self._check_tenant(tenant, committed)
            if resumption:
                left = interrupted(self._storage, resumption, now=started_at, committed=committed)
            resumed = left.journal.load_id if left.journal else None
            vacuum(self._storage, self._readers_file, keep=resumed, tables=left.tables)
            plan = resumption.plan if resumption else {}
            journal = left.journal or Journal(JOURNAL_FORMAT, _next_id(committed), started_at, plan, {}, {})
            if not left.journal:
                self._storage.reserve(paths.load_manifest(journal.load_id))
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
        """Begin a snapshot that compacts the snapshot before and all loads except the last `keep`.

        Raises:
            LockedError, FileWriteError, LakeCorruptionError: As in `begin`.
        """
        lock = self._lock("compacting the lake", wait_seconds)
        try:
            vacuum(self._storage, self._readers_file)
            log = read_log(self._storage.names(paths.LOADS))
            compacted = log.load_ids[: len(log.load_ids) - min(keep, len(log.loads))]
            if compacted and compacted[-1] != log.base:
                self._storage.reserve(paths.snapshot_manifest(compacted[-1]))
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
    def writing(self, *, wait_seconds: float = 0.0) -> Iterator[Lock]:
        """Hold the writer's lock from before a load begins, so that no other load is committed while it is prepared.

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
        """Protect the files of the manifests that are read in this block from being deleted while it runs."""
        readers = self._readers_file
        if readers is None or not readers.parent.is_dir():
            yield
            return
        with shared_lock(readers):
            yield

    def load_ids(self) -> list[str]:
        """Ids of the committed loads, oldest first. A snapshot has the id of the last load that it replaces."""
        names = self._storage.names(paths.LOADS)
        if not isinstance(self._storage, LocalStorage):
            self._documents.keep(names)
        self._log = read_log(names)
        return self._log.load_ids

    def read_manifest(self, load_id: str) -> LoadManifest:
        """The manifest of a committed load, or of the snapshot that replaces the loads up to this one.

        Raises:
            LakeCorruptionError: The manifest is not readable, or belongs to another load.
        """
        path = paths.snapshot_manifest(load_id)
        where = f"{self.location}/{path}"
        try:
            try:
                data = self._read_document(path, load_id)
            except FileNotFoundError:
                path = paths.load_manifest(load_id)
                where = f"{self.location}/{path}"
                data = self._read_document(path, load_id)
            manifest = from_json(data, where)
        except ObjectStoreError:
            raise
        except OSError as error:
            raise LakeCorruptionError(
                f"{where} cannot be read ({error}).", remedy="Restore it from a backup."
            ) from error
        if manifest.load_id != load_id:
            raise LakeCorruptionError(
                f"{where} describes load {manifest.load_id}.",
                remedy="The file was probably renamed by hand: give it its former name.",
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
        """The verified files of a load by table, on this machine while the block runs.

        Local files are used in place; others are first copied to a temporary folder.

        Raises:
            LakeCorruptionError: A file is missing, truncated, altered, or not Parquet; the message names it.
        """
        with self._storage.scratch() as scratch:
            yield {
                table.table: [verified_file(self._storage, entry, scratch) for entry in table.files]
                for table in (*load.tables, *(load.snapshot.load_log if load.snapshot else ()))
            }

    def schema_of(self, entry: FileEntry) -> pa.Schema:
        """The columns of one file of a load. Raises FileNotFoundError."""
        with self._storage.scratch() as scratch:
            return pq.read_schema(self._storage.fetch(entry.path, scratch))

    def verify(self, load: LoadManifest) -> None:
        """Check every file of a load against its manifest: size, checksum, Parquet footer, rows.

        Raises:
            LakeCorruptionError: As in `checkout`.
        """
        with self.checkout(load):
            return

    @property
    def _readers_file(self) -> Path | None:
        if not isinstance(self._storage, LocalStorage):
            return None
        return (self._lock_file or self._storage.root / paths.LOCK).with_name(paths.READERS)

    def _lock(self, purpose: str, wait_seconds: float) -> Lock:
        lock = lock_of(self._storage, self._lock_file, purpose, wait_seconds)
        lock.acquire()
        return lock

    def _read_document(self, path: str, load_id: str) -> bytes:
        if isinstance(self._storage, LocalStorage):
            return self._storage.read(path)
        if self._log is None or load_id not in self._log.load_ids:
            self.load_ids()
        if self._log and path == paths.snapshot_manifest(load_id) and load_id != self._log.base:
            # The list says so without a request.
            raise FileNotFoundError(path)
        return self._documents.read(path)

    def _check_tenant(self, tenant: Tenant, committed: list[str]) -> None:
        """Check whose data an object store holds: unlike a folder, it does not lie next to a `tenant.json`."""
        if isinstance(self._storage, LocalStorage) or not committed:
            return
        owner = self.read_manifest(committed[-1]).tenant
        if owner != tenant:
            raise TenantMismatchError(
                f"{self.location} holds the data of {owner}, but the API key belongs to {tenant}.",
                remedy="Set ION_LAKE_URI to another prefix for this tenant, or correct the API key.",
            )


def _next_id(committed: list[str]) -> str:
    """A ULID above all committed ones, even if the clock was set back or two loads begin in the same millisecond."""
    fresh = ULID()
    if committed and str(fresh) <= committed[-1]:
        fresh = ULID.from_timestamp(ULID.from_str(committed[-1]).milliseconds + 1)
    return str(fresh)
