import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ion_pipeline.files import LockedError, WriterLock
from ion_pipeline.lake import Lake
from tests.unit.lake.support import SCHEMAS, TENANT, commit, numbered

HOLDER = """
import sys, time
from ion_pipeline.files import WriterLock
from pathlib import Path
with WriterLock(Path(sys.argv[1]), "testing the lock"):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    with child:
        try:
            assert child.stdout
            assert child.stdout.readline() == "held\n"
            yield child
        finally:
            child.kill()


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    with holder(tmp_path / "lock") as child, pytest.raises(LockedError) as caught, WriterLock(tmp_path / "lock", "x"):
        pass
    assert f"process {child.pid} on {os.uname().nodename}, testing the lock since 20" in str(caught.value)


@pytest.mark.parametrize(("option", "advice"), [("--wait", "finish (--wait does), or"), ("", "finish, or")])
def test_the_second_is_advised_to_wait_in_the_way_there_is(tmp_path: Path, option: str, advice: str) -> None:
    second = WriterLock(tmp_path / "lock", "second", option=option)
    with WriterLock(tmp_path / "lock", "first"), pytest.raises(LockedError) as caught:
        second.acquire()
    assert advice in caught.value.remedy


def test_kill_9_frees_it(tmp_path: Path) -> None:
    with holder(tmp_path / "lock") as child:
        child.send_signal(signal.SIGKILL)
        child.wait()
        with WriterLock(tmp_path / "lock", "after"):
            assert b"after" in (tmp_path / "lock").read_bytes()


def test_the_second_may_wait(tmp_path: Path) -> None:
    first = WriterLock(tmp_path / "lock", "first")
    first.acquire()
    timer = threading.Timer(0.3, first.release)
    timer.start()
    began = time.monotonic()
    with WriterLock(tmp_path / "lock", "second", wait_seconds=10):
        assert 0.2 < time.monotonic() - began < 5
    timer.join()


def test_a_lake_has_one_writer_and_any_number_of_readers(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    load = commit(lake, numbered(1, 1))
    with lake.begin(TENANT, SCHEMAS):
        assert Lake(tmp_path / "lake").loads() == [load]
        with pytest.raises(LockedError, match="writing a load"):
            Lake(tmp_path / "lake").begin(TENANT, SCHEMAS)
    lake.begin(TENANT, SCHEMAS).abort()
