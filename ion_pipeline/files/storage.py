"""Where bytes are stored: in a local folder, or in an object store through `pyarrow.fs`.

Paths are relative to a root and use `/`. This module does not know what a load is. In both kinds `put` is atomic: a
reader sees the whole object or none. On a local disk `move` is one rename, and data is flushed to the disk before a
rename makes it visible. An object store has no renames, so `move` copies file by file, and only `put` makes something
visible atomically.

`ObjectStorage` receives publishes, of which each target has one writer. A lake in an object store, which several
machines may write to, is a `bucket.Bucket`.
"""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from pyarrow import fs

# Of file systems that do not copy by themselves, or not to another one.
_CANNOT_SHARE = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}


class Storage(Protocol):
    """A folder or a prefix that holds one lake."""

    location: str

    def create(self, path: str) -> BinaryIO:
        """Open a new file for writing; missing folders are created."""

    def read(self, path: str) -> bytes:
        """The content of a file. Raises FileNotFoundError."""

    def put(self, path: str, data: bytes) -> None:
        """Write a whole file, atomically and durably."""

    def move(self, source: str, target: str) -> None:
        """Move a folder. Atomic on a local disk only."""

    def remove(self, path: str) -> None:
        """Delete a file, or a folder with its content; does nothing if there is none."""

    def names(self, path: str) -> list[str]:
        """Names in a folder, sorted; empty if there is no such folder."""

    def has_root(self) -> bool:
        """Whether the parts of the location that this program cannot create exist: an object store's bucket."""

    def scratch(self) -> AbstractContextManager[Path]:
        """A folder for local copies of files, deleted at the end of the block if it is temporary."""

    def fetch(self, path: str, scratch: Path) -> Path:
        """A local copy of a file, or the file itself if it is local. Raises FileNotFoundError."""


class LakeStorage(Storage, Protocol):
    """A storage whose writers cannot harm each other, even if one of them was stopped for a while.

    Attributes:
        renames: Whether `move` is one rename. Where it is not, files are written to their final place, which a reader
            does not look into before a document names it.
        suffix: Part of the name of each new file that no other writer uses; empty where a lock excludes other writers.
    """

    renames: bool
    suffix: str

    def reserve(self, path: str) -> None:
        """Reserve a document: from now on only this storage's `put` can write it, and `names` does not show it yet.

        A reservation of another writer is replaced, which ends that writer's right to the document.

        Raises:
            TakenOverError: The document exists, or another writer has reserved it at the same time.
        """

    def withdraw(self, path: str) -> bool:
        """Delete a reservation, or the document if the storage has no reservations.

        Returns whether the reservation was still this storage's; if it was not, others may use the files named there.
        """

    def reservations(self, path: str) -> list[str]:
        """Names of the reserved documents in a folder, sorted."""

    def is_older(self, path: str, age: timedelta) -> bool:
        """Whether a file was written longer ago than this, by the clock of the storage."""


class LocalStorage:
    """A folder on this machine, with one writer at a time: the lake's lock excludes others."""

    renames = True
    suffix = ""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.location = str(self.root)

    def create(self, path: str) -> BinaryIO:
        """Open a new file, unbuffered, so that the write that fills the disk fails, and not a later close."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb", buffering=0)

    def read(self, path: str) -> bytes:
        """The content of a file."""
        return (self.root / path).read_bytes()

    def put(self, path: str, data: bytes) -> None:
        """Write a temporary file, flush it to the disk, rename it."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_file(target, data)

    def move(self, source: str, target: str) -> None:
        """Rename a folder, after the names in it have been flushed to the disk."""
        destination = self.root / target
        destination.parent.mkdir(parents=True, exist_ok=True)
        sync(self.root / source)
        (self.root / source).rename(destination)
        sync(destination.parent)

    def remove(self, path: str) -> None:
        """Delete a file, or a folder with its content."""
        target = self.root / path
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)

    def names(self, path: str) -> list[str]:
        """Names in a folder, sorted."""
        folder = self.root / path
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []

    def has_root(self) -> bool:
        """Always true: a missing folder is created when it is needed."""
        return True

    def reserve(self, path: str) -> None:
        """Do nothing: there is no other writer."""

    def withdraw(self, path: str) -> bool:
        """Delete the document."""
        self.remove(path)
        return True

    def reservations(self, path: str) -> list[str]:  # noqa: ARG002 -- there are none anywhere
        """None."""
        return []

    def is_older(self, path: str, age: timedelta) -> bool:
        """By the times of the disk."""
        return time.time() - (self.root / path).stat().st_mtime > age.total_seconds()

    def scratch(self) -> AbstractContextManager[Path]:
        """The lake's own folder: nothing is copied."""
        return nullcontext(self.root)

    def fetch(self, path: str, scratch: Path) -> Path:  # noqa: ARG002 -- local files need no scratch
        """The file itself."""
        target = self.root / path
        if not target.is_file():
            raise FileNotFoundError(path)
        return target


