"""One writer at a time: an advisory lock that ends with its process, and whose file says which process holds it.

Readers do not wait for writers. They share a second lock; while any reader holds it, no writer deletes files that a
snapshot has replaced.

The lock is a `flock` on a file whose text names the holder, so kill -9 leaves the file but not the lock. Publishing,
which allows only one writer too, uses it as well.
"""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import orjson

from ion_pipeline.files.errors import LockedError, write_error

_POLL_SECONDS = 0.2


class Lock(Protocol):
    """A lock of the one writer: of a folder, or of a prefix in an object store."""

    def acquire(self) -> None:
        """Take the lock. Raises LockedError, FileWriteError or ObjectStoreError."""

    def check(self) -> None:
        """Check that it is still held. Raises LockedError."""

    def release(self) -> None:
        """Release the lock; does nothing if it is not held."""


class WriterLock:
    """An exclusive lock between processes (and between two locks of one process).

    Args:
        path: The lock file; it is created and never deleted.
        purpose: What the holder does, for the error of a process that finds the lock taken: "writing a load".
        wait_seconds: How long to wait for another holder before `acquire` fails.
        option: The command-line option that makes a command wait longer, if there is one; part of the error's remedy.
    """

    def __init__(self, path: Path, purpose: str, *, wait_seconds: float = 0.0, option: str = "") -> None:
        self.path = path
        self._purpose = purpose
        self._wait_seconds = wait_seconds
        self._option = f" (or use {option})" if option else ""
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            LockedError: Another process holds it; the message says which one, since when and what it does.
            FileWriteError: The lock file cannot be created or written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise write_error(error, f"the lock file {self.path}") from error
        try:
            self._wait_for(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, self._holder(), 0)
        except OSError as error:
            os.close(descriptor)
            raise write_error(error, f"the lock file {self.path}") from error
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def check(self) -> None:
        """Do nothing: the lock is held until this process releases it or ends."""

    def release(self) -> None:
        """Release the lock; does nothing if it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _wait_for(self, descriptor: int) -> None:
        deadline = time.monotonic() + self._wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise self._busy() from None
                time.sleep(_POLL_SECONDS)
            else:
                return

    def _holder(self) -> bytes:
        return orjson.dumps(
            {
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "since": datetime.now(UTC).isoformat(timespec="seconds"),
                "purpose": self._purpose,
            }
        )

    def _busy(self) -> LockedError:
        try:
            holder = orjson.loads(self.path.read_bytes())
            who = f"process {holder['pid']} on {holder['host']}, {holder['purpose']} since {holder['since']}"
        except (OSError, ValueError, KeyError, TypeError):
            # The holder has the lock but has not yet written its description to the file.
            who = "another process that has just started"
        return LockedError(
            f"{self.path.parent} is in use by {who}.",
            remedy=f"Wait until it has finished{self._option}, or end that process, then run again.",
        )


@contextmanager
def shared_lock(path: Path) -> Iterator[None]:
    """Hold the lock together with other readers while the block runs; no process gets `exclusive_lock` meanwhile.

    Where the file cannot be created (a lake on a read-only disk), nothing is locked: no process can delete files there.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:
        yield
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def exclusive_lock(path: Path) -> Iterator[bool]:
    """Try to hold the lock alone while the block runs; yields whether it is held. Never waits.

    While it is held, a process that calls `shared_lock` waits.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        is_exclusive = False
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_exclusive = True
        yield is_exclusive
    finally:
        os.close(descriptor)
