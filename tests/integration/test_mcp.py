"""`ion-pipeline mcp` as an assistant meets it: the SDK's client starts the command and calls its tools."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import duckdb
import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from ion_pipeline.mcp.reading import Limits, PublishedReader, RefusedError
from ion_pipeline.warehouse import Resources
from tests.integration.conftest import Built

LIMITS = ("--rows", "40", "--seconds", "20")
SECRET = "the-secret-of-the-key"
# What is no read, or leaves the file. Each would do harm, or show what is not published, if it ran.
REFUSED = {
    "read a file": "select * from read_text('/etc/passwd')",
    "read a table of another file": "select * from read_csv('/etc/passwd')",
    "list files": "select * from glob('/*')",
    "write a file": "copy (select 1) to '{folder}/out.csv'",
    "write where DuckDB spills": "copy (select 1) to '{published}/duckdb_tmp/out.csv'",
    "attach a file": "attach '{folder}/other.duckdb'",
    "export": "export database '{folder}/all'",
    "create": "create table ops.mine (i integer)",
    "create for the session": "create temp table mine (i integer)",
    "change": "update ops.loads set tenant = 'x'",
    "set": "set enable_external_access = true",
    "install": "install httpfs",
    "two statements": "select 1; select 2",
    "a write behind a read": "select 1; copy (select 1) to '{folder}/out.csv'",
    "nothing": "-- nothing",
    "no SQL": "which lots are bad?",
}


class Assistant:
    """Starts the command as an assistant does, and calls its tools."""

    def __init__(self, data_dir: Path) -> None:
        self._command = StdioServerParameters(
            command=sys.executable,
            args=["-m", "ion_pipeline.cli", "--data-dir", str(data_dir), "mcp", *LIMITS],
            env={
                "PATH": os.environ["PATH"],
                "ION_CLIENT_SECRET": SECRET,
                **{k: v for k, v in os.environ.items() if k == "PYTHONPATH"},
            },
        )

    def calls(self, calls: dict[str, tuple[str, dict[str, Any]]]) -> dict[str, tuple[bool, Any]]:
        """Each call's name to whether it failed, and its result or error; all in one session."""

        async def session() -> dict[str, tuple[bool, Any]]:
            async with Client(stdio_client(self._command)) as client:
                answers = {name: await client.call_tool(tool, arguments) for name, (tool, arguments) in calls.items()}
            return {
                name: (bool(answer.is_error), answer.content[0].text if answer.is_error else answer.structured_content)  # type: ignore[union-attr]
                for name, answer in answers.items()
            }

        return anyio.run(session)


@pytest.fixture(scope="module")
def assistant(demo_warehouse: Built) -> Assistant:
    return Assistant(demo_warehouse.data_dir)


@pytest.fixture
def reader(demo_warehouse: Built) -> Callable[..., PublishedReader]:
    def made(**limits: Any) -> PublishedReader:
        return PublishedReader(demo_warehouse.published.parent, Limits(**limits), Resources("1GB", 1))

    return made


@pytest.mark.slow
def test_an_assistant_finds_tables_columns_and_rows(assistant: Assistant, demo_warehouse: Built) -> None:
    count = "select count(*) as runs, max(created_at) as newest from production.runs"
    answers = assistant.calls(
        {
            "tables": ("list_tables", {}),
            "quality": ("list_tables", {"schema": "quality"}),
            "columns": ("describe_table", {"table": "quality.issues"}),
            "rows": ("query", {"sql": count}),
            "ion": ("query", {"sql": "select part_kit_id from ion.part_kits order by part_kit_id limit 2"}),
            "part": ("query", {"sql": "select part_id from reference.parts order by part_id"}),
            "unknown": ("describe_table", {"table": "quality.nothing"}),
        }
    )
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        [[runs, newest]] = connection.execute(count).fetchall()
        parts = connection.execute("select part_id from reference.parts order by part_id").fetchall()
        kits = connection.execute("select part_kit_id from ion.part_kits order by part_kit_id limit 2").fetchall()
        names = {
            f"{'ion' if schema == 'main' else schema}.{table}"
            for schema, table in connection.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        }
        columns = connection.execute("select column_name from (describe quality.issues)").fetchall()
        [[read_at]] = connection.execute("select max(read_at) from ops.loads").fetchall()
    assert {table["name"] for table in answers["tables"][1]["result"]} == names
    assert {table["name"] for table in answers["quality"][1]["result"]} == {
        n for n in names if n.startswith("quality.")
    }
    assert all(table["description"].startswith("One row") for table in answers["quality"][1]["result"])
    assert [column["name"] for column in answers["columns"][1]["result"]] == [name for (name,) in columns]
    rows = answers["rows"][1]
    assert (rows["rows"], rows["is_complete"], rows["note"]) == ([[runs, newest.isoformat()]], True, "")
    assert rows["data_as_of"] == read_at.isoformat()
    assert answers["ion"][1]["rows"] == [list(row) for row in kits]
    assert len(kits) == 2
    # More rows than the limit: the first of them, and the answer says so.
    part = answers["part"][1]
    assert len(parts) > 40
    assert part["rows"] == [list(row) for row in parts[:40]]
    assert (part["is_complete"], part["note"][:10]) == (False, "INCOMPLETE")
    assert answers["unknown"][0]
    assert "There is no table quality.nothing. list_tables" in answers["unknown"][1]


