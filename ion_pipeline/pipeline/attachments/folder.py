"""The folder that files are downloaded to: complete files, and under `.ion-attachments` what is known of them.

A file appears under its name in one rename, when it is complete and checked. Until then its bytes are in a part, whose
journal says how many of them are on the disk for certain: a killed process, and a machine that lost power, resume
there. Neither the journal nor the record of a complete file contains a link.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from ion_pipeline.client import Checksum, FileDamagedError
from ion_pipeline.files import FileWriteError, WriterLock
from ion_pipeline.files.storage import replace_file, sync

_STATE = ".ion-attachments"
_BLOCK = 1 << 20
#: Bytes after which what has arrived is flushed to the disk and recorded.
DURABLE_EVERY = 8 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """A complete file.

    Attributes:
        name: Its name in the folder.
        etag: ION's version of it; empty if ION gives none.
        size: Bytes.
        sha256: In hexadecimal.
        checked: What it was compared with: `sha256` or `md5` of the file host, its `size`, or nothing (empty).
    """

    name: str
    etag: str
    size: int
    sha256: str
    checked: str


class Folder:
    """A folder of downloaded files.

    Args:
        path: The folder; created when the first file is written to it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._state = path / _STATE

    def locked(self, wait_seconds: float) -> WriterLock:
        """The lock that admits one process: two would write to the same part."""
        return WriterLock(self._state / "lock", "fetching attachments", wait_seconds=wait_seconds)

    def clean(self) -> None:
        """Delete what a killed process has left of a record that it was writing."""
        for path in self._state.glob("*.tmp"):
            path.unlink(missing_ok=True)

    def record(self, number: int) -> Record | None:
        """What is known of a complete file; None if it is not there as it was downloaded."""
        try:
            found = Record(**orjson.loads((self._state / f"{number}.json").read_bytes()))
            there = (self.path / found.name).lstat()
        except (OSError, ValueError, TypeError):
            return None
        return found if there.st_size == found.size else None

    def arrived(self, number: int) -> int:
        """Bytes of a file that an interrupted download has left."""
        return self.part(number).durable

    def part(self, number: int) -> "Part":
        """The part of a file, as its journal describes it."""
        return Part(self._state / f"{number}.part", number)

    def keep(self, part: "Part", name: str, etag: str) -> Record:
        """Give a complete and checked part its name.

        Raises:
            FileWriteError: Another file has the name, or a file cannot be written.
        """
        record = Record(name, etag, part.size, part.sha256, part.checked)
        target, known = self.path / name, self._state / f"{part.number}.json"
        with _writing(target):
            if self._name_of(part.number) != name:
                self._reserve(target)
            # The record first: whose name it is must be known if the process ends between the two.
            replace_file(known, orjson.dumps(asdict(record)))
            part.path.replace(target)
            sync(self.path)
            part.journal.unlink(missing_ok=True)
        return record

    def _name_of(self, number: int) -> str:
        """The name under which this program has written a file before."""
        try:
            return str(Record(**orjson.loads((self._state / f"{number}.json").read_bytes())).name)
        except (OSError, ValueError, TypeError):
            return ""

    def _reserve(self, target: Path) -> None:
        """Refuse a name that somebody else's file has, or a link: what is there is never replaced."""
        try:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        except FileExistsError:
            raise FileWriteError(
                f"{target} exists and was not downloaded by ion-pipeline.",
                remedy="Move it away, or use another --to. It was not changed.",
            ) from None


