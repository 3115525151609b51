"""The journal of a load that is being written, so that the next writer can resume the load after a crash.

The journal is one document in the load's staging folder. Each checkpoint replaces it as a whole, after the files that
it names have been closed and flushed. Files that it does not name were written after the checkpoint and are deleted: a
load resumes from its last checkpoint or not at all. The journal also holds the reader's notes on its progress; this
module does not interpret them.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from ion_pipeline.files.storage import LakeStorage
from ion_pipeline.lake import paths
from ion_pipeline.lake.errors import LakeCorruptionError
from ion_pipeline.lake.manifest import FileEntry
from ion_pipeline.lake.place import written_table
from ion_pipeline.lake.verify import verified_file

FORMAT = 1
# A crash may lose this share of a long read. So checkpoints, each of which ends a file, become rarer as the read goes.
_LARGEST_LOSS = 1 / 50


@dataclass(frozen=True, slots=True)
class StagedTable:
    """What a load has written of one table.

    Attributes:
        files: Closed files, with the paths that they will have after the commit.
        rows: Rows in these files, without tombstones.
        tombstones: Tombstones in these files.
    """

    files: tuple[FileEntry, ...]
    rows: int
    tombstones: int


@dataclass(frozen=True, slots=True)
class Journal:
    """A load up to its last checkpoint.

    Attributes:
        format: Version of this document.
        load_id: The load's ULID.
        started_at: The instant that the load describes.
        plan: What is being read, as names and values; the load is resumed only if all of them are the same. The names
            appear in messages.
        tables: What has been written of each table.
        notes: How far the reader had read.
    """

    format: int
    load_id: str
    started_at: datetime
    plan: Mapping[str, str]
    tables: Mapping[str, StagedTable]
    notes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resumption:
    """Which interrupted load may be resumed, and how often to write the journal of the new load.

    Attributes:
        plan: What is read now; every value must equal that in the interrupted load's journal.
        within: Maximum age of the interrupted load; None to resume none.
        checkpoint_seconds: Approximate time between two checkpoints of the load that begins.
    """

    plan: Mapping[str, str]
    within: timedelta | None = timedelta(hours=24)
    checkpoint_seconds: float = 5.0


class Checkpoints:
    """Writes the journal of one load at intervals.

    Args:
        storage: The lake.
        head: The journal at the beginning.
        seconds: Minimum time between two checkpoints; for a long read a fixed share of its duration is longer.

    Attributes:
        notes: Returns the reader's notes, which must match what has been written at that moment.
        named: Tables that the journal on the disk names.
    """

    def __init__(self, storage: LakeStorage, head: Journal, seconds: float) -> None:
        self.notes: Callable[[], Mapping[str, Any]] = dict
        self.named = set(head.tables)
        self._storage = storage
        self._head = head
        self._seconds = seconds
        self._began = self._last = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether it is time for the next checkpoint."""
        now = time.monotonic()
        return now - self._last >= max(self._seconds, (now - self._began) * _LARGEST_LOSS)

    def begin(self) -> Callable[[Mapping[str, StagedTable]], None]:
        """Copy the reader's notes; return a function that replaces the journal, to call once files are written."""
        # Serialised now, because the reader changes the objects later.
        notes = orjson.Fragment(orjson.dumps(self.notes()))
        self._last = time.monotonic()
        return lambda tables: self._write(tables, notes)

    def _write(self, tables: Mapping[str, StagedTable], notes: orjson.Fragment) -> None:
        journal = {**asdict(replace(self._head, tables=tables)), "notes": notes}
        self._storage.put(paths.journal(self._head.load_id), orjson.dumps(journal))
        self.named = set(tables)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The load that an interrupted writer left, if there is one.

    Attributes:
        journal: The journal of the load to resume; None to begin a new load.
        began: When the interrupted load began; None if there is none or its journal is not readable.
        refusal: Why the interrupted load is not resumed; empty if it is, or if there is none.
    """

    journal: Journal | None = None
    began: datetime | None = field(default=None)
    refusal: str = ""

    @property
    def tables(self) -> Mapping[str, StagedTable]:
        """What the load to resume has written, by table."""
        return self.journal.tables if self.journal else {}


def interrupted(storage: LakeStorage, resumption: Resumption, *, now: datetime, committed: list[str]) -> Interrupted:
    """Find the load that an interrupted writer left, and restore it to the state of its last checkpoint.

    Args:
        storage: The lake. The caller holds the writer's lock.
        resumption: Which load may be resumed.
        now: The time from which the load's age is measured.
        committed: Ids of the committed loads, oldest first.
    """
    for name in reversed(storage.names(paths.STAGING)):
        try:
            data = storage.read(paths.journal(name))
        except (FileNotFoundError, NotADirectoryError):
            # It is a load without a checkpoint, or a snapshot.
            continue
        try:
            journal = _ADAPTER.validate_python(orjson.loads(data))
        except (ValueError, ValidationError):
            return Interrupted(refusal="this version of ion-pipeline cannot read its journal")
        refusal = _refusal(journal, resumption, now, committed)
        if not refusal:
            try:
                # From now on the writer that was interrupted cannot commit the load, should it still exist.
                storage.reserve(paths.load_manifest(journal.load_id))
                _restore(storage, journal)
            except LakeCorruptionError as error:
                refusal = error.message.rstrip(".")
        return Interrupted(None if refusal else journal, journal.started_at, refusal)
    return Interrupted()


def _refusal(journal: Journal, resumption: Resumption, now: datetime, committed: list[str]) -> str:
    if resumption.within is None:
        return "it is to begin afresh"
    if now - journal.started_at > resumption.within:
        return f"it began more than {resumption.within.total_seconds() / 3600:g} hours ago"
    if committed and journal.load_id <= committed[-1]:
        return "a later load has been committed"
    names = dict.fromkeys([*journal.plan, *resumption.plan])
    differing = [name for name in names if journal.plan.get(name) != resumption.plan.get(name)]
    return f"there is another {' and another '.join(differing)} now" if differing else ""


def _restore(storage: LakeStorage, journal: Journal) -> None:
    for table in journal.tables:
        folder, final = written_table(storage, journal.load_id, table), paths.table_load(table, journal.load_id)
        if folder != final and storage.names(final) and not storage.names(folder):
            # The writer was killed during the commit, before the load existed.
            storage.move(final, folder)
        entries = _staged_entries(storage, journal, table)
        named = {entry.path for entry in entries}
        for name in storage.names(folder):
            if f"{folder}/{name}" not in named:
                storage.remove(f"{folder}/{name}")
        with storage.scratch() as scratch:
            for entry in entries:
                verified_file(storage, entry, scratch)
    for name in storage.names(paths.staging(journal.load_id)):
        path = paths.staged_table(journal.load_id, name)
        if name not in journal.tables and path != paths.journal(journal.load_id):
            storage.remove(path)


def staged_rows(storage: LakeStorage, journal: Journal, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows and tombstones of a table up to the last checkpoint, in the order written."""
    for entry in _staged_entries(storage, journal, table):
        with storage.scratch() as scratch:
            file = pq.ParquetFile(verified_file(storage, entry, scratch))
            yield from file.iter_batches(columns=list(columns))


def _staged_entries(storage: LakeStorage, journal: Journal, table: str) -> list[FileEntry]:
    """The table's files, with their paths before the commit."""
    folder, staged = written_table(storage, journal.load_id, table), journal.tables.get(table)
    files = staged.files if staged else ()
    return [replace(entry, path=f"{folder}/{entry.path.rpartition('/')[2]}") for entry in files]


_ADAPTER = TypeAdapter(Journal)
