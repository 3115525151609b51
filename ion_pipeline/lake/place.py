"""Where a lake's files are while they are being written, which depends on whether its storage can rename a folder.

On a disk, files are written to `_staging`, and one rename moves a folder to its table. An object store would copy them
one by one, so there they are written to their final place: no reader opens a file before a document names it.
"""

from datetime import timedelta
from pathlib import Path

from ion_pipeline.errors import SettingsError
from ion_pipeline.files.bucket import SCHEMES, Bucket
from ion_pipeline.files.lease import Lease
from ion_pipeline.files.lock import Lock, WriterLock
from ion_pipeline.files.storage import LakeStorage, LocalStorage, open_storage
from ion_pipeline.lake import paths

# In an object store nobody sees who reads: files that a snapshot replaces are kept for as long as a reader may take.
GRACE = timedelta(hours=24)


def open_place(location: str | Path) -> LakeStorage:
    """The storage of a lake at a path, a `file://` URI or the URI of an object store.

    Raises:
        SettingsError: The URI has another scheme, or the library for object stores is not installed.
    """
    if str(location).startswith(SCHEMES):
        return Bucket(str(location))
    storage = open_storage(location)
    if not isinstance(storage, LocalStorage):
        raise SettingsError(f"{location} is neither a folder nor the URI of an object store that can hold a lake.")
    return storage


def lock_of(storage: LakeStorage, lock_file: Path | None, purpose: str, wait_seconds: float) -> Lock:
    """The lock of the lake's writer, not yet acquired."""
    if isinstance(storage, LocalStorage):
        lock_file = lock_file or storage.root / paths.LOCK
        return WriterLock(lock_file, purpose, wait_seconds=wait_seconds, option="--wait")
    return Lease(storage.location, paths.LOCK, lock_file, purpose, wait_seconds=wait_seconds, option="--wait")


def written_table(storage: LakeStorage, load_id: str, table: str) -> str:
    """A table's folder before its load is committed."""
    return paths.staged_table(load_id, table) if storage.renames else paths.table_load(table, load_id)


def written_snapshot(storage: LakeStorage, load_id: str, table: str) -> str:
    """A table's folder before its snapshot is committed."""
    if storage.renames:
        return f"{paths.staged_snapshot(load_id)}/{table}"
    return paths.table_snapshot(table, load_id)
