"""Where the lake's bytes live: a local folder, or an object store through `pyarrow.fs`.

Paths are relative to the lake's root and use `/`. Nothing here knows what a load is. The promise both kinds make is
that `put` is atomic: a reader sees the whole object or none. On a local disk `move` is one rename and everything is
flushed to the disk before it is named; an object store has no renames, so `move` copies file by file, and only `put`
may be relied on to make something visible.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, Protocol

from pyarrow import fs


class Storage(Protocol):
    """A folder or a prefix that holds one lake."""

    location: str

    def create(self, path: str) -> BinaryIO:
        """Open a new file for writing; folders come into being as needed."""

    def read(self, path: str) -> bytes:
        """A whole file. Raises FileNotFoundError."""

    def put(self, path: str, data: bytes) -> None:
        """Write a whole file, atomically and durably."""

    def move(self, source: str, target: str) -> None:
        """Move a folder. Atomic on a local disk only."""

    def remove(self, path: str) -> None:
        """Delete a file or a folder with all that is in it; absent is fine."""

    def names(self, path: str) -> list[str]:
        """Names in a folder, sorted; none if there is no such folder."""

    def has_root(self) -> bool:
        """Whether what cannot be made from here is there: a store's bucket; of a local folder, nothing has to be."""

    def scratch(self) -> AbstractContextManager[Path]:
        """Where copies of its files are for as long as the block lasts: a temporary folder, if it needs one."""

    def fetch(self, path: str, scratch: Path) -> Path:
        """A local copy of a file, or the file itself where it is local. Raises FileNotFoundError."""


class LocalStorage:
    """A folder on this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.location = str(self.root)

    def create(self, path: str) -> BinaryIO:
        """Open a new file, unbuffered: a full disk must show in the write that fills it, not in a later close."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb", buffering=0)

    def read(self, path: str) -> bytes:
        """A whole file."""
        return (self.root / path).read_bytes()

    def put(self, path: str, data: bytes) -> None:
        """Write beside, flush, rename."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_file(target, data)

    def move(self, source: str, target: str) -> None:
        """Rename a folder, its names flushed before its own."""
        destination = self.root / target
        destination.parent.mkdir(parents=True, exist_ok=True)
        sync_directory(self.root / source)
        (self.root / source).rename(destination)
        sync_directory(destination.parent)

    def remove(self, path: str) -> None:
        """Delete a file or a folder with all that is in it."""
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
        """A folder is made when it is needed."""
        return True

    def scratch(self) -> AbstractContextManager[Path]:
        """Its own folder: nothing is copied."""
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
        # A store without folders ignores this.
        self.filesystem.create_dir(self._at(path).rsplit("/", 1)[0], recursive=True)

    def create(self, path: str) -> BinaryIO:
        """Open a new object; it exists once the stream is closed."""
        self._make_parent(path)
        stream: BinaryIO = self.filesystem.open_output_stream(self._at(path))
        return stream

    def read(self, path: str) -> bytes:
        """A whole object."""
        with self.filesystem.open_input_stream(self._at(path)) as stream:
            data: bytes = stream.read()
        return data

    def put(self, path: str, data: bytes) -> None:
        """One request: a store shows an object only when all of it has arrived."""
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
        """Whether there is such a bucket, as far as one may ask: a list of what is in a missing one is empty."""
        try:
            bucket = self.filesystem.get_file_info(self.root.split("/")[0])
        except OSError:
            # Who may list a prefix may still not ask about the bucket.
            return True
        return bool(bucket.type is not fs.FileType.NotFound)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A temporary folder."""
        with tempfile.TemporaryDirectory(prefix="ion-lake-") as folder:
            yield Path(folder)

    def fetch(self, path: str, scratch: Path) -> Path:
        """Download an object below `scratch`, under its own path."""
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
            `abfs://…`), credentials from the environment as that file system takes them.
    """
    if isinstance(location, Path) or "://" not in location:
        return LocalStorage(Path(location))
    filesystem, root = fs.FileSystem.from_uri(location)
    if isinstance(filesystem, fs.LocalFileSystem):
        return LocalStorage(Path(root))
    return ObjectStorage(filesystem, root, location)


def replace_file(target: Path, data: bytes) -> None:
    """Give a local file new content: readers see the old or the new, also after a power cut."""
    beside = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    sync_directory(target.parent)


def sync_directory(folder: Path) -> None:
    """Flush a folder's names to the disk: without it a rename may not survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
