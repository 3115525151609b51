"""The published files as BI tools and notebooks open them: each way gives the same rows as DuckDB itself."""

import re
from collections.abc import Callable
from pathlib import Path

import adbc_driver_duckdb
import adbc_driver_manager.dbapi as adbc
import duckdb
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from deltalake import DeltaTable

from ion_pipeline.counting import Count
from ion_pipeline.files.storage import LocalStorage
from ion_pipeline.publish import dictionary
from ion_pipeline.publish.delta import contents_of, stage
from tests.integration.conftest import Built

pytestmark = [pytest.mark.slow]

QUERY = """
    select root_part_inventory_id, depth, part_number, serial_number, quantity_extended
    from genealogy.abom_hierarchy
    order by root_part_inventory_id, sort_key
"""
# The hash of every row, each as often as the row is there, in any order.
ROWS = "select md5(string_agg(hash(t)::varchar, ' ' order by hash(t))) from {table} as t"
Rows = list[tuple[object, ...]]


@pytest.fixture
def wanted(demo_warehouse: Built) -> Rows:
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        rows: Rows = connection.execute(QUERY).fetchall()
    assert len(rows) > 300
    return rows


def by_sqlalchemy(published: Path) -> Rows:
    engine = sa.create_engine(f"duckdb:///{published}", connect_args={"read_only": True})
    try:
        with engine.connect() as connection:
            inspector = sa.inspect(connection)
            schemas = {name.rpartition(".")[2].strip('"') for name in inspector.get_schema_names()}
            assert {"genealogy", "reference"} <= schemas
            assert "abom_hierarchy" in inspector.get_table_names(schema="genealogy")
            return [tuple(row) for row in connection.execute(sa.text(QUERY))]
    finally:
        engine.dispose()


