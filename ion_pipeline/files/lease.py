"""One writer at a time among several machines: a lease, kept in an object of the store itself.

The holder writes the object again at intervals. A process that finds it not written for its duration, by the store's
clock, may replace it; each replacement is conditional on the version that was read, so only one succeeds. A holder that
was stopped for longer (a suspended machine, a lost network) finds out with `check`, at the latest when its conditional
commit fails: the lease makes two writers unlikely to read ION at once, the commit's condition makes two commits
impossible.

On one machine, a local lock is held too. It ends with its process, so a lease whose holder had the same local lock is
replaced at once after kill -9.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import orjson
from pydantic import TypeAdapter, ValidationError
from ulid import ULID

from ion_pipeline.files.bucket import Bucket, Found, Patience, Version
from ion_pipeline.files.errors import LockedError, ObjectStoreError, TakenOverError
from ion_pipeline.files.lock import WriterLock
from ion_pipeline.files.store_errors import ignores_conditions

DURATION = timedelta(seconds=60)
PATIENCE = Patience(request=timedelta(seconds=10), repeating=timedelta(seconds=10))
# Stores give times in whole seconds.
_PRECISION = timedelta(seconds=2)
_RENEWALS = 4
_POLL_SECONDS = 2.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class LostLockError(LockedError):
    """This process held the lock, could not renew it in time, and another process may write now."""


@dataclass(frozen=True, slots=True)
class _Holder:
    """The content of the object.

    Attributes:
        token: Names one acquisition.
        renewal: Number of the renewal, which makes each content unique.
        seconds: How long the lease lasts after it was written.
        place: The local lock that the holder holds, if it has one.
        is_held: False once it was released.
    """

    token: str
    renewal: int
    seconds: float
    place: str
    pid: int
    host: str
    since: str
    purpose: str
    is_held: bool = True


_ADAPTER = TypeAdapter(_Holder)


class Lease:
    """A lock between machines.

    Args:
        location: The URI of the lake.
        path: The object.
        local: The lock between the processes of this machine, if there is a folder for it.
        purpose: As in `WriterLock`.
        wait_seconds: As in `WriterLock`.
        option: As in `WriterLock`.
        duration: How long the lease outlives its last renewal.
    """

    def __init__(
        self,
        location: str,
        path: str,
        local: Path | None,
        purpose: str,
        *,
        wait_seconds: float = 0.0,
        option: str = "",
        duration: timedelta = DURATION,
    ) -> None:
        self._bucket, self._path, self._location = Bucket(location, PATIENCE), path, location
        self._local = WriterLock(local, purpose, wait_seconds=wait_seconds, option=option) if local else None
        self._place = _place(local) if local else ""
        self._purpose, self._wait_seconds, self._option = purpose, wait_seconds, option
        self._duration = duration
        self._holder: _Holder | None = None
        self._version: Version | None = None
        self._valid_until = 0.0
        self._is_lost = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self) -> None:
        """Take the lease.

        Raises:
            LockedError: Another process holds it; the message says which one, since when and what it does.
            ObjectStoreError: The store cannot be reached or written, or it ignores the conditions of a write.
        """
        if self._local:
            self._local.acquire()
            self._place = _place(self._local.path)
        try:
            self._wait()
        except BaseException:
            if self._local:
                self._local.release()
            raise
        self._stop.clear()
        self._thread = threading.Thread(target=self._renew, name="ion-lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Check that the lease is still held.

        Raises:
            LostLockError: It was replaced, or could not be renewed for its duration.
        """
        if self._holder and (self._is_lost or _uptime() > self._valid_until):
            raise LostLockError(
                f"The lock on {self._location} was lost: this process could not renew it for "
                f"{self._duration.total_seconds():g} s.",
                remedy="Nothing was committed. Run again when no other process is writing there.",
            )

    def release(self) -> None:
        """Release the lease; does nothing if it is not held."""
        if self._thread is None:
            return
        self._stop.set()
        self._thread.join()
        self._thread = None
        if self._holder and self._version and not self._is_lost:
            # If the store does not answer, the lease ends by itself; if another process has it, it is theirs.
            with suppress(ObjectStoreError):
                self._bucket.put_if(self._path, _document(self._holder, is_held=False), self._version)
        self._holder = None
        if self._local:
            self._local.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _wait(self) -> None:
        deadline = time.monotonic() + self._wait_seconds
        while (other := self._try()) is not None:
            if time.monotonic() >= deadline:
                raise LockedError(
                    f"{self._location} is in use by process {other.pid} on {other.host}, {other.purpose} since "
                    f"{other.since}.",
                    remedy=f"Wait until it has finished{self._option}, or end that process, then run again. If it was "
                    f"killed on another machine, its lock ends {other.seconds:g} s later.",
                )
            time.sleep(min(_POLL_SECONDS, max(deadline - time.monotonic(), 0.1)))

    def _try(self) -> _Holder | None:
        """Take the lease if it is free, else return its holder."""
        mine = self._new_holder()
        began = _uptime()
        try:
            self._hold(mine, self._bucket.put_if(self._path, _document(mine), None), began)
            self._check_conditions(None)
        except TakenOverError:
            found = self._bucket.found(self._path)
            if found is None:
                raise
            other = _read(found)
            if other.is_held and not self._has_ended(other, found):
                return other
            try:
                self._hold(mine, self._bucket.put_if(self._path, _document(mine), found.version), began)
            except TakenOverError:
                return other
            self._check_conditions(found.version)
        return None

    def _hold(self, holder: _Holder, version: Version, began: float) -> None:
        self._holder, self._version, self._is_lost = holder, version, False
        self._valid_until = began + self._duration.total_seconds()

    def _check_conditions(self, former: Version | None) -> None:
        """Check that the store refuses a write whose condition is false."""
        try:
            self._bucket.put_if(self._path, _document(self._new_holder(), is_held=False), former)
        except TakenOverError:
            return
        raise ignores_conditions(self._location)

    def _has_ended(self, other: _Holder, found: Found) -> bool:
        if self._local and other.place and other.place == self._place:
            # This process holds the local lock that the other one held.
            return True
        return self._bucket.now() - found.written_at > timedelta(seconds=other.seconds) + _PRECISION

    def _renew(self) -> None:
        while not self._stop.wait(self._duration.total_seconds() / _RENEWALS):
            if self._holder is None or self._version is None:
                return
            began, holder = _uptime(), _Holder(**{**asdict(self._holder), "renewal": self._holder.renewal + 1})
            try:
                self._hold(holder, self._bucket.put_if(self._path, _document(holder), self._version), began)
            except TakenOverError:
                self._is_lost = True
                return
            except ObjectStoreError:
                # The next renewal tries again; `check` raises once the lease has ended.
                continue

    def _new_holder(self) -> _Holder:
        return _Holder(
            token=str(ULID()),
            renewal=0,
            seconds=self._duration.total_seconds(),
            place=self._place,
            pid=os.getpid(),
            host=socket.gethostname(),
            since=datetime.now(UTC).isoformat(timespec="seconds"),
            purpose=self._purpose,
        )


def _document(holder: _Holder, *, is_held: bool = True) -> bytes:
    return orjson.dumps({**asdict(holder), "is_held": is_held})


def _read(found: Found) -> _Holder:
    try:
        return _ADAPTER.validate_json(found.data)
    except ValidationError:
        # Damaged: whose it was is not known, and it ends like any other.
        return _Holder("", 0, DURATION.total_seconds(), "", 0, "an unknown machine", "an unknown time", "writing")


def _place(path: Path) -> str:
    """Identifies a locked file as long as this machine runs; empty where the system does not identify its start."""
    if not (_BOOT_ID.is_file() and path.exists()):
        return ""
    file = path.stat()
    return f"{_BOOT_ID.read_text(encoding='ascii').strip()}/{file.st_dev}/{file.st_ino}"


def _uptime() -> float:
    """Seconds that pass also while the machine is suspended, where the system has such a clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
