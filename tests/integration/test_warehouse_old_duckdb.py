"""The published file in the versions of DuckDB that it promises to open in.

Each is installed once into a cache outside the repository (`ION_TEST_CACHE`, else the user's cache folder) and runs in
a process of its own.
"""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ion_pipeline.publish import publish
from ion_pipeline.warehouse import Resources
from tests.integration.conftest import Built

pytestmark = pytest.mark.slow

OLDEST = "1.1.3"
# The last of each line, and the first that reads what stands in the file: 1.4.0 and 1.4.1 lose the CTEs of macros.
LATER = ("1.2.2", "1.3.2", "1.4.2", "1.4.5", "1.5.0", "1.5.6")
READER = """
import duckdb, json, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
connection.execute("set TimeZone = 'UTC'")
connection.execute("set enable_progress_bar = false")
result = {"version": duckdb.__version__}
for name, sql in json.loads(sys.argv[2]).items():
    result[name] = connection.execute(sql).fetchall()
print(json.dumps(result, default=str))
"""


def installed(version: str) -> Path:
    """A folder with that DuckDB to put on the path; skips where it cannot be had."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ion-pipeline-tests"
    folder = Path(os.environ.get("ION_TEST_CACHE", default)) / f"duckdb-{version}-py{sys.version_info.minor}"
    if not (folder / "duckdb" / "__init__.py").is_file():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command = [*pip, "--no-deps", "--target", str(folder), f"duckdb=={version}"]
        ran = subprocess.run(command, check=False, capture_output=True, text=True)
        if ran.returncode:
            pytest.skip(f"DuckDB {version} cannot be installed here: {ran.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.fixture(scope="session")
def old_duckdb() -> Path:
    """The oldest one."""
    return installed(OLDEST)


def test_it_reads_every_type(tmp_path: Path, old_duckdb: Path) -> None:
    database = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("create schema reference; create schema genealogy")
        connection.execute(
            """
            create table reference.parts as
            select i as part_id, 'päẞ ' || i as part_number, 0.5 * i as cost, i % 2 = 0 as is_active,
                timestamptz '2026-03-01 08:15:00.123456+00' + to_days(i::int) as created_at,
                date '2026-03-01' + i::int as created_on,
                ['x', null, 'y' || i] as subtypes, map {'colour': 'red' || i} as attributes,
                (i * 10)::decimal(18, 2) as price
            from range(200000) r(i)
            """
        )
        connection.execute("comment on table reference.parts is 'A part revision.'")
        connection.execute("create table genealogy.empty (id bigint, path_ids bigint[])")
    macros = tmp_path / "macros.sql"
    macros.write_text("create macro part(n) as table select part_number from reference.parts where part_id = n;")
    report = publish(database, tmp_path / "published", sql_files=[macros], resources=Resources("512MB", 2))

    queries = {
        "row": "select * from reference.parts where part_id = 2",
        "sums": "select count(*), sum(part_id), sum(len(subtypes)), sum(cost)::bigint from reference.parts",
        "last": "select max(created_at) from reference.parts",
        "macro": "from part(3)",
        "empty": "select count(*) from genealogy.empty",
        "comment": "select comment from duckdb_tables() where table_name = 'parts'",
    }
    command = [sys.executable, "-c", READER, str(report.database), json.dumps(queries)]
    ran = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(old_duckdb), "PATH": os.environ["PATH"]},
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found == {
        "version": OLDEST,
        "row": [
            [
                2,
                "päẞ 2",
                "1.0",
                True,
                str(datetime(2026, 3, 3, 8, 15, 0, 123456, UTC)),
                "2026-03-03",
                ["x", None, "y2"],
                {"colour": "red2"},
                "20.00",
            ]
        ],
        "sums": [[200_000, 19_999_900_000, 600_000, 9_999_950_000]],
        "last": [[str(datetime(2026, 3, 1, 8, 15, 0, 123456, UTC) + timedelta(days=199_999))]],
        "macro": [["päẞ 3"]],
        "empty": [[0]],
        "comment": [["A part revision."]],
    }


NOW = "timestamptz '2030-01-01 00:00:00+00'"
BEGINNING = "timestamptz '2020-01-01 00:00:00+00'"


def macro_calls(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """A question to each macro of the published file that has an answer there."""

    def first(sql: str) -> tuple[int, ...]:
        row = connection.execute(sql).fetchone()
        assert row is not None
        return tuple(row)

    # Two versions of one plan that differ, and a plan that changed between two instants.
    one, other = first(
        "select previous_mbom_id, mbom_id from genealogy.mbom_version_changes "
        "where previous_mbom_id <> mbom_id and change <> 'indirect' order by all limit 1"
    )
    number, revision, before, after = first(
        "select a.part_number, a.part_revision, a.in_force_from, b.in_force_from "
        "from genealogy.mbom_versions as a inner join genealogy.mbom_versions as b "
        "on a.part_id = b.part_id and a.in_force_from < b.in_force_from and a.lines_hash <> b.lines_hash "
        "order by all limit 1"
    )
    instants = f"timestamptz '{before}', timestamptz '{after}'"
    return {
        "abom_explode": "from abom_explode(22)",
        "abom_as_of": f"from abom_as_of(22, {NOW})",
        "abom_compare": "from abom_compare(22, 49)",
        "abom_compare_as_of": f"from abom_compare_as_of(22, {BEGINNING}, {NOW})",
        "where_used": "from where_used(14)",
        "recall": "from recall('PLT-POWDER', 'PLT-BAD-POWDER')",
        "mbom_explode": f"from mbom_explode('{number}', '{revision}')",
        "mbom_explode_version": f"from mbom_explode_version({other})",
        "mbom_as_of": f"from mbom_as_of('{number}', '{revision}', timestamptz '{after}')",
        "mbom_compare": f"from mbom_compare({one}, {other})",
        "mbom_compare_as_of": f"from mbom_compare_as_of('{number}', '{revision}', {instants})",
    }


@pytest.mark.parametrize("version", [OLDEST, *LATER])
def test_the_macros_for_analysts_give_the_same_rows(demo_warehouse: Built, version: str) -> None:
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        queries = macro_calls(connection)
        macros = connection.execute(
            "select function_name from duckdb_functions() where function_type = 'table_macro' and not internal "
            "and database_name = current_database()"
        ).fetchall()
        # Those that the others are made of are called by them.
        assert {name for (name,) in macros} - {"mbom_standing", "mbom_tree", "mbom_compare_trees"} == queries.keys()
        expected = {name: connection.execute(sql).fetchall() for name, sql in queries.items()}
    assert all(expected.values()), {name: len(rows) for name, rows in expected.items()}
    command = [sys.executable, "-c", READER, str(demo_warehouse.published), json.dumps(queries)]
    environment = {"PYTHONPATH": str(installed(version)), "PATH": os.environ["PATH"]}
    # A plan of hundreds of copies of one CTE would take hours.
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=120)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    assert found.pop("version") == version
    assert found == json.loads(json.dumps(expected, default=str))


def test_the_newest_format_would_not_open(tmp_path: Path, old_duckdb: Path) -> None:
    """The reason for the storage version: without it the same reader fails."""
    path = tmp_path / "new.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table t as select 1 as i")
    command = [sys.executable, "-c", READER, str(path), '{"t": "from t"}']
    environment = {"PYTHONPATH": str(old_duckdb), "PATH": os.environ["PATH"]}
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert ran.returncode != 0
    assert "version number" in ran.stderr
