"""What may be deleted from the lake: what killed writers left, and what a fold has replaced once nobody reads it.

Works on names alone. The caller holds the writer's lock.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ion_pipeline.files.lock import exclusive_lock
from ion_pipeline.files.storage import Storage
from ion_pipeline.lake import paths


@dataclass(frozen=True, slots=True)
class Log:
    """Which documents of `_loads` count.

    Attributes:
        base: The last load that the newest fold stands for; empty before the first fold.
        loads: The loads after it, oldest first.
        replaced: Documents that the newest fold has made superfluous.
    """

    base: str
    loads: tuple[str, ...]
    replaced: tuple[str, ...]

    @property
    def load_ids(self) -> list[str]:
        """Ids of what is to be applied, in order; the fold goes by the id of its last load."""
        return [self.base, *self.loads] if self.base else list(self.loads)


def read_log(names: Iterable[str]) -> Log:
    """Sort out the names in `_loads`: the newest fold replaces everything up to its last load."""
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


def vacuum(storage: Storage, readers: Path | None, *, keep: str | None = None) -> None:
    """Delete what no reader can come upon; what a reader may still have open stays for the next sweep.

    Args:
        storage: The lake.
        readers: The file that readers lock; None leaves what was replaced where it is.
        keep: The staged load that is gone on with.
    """
    for name in storage.names(paths.STAGING):
        if name != keep:
            storage.remove(f"{paths.STAGING}/{name}")
    names = storage.names(paths.LOADS)
    for name in names:
        if not name.endswith(".json"):
            storage.remove(f"{paths.LOADS}/{name}")
    log = read_log(names)
    replaced = [f"{paths.LOADS}/{name}" for name in log.replaced]
    for folder, is_visible, is_replaced in _folders(storage, log):
        if is_replaced:
            replaced.append(folder)
        elif not is_visible:
            storage.remove(folder)
    if replaced and readers is not None:
        with exclusive_lock(readers) as nobody_reads:
            # Documents first: what is left after a kill is superfluous by its name, whatever was deleted before.
            for path in replaced if nobody_reads else ():
                storage.remove(path)


def _folders(storage: Storage, log: Log) -> Iterator[tuple[str, bool, bool]]:
    """Each load's and fold's folder, with: is it in the log, has a fold replaced it."""
    tables = [name for name in storage.names("") if not name.startswith("_")]
    for table in [*tables, *(f"{paths.LOAD_LOG}/{name}" for name in storage.names(paths.LOAD_LOG))]:
        for name in storage.names(table):
            load_id, snapshot = paths.load_id_of(name), paths.snapshot_of(name)
            if load_id is not None:
                yield f"{table}/{name}", load_id in log.loads, load_id <= log.base
            elif snapshot is not None:
                yield f"{table}/{name}", snapshot == log.base, snapshot < log.base
