"""Files of one publish: where they are written, how they take the place of the old ones, what is swept away.

Each publish is one folder, `publishes/<ulid>`, complete before it gets that name. What readers open beside it are names
for files in it: `ion.duckdb` and the data dictionary are hard links, `parquet` is a symbolic link. Knows names and
renames, not what is in the files.
"""

import errno
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ion_pipeline.lake.storage import replace_file, sync_directory

PUBLISHES = "publishes"
DATABASE = "ion.duckdb"
PARQUET = "parquet"
DICTIONARY_JSON = "data_dictionary.json"
DICTIONARY_MD = "data_dictionary.md"
LATEST = "latest.json"
_FILES = (DICTIONARY_JSON, DICTIONARY_MD)
_NO_LINKS = {errno.EPERM, errno.EXDEV, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


@dataclass(frozen=True, slots=True)
class Publish:
    """The files of one publish, wherever its folder is.

    Attributes:
        folder: The folder.
    """

    folder: Path

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / DATABASE

    @property
    def parquet(self) -> Path:
        """The folder of `<schema>/<table>.parquet`."""
        return self.folder / PARQUET

    @property
    def dictionary_json(self) -> Path:
        """The data dictionary for programs."""
        return self.folder / DICTIONARY_JSON

    @property
    def dictionary_md(self) -> Path:
        """The data dictionary for people."""
        return self.folder / DICTIONARY_MD

    @property
    def latest(self) -> Path:
        """What was published: the content of `latest.json`."""
        return self.folder / LATEST


def prepare(published: Path, publish_id: str) -> Publish:
    """Make the folder to write to, having deleted what a killed publish left.

    The caller holds the lock: nobody else is writing here.
    """
    publishes = published / PUBLISHES
    publishes.mkdir(parents=True, exist_ok=True)
    for path in [*published.glob("*.tmp"), *publishes.glob("*.tmp")]:
        _remove(path)
    fresh = Publish(publishes / f"{publish_id}.tmp")
    fresh.folder.mkdir()
    return fresh


def discard(fresh: Publish) -> None:
    """Delete what has not been revealed; does nothing after a success."""
    shutil.rmtree(fresh.folder, ignore_errors=True)


def reveal(fresh: Publish, published: Path, *, keep: int) -> None:
    """Put the new files in the place of the old ones, each by one rename, `latest.json` last.

    Args:
        fresh: From `prepare`, written.
        published: Where readers look.
        keep: So many publishes stay, this one included; the one before stays in any case, for readers that have listed
            its Parquet files but not yet opened them.
    """
    for path in fresh.folder.rglob("*"):
        _sync(path)
    _sync(fresh.folder)
    done = Publish(fresh.folder.with_suffix(""))
    fresh.folder.rename(done.folder)
    sync_directory(done.folder.parent)
    link = published / f"{PARQUET}.tmp"
    link.symlink_to(Path(PUBLISHES, done.folder.name, PARQUET), target_is_directory=True)
    link.replace(published / PARQUET)
    for name in (*_FILES, DATABASE):
        _link(done.folder / name, published / name)
    replace_file(published / LATEST, done.latest.read_bytes())
    _sweep(published, max(2, keep))


def sweep_unless(published: Path, may_stay: Callable[[bytes], bool]) -> None:
    """Delete the publishes whose document does not pass, but for the current one: the newest, which has just been made.

    A reader that has a file of theirs open keeps it until it closes it.
    """
    *older, _ = sorted((published / PUBLISHES).iterdir())
    for folder in older:
        document = Publish(folder).latest
        if not (document.is_file() and may_stay(document.read_bytes())):
            shutil.rmtree(folder)


def is_full(error: OSError) -> bool:
    """Is this the error of a full disk?"""
    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def _link(source: Path, target: Path) -> None:
    """Give a file a second name in the place of another file; where a file system has no links, a copy."""
    beside = target.with_name(f"{target.name}.tmp")
    try:
        os.link(source, beside)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copy2(source, beside)
        _sync(beside)
    beside.replace(target)
    sync_directory(target.parent)


def _sweep(published: Path, keep: int) -> None:
    # ULIDs sort by time.
    for folder in sorted((published / PUBLISHES).iterdir())[:-keep]:
        shutil.rmtree(folder)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
