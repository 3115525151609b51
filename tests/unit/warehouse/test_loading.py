from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ion_pipeline.counting import Count
from ion_pipeline.errors import TenantMismatchError
from ion_pipeline.lake import LakeCorruptionError, TableRead, Tenant
from ion_pipeline.warehouse import (
    CountMismatchError,
    DuplicateKeyError,
    LoadOrderError,
    MissingLoadError,
    RetypedColumnError,
    load,
    rebuild,
)
from tests.unit.warehouse.support import ATTRIBUTES, LINKS, START, TABLES, TENANT, THINGS, House, column

HOUR = timedelta(hours=1)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def thing(number: int, **values: Any) -> dict[str, Any]:
    return {"id": number, "name": f"thing {number}", **values}


def test_every_table_of_the_catalog_exists_and_is_described(house: House) -> None:
    assert house.load().loads == ()
    assert house.contents() == {
        f"{schema}.{table}": []
        for schema in ("raw", "raw_history")
        for table in [
            "_ion_export_controlled",
            "_ion_load_delays",
            "_ion_load_tables",
            "_ion_loads",
            "_ion_schema_drift",
            *(table.name for table in TABLES),
        ]
        if schema == "raw" or not table.startswith("_")
    }
    assert house.query(
        "select table_name, comment from duckdb_columns() where schema_name = 'raw' and comment is not null"
    ) == [("things", "Who's who.")]
    assert house.query(
        "select column_name, data_type from duckdb_columns() where table_name = 'things' and schema_name = 'raw'"
    ) == [
        ("id", "BIGINT"),
        ("name", "VARCHAR"),
        ("price", "DOUBLE"),
        ("_updated", "TIMESTAMP WITH TIME ZONE"),
        ("tags", "VARCHAR[]"),
        ("_ion_load", "VARCHAR"),
        ("_ion_seen_at", "TIMESTAMP WITH TIME ZONE"),
    ]


def test_the_books_say_what_each_load_did(house: House) -> None:
    first = house.write({"things": [thing(1), thing(2)], "thing_links": [{"thing_id": 1, "label_id": 1}] * 2})
    second = house.write({"things": [thing(1, name="new"), thing(3)]})
    seen = list[Count]()
    report = load(house.lake, house.database, house.tables, on_count=seen.append)
    # Two things and two links, then two things: a load is read, and its rows are known, when its turn has come.
    assert [(one.name, one.done, one.total, one.doing, one.share) for one in seen] == [
        ("things", 0, 4, "load 1 of 2", 0.0),
        ("thing_links", 2, 4, "load 1 of 2", 0.5),
        ("", 4, 4, "load 1 of 2", 1.0),
        ("things", 4, 6, "load 2 of 2", 0.0),
        ("", 6, 6, "load 2 of 2", 1.0),
    ]
    assert report.rows_changed == 2 + 1 + 3
    assert house.query(
        "select load_id, table_name, entity, strategy, rows_read, total_count, rows_inserted, rows_updated, "
        "rows_deleted, rows_after from raw._ion_load_tables order by load_id, table_name"
    ) == [
        (first.load_id, "thing_links", "things", "full", 2, None, 1, 0, 0, 1),
        (first.load_id, "things", "things", "full", 2, None, 2, 0, 0, 2),
        (second.load_id, "things", "things", "full", 2, None, 1, 1, 1, 2),
    ]
    assert house.query("select load_id, tenant, strategy, started_at, valid_from from raw._ion_loads order by 1") == [
        (first.load_id, "organisation org-1 at api.example.com", "full", START, START),
        (second.load_id, "organisation org-1 at api.example.com", "full", START + HOUR, START + HOUR),
    ]


