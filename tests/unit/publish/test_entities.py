"""The tables of entities in a publish: made from the rows of the warehouse, and kept where nothing has changed."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow.parquet as pq
import pytest

from ion_pipeline.catalog.catalog import Catalog, known_catalog
from ion_pipeline.catalog.references import references
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.counting import Count, OnCount, unheard
from ion_pipeline.publish import PublishError, PublishReport, publish
from ion_pipeline.publish.parts import PART_ROWS
from ion_pipeline.warehouse import connect, entity_tables, find_controlled, load, rebuild, release
from tests.unit.warehouse.support import SMALL, House

CATALOG = Catalog({name: known_catalog().entities[name] for name in ("labels", "parts", "permissions", "runs")})
REFERENCES = references(known_schema(), CATALOG)


class Publisher(House):
    """A data directory whose loads are published."""

    def publish(
        self, *, included: bool = True, part_rows: int = PART_ROWS, on_count: OnCount = unheard
    ) -> PublishReport:
        """Load what is new, find what is controlled, and publish, as a refresh does."""
        load(self.lake, self.database, self.tables, resources=SMALL)
        with connect(self.database, SMALL) as connection:
            connection.execute("create schema if not exists ops; create or replace table ops.mart as select 1 as one")
            find_controlled(connection, REFERENCES, self.tables, "the definition")
            if not included:
                release(connection, REFERENCES, self.tables)
        return publish(
            self.database,
            self.folder / "published",
            entity_tables=entity_tables(CATALOG, REFERENCES, released=not included),
            export_controlled="included" if included else "left out",
            resources=SMALL,
            part_rows=part_rows,
            on_count=on_count,
        )

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with connect(self.folder / "published" / "ion.duckdb", SMALL, read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def files(self) -> dict[str, int]:
        """The Parquet files of entity tables: name and identity on disk."""
        folder = self.folder / "published" / "parquet" / "ion"
        return {path.stem: path.stat().st_ino for path in folder.glob("*.parquet")}

    def made(self) -> set[str]:
        """The tables that a publish makes, those whose files are others than before."""
        before = self.files()
        self.publish()
        after = self.files()
        assert after.keys() == before.keys()
        # What is made is what is published: the same in the file, in Parquet and in what `latest.json` says.
        document = orjson.loads((self.folder / "published" / "latest.json").read_bytes())
        for entry in document["tables"]:
            if entry["schema"] == "ion":
                path = self.folder / "published" / entry["file"]
                [(rows,)] = self.query(f"select count(*) from ion.{entry['table']}")  # noqa: S608
                assert rows == entry["rows"] == pq.read_metadata(path).num_rows
                assert path.stat().st_size == entry["bytes"]
        return {name for name in after if before[name] != after[name]}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Publisher:
    house = Publisher(tmp_path_factory.mktemp("first"), tuple(CATALOG.tables.values()))
    parts = [
        {"id": 2, "part_number": "P-2", "description": "Zwei", "export_controlled": True, "cost": 1.5},
        {"id": 1, "part_number": "P-1", "tracking_type": "SERIAL"},
    ]
    attributes = [
        {"part_id": 1, "key": "B", "type": "NUMBER", "value": " 12.50 "},
        {"part_id": 1, "key": "A", "type": "STRING", "value": '"a \\"b\\""'},
        {"part_id": 2, "key": "C", "type": "LIST", "value": '["x"]'},
        {"part_id": 2, "key": "D", "type": "STRING", "value": "null"},
    ]
    runs = [
        {"id": 5, "part_id": 2, "start_time": "2026-03-01T10:00:00+02:00", "archived": False},
        {"id": 6, "part_id": 1, "start_time": "soon", "archived": True},
    ]
    labels = [{"id": 9, "value": "Red"}]
    permissions = [{"id": 1}]
    house.write(
        {"parts": parts, "part_attributes": attributes, "runs": runs, "labels": labels, "permissions": permissions}
    )
    house.publish()
    return house


@pytest.fixture
def house(first: Publisher, tmp_path: Path) -> Publisher:
    """A copy of a data directory that was published once."""
    shutil.copytree(first.folder, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Publisher(tmp_path, first.tables)


def test_tables_are_counted_to_the_last_kept_or_not(house: Publisher) -> None:
    house.write({"labels": [{"id": 9, "value": "Blue"}]}, strategy="incremental")
    heard = list[Count]()
    report = house.publish(on_count=heard.append)
    total = len(report.tables)
    assert total > 3
    assert report.changed == 1
    assert {table.table for table in report.tables} >= {"mart", "labels", "parts", "runs"}
    assert {one.unit for one in heard} == {"tables"}
    # The labels have changed; the mart and the others are kept, and are counted as done.
    assert [(one.doing, one.done, one.total, one.name) for one in heard] == [
        ("comparing", 0, 1, "ops.mart"),
        ("comparing", 1, 1, ""),
        ("copying", 1, 1, ""),
        ("making ION's", 0, 1, "labels"),
        ("making ION's", 1, 1, ""),
        ("checking", total - 1, total, "ion.labels"),
        ("checking", total, total, ""),
        ("writing Parquet", total - 1, total, "ion.labels"),
        ("writing Parquet", total, total, ""),
    ]
    # The share is that of the whole publish: it only grows, and no step but the last ends it.
    shares = [one.share or 0.0 for one in heard]
    assert shares == sorted(shares)
    assert [one.done == one.total for one in heard if one.share == 1.0] == [True]
    assert shares[4] > shares[3]


def test_rows_are_those_of_raw_under_the_published_names(house: Publisher) -> None:
    assert house.query(
        "select part_id, part_number, part_description, cost, attributes, is_export_controlled, "
        "is_export_controlled_itself from ion.parts"
    ) == [
        (1, "P-1", None, None, {"A": 'a "b"', "B": "12.50"}, False, None),
        (2, "P-2", "Zwei", 1.5, {"C": '["x"]', "D": None}, True, True),
    ]
    assert house.query(
        "select run_id, started_at = timestamptz '2026-03-01 08:00:00+00', is_archived, is_export_controlled, "
        "attributes from ion.runs"
    ) == [(5, True, False, True, None), (6, None, True, False, None)]
    assert house.query("select label_id, label from ion.labels") == [(9, "Red")]
    assert house.query("select attribute_key, value_json, is_export_controlled from ion.part_attributes limit 2") == [
        ("A", '"a \\"b\\""', False),
        ("B", " 12.50 ", False),
    ]
    names = {name for (name,) in house.query("select table_name from duckdb_tables() where schema_name = 'main'")}
    assert names == CATALOG.tables.keys() - {"permissions"} == house.files().keys()


def test_comments_say_what_ion_calls_it_and_that_a_table_was_never_read(house: Publisher) -> None:
    comments = dict(house.query("select table_name, comment from duckdb_tables() where schema_name = 'main'"))
    assert comments["parts"] == "One row per part_id: ION's `parts` (`Part`) as they are now."
    assert "no load has read it" in comments["run_labels"]
    columns = dict(house.query("select column_name, comment from duckdb_columns() where table_name = 'parts'"))
    assert columns["tracking_type"] == "ION's `Part.trackingType`: SERIAL, LOT."
    assert all(columns.values())


@pytest.mark.slow
def test_only_what_changed_is_made_again(house: Publisher) -> None:
    assert house.made() == set()
    house.write({"labels": [{"id": 9, "value": "Blue"}, {"id": 10, "value": "New"}]}, strategy="incremental")
    assert house.made() == {"labels"}
    assert house.query("select label from ion.labels") == [("Blue",), ("New",)]
    # The attributes are columns of their owner, too.
    house.write({"part_attributes": [{"part_id": 1, "key": "B", "value": "13"}]}, strategy="incremental")
    assert house.made() == {"part_attributes", "parts"}
    assert house.query("select attributes['B'] from ion.parts where part_id = 1") == [("13",)]
    # A load that changes no row.
    house.write({"labels": [{"id": 9, "value": "Blue"}]}, strategy="incremental")
    assert house.made() == set()
    assert house.query("select one from ops.mart") == [(1,)]
    # A row comes under control through another one: its own table has no change.
    house.write({"parts": [{"id": 1, "part_number": "P-1", "export_controlled": True}]}, strategy="incremental")
    assert house.made() == {"parts", "part_attributes", "runs"}
    assert house.query("select distinct is_export_controlled from ion.runs") == [(True,)]
    # What was replaced leaves no space behind.
    size = (house.folder / "published" / "ion.duckdb").stat().st_size
    # After a rebuild nothing is known to be as before.
    rebuild(house.lake, house.database, house.tables, resources=SMALL)
    assert house.made() >= {"labels", "parts", "part_attributes", "runs"}
    assert size <= 1.5 * (house.folder / "published" / "ion.duckdb").stat().st_size


def test_without_what_is_controlled_nothing_is_kept_of_a_publish_with_it(house: Publisher) -> None:
    before = house.files()
    house.publish(included=False)
    after = house.files()
    assert before.keys() == after.keys()
    assert not set(before.values()) & set(after.values())
    assert house.query("select part_id from ion.parts") == [(1,)]
    assert house.query("select run_id, is_export_controlled from ion.runs") == [(6, False)]
    assert house.query("select part_id from ion.part_attributes") == [(1,), (1,)]
    for path in (house.folder / "published").rglob("*"):
        assert not path.is_file() or b"Zwei" not in path.read_bytes(), path


@pytest.mark.parametrize("how", ["a row is changed in it", "it is damaged", "a Parquet file is gone"])
def test_a_previous_publish_that_is_not_as_written_is_not_used(house: Publisher, how: str) -> None:
    published = house.folder / "published"
    [folder] = (published / "publishes").iterdir()
    if how == "a row is changed in it":
        with duckdb.connect(str(folder / "ion.duckdb")) as connection:
            connection.execute("update main.labels set label = 'Forged'")
    elif how == "it is damaged":
        data = (folder / "ion.duckdb").read_bytes()
        (folder / "ion.duckdb").write_bytes(data[:8192] + bytes(len(data) - 8192))
    else:
        (folder / "parquet" / "ion" / "labels.parquet").unlink()
    house.publish()
    assert house.query("select label from ion.labels") == [("Red",)]
    assert pq.read_table(published / "parquet" / "ion" / "labels.parquet")["label"].to_pylist() == ["Red"]


def test_a_warehouse_that_lacks_a_column_is_refused(house: Publisher) -> None:
    with duckdb.connect(str(house.database)) as connection:
        connection.execute("alter table raw.labels drop column value")
    before = (house.folder / "published" / "latest.json").read_bytes()
    tables = entity_tables(CATALOG, REFERENCES)
    with connect(house.database, SMALL) as connection:
        connection.execute("update raw._ion_loads set loaded_at = now()")
    with pytest.raises(PublishError, match=r"labels of the schema ion cannot be made .* \(Binder Error"):
        publish(house.database, house.folder / "published", entity_tables=tables, resources=SMALL)
    assert (house.folder / "published" / "latest.json").read_bytes() == before


def part(number: int, cost: float = 1.0) -> dict[str, Any]:
    return {"id": number, "part_number": f"P-{number}", "cost": cost}


def colour(number: int, value: str) -> dict[str, Any]:
    return {"part_id": number, "key": "Colour", "type": "STRING", "value": f'"{value}"'}


def test_a_large_table_is_made_in_parts_that_differ(tmp_path: Path) -> None:
    house = Publisher(tmp_path, tuple(CATALOG.tables.values()))

    def files() -> list[int]:
        folder = tmp_path / "published" / "parquet" / "ion" / "parts.parquet"
        found = sorted(folder.iterdir())
        rows = sum(pq.read_metadata(file).num_rows for file in found)
        assert house.query("select count(*) from ion.parts") == [(rows,)]
        return [file.stat().st_ino for file in found]

    house.write({"parts": [part(number) for number in range(2000)], "part_attributes": [colour(7, "red")]})
    house.publish(part_rows=300)
    before = files()
    assert len(before) > 4

    def changed(
        rows: dict[str, list[dict[str, Any]]], strategy: str = "incremental", *, included: bool = True
    ) -> list[int]:
        house.write(rows, strategy=strategy)
        house.publish(part_rows=300, included=included)
        places = [number for number, (old, new) in enumerate(zip(before, files(), strict=True)) if old != new]
        before[:] = files()
        fresh = Publisher(tmp_path, house.tables)
        wanted = house.query("from ion.parts order by part_id")
        shutil.rmtree(tmp_path / "published")
        fresh.publish(part_rows=300, included=included)
        assert fresh.query("from ion.parts order by part_id") == wanted
        before[:] = files()
        return places

    last = len(before) - 1
    assert changed({"parts": [part(1999, 2.5)]}) == [last]
    assert house.query("select cost from ion.parts where part_id = 1999") == [(2.5,)]
    assert changed({"parts": [part(0), part(1999, 3.5)], "part_attributes": [colour(0, "blue")]}) == [0, last]
    assert house.query("select attributes['Colour'] from ion.parts where part_id in (0, 7) order by part_id") == [
        ("blue",),
        ("red",),
    ]
    assert changed({"parts": [{**part(1000), "export_controlled": True}]}) not in ([], list(range(last + 1)))
    assert house.query("select is_export_controlled from ion.parts where part_id = 1000") == [(True,)]
