"""One writer at a time: an advisory lock that dies with its holder and says who that is.

Readers do not wait for writers. They hold a lock of their own, together, that keeps what a fold has replaced from being
deleted under them.

It is a `flock` on a file whose text names the holder, so kill -9 leaves the file but not the lock. Other things that
allow one writer only (publishing) use it too.
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
from typing import Self

import orjson

from ion_pipeline.files.errors import LockedError, write_error

_POLL_SECONDS = 0.2


class WriterLock:
    """An exclusive lock between processes (and between two locks of one process).

    Args:
        path: The lock file; it is created and never deleted.
        purpose: What the holder is doing, for whoever comes second: "writing a load".
        wait_seconds: How long to wait for the holder before giving up.
        option: What makes a command wait longer, if anything does; said to whoever gave up.
    """

    def __init__(self, path: Path, purpose: str, *, wait_seconds: float = 0.0, option: str = "") -> None:
        self.path = path
        self._purpose = purpose
        self._wait_seconds = wait_seconds
        self._option = f" ({option} does)" if option else ""
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            LockedError: Somebody else holds it; the message says who, since when and doing what.
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

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
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
            # The holder has the lock and is about to write who it is.
            who = "another process that has only just started"
        return LockedError(
            f"{self.path.parent} is in use by {who}.",
            remedy=f"Wait for it to finish{self._option}, or end that process, then run again.",
        )


@contextmanager
def shared_lock(path: Path) -> Iterator[None]:
    """Keep others from being `exclusive_lock` for as long as the block lasts; many may do so at once.

    Where the file cannot be made (a lake on a read-only disk), nobody can delete anything either: nothing is locked.
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
    """Whether nobody is in `shared_lock` now; if so, nobody gets in for as long as the block lasts. Never waits."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        is_alone = False
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_alone = True
        yield is_alone
    finally:
        os.close(descriptor)