@pytest.mark.slow
def test_an_assistant_reads_nothing_else_and_writes_nothing(
    assistant: Assistant, demo_warehouse: Built, tmp_path: Path
) -> None:
    published = demo_warehouse.published.parent
    before = {path: path.stat().st_mtime_ns for path in published.rglob("*") if path.is_file()}
    statements = {name: sql.format(folder=tmp_path, published=published) for name, sql in REFUSED.items()}
    answers = assistant.calls(
        {
            **{name: ("query", {"sql": sql}) for name, sql in statements.items()},
            "settings": ("query", {"sql": "select string_agg(value, ' ') from duckdb_settings()"}),
            "still there": ("query", {"sql": "select count(*) > 0 from ops.loads"}),
        }
    )
    assert [name for name in REFUSED if not answers[name][0]] == []
    assert answers["still there"][1]["rows"] == [[True]]
    assert SECRET not in str(answers)
    assert "root:" not in str(answers), "a line of /etc/passwd"
    assert list(tmp_path.iterdir()) == []
    assert {path: path.stat().st_mtime_ns for path in published.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_a_query_without_an_end_is_interrupted(reader: Callable[..., PublishedReader]) -> None:
    endless = "select sum(a.range * b.range) from range(10000000) as a, range(10000000) as b"
    with pytest.raises(RefusedError, match=r"interrupted after 0\.5 seconds\. Ask for less"):
        reader(seconds=0.5).answer(endless)


@pytest.mark.slow
def test_an_answer_is_short_and_says_what_it_lacks(reader: Callable[..., PublishedReader]) -> None:
    answer = reader(characters=1000).answer("select range as i, repeat('x', 90) as text from range(100)")
    assert 5 < len(answer.rows) < 11
    assert not answer.is_complete
    assert answer.note.startswith(f"INCOMPLETE: these are the first {len(answer.rows)} rows")
    assert reader(rows=3).answer("select range from range(3)").is_complete
    assert not reader(rows=3).answer("select range from range(4)").is_complete
    assert len(reader(rows=3).answer("select range from range(4)", rows=100).rows) == 3
    for none in (0, -1):
        with pytest.raises(RefusedError, match="are no answer"):
            reader().answer("select 1", rows=none)


@pytest.mark.slow
def test_a_value_is_what_duckdb_has(reader: Callable[..., PublishedReader]) -> None:
    values = {
        "'nan'::double": "NaN",
        "'-infinity'::double": "-Infinity",
        "1e308": 1e308,
        "9007199254740993": 9007199254740993,
        "1.10::decimal(9, 2)": "1.10",
        "date '2026-01-31'": "2026-01-31",
        "timestamptz '2026-01-31 12:00:00+02'": "2026-01-31T10:00:00+00:00",
        "map {'a': 'b'}": {"a": "b"},
        "[1, null]": [1, None],
        "'\"; drop'": '"; drop',
        "null": None,
        "true": True,
    }
    answer = reader().answer(f"select {', '.join(values)}")
    assert answer.rows == [list(values.values())]
    assert reader().answer("select $a::bigint + 1 as b", {"a": 41}).rows == [[42]]
