"""What surrounds a build on Spark: its folder, memory and request, and the import of its tables. No Java is needed."""

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.pipeline.dbt import BuildError
from ion_pipeline.pipeline.dbt.spark.building import build_folder, import_tables, java_memory
from ion_pipeline.pipeline.dbt.spark.request import lake_tables, spark_path
from ion_pipeline.pipeline.dbt.spark.session import chosen_settings, page_bytes, refuse_older
from ion_pipeline.settings import load_settings
from ion_pipeline.warehouse import load_log
from tests.unit.warehouse.support import ATTRIBUTES, LINKS, THINGS, House


def test_only_folders_of_builds_are_deleted(tmp_path: Path) -> None:
    settings = load_settings(environment="embedded", data_dir=tmp_path / "data", warehouse_uri=str(tmp_path))
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "home.txt").write_text("kept")
    (tmp_path / "build-01KILLED" / "production").mkdir(parents=True)
    with build_folder(settings) as folder:
        Path(folder, "production").mkdir(parents=True)
        assert sorted(path.name for path in tmp_path.iterdir()) == [Path(folder).name, "letters"]
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]
    assert (tmp_path / "letters" / "home.txt").read_text() == "kept"


@pytest.mark.parametrize(
    ("limit", "megabytes"),
    [("4GB", "3814m"), ("4 GiB", "4096m"), ("1.5GiB", "1536m"), ("2048KiB", "2m"), ("1TB", "953674m")],
)
def test_a_limit_as_java_spells_it(limit: str, megabytes: str) -> None:
    assert java_memory(limit) == megabytes


