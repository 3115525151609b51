"""kill -9 and full disks: whatever happens to a writer, what was committed is whole and nothing else is visible."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ion_pipeline.lake import Lake
from tests.unit.lake.support import SCHEMAS, TENANT, read, tree

# Commits loads of 3,000 rows in small files as fast as it can, saying when each is committed.
WRITER = """
import sys
from ion_pipeline.lake import Lake, TableRead, WriterOptions
from tests.unit.lake.support import SCHEMAS, TENANT, numbered
lake = Lake(sys.argv[1])
batches = [numbered(first, 500) for first in range(0, 3000, 500)]
options = WriterOptions(row_group_rows=500, part_bytes=1)
print("ready", flush=True)
while True:
    with lake.begin(TENANT, SCHEMAS, options=options) as writer:
        for batch in batches:
            writer.write("parts", batch)
        load = writer.commit({"parts": TableRead("parts"), "runs": TableRead("runs")})
    print(load.load_id, flush=True)
"""


def child(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )


def test_kill_9_at_any_time_leaves_whole_loads_only(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    pause = random.Random(5)
    known: list[str] = []
    left_something = 0
    for _ in range(8):
        with child(WRITER, str(tmp_path / "lake")) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == "ready\n"
            said = [writer.stdout.readline().strip() for _ in range(pause.randrange(3))]
            time.sleep(pause.uniform(0.0, 0.03))
            writer.send_signal(signal.SIGKILL)
            said += writer.stdout.read().split()
        visible = lake.load_ids()
        # All it reported, and at most one more that was committed but not reported any more.
        assert visible[: len(known) + len(said)] == known + said
        assert len(visible) <= len(known) + len(said) + 1
        for load_id in visible[len(known) :]:
            load = lake.read_manifest(load_id)
            lake.verify(load)
            assert read(lake, load)["id"].to_pylist() == list(range(3000))
        known = visible
        described = {entry.path for load in lake.loads() for table in load.tables for entry in table.files}
        present = {name.removeprefix("lake/") for name in tree(tmp_path) if name.endswith(".parquet")}
        assert described <= present
        left_something += present > described
        lake.begin(TENANT, SCHEMAS).abort()
        assert {name.removeprefix("lake/") for name in tree(tmp_path) if name.endswith(".parquet")} == described
    assert known, "no load was ever committed: nothing was tested"
    assert left_something, "no kill ever hit a load half written: nothing was tested"


FILLER = """
import resource, sys
from ion_pipeline.files import FileWriteError
from ion_pipeline.lake import Lake, TableRead, WriterOptions
from tests.unit.lake.support import SCHEMAS, TENANT, numbered
import random
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
noise = random.Random(1)
from tests.unit.lake.support import parts
try:
    with Lake(sys.argv[1]).begin(TENANT, SCHEMAS, options=WriterOptions(row_group_rows=500)) as writer:
        for step in range(200):
            writer.write("parts", parts(*({"id": i, "name": noise.randbytes(100).hex()} for i in range(500))))
        writer.commit({"parts": TableRead("parts")})
except FileWriteError as error:
    print(error)
"""


def fill(location: Path, limit: int) -> str:
    with child(FILLER, str(location), str(limit)) as writer:
        assert writer.stdout
        said = writer.stdout.read()
    assert writer.returncode == 0
    return said


def test_a_file_that_may_not_grow(tmp_path: Path) -> None:
    said = fill(tmp_path / "lake", 1 << 20)
    assert said.startswith("No space left while writing parts of load ")
    assert str(tmp_path / "lake") in said
    assert "nothing was committed" in said
    assert tree(tmp_path) == set()
    assert Lake(tmp_path / "lake").loads() == []


def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        said = fill(disk / "lake", 0)
        assert said.startswith("No space left while writing parts of load ")
        assert tree(disk) == set()
    finally:
        subprocess.run(["umount", str(disk)], check=True)
