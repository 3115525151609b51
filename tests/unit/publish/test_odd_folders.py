"""A data directory whose name means something to a glob, to SQL or to a shell is a folder like any other."""

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from ion_pipeline.publish import publish
from ion_pipeline.warehouse import compact, rebuild
from tests.unit.warehouse.support import SMALL, House

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["weird*[x]'q\"", "a*b", "[x]", "{a,b}", "x.duckdb#y;z", "s3:b %20"])
def test_everything_is_read_from_it_and_nothing_from_its_neighbours(name: str, tmp_path: Path) -> None:
    # What a pattern of that name would find as well.
    for other in ("weirdaxxq", "axb", "x", "a", "b"):
        neighbour = House(tmp_path / other)
        neighbour.write({"things": [{"id": 1, "name": "the neighbour's"}]})
    house = House(tmp_path / name)
    for version in ("first", "second"):
        house.write({"things": [{"id": 1, "name": version}]})
    house.load()
    assert house.query("select name from raw.things") == [("second",)]
    contents = house.contents()
    compact(house.lake, house.folder / "scratch", house.tables, keep=1, resources=SMALL)
    rebuild(house.lake, house.database, house.tables, resources=SMALL)
    assert house.contents() == contents
    report = publish(house.database, house.folder / "published", schemas=["raw"], resources=SMALL)
    assert pq.read_table(report.parquet / "raw" / "things.parquet")["name"].to_pylist() == ["second"]
    with duckdb.connect(str(report.database), read_only=True) as connection:
        assert connection.execute("select name from raw.things").fetchall() == [("second",)]
