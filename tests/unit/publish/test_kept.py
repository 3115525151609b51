"""What a publish takes from the one before, and that its files are those of a publish that takes nothing."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ion_pipeline.publish import PublishReport, publish
from ion_pipeline.warehouse import Resources
from tests.examples import examples

pytestmark = pytest.mark.slow

SMALL = Resources("256MB", 1)
folders = count()
TABLES = ("genealogy.tree", "reference.parts", "reference.names")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Two tables and a view, and a macro that reads one of them."""
    path = tmp_path / "warehouse.duckdb"
    execute(
        path,
        """
        create schema genealogy; create schema reference;
        create table genealogy.tree as select i as unit_id, 'unit ' || i as label from range(5000) as r(i);
        create table reference.parts as select i as part_id, 0.1 * i as cost from range(50) as r(i);
        create view reference.names as select part_id, 'part ' || part_id as name from reference.parts;
        comment on table reference.parts is 'One row per part.';
        comment on column reference.parts.cost is 'In dollars.';
        """,
    )
    (tmp_path / "macros.sql").write_text(
        "create macro reference.dear(least) as table from reference.parts where cost >= least;"
        "create view reference.dearest as from reference.parts where cost = (select max(cost) from reference.parts);"
    )
    return path


def execute(path: Path, sql: str) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)


def run(database: Path, to: str = "published", **options: Any) -> PublishReport:
    macros = [database.parent / "macros.sql"]
    return publish(database, database.parent / to, sql_files=macros, resources=SMALL, **options)


def contents(report: PublishReport) -> dict[str, Any]:
    """All that a reader finds: rows, types and comments, in the file and in Parquet."""
    with duckdb.connect(str(report.database), read_only=True) as connection:
        rows = {name: sorted(connection.execute(f"from {name}").fetchall()) for name in TABLES}
        found: dict[str, Any] = {
            "rows": rows,
            "columns": connection.execute(
                "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() "
                "where not internal order by schema_name, table_name, column_index"
            ).fetchall(),
            "comments": connection.execute(
                "select table_name, comment from duckdb_tables() order by schema_name, table_name"
            ).fetchall(),
            "macros": connection.execute(
                "select function_name from duckdb_functions() where not internal order by all"
            ).fetchall(),
            "dear": sorted(connection.execute("from reference.dear(2)").fetchall()),
            "dearest": connection.execute("from reference.dearest").fetchall(),
        }
    for name in TABLES:
        table = pq.read_table(report.parquet / f"{name.replace('.', '/')}.parquet")
        assert sorted(tuple(row.values()) for row in table.to_pylist()) == rows[name]
    return found


def inodes(report: PublishReport) -> dict[str, int]:
    return {name: (report.parquet / f"{name.replace('.', '/')}.parquet").stat().st_ino for name in TABLES}


def renewed(before: dict[str, int], after: dict[str, int]) -> set[str]:
    return {name for name in TABLES if before[name] != after[name]}


CHANGES: dict[str, tuple[str, set[str]]] = {
    "nothing": ("select 1", set()),
    "a value": (
        "update reference.parts set cost = 7 where part_id = 3",
        {"reference.parts"},
    ),
    "a row": ("insert into genealogy.tree values (-1, 'one more')", {"genealogy.tree"}),
    "what a view reads": (
        "update reference.parts set part_id = 99 where part_id = 3",
        {"reference.parts", "reference.names"},
    ),
    "a comment on a table": ("comment on table genealogy.tree is 'One row per unit.'", {"genealogy.tree"}),
    "a comment on a view": ("comment on view reference.names is 'One row per name.'", {"reference.names"}),
    "a comment on a column": ("comment on column reference.parts.cost is 'In euros.'", {"reference.parts"}),
    "the name of a column": (
        "create or replace view reference.names as select part_id, 'part ' || part_id as title from reference.parts",
        {"reference.names"},
    ),
    "a type": (
        "create or replace table genealogy.tree as select unit_id::integer as unit_id, label from genealogy.tree",
        {"genealogy.tree"},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_only_what_changed_is_written(database: Path, change: str) -> None:
    sql, expected = CHANGES[change]
    before = inodes(run(database))
    execute(database, sql)
    report = run(database)
    assert renewed(before, inodes(report)) == expected
    fresh = run(database, "elsewhere")
    assert contents(report) == contents(fresh)
    of_each = [
        [
            (table["schema"], table["table"], table["rows"], table["state"], table["hash_sum"])
            for table in orjson.loads((one.database.parent / "latest.json").read_bytes())["tables"]
        ]
        for one in (report, fresh)
    ]
    assert of_each[0] == of_each[1]


def damage_rows(report: PublishReport) -> None:
    execute(report.database, "update genealogy.tree set label = 'damaged' where unit_id = 7")


def damage_file(report: PublishReport) -> None:
    report.database.write_bytes(b"not a database")


def cut_parquet(report: PublishReport) -> None:
    file = report.parquet / "genealogy" / "tree.parquet"
    file.write_bytes(file.read_bytes()[:-1])


def delete_parquet(report: PublishReport) -> None:
    (report.parquet / "genealogy" / "tree.parquet").unlink()


@pytest.mark.parametrize(
    ("harm", "kept"),
    [
        (damage_rows, {"reference.parts", "reference.names"}),
        (damage_file, set()),
        (cut_parquet, {"reference.parts", "reference.names"}),
        (delete_parquet, {"reference.parts", "reference.names"}),
    ],
)
def test_what_is_damaged_is_made_again(database: Path, harm: Callable[[PublishReport], None], kept: set[str]) -> None:
    report = run(database)
    before = inodes(report)
    harm(report)
    again = run(database)
    assert renewed(before, inodes(again)) == set(TABLES) - kept
    assert contents(again) == contents(run(database, "elsewhere"))


def test_other_rules_of_export_control_keep_nothing(database: Path) -> None:
    before = inodes(run(database))
    assert renewed(before, inodes(run(database, export_controlled="left out"))) == set(TABLES)


def test_a_schema_that_is_no_longer_there_is_not_published(database: Path) -> None:
    run(database)
    execute(database, "drop schema genealogy cascade")
    report = run(database)
    with duckdb.connect(str(report.database), read_only=True) as connection:
        schemas = connection.execute("select schema_name from duckdb_schemas() where not internal").fetchall()
    assert ("genealogy",) not in schemas
    assert ("reference",) in schemas
    assert not (report.parquet / "genealogy").exists()


def test_the_file_does_not_grow_with_the_number_of_publishes(database: Path) -> None:
    execute(database, "insert into genealogy.tree select i, md5(i::varchar) from range(200_000) as r(i)")
    sizes = []
    for number in range(8):
        execute(database, f"update genealogy.tree set label = 'n' || {number} || md5(unit_id::varchar)")  # noqa: S608
        sizes.append(run(database).bytes)
    assert max(sizes) <= 2.5 * sizes[0], sizes


EDITS = st.sampled_from([sql for sql, _ in CHANGES.values() if sql.startswith(("update", "insert", "select"))])


@settings(max_examples=examples(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EDITS, min_size=1, max_size=4))
def test_any_history_of_publishes_ends_like_a_first_one(database: Path, edits: list[str]) -> None:
    for edit in edits:
        execute(database, edit)
        report = run(database)
    assert contents(report) == contents(run(database, f"fresh-{next(folders)}"))
