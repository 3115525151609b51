"""The published file in the oldest DuckDB that it promises to open in.

DuckDB 1.1.3 is installed once into a cache outside the repository (`ION_TEST_CACHE`, else the user's cache folder) and
runs in a process of its own.
"""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ion_pipeline.warehouse import Resources, publish
from tests.integration.conftest import Built

pytestmark = pytest.mark.slow

OLD_VERSION = "1.1.3"
READER = """
import duckdb, json, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
connection.execute("set TimeZone = 'UTC'")
result = {"version": duckdb.__version__}
for name, sql in json.loads(sys.argv[2]).items():
    result[name] = connection.execute(sql).fetchall()
print(json.dumps(result, default=str))
"""


@pytest.fixture(scope="session")
def old_duckdb() -> Path:
    """A folder with DuckDB 1.1.3 to put on the path."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ion-pipeline-tests"
    folder = Path(os.environ.get("ION_TEST_CACHE", default)) / f"duckdb-{OLD_VERSION}-py{sys.version_info.minor}"
    if not (folder / "duckdb" / "__init__.py").is_file():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command = [*pip, "--no-deps", "--target", str(folder), f"duckdb=={OLD_VERSION}"]
        installed = subprocess.run(command, check=False, capture_output=True, text=True)
        if installed.returncode:
            pytest.skip(f"DuckDB {OLD_VERSION} cannot be installed here: {installed.stderr.strip().splitlines()[-1]}")
    return folder


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
        "version": OLD_VERSION,
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


def test_the_macros_for_analysts_work(demo_warehouse: Built, old_duckdb: Path) -> None:
    queries = {
        "tree": "select count(*) from abom_explode(22)",
        "uses": "select count(*) from where_used(14)",
        "recall": "select count(*) from recall('PLT-POWDER', 'PLT-BAD-POWDER')",
        "changes": "select list(change order by change) from abom_compare(22, 49)",
    }
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        expected = {name: [list(row) for row in connection.execute(sql).fetchall()] for name, sql in queries.items()}
    assert all(rows[0][0] for rows in expected.values())
    command = [sys.executable, "-c", READER, str(demo_warehouse.published), json.dumps(queries)]
    environment = {"PYTHONPATH": str(old_duckdb), "PATH": os.environ["PATH"]}
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {"version": OLD_VERSION, **expected}


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
