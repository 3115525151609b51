"""Which rows are under export control, on random histories, against brute force; and when that counts as a change."""

import random
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from ion_pipeline.catalog.catalog import known_catalog
from ion_pipeline.catalog.references import WEAK, References, references
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.warehouse import (
    controlled_changed_since,
    find_controlled,
    left_out_since,
    release,
)
from ion_pipeline.warehouse.controlled_search import Search
from tests.oracle.export_control import Named, controlled
from tests.oracle.random_histories import merged_random_history
from tests.oracle.raw_loads import write_loads
from tests.oracle.world import World

FOUND = references(known_schema(), known_catalog())
TABLES = known_catalog().tables
ROOT_FIELDS = {entity.name: entity.root_field for entity in known_catalog().entities.values()}
LOADS = 5


def random_loads(*, leave: bool) -> list[tuple[datetime, World]]:
    """Random as-built records over several loads, in which parts come under control and, if they may, leave it."""
    rng = random.Random(7)
    history = merged_random_history(7, 40, LOADS)
    flags: dict[int, bool] = {}
    for _, world in history:
        for row in world["parts"]:
            if row["id"] not in flags or rng.random() < 0.1:
                flags[row["id"]] = rng.random() < 0.15 or (flags.get(row["id"], False) and not leave)
        # What `write_loads` writes of plans.
        world["mboms"] = []
        for plan in ("mbomItems", "mbomSubstitutes"):
            world[plan] = [{name: value for name, value in row.items() if name != "parentId"} for row in world[plan]]
        world["parts"] = [row | {"exportControlled": flags[row["id"]]} for row in world["parts"]]
    return history


@pytest.fixture(scope="module")
def loads() -> list[tuple[datetime, World]]:
    return random_loads(leave=True)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, loads: list[tuple[datetime, World]]) -> Path:
    path = tmp_path_factory.mktemp("loads") / "warehouse.duckdb"
    write_loads(path, loads)
    return path