@pytest.mark.parametrize("heap_mb", [512, 2048, 3814, 4096, 7629, 8192, 16384, 30000, 131072])
@pytest.mark.parametrize("rounds_up", [False, True])
def test_pages_waste_no_part_of_the_heap(heap_mb: int, rounds_up: bool) -> None:
    # As HotSpot's `HeapRegion::setup_heap_region_size` (a power of two, rounded up by some versions) and
    # `G1CollectedHeap::is_humongous` say it.
    megabyte, header = 1 << 20, 16
    region = min(max(heap_mb * megabyte // 2048, megabyte), 32 * megabyte)
    region = 1 << ((region - 1).bit_length() if rounds_up else region.bit_length() - 1)
    taken = page_bytes(heap_mb) + header
    if taken >= region // 2:
        assert -taken % region <= 0.01 * taken
    # A task has at most 8,192 pages, and at most three fifths of the heap.
    assert 0.6 * heap_mb * megabyte / taken <= 8192


def test_settings_that_a_person_has_chosen_are_known_by_name(tmp_path: Path) -> None:
    defaults = tmp_path / "spark-defaults.conf"
    assert chosen_settings(defaults) == set()
    defaults.write_text("# spark.a 1\n\nspark.b   2 3\n  spark.c=4\nspark.d: 5\n")
    assert chosen_settings(defaults) == {"spark.b", "spark.c", "spark.d"}


def test_spark_reads_s3_by_its_own_name() -> None:
    assert spark_path("s3://bucket/lake") == "s3a://bucket/lake"
    assert [spark_path(other) for other in ("/data/s3://x", "gs://b/l")] == ["/data/s3://x", "gs://b/l"]


def test_a_load_that_the_warehouse_has_not_applied_is_not_read(tmp_path: Path) -> None:
    house = House(tmp_path)
    first = house.write({"thing_links": [{"thing_id": 1, "label_id": 2}]})
    house.load()
    house.write({"thing_links": [{"thing_id": 1, "label_id": 3}]}, strategy="incremental", owners={"thing_links": [1]})
    with house.opened() as connection:
        starts = load_log.starts(connection)
    links, things = lake_tables(house.lake, {table.name: table for table in (LINKS, THINGS)}, starts)
    assert links.loads[1:] == [(1, first.load_id, first.started_at, False, None)]
    assert [Path(path).parent.name for files in links.incoming for path in files.paths] == [f"load={first.load_id}"]
    assert (links.owner, links.key, links.columns) == ("", ["thing_id", "label_id"], dict.fromkeys(links.key, "bigint"))
    assert (things.loads[1:], things.incoming) == ([], [])
    house.load()
    with house.opened() as connection:
        starts = load_log.starts(connection)
    (links,) = lake_tables(house.lake, {LINKS.name: LINKS}, starts)
    assert [row[3] for row in links.loads] == [False, False, True]
    assert links.owner == "thing_id"


def test_files_with_older_columns_are_apart(tmp_path: Path) -> None:
    earlier = House(tmp_path, [THINGS, ATTRIBUTES])
    earlier.write({"thing_attributes": [{"thing_id": 1, "key": "a", "value": "x"}]})
    narrow = type(ATTRIBUTES)("thing_attributes", "things", ATTRIBUTES.columns[:2], ATTRIBUTES.key, is_child=True)
    House(tmp_path, [narrow]).write({"thing_attributes": [{"thing_id": 1, "key": "b"}]}, strategy="incremental")
    earlier.load()
    with earlier.opened() as connection:
        (table,) = lake_tables(earlier.lake, {ATTRIBUTES.name: ATTRIBUTES}, load_log.starts(connection))
    assert ["value" in files.columns for files in table.incoming] == [True, False]


def model(name: str, **columns: str) -> dict[str, Any]:
    """A public model as dbt's manifest has it."""
    return {
        "resource_type": "model",
        "access": "public",
        "schema": "production",
        "name": name,
        "description": f"One row per row of {name}.",
        "config": {"contract": {"enforced": True}},
        "columns": {
            column: {"name": column, "data_type": kind, "description": f"It's {column}."}
            for column, kind in columns.items()
        },
    }


def test_tables_are_imported_with_the_types_and_comments_of_the_models(tmp_path: Path) -> None:
    manifest = {"nodes": {name: model(name, id="bigint", names="varchar[]") for name in ("runs", "empty")}}
    folder = tmp_path / "production" / "runs"
    folder.mkdir(parents=True)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema production; create table production.runs as select 1 as old")
        for part, number in enumerate((2, 1)):
            connection.execute(
                f"copy (select ['a'] as names, {number}::integer as id) to '{folder}/part-0000{part}-x.parquet'"
            )
        empty = tmp_path / "production" / "empty"
        empty.mkdir()
        for finished in (folder, empty):
            (finished / "_SUCCESS").touch()
        import_tables(connection, manifest, str(tmp_path))
        assert connection.execute("from production.runs").fetchall() == [(2, ["a"]), (1, ["a"])]
        assert connection.execute("select count(*) from production.empty").fetchall() == [(0,)]
        assert connection.execute(
            "select table_name, column_name, data_type, comment from duckdb_columns() where not internal order by all"
        ).fetchall() == [
            (name, column, kind, f"It's {column}.")
            for name in ("empty", "runs")
            for column, kind in (("id", "BIGINT"), ("names", "VARCHAR[]"))
        ]
        assert connection.execute("select comment from duckdb_tables() where table_name = 'runs'").fetchall() == [
            ("One row per row of runs.",)
        ]


def test_an_import_that_fails_leaves_every_table_as_it_was(tmp_path: Path) -> None:
    manifest = {"nodes": {name: model(name, id="bigint") for name in ("a_whole", "b_damaged")}}
    for name in ("a_whole", "b_damaged"):
        (tmp_path / "production" / name).mkdir(parents=True)
        (tmp_path / "production" / name / "_SUCCESS").touch()
    (tmp_path / "production" / "b_damaged" / "part-00000.parquet").write_bytes(b"no parquet")
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute(
            "copy (select 1::bigint as id) to ?", [str(tmp_path / "production/a_whole/part-00000.parquet")]
        )
        connection.execute("create schema production; create table production.a_whole as select 7 as old")
        with pytest.raises(duckdb.Error):
            import_tables(connection, manifest, str(tmp_path))
        assert connection.execute("from production.a_whole").fetchall() == [(7,)]


def test_a_table_that_spark_has_written_elsewhere_is_not_imported_as_an_empty_one(tmp_path: Path) -> None:
    manifest = {"nodes": {name: model(name, id="bigint") for name in ("a_here", "b_elsewhere")}}
    (tmp_path / "production" / "a_here").mkdir(parents=True)
    (tmp_path / "production" / "a_here" / "_SUCCESS").touch()
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("create schema production; create table production.a_here as select 7 as old")
        with pytest.raises(BuildError, match=r"production\.b_elsewhere") as caught:
            import_tables(connection, manifest, str(tmp_path))
        assert "ION_WAREHOUSE_URI" in caught.value.remedy
        assert connection.execute("from production.a_here").fetchall() == [(7,)]


@pytest.mark.parametrize("version", ["4.2.9", "3.5.1-amzn-0"])
def test_a_server_that_is_too_old_is_refused(version: str) -> None:
    with pytest.raises(ConnectionError, match=re.escape(version)):
        refuse_older(version)


@pytest.mark.parametrize("version", ["4.3.0", "4.10.0", "5.0.0"])
def test_a_server_of_a_later_version_is_not_refused(version: str) -> None:
    refuse_older(version)