def test_a_failure_in_one_table_leaves_all_as_they_were(house: House) -> None:
    house.write({"things": [thing(1)], "thing_attributes": [{"thing_id": 1, "key": "a", "value": "x"}]})
    house.load()
    before = house.contents()
    # The second table of the load is the one that fails.
    house.write({"thing_attributes": [], "things": [thing(1), thing(1)]})
    with pytest.raises(DuplicateKeyError, match=r"The read of things returned 1 rows too many.*id=1"):
        house.load()
    assert house.contents() == before


def test_loads_before_the_failing_one_stay(house: House) -> None:
    good = house.write({"things": [thing(1)]})
    house.write({"things": [thing(2), thing(2)]})
    with pytest.raises(DuplicateKeyError):
        house.load()
    assert house.query("select load_id from raw._ion_loads") == [(good.load_id,)]
    assert house.query("select id from raw.things") == [(1,)]


def test_a_damaged_load_is_named_and_leaves_all_as_it_was(house: House) -> None:
    house.write({"things": [thing(1)]})
    house.load()
    before = house.contents()
    bad = house.write({"things": [thing(2)], "thing_links": []})
    path = house.folder / "lake" / bad.tables[0].files[0].path
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(LakeCorruptionError, match=str(path)):
        house.load()
    assert house.contents() == before
    with pytest.raises(LakeCorruptionError, match=str(path)):
        rebuild(house.lake, house.database, house.tables)
    assert house.contents() == before


def test_nested_rows_are_folded_and_the_last_seen_wins(house: House) -> None:
    house.write(
        {
            "thing_attributes": [
                {"thing_id": 1, "key": "a", "value": "first"},
                {"thing_id": 1, "key": "a", "value": "first"},
                {"thing_id": 2, "key": "a", "value": "only"},
                {"thing_id": 1, "key": "a", "value": "last"},
            ]
        }
    )
    (applied,) = house.load().loads
    assert (applied.tables[0].rows_read, applied.tables[0].rows_after) == (4, 2)
    assert house.query("select thing_id, value from raw.thing_attributes order by 1") == [(1, "last"), (2, "only")]


def test_a_later_column_is_null_in_what_was_there(house: House) -> None:
    house.write({"things": [thing(1), thing(2)]})
    house.load()
    wider = House(
        house.folder,
        tables=(replace(THINGS, columns=(*THINGS.columns, column("colour", pa.string()))), ATTRIBUTES, LINKS),
    )
    assert wider.load().loads == ()
    assert wider.query("select id, colour from raw.things order by 1") == [(1, None), (2, None)]
    wider.write({"things": [thing(1), thing(2, colour="red")]})
    wider.load()
    assert wider.query("select id, colour, is_current from raw_history.things order by 1, valid_from") == [
        (1, None, True),
        (2, None, False),
        (2, "red", True),
    ]
    before = wider.contents()
    rebuild(wider.lake, wider.database, wider.tables)
    assert wider.contents() == before


def test_a_column_that_left_the_catalog_stays_until_the_rebuild(house: House) -> None:
    house.write({"things": [thing(1, price=2.5)]})
    house.load()
    narrower = House(house.folder, tables=(replace(THINGS, columns=THINGS.columns[:2]), ATTRIBUTES, LINKS))
    narrower.write({"things": [{"id": 1, "name": "thing 1"}, {"id": 2, "name": "thing 2"}]})
    narrower.load()
    assert narrower.query("select id, price from raw.things order by 1") == [(1, 2.5), (2, None)]
    rebuild(narrower.lake, narrower.database, narrower.tables)
    assert (
        narrower.query("select column_name from duckdb_columns() where table_name = 'things' and column_name = 'price'")
        == []
    )


def test_a_table_that_left_the_catalog_is_reported(house: House) -> None:
    house.write({"things": [thing(1)], "thing_links": [{"thing_id": 1, "label_id": 2}]})
    (applied,) = load(house.lake, house.database, [THINGS]).loads
    assert applied.ignored == ("thing_links",)
    assert [change.table for change in applied.tables] == ["things"]


