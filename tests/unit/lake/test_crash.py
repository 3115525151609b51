"""kill -9 and full disks: whatever happens to a writer, what was committed is whole and nothing else is visible."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ion_pipeline.lake import Lake, TableRead, WriterOptions
from tests.examples import attempts
from tests.mortal import mortal
from tests.unit.lake.support import SCHEMAS, TENANT, numbered, read, tree


def commit_loads(folder: str) -> None:
    """Commit loads of 3,000 rows in small files, noting of each that it is committed."""
    lake = Lake(Path(folder) / "lake")
    batches = [numbered(first, 500) for first in range(0, 3000, 500)]
    for _ in range(3):
        with lake.begin(TENANT, SCHEMAS, options=WriterOptions(row_group_rows=500, part_bytes=1)) as writer:
            for batch in batches:
                writer.write("parts", batch)
            load = writer.commit({"parts": TableRead("parts"), "runs": TableRead("runs")})
        with (Path(folder) / "said").open("a") as said:
            said.write(f"{load.load_id}\n")


def child(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )


@pytest.mark.slow
def test_kill_9_at_any_time_leaves_whole_loads_only(tmp_path: Path) -> None:
    kills = attempts(4, of=12)
    lake, said = Lake(tmp_path / "lake"), tmp_path / "said"
    said.touch()
    known: list[str] = []
    left_something = killed = 0
    with mortal(f"{__name__}:commit_loads") as writer:
        (tmp_path / "whole").mkdir()
        whole = writer.run(tmp_path / "whole")
        assert whole
        for part in range(1, kills + 1):
            killed += writer.run(tmp_path, moment=whole.moments * part // (kills + 1)) is None
            reported, visible = said.read_text().split(), lake.load_ids()
            # All it reported, and at most one more that was committed but not reported any more.
            assert visible[: len(reported)] == reported
            assert len(visible) <= len(reported) + 1
            said.write_text("".join(f"{load_id}\n" for load_id in visible))
            for load_id in visible[len(known) :]:
                load = lake.read_manifest(load_id)
                lake.verify(load)
                assert read(lake, load)["id"].to_pylist() == list(range(3000))
            known = visible
            described = {entry.path for load in lake.loads() for table in load.tables for entry in table.files}
            present = {name for name in tree(tmp_path / "lake") if name.endswith(".parquet")}
            assert described <= present
            left_something += present > described
            lake.begin(TENANT, SCHEMAS).abort()
            assert {name for name in tree(tmp_path / "lake") if name.endswith(".parquet")} == described
    assert killed > kills / 2, "most kills came too late: nothing was tested"
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
    assert "Nothing was committed" in said
    assert tree(tmp_path) == set()
    assert Lake(tmp_path / "lake").loads() == []


@pytest.mark.slow
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
