"""Compacting old loads: a rebuild gives the same versions, whatever was loaded, and the lake is smaller."""

import random
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.catalog.catalog import Table
from ion_pipeline.counting import Count
from ion_pipeline.files import LockedError
from ion_pipeline.lake import LakeCorruptionError
from ion_pipeline.warehouse import CompactionError, CompactReport, MissingLoadError, compact, rebuild
from tests.examples import attempts, examples
from tests.mortal import mortal
from tests.unit.warehouse.random_loads import Load, Reference, full_loads, incremental_loads
from tests.unit.warehouse.support import ATTRIBUTES, LINKS, SMALL, START, THINGS, House, column

pytestmark = pytest.mark.slow


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def thing(number: int, **values: Any) -> dict[str, Any]:
    return {"id": number, "name": f"thing {number}", **values}


def compact_all(house: House, **options: Any) -> CompactReport:
    return compact(house.lake, house.folder / "scratch", house.tables, resources=SMALL, **options)


def rebuilt(house: House) -> dict[str, list[str]]:
    """What a new warehouse from the lake alone holds."""
    house.database.unlink(missing_ok=True)
    rebuild(house.lake, house.database, house.tables, resources=SMALL)
    return house.contents()


def three_loads(house: House) -> None:
    house.write({"things": [thing(1), thing(2), thing(3)], "thing_links": [{"thing_id": 1, "label_id": 5}]})
    house.write({"things": [thing(2, name="new")]}, strategy="incremental", gone={"things": [{"id": 3}]})
    house.write({"things": [thing(1), thing(2, name="new"), thing(3, tags=["x", None])]})


def names(house: House) -> list[str]:
    return sorted(path.name for path in (house.folder / "lake" / "_loads").iterdir())


