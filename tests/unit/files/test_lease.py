"""One writer among several machines: who gets the lease, when it ends, and how its holder finds out."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from ion_pipeline.files import LockedError, ObjectStoreError
from ion_pipeline.files.bucket import Bucket
from ion_pipeline.files.lease import Lease, LostLockError
from tests.faulty_store import Fault, FaultyStore
from tests.mortal import mortal

pytestmark = pytest.mark.slow

SHORT = timedelta(seconds=1)
prefixes = count()


@pytest.fixture
def uri(store: FaultyStore) -> str:
    return store.uri(f"lease-{next(prefixes)}")


def lease(uri: str, local: Path | None = None, purpose: str = "writing", **options: object) -> Lease:
    return Lease(uri, "_writer.lock", local, purpose, **options)  # type: ignore[arg-type]


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_lost(held: Lease) -> bool:
    try:
        held.check()
    except LostLockError:
        return True
    return False


def test_another_machine_is_refused_until_it_is_released(uri: str, tmp_path: Path) -> None:
    with lease(uri, tmp_path / "lock", "reading ION") as held:
        for local in (None, tmp_path / "elsewhere"):
            with pytest.raises(LockedError, match=rf"^{uri} is in use by process \d+ on .+, reading ION since 2"):
                lease(uri, local).acquire()
        # On this machine, the local lock says so without a request.
        with pytest.raises(LockedError, match="is in use by process"):
            lease(uri, tmp_path / "lock").acquire()
        held.check()
    with lease(uri) as other:
        other.check()
    held.release()


def test_it_waits_for_another(uri: str) -> None:
    first = lease(uri)
    first.acquire()
    with pytest.raises(LockedError):
        lease(uri).acquire()
    releasing = threading.Timer(0.2, first.release)
    releasing.start()
    with lease(uri, wait_seconds=60) as second:
        second.check()
        assert not releasing.is_alive()


def hold(uri: str, local: str) -> None:
    lease(uri, Path(local) if local else None).acquire()
    raise AssertionError("it was to be killed before")


def test_what_kill_9_left_is_free_at_once_here_and_in_time_elsewhere(uri: str, tmp_path: Path) -> None:
    with mortal(f"{__name__}:hold") as holder:
        # The call after the lease is taken: the thread that renews it has just been started.
        moments = moments_of_acquire(uri, tmp_path / "lock")
        assert holder.run(uri, tmp_path / "lock", moment=moments) is None
    with pytest.raises(LockedError, match="in use by process"):
        lease(uri, tmp_path / "on-another-machine").acquire()
    with lease(uri, tmp_path / "lock") as mine:
        mine.check()


def moments_of_acquire(uri: str, local: Path) -> int:
    """How many calls and returns in the package `acquire` makes where the lease was released before."""
    import sys

    import ion_pipeline

    package, seen = str(Path(ion_pipeline.__file__).parent), 0
    with lease(uri, local):
        pass

    def counting(frame: object, kind: str, _: object) -> None:
        nonlocal seen
        seen += kind in {"call", "return"} and frame.f_code.co_filename.startswith(package)  # type: ignore[attr-defined]

    mine = lease(uri, local)
    sys.setprofile(counting)
    mine.acquire()
    sys.setprofile(None)
    mine.release()
    return seen


def test_it_outlives_its_duration_only_while_it_is_renewed(uri: str, store: FaultyStore) -> None:
    held, bucket = lease(uri, duration=SHORT), Bucket(uri)
    held.acquire()
    first = bucket.found("_writer.lock")
    assert first
    # A renewal that fails is repeated at the next interval.
    store.faults[:] = [Fault("forbidden", "PUT", "_writer.lock")]
    until(lambda: (now := bucket.found("_writer.lock")) is not None and now.written_at - first.written_at > 3 * SHORT)
    assert not store.faults[0].times
    with pytest.raises(LockedError):
        lease(uri).acquire()
    # A machine with other work may renew it late; it is held again after the next renewal.
    until(lambda: not is_lost(held))
    # As when the process is stopped: nothing renews it any more.
    held._stop.set()
    with lease(uri, wait_seconds=30) as other:
        assert is_lost(held)
        held.release()
        other.check()
    assert Bucket(uri).found("_writer.lock") is not None


def test_a_holder_that_was_stopped_finds_out(uri: str) -> None:
    held, hour = lease(uri, duration=timedelta(hours=1)), timedelta(hours=1)
    held.acquire()
    # As if it had not been written for an hour.
    bucket = Bucket(uri)
    found = bucket.found("_writer.lock")
    assert found
    other = lease(uri)
    before = Bucket.now
    try:
        Bucket.now = lambda self: before(self) + 2 * hour  # type: ignore[method-assign]
        other.acquire()
    finally:
        Bucket.now = before  # type: ignore[method-assign]
    stopped = replace(held._holder, renewal=1) if held._holder else None
    assert stopped
    # The renewal that it makes when it continues.
    held._duration = timedelta(seconds=0.1)
    held._stop.set()
    assert held._thread
    held._thread.join()
    held._stop.clear()
    held._renew()
    with pytest.raises(LostLockError, match="was lost"):
        held.check()
    held.release()
    other.check()
    other.release()


@pytest.mark.parametrize("skip", [0, 1])
def test_a_store_that_ignores_conditions_is_refused(uri: str, store: FaultyStore, skip: int) -> None:
    for _ in range(skip):
        lease(uri).__enter__().release()
    store.faults[:] = [Fault("unconditional", "PUT", "_writer.lock", times=100, skip=skip)]
    with pytest.raises(ObjectStoreError, match=r"ignores the conditions of a write.*If-None-Match"):
        lease(uri).acquire()


def test_a_damaged_lease_ends_like_any_other(uri: str, store: FaultyStore) -> None:
    Bucket(uri).put("_writer.lock", b"{half")
    with pytest.raises(LockedError, match="an unknown machine"):
        lease(uri).acquire()