class ObjectStorage:
    """A prefix in a store that `pyarrow.fs` can reach."""

    def __init__(self, filesystem: fs.FileSystem, root: str, location: str) -> None:
        self.filesystem = filesystem
        self.root = root.rstrip("/")
        self.location = location

    def _at(self, path: str) -> str:
        return f"{self.root}/{path}"

    def _make_parent(self, path: str) -> None:
        # A store that has no folders ignores this.
        self.filesystem.create_dir(self._at(path).rsplit("/", 1)[0], recursive=True)

    def create(self, path: str) -> BinaryIO:
        """Open a new object; it exists when the stream has been closed."""
        self._make_parent(path)
        stream: BinaryIO = self.filesystem.open_output_stream(self._at(path))
        return stream

    def read(self, path: str) -> bytes:
        """The content of an object."""
        with self.filesystem.open_input_stream(self._at(path)) as stream:
            data: bytes = stream.read()
        return data

    def put(self, path: str, data: bytes) -> None:
        """Write an object in one request; a store shows an object only when it is complete."""
        with self.create(path) as stream:
            stream.write(data)

    def move(self, source: str, target: str) -> None:
        """Copy each object, then delete the source."""
        for name in self.names(source):
            self._make_parent(f"{target}/{name}")
            self.filesystem.copy_file(self._at(f"{source}/{name}"), self._at(f"{target}/{name}"))
        self.remove(source)

    def remove(self, path: str) -> None:
        """Delete an object or everything under a prefix."""
        kind = self.filesystem.get_file_info(self._at(path)).type
        if kind is fs.FileType.Directory:
            self.filesystem.delete_dir(self._at(path))
        elif kind is fs.FileType.File:
            self.filesystem.delete_file(self._at(path))

    def names(self, path: str) -> list[str]:
        """Names directly under a prefix, sorted."""
        selector = fs.FileSelector(self._at(path), allow_not_found=True)
        return sorted(info.base_name for info in self.filesystem.get_file_info(selector))

    def has_root(self) -> bool:
        """Whether the bucket exists. Listing a missing bucket gives an empty list, so ask for it by name."""
        try:
            bucket = self.filesystem.get_file_info(self.root.split("/")[0])
        except OSError:
            # Credentials that may list a prefix may lack the right to ask about the bucket.
            return True
        return bool(bucket.type is not fs.FileType.NotFound)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A temporary folder."""
        with tempfile.TemporaryDirectory(prefix="ion-lake-") as folder:
            yield Path(folder)

    def fetch(self, path: str, scratch: Path) -> Path:
        """Download an object to `scratch`, under its own path."""
        if self.filesystem.get_file_info(self._at(path)).type is not fs.FileType.File:
            raise FileNotFoundError(path)
        target = scratch / path
        target.parent.mkdir(parents=True, exist_ok=True)
        fs.copy_files(self._at(path), str(target), self.filesystem, fs.LocalFileSystem())
        return target


def open_storage(location: str | Path) -> Storage:
    """The storage at a path or a URI.

    Args:
        location: A local path, or a URI of a file system that pyarrow knows (`s3://bucket/prefix`, `gs://…`,
            `abfs://…`). The file system takes its credentials from the environment.
    """
    if isinstance(location, Path) or "://" not in location:
        return LocalStorage(Path(location))
    filesystem, root = fs.FileSystem.from_uri(location)
    if isinstance(filesystem, fs.LocalFileSystem):
        return LocalStorage(Path(root))
    return ObjectStorage(filesystem, root, location)


def replace_file(target: Path, data: bytes) -> None:
    """Replace a local file atomically: readers see the old or the new content, also after a power cut."""
    temporary = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    sync(target.parent)


def copy_file(source: Path, target: Path) -> None:
    """Copy a local file to a new one; where a file system can share the blocks (Btrfs, XFS), no byte is copied."""
    try:
        with source.open("rb") as read, target.open("xb") as written:
            while os.copy_file_range(read.fileno(), written.fileno(), 1 << 30):
                pass
    except AttributeError:  # macOS has no such call.
        shutil.copyfile(source, target)
    except OSError as error:
        if error.errno not in _CANNOT_SHARE:
            raise
        shutil.copyfile(source, target)


def sync(path: Path) -> None:
    """Flush a file, or the names in a folder, to the disk; without this a rename may not survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