@settings(max_examples=examples(12))
@given(
    st.lists(full_loads | incremental_loads, min_size=2, max_size=6),
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
)
def test_any_loads_folded_at_any_time(loads: list[Load], keeps: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        references = [Reference(table) for table in (THINGS, ATTRIBUTES, LINKS)]
        for number, load in enumerate(loads):
            at = START + timedelta(hours=number)
            manifest = house.write(load.rows(), strategy=load.strategy, gone=load.gone, at=at)  # type: ignore[arg-type]
            for reference in references:
                reference.apply(load, manifest.load_id, manifest.started_at)
            if number % 2:
                house.load()
        house.load()
        before = house.contents()
        for keep in keeps:
            compact_all(house, keep=keep)
            assert house.load().loads == ()
            assert rebuilt(house) == before
        for reference in references:
            reference.assert_found(house)


def test_unchanged_rows_that_are_read_again_fold_to_their_first_version(house: House) -> None:
    things = [thing(number, name=f"{random.Random(number).randbytes(40).hex()}") for number in range(500)]
    for number in range(6):
        house.write({"things": [{**row, "price": float(number)} if row["id"] == 7 else row for row in things]})
    house.load()
    before = house.contents()
    report = compact_all(house, keep=1)
    assert (len(report.load_ids), report.kept) == (5, 1)
    assert (report.rows_before, report.rows_after) == (2500, 504)
    files = list((house.folder / "lake").rglob("things/*/*.parquet"))
    assert [path.parent.name.partition("=")[0] for path in sorted(files)] == ["fold", "load"]
    assert report.bytes_saved > report.bytes_before * 0.6
    assert rebuilt(house) == before


def test_a_dry_run_changes_nothing_and_says_what_would_be(house: House) -> None:
    three_loads(house)
    house.load()
    files = {path: path.read_bytes() for path in house.folder.rglob("*") if path.is_file() and "lock" not in path.name}
    heard = list[Count]()
    foreseen = compact_all(house, keep=1, dry_run=True, on_count=heard.append)
    ends = [one for one in heard if not one.name]
    assert (ends[-2].done, ends[-2].total, ends[-2].unit) == (foreseen.rows_before, foreseen.rows_before, "rows")
    assert ends[-1] == Count(2, 2, "tables", "writing the snapshot", share=1.0)
    found = {path: path.read_bytes() for path in house.folder.rglob("*") if path.is_file() and "lock" not in path.name}
    assert found == files
    done = compact_all(house, keep=1)
    assert foreseen.load_ids == done.load_ids
    assert (foreseen.bytes_before, foreseen.bytes_after) == (done.bytes_before, done.bytes_after)
    parquet = sum(path.stat().st_size for path in (house.folder / "lake").rglob("*.parquet"))
    kept = sum(entry.bytes for entry in house.lake.loads()[-1].files)
    assert parquet == done.bytes_after + kept


def test_nothing_to_fold(house: House) -> None:
    assert compact_all(house, keep=0).load_ids == ()
    house.write({"things": [thing(1)]})
    assert compact_all(house, keep=0).load_ids == ()
    house.write({"things": [thing(1)]})
    assert compact_all(house, keep=1).load_ids == ()
    assert len(compact_all(house, keep=0).load_ids) == 2
    assert compact_all(house, keep=0) == CompactReport(kept=0)


def test_a_warehouse_that_is_behind_is_caught_up_by_the_fold(house: House) -> None:
    house.write({"things": [thing(1)]})
    house.load()
    three_loads(house)
    house.write({"things": [thing(9)]})
    behind = house.database.read_bytes()
    house.load()
    before = house.contents()
    compact_all(house, keep=1)
    house.database.write_bytes(behind)
    assert [applied.load_id for applied in house.load().loads] == house.lake.load_ids()
    assert house.contents() == before


def test_loads_after_a_fold_go_on(house: House) -> None:
    twin = House(house.folder / "twin")
    for place in (house, twin):
        three_loads(place)
        place.load()
    compact_all(house, keep=0)
    for place in (house, twin):
        place.write({"things": [thing(2)]}, strategy="incremental", at=START + timedelta(days=1))
        place.load()
    query = "select id, name, valid_from, valid_to from raw_history.things order by all"
    assert house.query(query) == twin.query(query)
    before = house.contents()
    compact_all(house, keep=0)
    assert rebuilt(house) == before


def test_lists_that_were_replaced_owner_by_owner(house: House) -> None:
    def attribute(owner: int, key: str, value: str) -> dict[str, Any]:
        return {"thing_id": owner, "key": key, "value": value}

    house.write({"thing_attributes": [attribute(1, "a", "x"), attribute(1, "b", "x"), attribute(2, "a", "x")]})
    for value in ("y", "z"):
        house.write(
            {"thing_attributes": [attribute(1, "a", value)]}, strategy="incremental", owners={"thing_attributes": [1]}
        )
    house.load()
    before = house.contents()
    versions = house.query(
        "select thing_id, key, value, valid_to is null from raw_history.thing_attributes order by all"
    )
    assert versions == [
        (1, "a", "x", False),
        (1, "a", "y", False),
        (1, "a", "z", True),
        (1, "b", "x", False),
        (2, "a", "x", True),
    ]
    for keep in (1, 0):
        compact_all(house, keep=keep)
        assert rebuilt(house) == before


def test_a_reader_keeps_what_it_has_begun_to_read(house: House) -> None:
    three_loads(house)
    with house.lake.reading():
        loads = house.lake.loads()
        compact_all(house, keep=0)
        for load in loads:
            house.lake.verify(load)
        assert len(house.lake.loads()) == 1
    house.write({"things": []})
    assert all(name.startswith(tuple(house.lake.load_ids())) for name in names(house))
    assert len(names(house)) == 2
    with pytest.raises(LakeCorruptionError):
        house.lake.verify(loads[0])


def test_a_column_and_its_values_outlive_the_catalog(house: House) -> None:
    wider = Table("things", "things", (*THINGS.columns, column("colour", pa.string())), ("id",), is_child=False)
    full = House(house.folder, [wider, ATTRIBUTES, LINKS])
    house.write({"things": [thing(1)]})
    full.write({"things": [{**thing(1), "colour": "red"}]})
    before = rebuilt(full)
    # Compacted by a version that does not know the column.
    compact_all(house, keep=0)
    assert rebuilt(full) == before
    assert full.query("select colour from raw.things") == [("red",)]
    assert house.folder == full.folder


def test_a_table_that_left_the_catalog_cannot_be_folded(house: House) -> None:
    three_loads(house)
    before = names(house)
    with pytest.raises(CompactionError, match="thing_links"):
        compact(house.lake, house.folder / "scratch", [THINGS, ATTRIBUTES], keep=0)
    assert names(house) == before


def test_a_damaged_load_is_named_and_nothing_is_folded(house: House) -> None:
    three_loads(house)
    before = names(house)
    path = house.folder / "lake" / house.lake.loads()[1].tables[0].files[0].path
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(LakeCorruptionError, match=str(path)):
        compact_all(house, keep=0)
    assert names(house) == before
    assert not (house.folder / "scratch").exists()


def test_a_damaged_fold_is_named_and_the_warehouse_stays(house: House) -> None:
    three_loads(house)
    house.load()
    compact_all(house, keep=0)
    before = house.contents()
    manifest = house.lake.loads()[0]
    for entry in manifest.files:
        path = house.folder / "lake" / entry.path
        whole = path.read_bytes()
        path.unlink()
        with pytest.raises(LakeCorruptionError, match=entry.path):
            rebuild(house.lake, house.database, house.tables)
        path.write_bytes(whole)
    (house.folder / "lake" / "_loads" / f"{manifest.load_id}.fold.json").unlink()
    with pytest.raises(MissingLoadError, match=manifest.load_id):
        rebuild(house.lake, house.database, house.tables)
    assert house.contents() == before


def test_two_writers_exclude_each_other(house: House) -> None:
    three_loads(house)
    with house.lake.begin_snapshot(0), pytest.raises(LockedError, match="compacting the lake since"):
        house.write({"things": []})


def compact_one_by_one(folder: str) -> None:
    """Compact one more load each time."""
    house = House(Path(folder))
    for keep in range(len(house.lake.load_ids()) - 2, -1, -1):
        compact_all(house, keep=keep)


def test_kill_9_at_any_time_leaves_a_lake_that_gives_the_same(tmp_path: Path) -> None:
    kills = attempts(3, of=10)
    first, compacted, killed = House(tmp_path / "first"), 0, 0
    for number in range(4):
        first.write(
            {"things": [thing(key, price=float(number * (key % 3 == number % 3))) for key in range(50 + number)]}
        )
    before = rebuilt(first)
    with mortal(f"{__name__}:compact_one_by_one") as work:
        shutil.copytree(first.folder, tmp_path / "whole")
        whole = work.run(tmp_path / "whole")
        assert whole
        for part in range(1, kills + 1):
            house = House(tmp_path / f"{part}")
            shutil.copytree(first.folder, house.folder)
            # Every second one dies in the work of the database, which has no moments.
            killed += work.run(house.folder, moment=whole.moments * part // (kills + 1), delay=part % 2 * 0.01) is None
            assert rebuilt(house) == before
            compacted += len(house.lake.load_ids()) < 4
            compact_all(house, keep=0)
            assert rebuilt(house) == before
            assert len(list((house.folder / "lake" / "things").iterdir())) == 1
    assert killed > kills / 2
    assert compacted
