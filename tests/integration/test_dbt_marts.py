"""The models over rows written by hand: typed attributes, values ION may add, and tests that notice a spoilt mart."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest
import yaml

from ion_pipeline.catalog.catalog import known_catalog
from ion_pipeline.catalog.references import references
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.pipeline import dbt
from ion_pipeline.warehouse import find_controlled
from ion_pipeline.warehouse.tables import ensure_tables
from tests.integration.conftest import settings_of

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[2] / "dbt_project"
INTEGRITY = ["abom_hierarchy_children", "abom_where_used_from_trees", "reference_rows"]

# key, ION's type, JSON text as in raw
ATTRIBUTES = [
    ("Colour", "STRING", '"blau, 青い \\n \\"quoted\\""'),
    ("Mass", "NUMBER", "12.5"),
    ("Mass as text", "NUMBER", '"7"'),
    ("Mass by ear", "NUMBER", '"heavy"'),
    ("Flight", "BOOLEAN", "true"),
    ("Cured", "DATETIME", '"2026-03-01T09:15:00.250000+01:00"'),
    ("Colours", "MULTISELECT", '["red", "green, dark"]'),
    ("Choice", "SELECT", '"B"'),
    ("Nothing", "STRING", None),
    ("Null", "STRING", "null"),
    ("Later", "COLOUR_SPACE", '"sRGB"'),
]

ROWS = """
    insert into raw.parts by name
    select * from (values (1, 'TOP', 'A', 'PART'), (2, 'SUB', 'A', 'SOFTWARE'), (3, 'BOLT', 'A', 'PART'))
        as t(id, part_number, revision, part_type);
    insert into raw.part_inventories by name
    select * from (values (10, 1, 'S1', null, 1), (20, 2, 'S2', null, 1), (30, 3, null, 'L3', 50))
        as t(id, part_id, serial_number, lot_number, quantity);
    insert into raw.build_requirements by name
    select * from (values (100, 2, 1.0), (101, 3, 4.0), (102, 3, 2.0))
        as t(id, part_id, quantity_per_parent_part_inventory);
    insert into raw.build_requirement_part_inventories by name
    select * from (values (100, 10), (101, 20), (102, 10)) as t(build_requirement_id, part_inventory_id);
    insert into raw.abom_installations by name
    select * from (values (1000, 100, 20, 1.0), (1001, 101, 30, 4.0))
        as t(id, build_requirement_id, part_inventory_id, quantity);
    insert into raw.users by name
    select 7 as id, 'Ada' as name, false as deactivated;
