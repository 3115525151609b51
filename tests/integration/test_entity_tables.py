"""The published table of every entity and list: its rows and values against the world, and its form in every file."""
# ruff: noqa: S608 -- names of our own

from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow.parquet as pq
import pytest

from ion_pipeline.catalog.catalog import ChildList, Entity, known_catalog
from ion_pipeline.catalog.published import published_tables
from tests.integration.conftest import Built
from tests.integration.support.warehouse import query, rows, same
from tests.oracle.world import Row, World, read_world_dir

pytestmark = pytest.mark.slow

ENTITIES = [known_catalog().entities[name] for name in known_catalog().default_selection]
TABLES = {table.name: table for table in published_tables(known_catalog())}


@pytest.fixture(scope="module")
def world(demo_world: Path) -> World:
    return read_world_dir(demo_world)


@pytest.fixture(scope="module")
def counts(demo_warehouse: Built) -> dict[str, int]:
    """The published rows of each table of the schema, counted in the file."""
    each = " union all ".join(f"select '{name}', count(*) from ion.{name}" for name in TABLES)
    return dict(query(demo_warehouse.published, each))


def elements(entity: Entity, child: ChildList, world: World) -> list[Row]:
    """The elements of a list in all rows of the world."""
    found = [row.get(child.field) for row in world.get(entity.root_field, ())]
    return [one for value in found if value for one in (value if isinstance(value, list) else [value])]


def test_every_root_connection_has_as_many_rows_as_ion_says(
    demo_warehouse: Built, world: World, counts: dict[str, int]
) -> None:
    # ION's answer when the demo was read.
    said = dict(query(demo_warehouse.warehouse, "select table_name, total_count from raw._ion_load_tables"))
    published = {entity.name: counts[entity.name] for entity in ENTITIES}
    assert published == {entity.name: said[entity.name] for entity in ENTITIES}
    assert published == {entity.name: len(world[entity.root_field]) for entity in ENTITIES}
    assert len(ENTITIES) > 70
    assert all(published.values())


def test_every_list_has_as_many_rows_as_the_world(world: World, counts: dict[str, int]) -> None:
    lists = {child.table: len(elements(entity, child, world)) for entity in ENTITIES for child in entity.children}
    # The requirements of an order are those of its lines.
    lists["purchase_order_requirements"] = len(
        {
            (line["purchaseOrderId"], requirement["id"])
            for line in world["purchaseOrderLines"]
            for requirement in line.get("requirements") or ()
        }
    )
    assert lists == {name: counts[name] for name in lists}
    assert len(lists) > 50
    assert len([count for count in lists.values() if count]) > 45


@pytest.mark.parametrize("name", ["part_kits", "comments", "run_step_fields", "issue_approvals", "runs"])
def test_values_are_those_of_the_world(demo_warehouse: Built, world: World, name: str) -> None:
    entity, table = known_catalog().entities[name], TABLES[name]
    key = next(column.name for column in table.columns if column.raw.name == "id")
    published = {row[key]: row for row in rows(demo_warehouse, f"from ion.{name}")}
    assert published.keys() == {row["id"] for row in world[entity.root_field]}
    compared = [column for column in table.columns if not column.is_text_instant]
    differences = [
        (row["id"], column.name)
        for row in world[entity.root_field]
        for column in compared
        if column.raw.field in row and not same(column.raw, published[row["id"]][column.name], row[column.raw.field])
    ]
    assert differences == []


def test_custom_attributes_and_flags_are_those_of_the_marts(demo_warehouse: Built) -> None:
    for table, mart, key in (("parts", "parts", "part_id"), ("part_inventories",) * 2 + ("part_inventory_id",)):
        differing = query(
            demo_warehouse.published,
            f"select count(*) from ion.{table} as a full join reference.{mart} as b using ({key}) "
            "where a.attributes is distinct from b.attributes or a.is_export_controlled <> b.is_export_controlled",
        )
        assert differing == [(0,)]
    maps = query(demo_warehouse.published, "select count(attributes), count(*) from ion.parts")
    assert 0 < maps[0][0] <= maps[0][1]


def test_nothing_else_is_in_the_schema_and_nothing_administrative(demo_warehouse: Built) -> None:
    found = {
        name
        for (name,) in query(
            demo_warehouse.published, "select table_name from duckdb_tables() where schema_name = 'main'"
        )
    }
    assert found == TABLES.keys()
    administrative = known_catalog().entities.keys() - {entity.name for entity in ENTITIES}
    assert administrative
    assert not found & administrative
    parquet = demo_warehouse.published.parent / "parquet" / "ion"
    assert {path.stem for path in parquet.glob("*")} == found


def test_parquet_and_latest_json_have_the_same_rows(demo_warehouse: Built, counts: dict[str, int]) -> None:
    published = demo_warehouse.published.parent
    document = orjson.loads((published / "latest.json").read_bytes())
    entries = {entry["table"]: entry for entry in document["tables"] if entry["schema"] == "ion"}
    assert {name: entry["rows"] for name, entry in entries.items()} == counts
    assert {name: pq.read_metadata(published / entry["file"]).num_rows for name, entry in entries.items()} == counts


def test_every_column_says_where_it_is_in_ions_schema(demo_warehouse: Built) -> None:
    columns: list[tuple[Any, ...]] = query(
        demo_warehouse.published,
        "select table_name, column_name, comment from duckdb_columns() where schema_name = 'main' and not internal",
    )
    assert len(columns) > 1700
    assert [row for row in columns if not row[2]] == []
    fields = {(table.name, column.name): column.raw.field for table in TABLES.values() for column in table.columns}
    of_ion = [row for row in columns if row[2].startswith("ION's")]
    assert len(of_ion) > 1500
    assert [row for row in of_ion if f".{fields[row[0], row[1]]}`" not in row[2]] == []


def test_the_name_is_the_same_however_the_file_is_opened(demo_warehouse: Built) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{demo_warehouse.published}' (read_only)")
        counted = connection.execute("select count(*) from ion.part_kits").fetchall()
        connection.execute("use ion")
        assert connection.execute("select count(*) from ion.part_kits").fetchall() == counted
        assert connection.execute("select count(*) from part_kits").fetchall() == counted
    assert query(demo_warehouse.published, "select count(*) from ion.part_kits") == counted != [(0,)]
