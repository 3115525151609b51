"""What a load that is being written has on the disk so far, so that whoever comes after a crash can go on with it.

One document in the load's staging folder, replaced as a whole at each checkpoint, after the files that it names have
been closed and flushed. Files that it does not name are of after the checkpoint and are deleted: a load goes on from
its last checkpoint or not at all. How far the reader has come is in its own notes, which mean nothing here.
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

from ion_pipeline.files.storage import Storage
from ion_pipeline.lake import paths
from ion_pipeline.lake.errors import LakeCorruptionError
from ion_pipeline.lake.manifest import FileEntry
from ion_pipeline.lake.verify import verified_file

FORMAT = 1
# A long read may lose this share of itself, so that its checkpoints, and the files they cut, do not go on and on.
_LARGEST_LOSS = 1 / 50


@dataclass(frozen=True, slots=True)
class StagedTable:
    """What a load has of one table.

    Attributes:
        files: Closed files, by the path that they will have once committed.
        rows: Rows in them, without tombstones.
        tombstones: Tombstones in them.
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
        plan: What is being read, as names and values that have to be the same for the load to go on. The names are
            words that a person can be told.
        tables: What there is of each table.
        notes: How far the reader had come.
    """

    format: int
    load_id: str
    started_at: datetime
    plan: Mapping[str, str]
    tables: Mapping[str, StagedTable]
    notes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Resumption:
    """Which interrupted load may be gone on with.

    Attributes:
        plan: As in the journal; the same in every point.
        within: A load that began longer ago is left; None leaves every one.
        checkpoint_seconds: How often to write the journal of the load that begins now, about.
    """

    plan: Mapping[str, str]
    within: timedelta | None = timedelta(hours=24)
    checkpoint_seconds: float = 5.0


class Checkpoints:
    """Writes the journal of one load, when it is time.

    Args:
        storage: The lake.
        head: The journal as it begins.
        seconds: Time between two checkpoints, until a share of the time since the first is more.

    Attributes:
        notes: Gives the reader's notes. They have to fit what has been written at that moment.
        named: Tables that the journal on the disk names.
    """

    def __init__(self, storage: Storage, head: Journal, seconds: float) -> None:
        self.notes: Callable[[], Mapping[str, Any]] = dict
        self.named = set(head.tables)
        self._storage = storage
        self._head = head
        self._seconds = seconds
        self._began = self._last = time.monotonic()

    @property
    def is_due(self) -> bool:
        """Whether enough would be lost by now."""
        now = time.monotonic()
        return now - self._last >= max(self._seconds, (now - self._began) * _LARGEST_LOSS)

    def begin(self) -> Callable[[Mapping[str, StagedTable]], None]:
        """Take the reader's notes as they are now. What is given replaces the journal, once the files are written."""
        # As text: the reader goes on changing what they are made of.
        notes = orjson.Fragment(orjson.dumps(self.notes()))
        self._last = time.monotonic()
        return lambda tables: self._write(tables, notes)

    def _write(self, tables: Mapping[str, StagedTable], notes: orjson.Fragment) -> None:
        journal = {**asdict(replace(self._head, tables=tables)), "notes": notes}
        self._storage.put(paths.journal(self._head.load_id), orjson.dumps(journal))
        self.named = set(tables)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """What the last writer left, if it was interrupted.

    Attributes:
        journal: Of the load to go on with; None to begin another.
        began: When the load began that is not gone on with; None if there is none.
        refusal: Why it is not.
    """

    journal: Journal | None = None
    began: datetime | None = field(default=None)
    refusal: str = ""

    @property
    def tables(self) -> Mapping[str, StagedTable]:
        """What there is to go on with, by table."""
        return self.journal.tables if self.journal else {}


def interrupted(storage: Storage, resumption: Resumption, *, now: datetime, committed: list[str]) -> Interrupted:
    """Find the load that a killed writer left, and make it as it was at its last checkpoint.

    Args:
        storage: The lake. The caller holds the writer's lock.
        resumption: Which load may be gone on with.
        now: What the load's age is measured by.
        committed: Ids of the committed loads, oldest first.
    """
    for name in reversed(storage.names(paths.STAGING)):
        try:
            data = storage.read(paths.journal(name))
        except (FileNotFoundError, NotADirectoryError):
            # It had no checkpoint, or is a fold.
            continue
        try:
            journal = _ADAPTER.validate_python(orjson.loads(data))
        except (ValueError, ValidationError):
            return Interrupted(refusal="its journal is not one that this version of ion-pipeline reads")
        refusal = _refusal(journal, resumption, now, committed)
        if not refusal:
            try:
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
        return "there is a later load"
    names = dict.fromkeys([*journal.plan, *resumption.plan])
    other = [name for name in names if journal.plan.get(name) != resumption.plan.get(name)]
    return f"there is another {' and another '.join(other)} now" if other else ""


def _restore(storage: Storage, journal: Journal) -> None:
    for table in journal.tables:
        folder, final = paths.staged_table(journal.load_id, table), paths.table_load(table, journal.load_id)
        if storage.names(final) and not storage.names(folder):
            # Killed at the commit, before the load existed.
            storage.move(final, folder)
        entries = _staged_entries(journal, table)
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


def staged_rows(storage: Storage, journal: Journal, table: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Rows and tombstones of a table as far as the journal goes, in the order written."""
    for entry in _staged_entries(journal, table):
        with storage.scratch() as scratch:
            file = pq.ParquetFile(verified_file(storage, entry, scratch))
            yield from file.iter_batches(columns=list(columns))


def _staged_entries(journal: Journal, table: str) -> list[FileEntry]:
    """The files by where they are before the commit."""
    folder, staged = paths.staged_table(journal.load_id, table), journal.tables.get(table)
    files = staged.files if staged else ()
    return [replace(entry, path=f"{folder}/{entry.path.rpartition('/')[2]}") for entry in files]


_ADAPTER = TypeAdapter(Journal)
