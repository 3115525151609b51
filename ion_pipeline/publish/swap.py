"""Files of one publish: where they are written, how they take the place of the old ones, what is swept away.

Each publish is one folder, `publishes/<ulid>`, complete before it gets that name. What readers open beside it are names
for files in it: `ion.duckdb` and the data dictionary are hard links, `parquet` is a symbolic link. Knows names and
renames, not what is in the files.

The names change one after the other. Who is killed between two of them leaves names of two publishes: `settle` has all
of them name the newest one, which was complete before the first name changed.
"""

import errno
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ion_pipeline.files.storage import replace_file, sync_directory

PUBLISHES = "publishes"
DATABASE = "ion.duckdb"
PARQUET = "parquet"
DICTIONARY_JSON = "data_dictionary.json"
DICTIONARY_MD = "data_dictionary.md"
LATEST = "latest.json"
_FILES = (DICTIONARY_JSON, DICTIONARY_MD)
_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
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


def in_the_way(published: Path) -> list[Path]:
    """What has a name that a publish needs and is not what a publish leaves there: it is somebody's, and stays."""
    names = [PARQUET, LATEST, DATABASE, *_FILES]
    there = [published / name for name in names if (published / name).is_dir() and not (published / name).is_symlink()]
    return there + [path for path in (published, published / PUBLISHES) if path.exists() and not path.is_dir()]


def discard(fresh: Publish) -> None:
    """Delete what has not been revealed; does nothing after a success."""
    shutil.rmtree(fresh.folder, ignore_errors=True)


def commit(fresh: Publish, published: Path, *, keep: int) -> None:
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
    try:
        _point_parquet(done, published)
    except OSError:
        # No name is its own yet: it would only take room.
        shutil.rmtree(done.folder)
        raise
    _name(done, published)
    _vacuum(published, max(2, keep))


def is_settled(published: Path) -> bool:
    """Whether all names are those of the newest complete publish; so it is where nothing was published."""
    newest = _newest(published)
    return newest is None or (_parquet_is_of(newest, published) and not _differing(newest, published))


def settle(published: Path) -> None:
    """Have all names be those of the newest complete publish, where a kill has left names of two.

    The caller holds the lock: nobody else is writing here.
    """
    newest = _newest(published)
    if newest is None or is_settled(published):
        return
    if not _parquet_is_of(newest, published):
        _point_parquet(newest, published)
    _name(newest, published)


def vacuum_unless(published: Path, may_stay: Callable[[bytes], bool]) -> None:
    """Delete the publishes whose document does not pass, but for the current one: the newest, which has just been made.

    A reader that has a file of theirs open keeps it until it closes it.
    """
    *older, _ = _complete(published)
    for folder in older:
        document = Publish(folder).latest
        if not (document.is_file() and may_stay(document.read_bytes())):
            shutil.rmtree(folder)


def is_full(error: OSError) -> bool:
    """Is this the error of a full disk?"""
    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def _newest(published: Path) -> Publish | None:
    complete = _complete(published)
    return Publish(complete[-1]) if complete and Publish(complete[-1]).latest.is_file() else None


def _complete(published: Path) -> list[Path]:
    """Folders of publishes, by time, as ULIDs sort; nothing else that somebody has put beside them."""
    publishes = published / PUBLISHES
    return sorted(path for path in publishes.iterdir() if _ULID.fullmatch(path.name)) if publishes.is_dir() else []


def _parquet_is_of(publish: Publish, published: Path) -> bool:
    link = published / PARQUET
    return link.is_symlink() and link.readlink() == _target(publish)


def _target(publish: Publish) -> Path:
    return Path(PUBLISHES, publish.folder.name, PARQUET)


def _differing(publish: Publish, published: Path) -> list[str]:
    """Names that are not those of the publish's files, nor of copies of them."""
    names = [name for name in (*_FILES, DATABASE) if not _is_same(publish.folder / name, published / name)]
    latest = published / LATEST
    return names if latest.is_file() and latest.read_bytes() == publish.latest.read_bytes() else [*names, LATEST]


def _is_same(source: Path, name: Path) -> bool:
    if not name.is_file():
        return False
    ours, there = source.stat(), name.stat()
    return source.samefile(name) or (ours.st_size, ours.st_mtime_ns) == (there.st_size, there.st_mtime_ns)


def _point_parquet(publish: Publish, published: Path) -> None:
    link = published / f"{PARQUET}.tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(_target(publish), target_is_directory=True)
    link.replace(published / PARQUET)


def _name(publish: Publish, published: Path) -> None:
    for name in (*_FILES, DATABASE):
        _link(publish.folder / name, published / name)
    replace_file(published / LATEST, publish.latest.read_bytes())


def _link(source: Path, target: Path) -> None:
    """Give a file a second name in the place of another file; where a file system has no links, a copy."""
    beside = target.with_name(f"{target.name}.tmp")
    beside.unlink(missing_ok=True)
    try:
        os.link(source, beside)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copy2(source, beside)
        _sync(beside)
    beside.replace(target)
    sync_directory(target.parent)


def _vacuum(published: Path, keep: int) -> None:
    for folder in _complete(published)[:-keep]:
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
