"""The row versions that Spark derives from the lake are those of DuckDB's loader."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from ion_pipeline.pipeline import export_control, further_actions
from ion_pipeline.pipeline.dbt.spark.building import request_of
from ion_pipeline.pipeline.dbt.spark.child import check_counts, create_schemas, create_views, derive
from ion_pipeline.pipeline.dbt.spark.request import Request, lake_tables
from ion_pipeline.pipeline.dbt.spark.session import open_session
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import compact, connect, load_log
from tests.spark.conftest import copied
from tests.unit.warehouse.random_loads import Load, full_loads, incremental_loads, loads_by_owner, plain
from tests.unit.warehouse.support import ATTRIBUTES, LINKS, SMALL, THINGS, House

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

TABLES = {table.name: table for table in (THINGS, ATTRIBUTES, LINKS)}


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[SparkSession]":
    session = open_session(request(tmp_path_factory.mktemp("session")))
    yield session
    session.stop()


def request(folder: Path) -> Request:
    return Request(remote="", folder=str(folder), memory="1024m", threads=2, schemas=["raw", "raw_history"], tables=[])


@examples(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    loads=st.lists(full_loads | incremental_loads | loads_by_owner(), min_size=2, max_size=5),
    compacted=st.integers(0, 2),
)
def test_versions_are_those_of_the_loader(spark: "SparkSession", loads: list[Load], compacted: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        for number, load in enumerate(loads, start=1):
            house.write(load.rows(), strategy=load.strategy, gone=load.gone, owners=load.owners)  # type: ignore[arg-type]
            house.load()
            if number == compacted:
                compact(house.lake, house.folder / "scratch", house.tables, resources=SMALL, keep=1)
        create_schemas(spark, request(Path(folder) / "build-1"))
        with house.opened() as connection:
            starts = load_log.starts(connection)
        for table in lake_tables(house.lake, TABLES, starts):
            derive(spark, table)
        for table in TABLES.values():
            for schema, added in (("raw", []), ("raw_history", ["valid_from", "valid_to", "is_current"])):
                names = [*(column.name for column in table.columns), "_ion_load", "_ion_seen_at", *added]
                columns = ", ".join(names)
                expected = house.query(f"select {columns} from {schema}.{table.name}")  # noqa: S608
                found = spark.sql(f"select {columns} from {schema}.{table.name}").collect()  # noqa: S608
                assert texts(found) == texts(expected)


def test_views_without_controlled_rows_are_those_of_the_warehouse(
    spark: "SparkSession", world: Settings, tmp_path: Path
) -> None:
    """Of tables with weak references, single ones and lists, of one with a key of two columns; and what is exported."""
    names = {"part_attributes", "part_inventories", "parts", "run_steps", "steps"}
    settings = copied(world, tmp_path, publish_export_controlled=False)
    with connect(settings.warehouse_path) as connection:
        export_control.prepare(connection, settings)
        further_actions.prepare(connection, settings)
    folder = tmp_path / "build-1"
    found = request_of(settings, {"nodes": {}}, str(folder))
    tables = [table for table in found.tables if table.name in names]
    create_schemas(spark, found)
    for table in tables:
        derive(spark, table)
    create_views(spark, {name: query for name, query in found.views.items() if name.split("`")[1] in names})
    left_out, exported = 0, [name for name in found.relations if name.startswith("released.")]
    assert len(exported) == 6
    for name in [*exported, *(f"{schema}.{name}" for schema in ("released", "released_history") for name in names)]:
        with connect(settings.warehouse_path, read_only=True) as connection:
            columns = connection.sql(f"from {name}").columns
            expected = connection.execute(f"from {name}").fetchall()
            every = connection.execute(f"from {name.replace('released', 'raw')}").fetchall()
        # The delays of changes would count controlled ones.
        assert bool(expected) == (name != "released._ion_load_delays"), name
        left_out += len(every) > len(expected)
        assert texts(spark.table(name).select(*columns).collect()) == texts(expected), name
    assert left_out > len(names)


def texts(rows: Any) -> list[str]:
    """Rows as text, sorted; Spark's client gives instants in the local time zone, without naming it."""
    return sorted(repr([plain(in_utc(value)) for value in row]) for row in rows)


def in_utc(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def test_rows_that_are_not_those_of_the_warehouse_are_refused(spark: "SparkSession", tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write({"thing_links": [{"thing_id": 1, "label_id": label} for label in (2, 3)]})
    house.load()
    create_schemas(spark, request(tmp_path / "build-1"))
    with house.opened() as connection:
        (links,) = lake_tables(house.lake, {LINKS.name: LINKS}, load_log.starts(connection))
    derive(spark, links)
    check_counts(spark, {"raw.thing_links": 2, "raw_history.thing_links": 2})
    with pytest.raises(ValueError, match=r"^1 of 2 tables have other rows .*; raw\.thing_links has 2, not 3\.$"):
        check_counts(spark, {"raw.thing_links": 3, "raw_history.thing_links": 2})


def test_a_schema_that_no_build_has_made_is_left_alone(spark: "SparkSession", tmp_path: Path) -> None:
    spark.sql("drop schema if exists raw cascade")
    spark.sql(f"create schema raw location '{tmp_path}/others'")
    spark.sql("create table raw.letters using parquet as select 1 as id")
    with pytest.raises(ValueError, match=r"schema raw at .*/others, which no build has made"):
        create_schemas(spark, request(tmp_path / "build-1"))
    assert spark.sql("select id from raw.letters").collect() == [(1,)]
    spark.sql("drop schema raw cascade")
