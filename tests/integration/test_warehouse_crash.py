"""kill -9 while loading and while publishing: what is there is what was before or after, never between."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from ion_pipeline.publish import publish
from tests.unit.warehouse.support import SMALL, House

pytestmark = pytest.mark.slow

# Counts calls and returns in the package, so that a moment to die at does not depend on how busy the machine is; the
# delay carries the kill into the database's own work, which Python does not see. Prints the count if it lives.
ARMED = """
import os, signal, sys, threading, time
from pathlib import Path
moment, delay, seen = int(sys.argv[2]), float(sys.argv[3]), 0
def die():
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGKILL)
def count(frame, kind, argument):
    global seen
    if kind in ("call", "return") and "ion_pipeline" in frame.f_code.co_filename:
        seen += 1
        if seen == moment:
            threading.Thread(target=die, daemon=True).start()
"""
LOADER = f"""{ARMED}
from tests.unit.warehouse.support import House
house = House(Path(sys.argv[1]))
sys.setprofile(count)
house.load()
sys.setprofile(None)
print(seen)
"""
PUBLISHER = f"""{ARMED}
from ion_pipeline.publish import publish
from ion_pipeline.warehouse import Resources
database = Path(sys.argv[1])
sys.setprofile(count)
publish(database, database.parent / "published", resources=Resources("256MB", 1))
sys.setprofile(None)
print(seen)
"""


def run(script: str, target: Path, moment: int = -1, delay: float = 0.0) -> int | None:
    """Run a script to die at a moment; None if it did, else how many moments it had."""
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    command = [sys.executable, "-c", script, str(target), str(moment), str(delay)]
    child = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert child.returncode in {0, -signal.SIGKILL}, child.stderr
    return int(child.stdout) if child.returncode == 0 else None


def write_loads(house: House) -> None:
    for step in range(3):
        numbers = range(step, 40 + step)
        house.write(
            {
                "things": [{"id": number, "name": f"{number} in {step}"} for number in numbers],
                "thing_attributes": [{"thing_id": number, "key": "step", "value": str(step)} for number in numbers],
            }
        )


def test_loading(tmp_path: Path) -> None:
    house = House(tmp_path)
    write_loads(house)
    # What must stand after each number of loads, found by applying them one by one, undisturbed.
    loads = tmp_path / "lake" / "_loads"
    hidden = {path.name: path.read_bytes() for path in sorted(loads.iterdir())}
    for name in hidden:
        (loads / name).unlink()
    house.load()
    expected = [house.contents()]
    for name, data in hidden.items():
        (loads / name).write_bytes(data)
        house.load()
        expected.append(house.contents())
    assert len({repr(state) for state in expected}) == 4

    def start_anew() -> None:
        for path in tmp_path.glob("warehouse.duckdb*"):
            path.unlink()

    start_anew()
    moments = run(LOADER, tmp_path)
    assert moments
    delays = random.Random(11)
    seen: list[int] = []
    for part in range(1, 11):
        start_anew()
        if run(LOADER, tmp_path, moments * part // 11, delays.uniform(0, 0.02)) is not None:
            continue
        state = house.contents() if house.database.is_file() else {}
        if state:
            assert state in expected
            seen.append(expected.index(state))
        house.load()
        assert house.contents() == expected[-1]
    assert set(seen) & {0, 1, 2}, "no kill ever came between two loads: nothing was tested"
    assert len(seen) > 4, "most kills came too late: nothing was tested"


def published_generation(folder: Path) -> int:
    """The one generation that the published file holds, whole."""
    with duckdb.connect(str(folder / "ion.duckdb"), read_only=True) as connection:
        tables = connection.execute(
            "select min(g), max(g), count(*) from reference.a "
            "union all select min(g), max(g), count(*) from genealogy.b"
        ).fetchall()
    generation: int = tables[0][0]
    assert tables == [(generation, generation, 50_000), (generation, generation, 50_000)]
    return generation


def parquet_generations(folder: Path) -> set[Any]:
    files = [folder / "parquet" / "reference" / "a.parquet", folder / "parquet" / "genealogy" / "b.parquet"]
    return {value for path in files for value in set(pq.ParquetFile(path).read()["g"].to_pylist())}


def test_publishing(tmp_path: Path) -> None:
    database, folder = tmp_path / "warehouse.duckdb", tmp_path / "published"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema reference; create schema genealogy")
        connection.execute("create table reference.a as select i, 0 as g from range(50000) r(i)")
        connection.execute("create table genealogy.b as select i, 0 as g from range(50000) r(i)")
    moments = run(PUBLISHER, database)
    assert moments
    delays = random.Random(3)
    before, parquet_before, left_something, stayed = 0, 0, 0, 0
    for part in range(1, 13):
        with duckdb.connect(str(database)) as connection:
            connection.execute("update reference.a set g = ?", [part])
            connection.execute("update genealogy.b set g = ?", [part])
        run(PUBLISHER, database, moments * part // 12, delays.uniform(0, 0.01))
        generation = published_generation(folder)
        assert generation in {before, part}
        # Parquet is swapped first, all tables at once, so it may be one publish ahead of the file, never behind.
        (parquet,) = parquet_generations(folder)
        assert parquet in {parquet_before, part}
        assert parquet >= generation
        left_something += bool(list(folder.rglob("*.tmp*")))
        stayed += generation == before
        before, parquet_before = generation, parquet
    assert left_something, "no kill ever hit a publish half done: nothing was tested"
    assert stayed, "no kill ever kept a publish from being seen: nothing was tested"
    publish(database, folder, resources=SMALL)
    assert published_generation(folder) == 12
    assert not list(folder.rglob("*.tmp*"))
    assert len(list((folder / "publishes").iterdir())) == 2
