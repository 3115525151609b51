"""The files of a publish: writes them to a folder, swaps them in for the old ones, and deletes old publishes.

Each publish is one folder, `publishes/<ulid>`, which is complete before it gets that name. Readers open links to its
files: `ion.duckdb` and the data dictionary are hard links, `parquet` is a symbolic link. This module links and renames
files and does not read their contents.

The links are replaced one after the other. If the process is killed in between, they name files of two publishes.
`settle` then points all of them to the newest publish, which was complete before the first link was replaced.
"""

import errno
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ion_pipeline.files.storage import replace_file, sync

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
    """The paths of the files of one publish.

    Attributes:
        folder: The folder of the publish.
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
    def published(self) -> Path:
        """The published folder."""
        return self.folder.parent.parent

    @property
    def scratch(self) -> Path:
        """A folder for files that do not stay, on the same disk."""
        return self.folder.with_name(f"{self.folder.stem}.scratch.tmp")

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
        """The document that is copied to `latest.json` in the published folder."""
        return self.folder / LATEST


def prepare(published: Path, publish_id: str) -> Publish:
    """Create the folder for a new publish, after deleting what a killed publish left.

    The caller holds the lock, so no other process writes here.
    """
    publishes = published / PUBLISHES
    publishes.mkdir(parents=True, exist_ok=True)
    for path in [*published.glob("*.tmp"), *publishes.glob("*.tmp")]:
        _remove(path)
    fresh = Publish(publishes / f"{publish_id}.tmp")
    fresh.folder.mkdir()
    return fresh


def blocking_paths(published: Path) -> list[Path]:
    """Paths with a name that a publish needs, but that no publish created. They are never deleted."""
    names = [PARQUET, LATEST, DATABASE, *_FILES]
    folders = [
        published / name for name in names if (published / name).is_dir() and not (published / name).is_symlink()
    ]
    return folders + [path for path in (published, published / PUBLISHES) if path.exists() and not path.is_dir()]


def discard(fresh: Publish) -> None:
    """Delete a publish that was not committed, and its scratch folder; do nothing after a commit."""
    shutil.rmtree(fresh.folder, ignore_errors=True)
    shutil.rmtree(fresh.scratch, ignore_errors=True)


def commit(fresh: Publish, published: Path, *, keep: int) -> None:
    """Replace the old files by the new ones, each by one rename, `latest.json` last.

    Args:
        fresh: The publish from `prepare`, with all files written.
        published: The folder that readers open.
        keep: Number of publishes to keep, this one included. The previous one is always kept, for readers that have
            listed its Parquet files but not opened them yet.
    """
    for path in fresh.folder.rglob("*"):
        # A file with a second name is one of the previous publish or of a Delta table: it was flushed before the link.
        if path.is_dir() or path.stat().st_nlink == 1:
            sync(path)
    sync(fresh.folder)
    done = Publish(fresh.folder.with_suffix(""))
    fresh.folder.rename(done.folder)
    sync(done.folder.parent)
    try:
        _point_parquet(done, published)
    except OSError:
        # No link points to the new publish yet, so it is deleted.
        shutil.rmtree(done.folder)
        raise
    _link_files(done, published)
    _vacuum(published, max(2, keep))


def is_settled(published: Path) -> bool:
    """Whether all links point to the newest complete publish; True if nothing was published."""
    newest = _newest(published)
    return newest is None or (_parquet_is_of(newest, published) and not _differing(newest, published))


def settle(published: Path) -> None:
    """Point all links to the newest complete publish, in case a killed process left links to two publishes.

    The caller holds the lock, so no other process writes here.
    """
    newest = _newest(published)
    if newest is None or is_settled(published):
        return
    if not _parquet_is_of(newest, published):
        _point_parquet(newest, published)
    _link_files(newest, published)


def vacuum_unless(published: Path, may_stay: Callable[[bytes], bool]) -> None:
    """Delete the publishes whose document does not satisfy `may_stay`, except the newest one, which is the current one.

    A reader that has one of their files open can read it until it closes it.
    """
    *older, _ = _complete(published)
    for folder in older:
        document = Publish(folder).latest
        if not (document.is_file() and may_stay(document.read_bytes())):
            shutil.rmtree(folder)


def documents(published: Path) -> list[bytes]:
    """`latest.json` of every publish that is kept, the oldest first."""
    return [latest.read_bytes() for folder in _complete(published) if (latest := Publish(folder).latest).is_file()]


def link(source: Path, target: Path) -> None:
    """Replace a file by a hard link to another file, or by a copy if the file system has no hard links."""
    temporary = target.with_name(f"{target.name}.tmp")
    temporary.unlink(missing_ok=True)
    link_or_copy(source, temporary)
    temporary.replace(target)
    sync(target.parent)


def link_or_copy(source: Path, target: Path) -> None:
    """Create a hard link to a file, or a copy of it if the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copy2(source, target)
        sync(target)


def is_full(error: OSError) -> bool:
    """Whether the error says that the disk is full."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def _newest(published: Path) -> Publish | None:
    complete = _complete(published)
    return Publish(complete[-1]) if complete and Publish(complete[-1]).latest.is_file() else None


def _complete(published: Path) -> list[Path]:
    """Folders of publishes from oldest to newest (ULIDs sort by time); other files in the folder are ignored."""
    publishes = published / PUBLISHES
    return sorted(path for path in publishes.iterdir() if _ULID.fullmatch(path.name)) if publishes.is_dir() else []


def _parquet_is_of(publish: Publish, published: Path) -> bool:
    link = published / PARQUET
    return link.is_symlink() and link.readlink() == _target(publish)


def _target(publish: Publish) -> Path:
    return Path(PUBLISHES, publish.folder.name, PARQUET)


def _differing(publish: Publish, published: Path) -> list[str]:
    """Names of published files that are neither links to the publish's files nor copies of them."""
    names = [name for name in (*_FILES, DATABASE) if not _is_same(publish.folder / name, published / name)]
    latest = published / LATEST
    return names if latest.is_file() and latest.read_bytes() == publish.latest.read_bytes() else [*names, LATEST]


def _is_same(source: Path, name: Path) -> bool:
    if not name.is_file():
        return False
    expected, found = source.stat(), name.stat()
    return source.samefile(name) or (expected.st_size, expected.st_mtime_ns) == (found.st_size, found.st_mtime_ns)


def _point_parquet(publish: Publish, published: Path) -> None:
    link = published / f"{PARQUET}.tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(_target(publish), target_is_directory=True)
    link.replace(published / PARQUET)


def _link_files(publish: Publish, published: Path) -> None:
    for name in (*_FILES, DATABASE):
        link(publish.folder / name, published / name)
    replace_file(published / LATEST, publish.latest.read_bytes())


def _vacuum(published: Path, keep: int) -> None:
    for folder in _complete(published)[:-keep]:
        shutil.rmtree(folder)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