@pytest.mark.parametrize(
    ("old", "new", "value", "survives"),
    [
        (pa.int64(), pa.float64(), 7, True),
        (pa.int64(), pa.float64(), 2**53 + 1, False),
        (pa.int64(), pa.string(), 7, True),
        (pa.float64(), pa.int64(), 7.0, True),
        (pa.float64(), pa.int64(), 7.5, False),
        (pa.string(), pa.int64(), "7", True),
        (pa.string(), pa.int64(), "07", False),
        (pa.string(), pa.int64(), "seven", False),
    ],
)
def test_a_retyped_column_is_converted_if_nothing_is_lost(
    tmp_path: Path, old: pa.DataType, new: pa.DataType, value: Any, survives: bool
) -> None:
    before = replace(THINGS, columns=(THINGS.columns[0], column("size", old)))
    after = replace(THINGS, columns=(THINGS.columns[0], column("size", new)))
    house = House(tmp_path, tables=[after])
    house.write({"things": [{"id": 1, "size": value}, {"id": 2, "size": None}]}, tables=[before])
    if survives:
        house.load()
        assert house.query("select size from raw.things order by id") == [
            (pa.scalar(value, old).cast(new).as_py(),),
            (None,),
        ]
    else:
        with pytest.raises(RetypedColumnError, match=r"things\.size is .* would change 1 of its values"):
            house.load()


def test_a_column_of_another_type_in_the_warehouse_is_refused(tmp_path: Path) -> None:
    House(tmp_path).load()
    other = House(tmp_path, tables=[replace(THINGS, columns=(THINGS.columns[0], column("name", pa.int64())))])
    with pytest.raises(
        RetypedColumnError, match=r"raw\.things\.name is VARCHAR in the warehouse, BIGINT in the catalog"
    ):
        other.load()


def test_versions_never_overlap_when_the_clock_is_set_back(house: House) -> None:
    for step, (name, at) in enumerate([("a", START), ("b", START - HOUR), ("c", START), ("d", START + HOUR)]):
        house.write({"things": [thing(1, name=name)]}, at=at)
        assert len(house.load().loads) == 1, step
    tick = timedelta(microseconds=1)
    assert house.query("select name, valid_from, valid_to from raw_history.things order by valid_from") == [
        ("a", START, START + tick),
        ("b", START + tick, START + 2 * tick),
        ("c", START + 2 * tick, START + HOUR),
        ("d", START + HOUR, None),
    ]


def test_a_row_that_comes_back_has_a_gap_in_its_history(house: House) -> None:
    for rows in ([thing(1)], [], [thing(1)]):
        house.write({"things": rows})
    house.load()
    assert house.query("select valid_from, valid_to, is_current from raw_history.things order by 1") == [
        (START, START + HOUR, False),
        (START + 2 * HOUR, None, True),
    ]


def test_an_incremental_load_deletes_by_tombstone_only(house: House) -> None:
    house.write({"things": [thing(1), thing(2), thing(3)]})
    house.write({"things": [thing(2, name="new")]}, strategy="incremental", gone={"things": [{"id": 3}, {"id": 99}]})
    house.write({}, strategy="incremental", gone={"things": []})
    changes = [applied.tables[0] for applied in house.load().loads]
    assert [(c.rows_inserted, c.rows_updated, c.rows_deleted, c.rows_after) for c in changes] == [
        (3, 0, 0, 3),
        (0, 1, 1, 2),
        (0, 0, 0, 2),
    ]
    assert house.query("select id, name from raw.things order by 1") == [(1, "thing 1"), (2, "new")]


def attribute(owner: int, key: str, value: str = "x") -> dict[str, Any]:
    return {"thing_id": owner, "key": key, "value": value}


