"""A disk that fills up while loading or publishing: a clear message, and everything as it was before."""

import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from ion_pipeline.publish import publish
from ion_pipeline.warehouse import WarehouseDiskFullError
from tests.unit.warehouse.support import SMALL, House

pytestmark = pytest.mark.slow


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(folder)]
    mounted = subprocess.run(command, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(folder: Path, *, leave: int) -> Path:
    """Fill the disk up to a number of bytes."""
    ballast = folder / "ballast"
    ballast.write_bytes(bytes(max(shutil.disk_usage(folder).free - leave, 0)))
    return ballast


def test_loading_on_a_full_disk(small_disk: Path) -> None:
    house = House(small_disk)
    house.write({"things": [{"id": 1, "name": "one"}]})
    house.load()
    before = house.contents()
    # Text that does not compress, in more rows than there is room for.
    noise = random.Random(1)
    house.write({"things": [{"id": number, "name": noise.randbytes(2000).hex()} for number in range(800)]})
    ballast = fill(small_disk, leave=600_000)
    with pytest.raises(WarehouseDiskFullError, match="No space left") as caught:
        house.load()
    assert "Nothing was changed" in caught.value.remedy
    ballast.unlink()
    assert house.contents() == before
    house.load()
    assert house.query("select count(*) from raw.things") == [(800,)]


# The database is written first, Parquet second.
@pytest.mark.parametrize(("of_the_database", "of_parquet"), [(0.5, 0.0), (1.1, 0.3)])
def test_publishing_on_a_full_disk(small_disk: Path, tmp_path: Path, of_the_database: float, of_parquet: float) -> None:
    database = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema reference; create table reference.a as select 1 as i")
    published = small_disk / "published"
    publish(database, published, resources=SMALL)
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table reference.b as select i, md5(i::varchar) as h from range(200000) r(i)")
    roomy = publish(database, tmp_path / "roomy", resources=SMALL)
    parquet_bytes = sum(path.stat().st_size for path in roomy.parquet.rglob("*.parquet"))

    ballast = fill(small_disk, leave=int(of_the_database * roomy.bytes + of_parquet * parquet_bytes))
    before = {path.name: path.read_bytes() for path in published.iterdir() if path.is_file()}
    with pytest.raises(WarehouseDiskFullError, match="No space left"):
        publish(database, published, resources=SMALL)
    assert {path.name: path.read_bytes() for path in published.iterdir() if path.is_file()} == before
    assert len(list((published / "publishes").iterdir())) == 1
    ballast.unlink()
    publish(database, published, resources=SMALL)
    assert (published / "ion.duckdb").read_bytes() != before["ion.duckdb"]
