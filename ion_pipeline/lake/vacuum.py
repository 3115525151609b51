"""Deletes superfluous files from the lake: those of killed writers, and, when no process reads them, replaced loads.

It looks only at names. The caller holds the writer's lock. Where a lock can be lost (see `files.lease`), the documents
that a former writer has reserved are reserved anew before anything is deleted: from then on it cannot commit.
"""

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from ion_pipeline.files.lock import exclusive_lock
from ion_pipeline.files.storage import LakeStorage
from ion_pipeline.lake import paths
from ion_pipeline.lake.place import GRACE

_LISTS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Log:
    """Which documents in `_loads` are valid.

    Attributes:
        base: The last load that the newest snapshot replaces; empty if there is no snapshot.
        loads: The loads after the snapshot, oldest first.
        replaced: Documents that the newest snapshot replaces.
    """

    base: str
    loads: tuple[str, ...]
    replaced: tuple[str, ...]

    @property
    def load_ids(self) -> list[str]:
        """Ids of the snapshot and the loads to apply, in order; the snapshot has the id of its last load."""
        return [self.base, *self.loads] if self.base else list(self.loads)


def read_log(names: Iterable[str]) -> Log:
    """Classify the names in `_loads`: the newest snapshot replaces everything up to its last load."""
    documents = sorted(name for name in names if name.endswith(".json"))
    base = max((snapshot for name in documents if (snapshot := paths.snapshot_of(name))), default="")
    loads: list[str] = []
    replaced: list[str] = []
    for name in documents:
        snapshot = paths.snapshot_of(name)
        load_id = snapshot or name.removesuffix(".json")
        if load_id > base:
            loads.append(load_id)
        elif snapshot != base:
            replaced.append(name)
    return Log(base, tuple(loads), tuple(replaced))


def vacuum(
    storage: LakeStorage, readers: Path | None, *, keep: str | None = None, tables: Collection[str] = ()
) -> None:
    """Delete files that no reader can find; replaced files that a reader may have open stay until a later vacuum.

    Args:
        storage: The lake.
        readers: The file that readers lock; None where they lock none, and replaced files stay for `GRACE`.
        keep: The load that is resumed.
        tables: Tables of which that load has files.

    Raises:
        TakenOverError: A former writer has committed its load at this moment.
    """
    left = [name for name in storage.reservations(paths.LOADS) if name != f"{keep}.json"]
    for name in left:
        storage.reserve(f"{paths.LOADS}/{name}")
    for name in storage.names(paths.STAGING):
        if name != keep:
            storage.remove(f"{paths.STAGING}/{name}")
    names = storage.names(paths.LOADS)
    for name in names:
        if not name.endswith(".json"):
            storage.remove(f"{paths.LOADS}/{name}")
    log = read_log(names)
    replaced = [f"{paths.LOADS}/{name}" for name in log.replaced]
    kept = {paths.table_load(table, keep) for table in tables} if keep else set()
    for folder, is_visible, is_replaced in _folders(storage, log):
        if is_replaced:
            replaced.append(folder)
        elif not is_visible and folder not in kept:
            storage.remove(folder)
    for name in left:
        storage.withdraw(f"{paths.LOADS}/{name}")
    if replaced:
        with _unread(storage, readers, log) as is_unread:
            # Documents first: if the process is killed, the names of the remaining folders show that they are replaced.
            for path in replaced if is_unread else ():
                storage.remove(path)


def _unread(storage: LakeStorage, readers: Path | None, log: Log) -> AbstractContextManager[bool]:
    """Whether no process reads what the newest snapshot has replaced."""
    if readers is not None:
        return exclusive_lock(readers)
    return nullcontext(storage.is_older(paths.snapshot_manifest(log.base), GRACE))


def _folders(storage: LakeStorage, log: Log) -> Iterator[tuple[str, bool, bool]]:
    """The folder of each load and snapshot, with whether it is in the log, and whether a snapshot has replaced it."""
    tables = [name for name in storage.names("") if not name.startswith("_")]
    tables += (f"{paths.LOAD_LOG}/{name}" for name in storage.names(paths.LOAD_LOG))
    if storage.renames:
        listed = [storage.names(table) for table in tables]
    else:
        with ThreadPoolExecutor(_LISTS_AT_ONCE) as pool:
            listed = list(pool.map(storage.names, tables))
    for table, names in zip(tables, listed, strict=True):
        for name in names:
            load_id, snapshot = paths.load_id_of(name), paths.snapshot_of(name)
            if load_id is not None:
                yield f"{table}/{name}", load_id in log.loads, load_id <= log.base
            elif snapshot is not None:
                yield f"{table}/{name}", snapshot == log.base, snapshot < log.base