class Part:
    """The bytes of a file that have arrived so far.

    Attributes:
        path: Where they are.
        number: ION's id of the file.
        durable: Bytes that are on the disk for certain.
        total: Bytes of the whole file; None if the host does not say.
        validator: The host's etag of them; empty if they cannot be resumed.
        checksum: The host's checksum of the whole file.
        size: Bytes so far.
        received: Bytes that were written since it was opened.
    """

    def __init__(self, path: Path, number: int) -> None:
        self.path, self.number = path, number
        self.journal = path.with_suffix(".part.json")
        self.durable, self.size, self.received = 0, 0, 0
        self.total: int | None = None
        self.validator = ""
        self.checksum: Checksum | None = None
        self._stream: BinaryIO | None = None
        self._is_ready = False
        self._read_journal()
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in ("sha256", "md5")}

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes so far."""
        return self._hashes["sha256"].hexdigest()

    @property
    def checked(self) -> str:
        """What the bytes are compared with."""
        return self.checksum.algorithm if self.checksum else "size" if self.total is not None else ""

    @property
    def is_complete(self) -> bool:
        """Whether all bytes had arrived when the download was interrupted."""
        return self.total is not None and self.size == self.total

    @property
    def is_due(self) -> bool:
        """Whether enough has arrived to be flushed to the disk."""
        return self.size - self.durable >= DURABLE_EVERY

    def open(self) -> None:
        """Continue after the durable bytes, which are read once for the checksums.

        Raises:
            FileWriteError: The file cannot be opened, read or written.
        """
        with _writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+b")
            while self.size < self.durable:
                block = self._stream.read(min(_BLOCK, self.durable - self.size))
                if not block:
                    # Somebody has shortened it.
                    self._empty()
                    break
                self._take(block)
            self._stream.truncate(self.durable)
            self._is_ready = True

    def begin(self, *, start: int, total: int | None, validator: str, checksum: Checksum | None) -> None:
        """What the host says about the file that it begins to send.

        Raises:
            FileWriteError: The file cannot be written.
        """
        with _writing(self.path):
            if start != self.size:
                self._empty()
            self.total, self.validator, self.checksum = total, validator, checksum

    def write(self, piece: bytes) -> None:
        """Append bytes. Raises FileWriteError."""
        with _writing(self.path):
            self._open_stream.write(piece)
        self._take(piece)
        self.received += len(piece)

    def flush(self) -> None:
        """Flush what has arrived to the disk. Raises FileWriteError."""
        with _writing(self.path):
            self._open_stream.flush()
            os.fsync(self._open_stream.fileno())
            self.durable = self.size

    def checkpoint(self) -> None:
        """Flush what has arrived to the disk, and record it. Raises FileWriteError."""
        self.flush()
        with _writing(self.path):
            known = {
                "bytes": self.durable,
                "total": self.total,
                "validator": self.validator,
                "checksum": asdict(self.checksum) if self.checksum else None,
            }
            replace_file(self.journal, orjson.dumps(known))

    def verify(self, what: str) -> None:
        """Compare the bytes with the size and the checksum that the host gives; discard them if they differ.

        Raises:
            FileDamagedError: They differ.
            FileWriteError: The part cannot be written.
        """
        wrong = ""
        if self.total is not None and self.size != self.total:
            wrong = f"{self.size:,} bytes of {what} arrived instead of {self.total:,}"
        elif self.checksum and self._hashes[self.checksum.algorithm].hexdigest() != self.checksum.digest:
            wrong = f"the bytes of {what} do not match the file host's checksum ({self.checksum.algorithm})"
        if wrong:
            with _writing(self.path):
                self._empty()
            raise FileDamagedError(
                f"{wrong[0].upper()}{wrong[1:]}.",
                remedy="They were discarded. Try again; if the error persists, report the file to ION's support.",
            )

    def close(self) -> None:
        """Record what has arrived, so that the next attempt resumes after it. Raises FileWriteError."""
        if self._stream is None:
            return
        try:
            if self._is_ready and self.size != self.durable:
                self.checkpoint()
        finally:
            self._stream.close()
            self._stream, self._is_ready = None, False

    @property
    def _open_stream(self) -> BinaryIO:
        if self._stream is None:
            raise AssertionError("the part is not open")
        return self._stream

    def _take(self, piece: bytes) -> None:
        self.size += len(piece)
        for one in self._hashes.values():
            one.update(piece)

    def _empty(self) -> None:
        self.journal.unlink(missing_ok=True)
        self._open_stream.seek(0)
        self._open_stream.truncate(0)
        self.durable = self.size = 0
        self.total, self.validator, self.checksum = None, "", None
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in self._hashes}

    def _read_journal(self) -> None:
        """A journal that is missing or damaged means that nothing is there: the download begins again."""
        try:
            known = orjson.loads(self.journal.read_bytes())
            checksum = Checksum(**known["checksum"]) if known["checksum"] else None
            size, validator, total = int(known["bytes"]), str(known["validator"]), known["total"]
        except (OSError, ValueError, KeyError, TypeError):
            return
        if validator and size > 0:
            self.durable, self.validator, self.total, self.checksum = size, validator, total, checksum


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileWriteError(
            f"{path} cannot be written ({error.strerror or error}).",
            remedy="Free space, correct the permissions or use another --to, then run again: the download resumes.",
        ) from error