def test_an_owner_read_again_replaces_what_it_had(house: House) -> None:
    house.write({"thing_attributes": [attribute(1, "a"), attribute(1, "b"), attribute(2, "a"), attribute(3, "a")]})
    house.write(
        {"thing_attributes": [attribute(1, "b", "new"), attribute(1, "c")]},
        strategy="incremental",
        owners={"thing_attributes": [1, 3, 77]},
    )
    change = house.load().loads[1].tables[0]
    assert (change.rows_inserted, change.rows_updated, change.rows_deleted, change.rows_after) == (1, 1, 2, 3)
    assert house.query("select * exclude (_ion_load, _ion_seen_at) from raw.thing_attributes order by 1, 2") == [
        (1, "b", "new"),
        (1, "c", "x"),
        (2, "a", "x"),
    ]
    assert house.query("select thing_id, key from raw_history.thing_attributes where not is_current order by all") == [
        (1, "a"),
        (1, "b"),
        (3, "a"),
    ]


def test_a_row_with_a_null_in_its_key_replaces_the_rows_of_its_owner(house: House) -> None:
    house.write({"thing_links": [{"thing_id": owner, "label_id": label} for owner, label in ((1, 2), (1, 3), (2, 2))]})
    house.write(
        {"thing_links": [{"thing_id": 1, "label_id": None}]}, strategy="incremental", owners={"thing_links": [1]}
    )
    house.load()
    assert house.query("select thing_id, label_id from raw.thing_links order by all") == [(1, None), (2, 2)]


def test_of_an_owner_read_twice_in_one_load_the_later_rows_count(house: House) -> None:
    schema = ATTRIBUTES.arrow_schema
    house.write({"thing_attributes": [attribute(1, "old")]})
    with house.lake.begin(TENANT, {"thing_attributes": schema}, started_at=START + HOUR) as writer:
        for keys in (["a", "b"], ["b"]):
            owner = pa.RecordBatch.from_arrays([pa.array([1], pa.int64())], ["thing_id"])
            writer.delete("thing_attributes", owner)
            rows = [attribute(1, key, str(len(keys))) for key in keys]
            writer.write("thing_attributes", pa.RecordBatch.from_pylist(rows, schema=schema))
        writer.commit({"thing_attributes": TableRead("things", strategy="incremental", by_owner=True)})
    house.load()
    assert house.query("select key, value from raw.thing_attributes") == [("b", "1")]


def test_an_older_load_that_turns_up_late_is_refused(house: House) -> None:
    early = house.write({"things": [thing(1)]})
    document = house.folder / "lake" / "_loads" / f"{early.load_id}.json"
    hidden = document.rename(house.folder / "hidden.json")
    house.write({"things": [thing(2)]})
    # The vacuum has deleted the hidden load's files: the order of the loads is refused before any file is read.
    house.load()
    hidden.rename(document)
    with pytest.raises(LoadOrderError, match=early.load_id):
        house.load()
    assert house.query("select id from raw.things") == [(2,)]


def test_another_tenants_load_is_refused(house: House) -> None:
    house.write({"things": [thing(1)]})
    house.load()
    house.write({"things": [thing(2)]}, tenant=Tenant("org-2", "api.example.com"))
    with pytest.raises(TenantMismatchError, match=r"org-2 .*org-1"):
        house.load()
    assert house.query("select id from raw.things") == [(1,)]


def test_files_that_hold_more_than_the_manifest_says_are_refused(house: House) -> None:
    manifest = house.write({"things": [thing(1), thing(2)]})
    document = house.folder / "lake" / "_loads" / f"{manifest.load_id}.json"
    text = document.read_text()
    assert text.count('"rows": 2') == 2
    document.write_text(text.replace('"rows": 2', '"rows": 3', 1))
    with pytest.raises(CountMismatchError, match="the files hold 2 rows, the manifest says 3"):
        house.load()
    assert house.query("select * from raw.things") == []