"""


def node_name(unique_id: str) -> str:
    """`model.<project>.<name>`, `test.<project>.<name>.<hash>`, `unit_test.<project>.<model>.<name>`."""
    parts = unique_id.split(".")
    return parts[3] if parts[0] == "unit_test" else parts[2]


def ask(warehouse: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, rendered: Callable[[Path], None]) -> Path:
    """A warehouse whose raw tables were filled by hand; no model built yet."""
    path = tmp_path_factory.mktemp("marts") / "warehouse.duckdb"
    rendered(path.parent)
    with duckdb.connect(str(path)) as connection:
        ensure_tables(connection, known_catalog().tables.values())
        connection.execute(ROWS)
        connection.executemany(
            "insert into raw.part_attributes by name select 1 as part_id, ? as key, ? as type, ? as value", ATTRIBUTES
        )
        # Rows that are there have a history: one load brought them.
        connection.execute(
            "insert into raw._ion_loads by name select 'L0' as load_id, instant as started_at, instant as valid_from "
            "from (select timestamptz '2026-06-01 00:00:00+00' as instant) "
            "where not exists (select 1 from raw._ion_loads)"
        )
        for table in known_catalog().tables:
            connection.execute(
                f"insert into raw_history.{table} by name select rows.*, loads.valid_from, true as is_current "  # noqa: S608
                f"from raw.{table} as rows, (select min(valid_from) as valid_from from raw._ion_loads) as loads"
            )
        find_controlled(connection, references(known_schema(), known_catalog()), known_catalog().tables.values(), "")
    return path


@pytest.fixture(scope="module")
def built(warehouse: Path) -> dict[str, str]:
    """What came of each node in the first build."""
    report = dbt.build_pending(settings_of(warehouse.parent, included=True))
    return {node_name(node.unique_id): node.status for node in report.nodes}


def test_nothing_fails(built: dict[str, str]) -> None:
    assert len(built) > len(INTEGRITY)
    assert {name: status for name, status in built.items() if status in {"error", "fail", "skipped"}} == {}


def test_every_unit_test_passes(warehouse: Path, built: dict[str, str]) -> None:
    # Said here, it replaces what is left out elsewhere: the unit tests themselves.
    arguments = ["test", "--select", "test_type:unit", "--exclude-resource-type", "test"]
    report = dbt.run(settings_of(warehouse.parent, included=True), arguments)
    tested = {node_name(node.unique_id): node.status for node in report.nodes}
    models = [yaml.safe_load(path.read_text("utf-8")) for path in (PROJECT / "models").rglob("*.yml")]
    names = {test["name"] for model in models for test in model.get("unit_tests", ())}
    assert names
    assert {name: tested.get(name) for name in names} == dict.fromkeys(names, "pass")


def test_attributes_have_their_value_in_the_column_of_its_type(warehouse: Path, built: dict[str, str]) -> None:
    columns = "value_text, value_number, value_boolean, value_at, value_list"
    found = {
        key: values
        for key, *values in ask(warehouse, f"select attribute_key, {columns} from reference.attributes")  # noqa: S608
    }
    instant = datetime(2026, 3, 1, 8, 15, 0, 250000, tzinfo=UTC)
    assert found == {
        "Colour": ['blau, 青い \n "quoted"', None, None, None, None],
        "Mass": ["12.5", 12.5, None, None, None],
        "Mass as text": ["7", 7.0, None, None, None],
        "Mass by ear": ["heavy", None, None, None, None],
        "Flight": ["true", None, True, None, None],
        "Cured": ["2026-03-01T09:15:00.250000+01:00", None, None, instant, None],
        "Colours": ['["red", "green, dark"]', None, None, None, ["red", "green, dark"]],
        "Choice": ["B", None, None, None, None],
        "Nothing": [None, None, None, None, None],
        "Null": [None, None, None, None, None],
        "Later": ["sRGB", None, None, None, None],
    }


def test_attributes_of_a_part_are_a_map(warehouse: Path, built: dict[str, str]) -> None:
    rows = ask(warehouse, "select part_id, attributes['Mass'], cardinality(attributes) from reference.parts order by 1")
    assert rows == [(1, "12.5", len(ATTRIBUTES)), (2, None, None), (3, None, None)]


def test_values_that_ion_added_pass_through_and_are_reported(warehouse: Path, built: dict[str, str]) -> None:
    assert ask(warehouse, "select part_type from reference.parts where part_id = 2") == [("SOFTWARE",)]
    assert (built["parts_known_values"], built["attributes_known_values"]) == ("warn", "warn")


def test_tree_of_both_levels_with_what_is_open(warehouse: Path, built: dict[str, str]) -> None:
    rows = ask(
        warehouse,
        """select path_text, quantity_extended, is_open_requirement from genealogy.abom_hierarchy
        where root_part_inventory_id = 10 order by sort_key""",
    )
    assert rows == [
        ("TOP S1", 1.0, False),
        ("TOP S1 > BOLT (open)", 0.0, True),
        ("TOP S1 > SUB S2", 1.0, False),
        ("TOP S1 > SUB S2 > BOLT L3", 4.0, False),
    ]


def test_descriptions_are_in_the_file(warehouse: Path, built: dict[str, str]) -> None:
    silent = ask(
        warehouse,
        """select table_name, column_name from duckdb_columns()
        where schema_name in ('reference', 'genealogy') and coalesce(comment, '') = ''""",
    )
    assert silent == []
    [(described,)] = ask(warehouse, "select count(*) from duckdb_tables() where comment like 'One row per%'")
    assert described == len(list((PROJECT / "models" / "marts").rglob("*.sql")))


@pytest.mark.parametrize(
    ("spoil", "noticed_by"),
    [
        ("update genealogy.abom_where_used set path_count = path_count + 1 where component_part_inventory_id = 30",
         "abom_where_used_from_trees"),
        ("update genealogy.abom_where_used set quantity_extended = 3 where ancestor_part_inventory_id = 10",
         "abom_where_used_from_trees"),
        ("delete from genealogy.abom_where_used", "abom_where_used_from_trees"),
        ("delete from genealogy.abom_hierarchy where part_inventory_id = 20 and depth = 1", "abom_hierarchy_children"),
        ("delete from genealogy.abom_hierarchy where depth > 0", "abom_hierarchy_children"),
        ("delete from genealogy.abom_hierarchy where depth = 0", "reference_rows"),
        ("delete from reference.attributes where attribute_key = 'Mass'", "reference_rows"),
        ("delete from reference.users", "reference_rows"),
    ],
)  # fmt: skip
def test_a_spoilt_mart_is_noticed(warehouse: Path, built: dict[str, str], spoil: str, noticed_by: str) -> None:
    rendering = orjson.loads((warehouse.parent / "dbt" / "rendered.json").read_bytes())["nodes"]
    [sql] = [node["sql"] for node in rendering if node["name"] == noticed_by]
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        assert connection.execute(sql).fetchall()[0][0] == 0
        connection.execute("begin")
        connection.execute(spoil)
        assert connection.execute(sql).fetchall()[0][0] > 0
        connection.execute("rollback")


def standing(warehouse: Path) -> dict[str, list[tuple[Any, ...]]]:
    """How many rows each public table of two schemas has, and a digest of them."""
    tables = (
        "select schema_name || '.' || table_name from duckdb_tables() where schema_name in ('reference', 'genealogy')"
    )
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return {
            name: connection.execute(f"select count(*), sum(hash(t)::hugeint) from {name} as t").fetchall()  # noqa: S608
            for (name,) in connection.execute(tables).fetchall()
        }


MARTS = ["+users", "+suppliers", "+locations"]


def test_a_build_killed_in_the_middle_leaves_every_table(warehouse: Path, built: dict[str, str]) -> None:
    before, settings = standing(warehouse), settings_of(warehouse.parent, included=True)
    made = 0
    with subprocess.Popen(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "run", "--select", *MARTS],
        env={**os.environ, **dbt.environment(settings), "DBT_PROJECT_DIR": str(PROJECT)},
        cwd=warehouse.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout
        for line in process.stdout:
            made += "created sql table model" in line
            if made == 2:
                process.kill()
                break
    assert process.returncode == -signal.SIGKILL
    assert standing(warehouse) == before


def test_building_again_changes_nothing(warehouse: Path, built: dict[str, str]) -> None:
    before = standing(warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        # What has the name of a model and is of another kind gives way to it.
        connection.execute("drop table reference.users; create view reference.users as select 1 as i")
        connection.execute("drop view staging.stg_ion__users; create table staging.stg_ion__users (i int)")
    report = dbt.run(settings_of(warehouse.parent, included=True), ["run", "--select", *MARTS])
    assert {node.status for node in report.nodes} == {"success"}
    assert standing(warehouse) == before
