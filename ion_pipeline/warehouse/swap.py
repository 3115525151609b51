"""Files of one publish: where they are written, how they take the place of the old ones, what is swept away.

Knows names and renames, not what is in the files.
"""

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from ion_pipeline.lake.storage import sync_directory

DATABASE = "ion.duckdb"
PARQUET = "parquet"
DICTIONARY_JSON = "data_dictionary.json"
DICTIONARY_MD = "data_dictionary.md"


@dataclass(frozen=True, slots=True)
class Fresh:
    """The files of a publish before they are shown, in the folder where they will be shown.

    Attributes:
        folder: The folder.
        publish_id: ULID of the publish.
    """

    folder: Path
    publish_id: str

    @property
    def database(self) -> Path:
        """The database file."""
        return self.folder / f"{DATABASE}.{self.publish_id}.tmp"

    @property
    def parquet(self) -> Path:
        """The Parquet folder; it keeps this name and a link points to it."""
        return self.folder / f"{PARQUET}.{self.publish_id}"

    @property
    def link(self) -> Path:
        """The link to the Parquet folder."""
        return self.folder / f"{PARQUET}.{self.publish_id}.link.tmp"

    @property
    def dictionary_json(self) -> Path:
        """The data dictionary for programs."""
        return self.folder / f"{DICTIONARY_JSON}.{self.publish_id}.tmp"

    @property
    def dictionary_md(self) -> Path:
        """The data dictionary for people."""
        return self.folder / f"{DICTIONARY_MD}.{self.publish_id}.tmp"

    def discard(self) -> None:
        """Delete what has not been revealed; does nothing after a success."""
        write_ahead_log = Path(f"{self.database}.wal")
        for path in (self.database, write_ahead_log, self.link, self.dictionary_json, self.dictionary_md):
            path.unlink(missing_ok=True)
        if _linked(self.folder) != self.parquet.name:
            shutil.rmtree(self.parquet, ignore_errors=True)


def reveal(fresh: Fresh, folder: Path) -> None:
    """Put the new files in the place of the old ones, each by one rename, the database last."""
    for path in (*fresh.parquet.rglob("*"), fresh.database, fresh.dictionary_json, fresh.dictionary_md):
        _sync(path)
    before = _linked(folder)
    fresh.link.symlink_to(fresh.parquet.name, target_is_directory=True)
    fresh.link.replace(folder / PARQUET)
    fresh.dictionary_json.replace(folder / DICTIONARY_JSON)
    fresh.dictionary_md.replace(folder / DICTIONARY_MD)
    fresh.database.replace(folder / DATABASE)
    sync_directory(folder)
    for path in folder.glob(f"{PARQUET}.*"):
        if path.name not in {fresh.parquet.name, before}:
            shutil.rmtree(path)


def prepare(folder: Path) -> None:
    """Make the folder, and delete what a killed publish left in it. The caller holds the lock: nobody is writing it."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.tmp*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def is_full(error: OSError) -> bool:
    """Is this the error of a full disk?"""
    return error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def _linked(folder: Path) -> str | None:
    link = folder / PARQUET
    return link.readlink().name if link.is_symlink() else None


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