def test_unusual_names_are_only_names(tmp_path: Path) -> None:
    odd = replace(
        THINGS,
        name='select "x"; drop',
        columns=(
            column("id", pa.int64()),
            column("filename", pa.string()),
            column('or"der by', pa.string()),
            column("load", pa.string()),
        ),
    )
    house = House(tmp_path / "it's", tables=[odd])
    house.write({odd.name: [{"id": 1, "filename": "f", 'or"der by': "o", "load": "l"}]})
    house.write({odd.name: [{"id": 1, "filename": "g", 'or"der by': "o", "load": "l"}]})
    house.load()
    assert house.query('select "filename", "or""der by", "load" from raw."select ""x""; drop"') == [("g", "o", "l")]


def test_rows_survive_the_way_to_raw(house: House) -> None:
    names = ["", "a\r\nb", "\x00", "\U0001d518\u202ecode", "x" * 1_000_000, None]
    house.write({"things": [thing(number, name=name) for number, name in enumerate(names)]})
    house.load()
    assert [name for (name,) in house.query("select name from raw.things order by id")] == names


def test_it_is_all_in_the_lake(house: House) -> None:
    house.write({"things": [thing(1), thing(2)], "thing_attributes": [{"thing_id": 1, "key": "a", "value": "x"}]})
    house.write({"things": [thing(2, name="new")], "thing_attributes": []})
    house.load()
    before = house.contents()
    assert before["raw_history.things"]
    house.database.unlink()
    rebuild(house.lake, house.database, house.tables)
    assert house.contents() == before
    rebuild(house.lake, house.database, house.tables)
    assert house.contents() == before


def test_a_rebuild_repeats_changes_and_tombstones(house: House) -> None:
    house.write({"things": [thing(1), thing(2), thing(3)], "thing_links": [{"thing_id": 1, "label_id": 5}]})
    house.write({"things": [thing(2, name="new")]}, strategy="incremental", gone={"things": [{"id": 3}]})
    house.load()
    house.write({"things": [thing(3)]}, strategy="incremental", gone={"thing_links": [{"thing_id": 1, "label_id": 5}]})
    house.load()
    before = house.contents()
    # Three rows, one of them changed, one of them gone for a while.
    assert house.query("select count(*), count(valid_to) from raw_history.things") == [(5, 2)]
    assert house.query("select count(*) from raw.thing_links") == [(0,)]
    with duckdb.connect(str(house.database)) as connection:
        connection.execute("delete from raw.things; update raw_history.things set name = 'spoilt'")
    assert house.contents() != before
    seen = list[Count]()
    report = rebuild(house.lake, house.database, house.tables, on_count=seen.append)
    assert house.contents() == before
    assert len(report.loads) == 3
    # Four rows, then a row and a tombstone, then the same; all loads are known from the beginning.
    assert [one.done for one in seen if not one.name] == [4, 6, 8]
    assert {(one.total, one.unit) for one in seen} == {(8, "rows")}
    assert [one.share for one in seen] == [one.done / 8 for one in seen]


def test_a_load_that_has_left_the_lake_is_missed(house: House) -> None:
    lost = house.write({"things": [thing(1)]})
    house.write({"things": [thing(2)]})
    house.load()
    before = house.contents()
    (house.folder / "lake" / "_loads" / f"{lost.load_id}.json").unlink()
    with pytest.raises(MissingLoadError, match=lost.load_id):
        rebuild(house.lake, house.database, house.tables)
    assert house.contents() == before


def test_a_rebuild_of_nothing_makes_empty_tables(house: House) -> None:
    assert rebuild(house.lake, house.database, house.tables).loads == ()
    assert house.query("select count(*) from raw.things") == [(0,)]


def test_no_temporary_files_stay(house: House) -> None:
    house.write({"things": [thing(1)]})
    house.load()
    assert {path.name for path in house.folder.iterdir()} == {"lake", "warehouse.duckdb"}
    files = list((house.folder / "lake").rglob("*.parquet"))
    assert [pq.read_metadata(path).num_rows for path in files] == [1]
