"""Two processes at once: the second names the one that holds the lock, or waits for as long as its option says."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from ion_pipeline.catalog import known_catalog
from ion_pipeline.client import TransportError
from ion_pipeline.files import LockedError
from ion_pipeline.lake import Lake, LakeCorruptionError
from ion_pipeline.pipeline import dbt, steps
from ion_pipeline.pipeline.dbt import building
from ion_pipeline.pipeline.state import read_state
from ion_pipeline.publish import publish
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse import Resources, connect
from ion_pipeline.warehouse.errors import WarehouseBusyError, WarehouseError

HOLDER = """
import sys, duckdb
with duckdb.connect(sys.argv[1]) as connection:
    connection.execute("create schema if not exists quality; create table if not exists quality.t as select 1 as x")
    print("open", flush=True)
    sys.stdin.read()
"""
LONG = 30.0


@contextmanager
def open_elsewhere(database: Path, *, seconds: float | None = None) -> Iterator[int]:
    """Another process has the file open for writing, for the block or for some seconds; gives its id."""
    command = [sys.executable, "-c", HOLDER, str(database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin
        assert child.stdout
        assert child.stdout.readline() == "open\n"
        timer = threading.Timer(seconds or 0.0, child.stdin.close)
        if seconds:
            timer.start()
        try:
            yield child.pid
        finally:
            timer.cancel()
            child.stdin.close()


def settings(data_dir: Path, wait: float) -> Settings:
    nobody = "http://127.0.0.1:9"
    return load_settings(
        environment="custom",
        api_url=nobody,
        auth_url=nobody,
        client_id="id",
        client_secret="secret",
        data_dir=data_dir,
        duckdb_memory_limit="256MB",
        lock_wait_seconds=wait,
        max_attempts=1,
    )


BUILT = dbt.BuildReport((dbt.NodeResult("model.ion_warehouse.runs", "success", "", 0.0),), 0.0)


def open_as_dbt_does(settings: Settings, *_: object, **__: object) -> dbt.BuildReport:
    """In place of dbt, which takes seconds to start: another process opens the warehouse for writing."""
    with open_elsewhere(settings.warehouse_path):
        return BUILT


def use(what: str, data_dir: Path, wait: float) -> None:
    database, resources = data_dir / "warehouse.duckdb", Resources("256MB", 1, wait)
    match what:
        case "read":
            with connect(database, resources, read_only=True) as connection:
                assert connection.execute("select x from quality.t").fetchall() == [(1,)]
        case "load":
            steps.load(settings(data_dir, wait))
        case "publish":
            assert publish(database, data_dir / "published", resources=resources).tables
        case "build":
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(building, "run", open_as_dbt_does)
                assert dbt.build(settings(data_dir, wait), select=["runs"]) == BUILT


@pytest.mark.slow
@pytest.mark.parametrize("what", ["read", "load", "publish", "build"])
def test_the_warehouse_is_open_elsewhere(what: str, tmp_path: Path) -> None:
    database = tmp_path / "warehouse.duckdb"
    with open_elsewhere(database) as holder:
        began = time.monotonic()
        with pytest.raises(WarehouseBusyError, match=f"PID {holder}"):
            use(what, tmp_path, wait=0.5)
        assert 0.5 <= time.monotonic() - began < LONG / 2
    with open_elsewhere(database, seconds=1.0):
        use(what, tmp_path, wait=LONG)


def test_what_cannot_be_mended_by_waiting_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "warehouse.duckdb").write_text("not a database at all, and long enough to be looked at" * 100)
    began = time.monotonic()
    with pytest.raises(WarehouseError):
        use("read", tmp_path, wait=LONG)
    assert time.monotonic() - began < LONG / 2


@pytest.mark.slow
def test_what_is_known_is_read_once_the_models_are_built(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    (tmp_path / "lake" / "_loads").mkdir(parents=True)
    (tmp_path / "lake" / "_loads" / "01X.json").write_text("{}")
    database = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema raw; create table raw._ion_loads as select '01X' as load_id")
    with open_elsewhere(database, seconds=1.0), pytest.raises(LakeCorruptionError):
        # After the wait, it reads the manifest, which is not valid.
        read_state(lake, database, known_catalog(), None, resources=Resources("256MB", 1, LONG))  # type: ignore[arg-type]


def test_a_second_read_says_who_reads_and_asks_ion_nothing(tmp_path: Path) -> None:
    with Lake(tmp_path / "lake").writing(), pytest.raises(LockedError, match="reading ION since"):
        steps.extract(settings(tmp_path, 0.0))


@pytest.mark.slow
def test_a_second_read_waits_for_the_first(tmp_path: Path) -> None:
    first = Lake(tmp_path / "lake").writing()
    first.__enter__()
    timer = threading.Timer(0.6, first.__exit__, (None, None, None))
    timer.start()
    began = time.monotonic()
    # Nobody answers at the address: it has come as far as to ask.
    with pytest.raises(TransportError):
        steps.extract(settings(tmp_path, LONG))
    assert 0.5 <= time.monotonic() - began < LONG
    timer.join()