@pytest.fixture
def connection(tmp_path: Path, written: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    shutil.copy(written, tmp_path)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as opened:
        opened.execute("set timezone = 'UTC'")
        yield opened


def ids(connection: duckdb.DuckDBPyConnection, table: str, where: str = "true") -> set[int]:
    return {row[0] for row in connection.execute(f"select id from {table} where {where}").fetchall()}  # noqa: S608


def find(connection: duckdb.DuckDBPyConnection, definition: str = "again", found: References = FOUND) -> bool:
    return find_controlled(connection, found, TABLES.values(), definition)


@pytest.mark.slow
def test_random_histories(connection: duckdb.DuckDBPyConnection, loads: list[tuple[datetime, World]]) -> None:
    worlds = [world for _, world in loads]
    expected = controlled(*worlds)
    compared = compare(connection, expected)
    assert all(len(keys) > 10 for keys in compared.values()), {name: len(keys) for name, keys in compared.items()}
    # It is the past that makes the difference for some: a line that is no longer there named them.
    assert expected - controlled(worlds[-1])


def compare(connection: duckdb.DuckDBPyConnection, expected: set[Named]) -> dict[str, set[int]]:
    """Compare the controlled rows of the as-built record; return them by table."""
    compared = {}
    for table in ("parts", "part_inventories", "build_requirements", "abom_installations", "abom_items", "abom_edges"):
        compared[table] = {key for root, key in expected if root == ROOT_FIELDS[table]}
        assert ids(connection, f"raw_controlled.{table}") == compared[table], table
    return compared


@pytest.mark.slow
@pytest.mark.parametrize("leave", [False, True])
def test_each_load_adds_what_it_leads_to(leave: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads, whole = random_loads(leave=leave), list[int]()
    write_loads(tmp_path / "all.duckdb", loads)
    write_loads(tmp_path / "warehouse.duckdb", [])
    run = Search.run
    monkeypatch.setattr(Search, "run", lambda search: (whole.append(number), run(search))[1])
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute(f"set timezone = 'UTC'; attach '{tmp_path}/all.duckdb' as loads (read_only)")
        tables = {name for name in TABLES if connection.execute(f"from loads.raw_history.{name} limit 1").fetchall()}
        sizes = []
        for number, (at, _) in enumerate(loads):
            log = "insert into raw.{0} by name from loads.raw.{0} where load_id = $load"
            for name in ("_ion_loads", "_ion_load_tables"):
                connection.execute(log.format(name), {"load": f"LOAD{number:04}"})
            for name in tables:
                connection.execute(
                    f"insert into raw_history.{name} by name from loads.raw_history.{name} where valid_from = $at",
                    {"at": at},
                )
            assert find(connection)
            found = compare(connection, controlled(*(world for _, world in loads[: number + 1])))
            sizes.append(sum(map(len, found.values())))
    assert len(set(sizes)) == LOADS
    # Only where a flag has gone are all rows searched again: rows that refer to its row may be without a reason.
    assert whole[:1] == [0]
    assert bool(whole[1:]) == leave


@pytest.mark.slow
def test_what_is_released_has_none_of_them_and_all_others(connection: duckdb.DuckDBPyConnection) -> None:
    release(connection, FOUND, TABLES.values())
    for table in ("parts", "part_inventories", "build_requirements", "abom_installations", "abom_items"):
        out = ids(connection, f"raw_controlled.{table}")
        for raw, released in (("raw", "released"), ("raw_history", "released_history")):
            whole = ids(connection, f"{raw}.{table}")
            assert whole & out, table
            assert ids(connection, f"{released}.{table}") == whole - out, table
    named = {
        key
        for row in connection.execute(
            "select part_inventory_id, build_requirement_id from released.build_requirement_part_inventories"
        ).fetchall()
        for key in zip(("part_inventories", "build_requirements"), row, strict=True)
    }
    assert named
    assert not any(key in ids(connection, f"raw_controlled.{table}") for table, key in named)


def test_columns_that_name_without_belonging_are_emptied(connection: duckdb.DuckDBPyConnection) -> None:
    (out,) = connection.execute("select min(id) from raw_controlled.parts").fetchone() or (None,)
    (free,) = connection.execute(
        "select min(id) from raw.parts where id not in (select id from raw_controlled.parts)"
    ).fetchone() or (None,)
    connection.execute("update raw.parts set revised_from_id = ? where id = ?", [out, free])
    connection.execute("insert into raw.abom_items (id, acceptable_part_ids) values (-1, ?), (-2, null)", [[free, out]])
    release(connection, FOUND, TABLES.values())
    assert connection.execute("select revised_from_id from raw.parts where id = ?", [free]).fetchone() == (out,)
    assert connection.execute("select revised_from_id from released.parts where id = ?", [free]).fetchone() == (None,)
    items = connection.execute("select id, acceptable_part_ids from released.abom_items where id < 0 order by id")
    assert items.fetchall() == [(-2, None), (-1, [free])]


@pytest.mark.slow
def test_it_is_looked_for_once_a_load_and_a_definition(connection: duckdb.DuckDBPyConnection) -> None:
    assert find(connection)
    assert not find(connection)
    assert find(connection, "another")
    assert find(connection), "the rows are those of the other definition"
    assert find(connection, "another")
    connection.execute("update raw._ion_loads set loaded_at = loaded_at + interval 1 second")
    assert find(connection, "another"), "raw was made anew"


@pytest.mark.slow
def test_a_change_is_that_of_its_tables_and_is_old_only_if_the_rows_are(connection: duckdb.DuckDBPyConnection) -> None:
    (last,) = connection.execute("select max(load_id) from raw._ion_loads").fetchone() or ("",)
    find(connection)
    assert controlled_changed_since(connection, last) == frozenset()
    before = left_out_since(connection)
    for number, changes in (
        (1, "insert into raw_history.part_inventories (id, part_id, valid_from, is_current) "
            "select 900001, min(id), $at, true from raw_controlled.parts"),
        (2, "insert into raw_history.parts by name select * replace (true as export_controlled, $at as valid_from) "
            "from raw_history.parts where is_current and id = (select min(id) from raw_history.parts "
            "where id not in (select id from raw_controlled.parts))"),
    ):  # fmt: skip
        at = datetime.fromisoformat(f"2031-01-0{number}T00:00:00+00:00")
        connection.execute(
            "insert into raw._ion_loads (load_id, started_at, valid_from, loaded_at) values (?, ?, ?, ?)",
            [f"NEXT{number}", at, at, at],
        )
        table = "part_inventories" if number == 1 else "parts"
        connection.execute(
            "insert into raw._ion_load_tables (load_id, table_name) values (?, ?)", [f"NEXT{number}", table]
        )
        connection.execute(changes, {"at": at})
        find(connection)
        if number == 1:
            assert controlled_changed_since(connection, last) == {"part_inventories"}
            assert left_out_since(connection) == before, "no publish can have held a row that had not been there"
        else:
            assert "parts" in controlled_changed_since(connection, "NEXT1")
            assert left_out_since(connection) == "NEXT2"


def test_every_column_that_names_a_row_is_followed_or_has_a_reason() -> None:
    """Whatever looks like an id of another row is: a reference, a user's or a file's, or a number of another kind."""
    known = {(one.via, one.column) for one in FOUND.strong} | set(WEAK)
    # Numbers of families, users, files and what nothing controlled can be: no row of a table that may be left out.
    other = {
        "abom_installations.build_requirement_reference_designator_id", "barcode_labels.iuid",
        "steps.standard_step_family_id", "steps.family_id", "procedures.family_id", "run_step_fields.valid",
        "purchase_order_lines.paid", "abom_item_reference_designators.id",
    }  # fmt: skip
    free = (
        "user", "created_by", "updated_by", "assigned", "reviewer", "role", "received_by", "started_by", "completed_by",
        "file_attachment", "thumbnail", "pdf_asset", "image", "label", "location", "supplier", "unit_of_measure",
        "session",
        "template", "integration", "subtype", "function", "requirement_id", "disposition_type", "mrp_job", "plan_id",
        "run_batch", "purchase_order_id", "receipt_id",
    )  # fmt: skip
    unexplained = [
        f"{table.name}.{column.name}"
        for table in TABLES.values()
        if table.name in FOUND.tables
        for column in table.columns
        if column.name.endswith(("_id", "_ids"))
        and (table.name, column.name) not in known
        and f"{table.name}.{column.name}" not in other
        and column.name != "entity_id"
        and not any(word in column.name for word in free)
    ]
    assert unexplained == []
