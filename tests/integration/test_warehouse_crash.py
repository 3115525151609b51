"""kill -9 while loading and while publishing: what is there is what was before or after, never between."""

import random
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from ion_pipeline.publish import publish
from tests.examples import attempts
from tests.mortal import mortal
from tests.unit.warehouse.support import SMALL, House

pytestmark = pytest.mark.slow


def load_house(folder: str) -> None:
    House(Path(folder)).load()


def publish_warehouse(database: str) -> None:
    publish(Path(database), Path(database).parent / "published", resources=SMALL)


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
    kills = attempts(5, of=12)
    house = House(tmp_path)
    write_loads(house)
    # The expected contents after each number of loads, from applying them one by one without a kill.
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
    delays = random.Random(11)
    seen: list[int] = []
    with mortal(f"{__name__}:load_house") as loader:
        whole = loader.run(tmp_path)
        assert whole
        for part in range(1, kills + 1):
            start_anew()
            if loader.run(tmp_path, moment=whole.moments * part // (kills + 1), delay=delays.uniform(0, 0.02)):
                continue
            state = house.contents() if house.database.is_file() else {}
            if state:
                assert state in expected
                seen.append(expected.index(state))
            house.load()
            assert house.contents() == expected[-1]
    assert set(seen) & {0, 1, 2}, "no kill ever came between two loads: nothing was tested"
    assert len(seen) > kills / 3, "most kills came too late: nothing was tested"


def published_generation(folder: Path) -> int:
    """The one generation that a folder's file holds, whole."""
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


def complete_generation(folder: Path) -> int:
    """The generation of the newest complete publish, which the next publish puts in place before its own."""
    complete = [path for path in (folder / "publishes").iterdir() if path.suffix != ".tmp"]
    return published_generation(max(complete))


def test_publishing(tmp_path: Path) -> None:
    kills = attempts(6, of=12)
    database, folder = tmp_path / "warehouse.duckdb", tmp_path / "published"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema reference; create schema genealogy")
        connection.execute("create table reference.a as select i, 0 as g from range(50000) r(i)")
        connection.execute("create table genealogy.b as select i, 0 as g from range(50000) r(i)")
    delays = random.Random(3)
    before, parquet_before, left_something, stayed = 0, 0, 0, 0
    with mortal(f"{__name__}:publish_warehouse") as publisher:
        whole = publisher.run(database)
        assert whole
        for part in range(1, kills + 1):
            with duckdb.connect(str(database)) as connection:
                connection.execute("update reference.a set g = ?", [part])
                connection.execute("update genealogy.b set g = ?", [part])
            complete = complete_generation(folder)
            publisher.run(database, moment=whole.moments * part // kills, delay=delays.uniform(0, 0.01))
            generation = published_generation(folder)
            assert generation in {before, complete, part}
            # Parquet is swapped first, all tables at once, so it may be one publish ahead of the file, never behind.
            (parquet,) = parquet_generations(folder)
            assert parquet in {parquet_before, complete, part}
            assert parquet >= generation
            left_something += bool(list(folder.rglob("*.tmp*")))
            stayed += generation == before
            before, parquet_before = generation, parquet
    assert left_something, "no kill ever hit a publish half done: nothing was tested"
    assert stayed, "no kill ever kept a publish from being seen: nothing was tested"
    publish(database, folder, resources=SMALL)
    assert published_generation(folder) == kills
    assert not list(folder.rglob("*.tmp*"))
    assert len(list((folder / "publishes").iterdir())) == 2
