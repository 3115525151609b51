"""Writes the versions of a publish: data files and prepared log entries first, then the entries of all tables.

delta-rs commits in a temporary folder that holds a copy of the end of a table's log. The new files of that folder are
then written with the same means as the rest of a publish: atomically and durably on a disk, with the object store's
usual credentials elsewhere. They are a few kilobytes for each table.
"""

import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
from ulid import ULID

from ion_pipeline.counting import OnCount, counted
from ion_pipeline.files.storage import LocalStorage, Storage, sync
from ion_pipeline.publish.delta.content import Content
from ion_pipeline.publish.delta.library import library, translated
from ion_pipeline.publish.delta.log import LAST_CHECKPOINT, LOG, Log, log_of
from ion_pipeline.publish.errors import PublishError
from ion_pipeline.publish.swap import link
from ion_pipeline.publish.whole import WRITING_DELTA

_DATA = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}\.parquet")
_CONFIGURATION = {
    # `clean` deletes entries: the default, 30 days, would delete those of a publish that is kept for longer.
    "delta.enableExpiredLogCleanup": "false",
    # The log shall hold no values of rows. Readers find minima and maxima in the Parquet files.
    "delta.dataSkippingNumIndexedCols": "0",
}

# The files of a log by the end of their names, in the order in which they are written.
_COMMITTED = {
    ".json": "committing Delta versions",
    ".checkpoint.parquet": "writing Delta checkpoints",
    LAST_CHECKPOINT: "naming Delta checkpoints",
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """A data file of a version.

    Attributes:
        file: Its path.
        bytes: Its size.
        sha256: Its SHA-256.
    """

    file: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        """Its name in the folder of the table."""
        return self.file.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Entry:
    """A table's version of one publish, as `latest.json` names it.

    Attributes:
        path: The folder of the table.
        version: The version in its log.
        files: The data files of the version: one, or one for each part of a large table.
        digest: See `Content.digest`.
    """

    path: str
    version: int
    files: tuple[DataFile, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Staged:
    """Versions whose data files are in place, but which no log contains yet.

    Attributes:
        entries: The version of each table, by (schema, table); unchanged tables have the version that they had.
        storage: Where the tables are.
        logs: New log files of each changed table, by the folder of the table and their name.
    """

    entries: dict[tuple[str, str], Entry]
    storage: Storage
    logs: dict[str, dict[str, bytes]]

    @property
    def fresh(self) -> list[Entry]:
        """The versions that are new."""
        return [entry for entry in self.entries.values() if entry.path in self.logs]

    def commit(self, on_count: OnCount) -> None:
        """Add the new versions to the logs, table by table; readers without `latest.json` see them from now on.

        Args:
            on_count: Called before each table, three times for each.
        """
        unchanged = len(self.entries) - len(self.logs)
        for suffix, doing in _COMMITTED.items():
            for path in counted(list(self.logs), on_count, unit="tables", doing=doing, before=unchanged):
                files = self.logs[path]
                for name in sorted(files):
                    if name.endswith(suffix):
                        self.storage.put(f"{path}/{LOG}/{name}", files[name])


def stage(
    storage: Storage,
    wanted: Sequence[Content],
    named: Mapping[str, Entry],
    data: Callable[[Content], Sequence[Path]],
    on_count: OnCount,
) -> Staged:
    """Write the data files of all tables that have changed, and prepare their log entries.

    Args:
        storage: The published folder, or a target.
        wanted: What the tables are to hold.
        named: The versions that the publish before names, by the folder of the table.
        data: Returns the Parquet files with the rows of a table.
        on_count: Called before each table.

    Raises:
        PublishError: A folder holds a table that was created by others, or delta-rs reports an error.
        MissingDriverError: delta-rs is not installed.
        OSError: A file cannot be written.
    """
    entries, logs = dict[tuple[str, str], Entry](), dict[str, dict[str, bytes]]()
    for content in counted(wanted, on_count, unit="tables", doing=WRITING_DELTA, name=attrgetter("name")):
        files = storage.names(content.path)
        if not is_ours(files):
            raise PublishError(
                f"{storage.location}/{content.path} holds files that ion-pipeline did not create.",
                remedy="Move that folder away, then publish again. It was not changed.",
            )
        log = log_of(storage, content.path) if LOG in files else Log()
        entry = named.get(content.path)
        if not entry or not _is_current(entry, content, log, files):
            entry, logs[content.path] = _stage(storage, content, log, data(content))
        entries[content.schema, content.table] = entry
    return Staged(entries, storage, logs)


def is_ours(files: Iterable[str]) -> bool:
    """Whether the files in the folder of a table have names that only `stage` gives."""
    return all(name == LOG or is_data(name) for name in files)


def is_data(name: str) -> bool:
    """Whether a file name is that of a data file."""
    return _DATA.fullmatch(name.removesuffix(".tmp")) is not None


def entries_of(document: bytes) -> dict[str, Entry]:
    """The versions that a `latest.json` names, by the folder of the table."""
    tables = orjson.loads(document)["tables"]
    return {table["delta"]["path"]: _entry(**table["delta"]) for table in tables if "delta" in table}


def _entry(path: str, version: int, digest: str, files: Sequence[Mapping[str, Any]] = (), **one: Any) -> Entry:
    """An entry; a publish of an earlier version of this program names one file without a list."""
    return Entry(path, version, tuple(DataFile(**file) for file in files or [one]), digest)


def _is_current(entry: Entry, content: Content, log: Log, files: list[str]) -> bool:
    # A version that a killed publish has left is the latest for readers without `latest.json`, so it is replaced.
    is_there = {file.name for file in entry.files} <= set(files) and log.latest == entry.version
    return is_there and entry.digest == content.digest


def _stage(storage: Storage, content: Content, log: Log, sources: Sequence[Path]) -> tuple[Entry, dict[str, bytes]]:
    if log.latest is None and log.names:
        storage.remove(f"{content.path}/{LOG}")
        log = Log()
    placed = [_place(storage, source, content.path) for source in sources]
    with tempfile.TemporaryDirectory(prefix="ion-delta-") as temporary:
        folder = Path(temporary)
        fetched = log.fetch(storage, content.path, folder)
        version = _commit(folder, content, log, placed, [_rows(source) for source in sources])
        prepared = {file.name: file.read_bytes() for file in (folder / LOG).iterdir() if file.name not in fetched}
    return Entry(content.path, version, tuple(placed), content.digest), prepared


def _commit(folder: Path, content: Content, log: Log, files: Sequence[DataFile], rows: Sequence[int]) -> int:
    delta, transaction = library(), library("deltalake.transaction")
    with translated(content.path):
        fields = delta.Schema.from_json(content.fields)
        now = int(time.time() * 1000)
        added = [
            transaction.AddAction(file.name, file.bytes, {}, now, True, orjson.dumps({"numRecords": number}).decode())
            for file, number in zip(files, rows, strict=True)
        ]
        if log.latest is None:
            transaction.create_table_with_add_actions(
                str(folder),
                fields,
                added,
                mode="error",
                name=content.name,
                description=content.description,
                configuration=_CONFIGURATION,
            )
            table = delta.DeltaTable(str(folder))
        else:
            table = delta.DeltaTable(str(folder))
            if (table.metadata().description or "") != content.description:
                table.alter.set_table_description(content.description)
            only_commit = transaction.PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
            table.create_write_transaction(added, "overwrite", fields, post_commithook_properties=only_commit)
            table.update_incremental()
        table.create_checkpoint()
        version: int = table.version()
    return version


def _rows(source: Path) -> int:
    rows: int = pq.read_metadata(source).num_rows
    return rows


def _place(storage: Storage, source: Path, folder: str) -> DataFile:
    """Put a data file in the folder of its table: by a link on the same disk, because neither file ever changes."""
    with source.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    placed = DataFile(f"{folder}/{ULID()}.parquet", source.stat().st_size, sha256)
    if not isinstance(storage, LocalStorage):
        with source.open("rb") as stream, storage.create(placed.file) as sink:
            shutil.copyfileobj(stream, sink, 1 << 20)
        return placed
    target = storage.root / placed.file
    target.parent.mkdir(parents=True, exist_ok=True)
    sync(source)
    link(source, target)
    for parent in target.parent.relative_to(storage.root).parents:
        sync(storage.root / parent)
    return placed
