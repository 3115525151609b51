"""SIGTERM while dbt builds, under Dagster's own handlers: dbt is gone, and lake and warehouse are free."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

import ion_pipeline
from ion_pipeline.lake import Lake
from ion_pipeline.warehouse import Resources, connect
from tests.integration.conftest import MEMORY

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]
SECONDS = 60.0
CHILD = str(Path(ion_pipeline.__file__).parent / "pipeline" / "dbt" / "child.py")


def begun(folder: Path) -> tuple[subprocess.Popen[str], psutil.Process]:
    """`ion-pipeline refresh` of a small sandbox as far as dbt has begun, and dbt's process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ION_", "DAGSTER_"))} | {
        "PYTHONPATH": str(Path.cwd()),
        "ION_DATA_DIR": str(folder / "data"),
        "ION_SANDBOX_SCALE": "0.02",
        # As the shared project was parsed: dbt parses everything anew when this has changed.
        "ION_DUCKDB_MEMORY_LIMIT": MEMORY,
    }
    command = [sys.executable, "-m", "ion_pipeline.cli", "refresh"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    parent = psutil.Process(process.pid)
    while True:
        for child in parent.children():
            # One that has just ended has no command any more.
            with suppress(psutil.NoSuchProcess):
                if {CHILD, "build"} <= set(child.cmdline()):
                    return process, child
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
            break
    raise AssertionError(f"dbt never ran: {process.stderr and process.stderr.read()}")


def test_sigterm_ends_a_refresh_as_ctrl_c_does(tmp_path: Path, parsed: Callable[[Path], None]) -> None:
    parsed(tmp_path / "data")
    process, dbt = begun(tmp_path)
    process.terminate()
    try:
        assert process.wait(SECONDS) == 143
        assert not dbt.is_running(), "dbt outlived the refresh"
    finally:
        process.kill()
        assert process.stderr
        said = process.stderr.read()
        process.stderr.close()
    assert "Traceback" not in said
    assert "terminated" in said
    data = tmp_path / "data"
    with Lake(data / "lake").writing(), connect(data / "warehouse.duckdb", Resources("256MB", 1)) as connection:
        assert connection.execute("select count(*) from raw._ion_loads").fetchone() == (1,)