def by_adbc(published: Path) -> Rows:
    # By the driver manager, as any program does: duckdb's own shorthand opens files for writing.
    options = {"path": str(published), "access_mode": "READ_ONLY"}
    with (
        adbc.connect(adbc_driver_duckdb.driver_path(), entrypoint="duckdb_adbc_init", db_kwargs=options) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(QUERY)
        table = cursor.fetch_arrow_table()
    return [tuple(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize("read", [by_sqlalchemy, by_adbc], ids=["sqlalchemy", "adbc"])
def test_drivers_of_the_file(demo_warehouse: Built, wanted: Rows, read: Callable[[Path], Rows]) -> None:
    assert read(demo_warehouse.published) == wanted


def test_many_readers_at_once_and_none_can_write(demo_warehouse: Built, wanted: Rows) -> None:
    with (
        duckdb.connect(str(demo_warehouse.published), read_only=True) as one,
        duckdb.connect(str(demo_warehouse.published), read_only=True) as other,
    ):
        assert one.execute(QUERY).fetchall() == other.execute(QUERY).fetchall() == wanted
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            one.execute("delete from genealogy.abom_hierarchy")


def write_by_sqlalchemy(published: Path) -> None:
    engine = sa.create_engine(f"duckdb:///{published}", connect_args={"read_only": True})
    try:
        with engine.begin() as connection:
            connection.execute(sa.text("delete from genealogy.abom_hierarchy"))
    finally:
        engine.dispose()


def write_by_adbc(published: Path) -> None:
    options = {"path": str(published), "access_mode": "READ_ONLY"}
    with (
        adbc.connect(adbc_driver_duckdb.driver_path(), entrypoint="duckdb_adbc_init", db_kwargs=options) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("delete from genealogy.abom_hierarchy")


@pytest.mark.parametrize("write", [write_by_sqlalchemy, write_by_adbc], ids=["sqlalchemy", "adbc"])
def test_drivers_opened_for_reading_do_not_write(
    demo_warehouse: Built, wanted: Rows, write: Callable[[Path], None]
) -> None:
    with pytest.raises(Exception, match="read-only"):
        write(demo_warehouse.published)
    assert by_adbc(demo_warehouse.published) == wanted


def test_a_driver_of_the_jdbc_kind_prepares_describes_and_fetches_in_pieces(
    demo_warehouse: Built, wanted: Rows
) -> None:
    """What a tool does through JDBC or ODBC: list, prepare with parameters, look at the columns, fetch page by page."""
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_schema = ? and table_type = 'BASE TABLE'",
            ["genealogy"],
        )
        assert ("genealogy", "abom_hierarchy") in cursor.fetchall()
        root = wanted[0][0]
        cursor.execute(QUERY.replace("order by", "where root_part_inventory_id = ? order by"), [root])
        assert [column[0] for column in cursor.description or ()] == [
            "root_part_inventory_id",
            "depth",
            "part_number",
            "serial_number",
            "quantity_extended",
        ]
        pieces: Rows = []
        while piece := cursor.fetchmany(2):
            assert len(piece) <= 2
            pieces += piece
    assert pieces == [row for row in wanted if row[0] == root]


def test_readers_of_parquet(demo_warehouse: Built) -> None:
    path = demo_warehouse.published.parent / "parquet" / "reference" / "part_inventories.parquet"
    columns = ["part_inventory_id", "part_number", "serial_number", "quantity"]
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        rows = connection.execute(f"select {', '.join(columns)} from reference.part_inventories").fetchall()  # noqa: S608
    assert len(rows) > 100
    table = pq.read_table(path, columns=columns)
    assert list(zip(*(table[name].to_pylist() for name in columns), strict=True)) == rows
    assert pl.read_parquet(path, columns=columns).rows() == rows
    frame = pd.read_parquet(path, columns=columns)
    assert frame["part_number"].tolist() == [row[1] for row in rows]
    assert frame["quantity"].sum() == sum(row[3] or 0 for row in rows)
    folder = ds.dataset(path.parent.parent / "genealogy" / "abom_hierarchy.parquet")
    assert folder.count_rows() > len(rows)


def test_the_link_to_parquet_stays_on_one_publish(demo_warehouse: Built) -> None:
    link = demo_warehouse.published.parent / "parquet"
    assert link.is_symlink()
    assert (link.resolve().parent / "ion.duckdb").samefile(demo_warehouse.published)


def test_delta_tables_hold_every_table_row_by_row(demo_warehouse: Built, tmp_path: Path) -> None:
    published = demo_warehouse.published.parent
    tables = dictionary.from_json((published / "data_dictionary.json").read_bytes())
    wanted = contents_of(tables, {f"delta/{table.schema}/{table.table}": table.table for table in tables})
    counts = list[Count]()
    staged = stage(
        LocalStorage(tmp_path),
        wanted,
        {},
        lambda one: [published / "parquet" / one.schema / f"{one.table}.parquet"],
        counts.append,
    )
    staged.commit(counts.append)
    assert [(one.done, one.total) for one in counts if not one.name] == [(len(tables), len(tables))] * 4
    assert not [one.name for one in wanted if one.casts], "a published type is stored as another one: docs/bi.md"
    rows = 0
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for table in tables:
            path = str(tmp_path / staged.entries[table.schema, table.table].path)
            name, delta = f"{table.schema}.{table.table}", DeltaTable(path)
            found = delta.to_pyarrow_table()
            connection.register("found", found)
            hashes = [connection.execute(ROWS.format(table=one)).fetchall() for one in (name, "found")]
            assert hashes[0] == hashes[1], name
            assert pl.read_delta(path).height == found.num_rows == table.rows
            assert delta.metadata().description == table.description
            comments = [(field.name, field.metadata.get("comment", "")) for field in delta.schema().fields]
            assert comments == [(column.name, column.description) for column in table.columns]
            assert all(re.fullmatch("[a-z][a-z0-9_]*", column) for column, _ in comments), "Spark allows no others"
            rows += found.num_rows
    assert rows > 10_000
