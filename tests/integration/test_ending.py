"""A build ends with whoever started it: killed, terminated or interrupted, dbt is gone and the warehouse is free."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ion_pipeline.lake import Lake
from ion_pipeline.warehouse import Resources, connect

pytestmark = pytest.mark.slow
SECONDS = 60.0


def begun(folder: Path) -> tuple[subprocess.Popen[str], psutil.Process]:
    """`ion-pipeline refresh` of a small sandbox as far as dbt has begun, and dbt's process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ION_", "DAGSTER_"))} | {
        "PYTHONPATH": str(Path.cwd()),
        "ION_DATA_DIR": str(folder / "data"),
        "ION_SANDBOX_SCALE": "0.02",
        "ION_DUCKDB_MEMORY_LIMIT": "512MB",
    }
    command = [sys.executable, "-m", "ion_pipeline.cli", "refresh"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
    parent = psutil.Process(process.pid)
    while process.poll() is None:
        # The first child that builds, after the one that parses: each has its command before it does anything.
        for child in parent.children():
            if "ion_pipeline.pipeline.dbt_child" in (arguments := child.cmdline()) and "build" in arguments:
                return process, child
    raise AssertionError(f"dbt never ran: {process.stderr and process.stderr.read()}")


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143), (signal.SIGINT, 130)],
    ids=["killed", "terminated", "interrupted"],
)
def test_dbt_ends_with_the_refresh(number: int, code: int, tmp_path: Path) -> None:
    process, dbt = begun(tmp_path)
    process.send_signal(number)
    try:
        assert process.wait(SECONDS) == code
        # Whoever unwinds has waited for it; whoever was killed could not.
        assert not psutil.wait_procs([dbt], SECONDS)[1], "dbt outlived the refresh"
    finally:
        process.kill()
        assert process.stderr
        said = process.stderr.read()
        process.stderr.close()
    assert "Traceback" not in said
    data = tmp_path / "data"
    with Lake(data / "lake").writing(), connect(data / "warehouse.duckdb", Resources("256MB", 1)) as connection:
        assert connection.execute("select count(*) from raw._ion_loads").fetchone() == (1,)
