# ruff: noqa: S608 -- texts of our own, never run
"""No query asks for the first row of a subquery that it reads elsewhere as well: DuckDB 2.0 may never answer.

`exists (select … from shared)` and `select … from shared limit 1` stop reading early, and what fills the shared rows
for the other reader then waits for ever, without a processor and deaf to an interrupt (seen with a million rows).
"""

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2] / "dbt_project"
QUERIES = sorted(
    path for folder in ("models", "tests", "macros", "analyst_macros") for path in PROJECT.glob(f"{folder}/**/*.sql")
)
COMMENT = re.compile(r"\{#.*?#\}|--[^\n]*", re.DOTALL)
SHARED = re.compile(r"\b(\w+)(?:\s*\([\w, ]+\))? as (?:(?:not )?materialized )?\(")
FIRST_ROW = re.compile(
    r"\bexists\s*\(\s*select\b[^()]*?\bfrom\s+(\w+)|\bselect\b[^()]*?\bfrom\s+(\w+)(?:\s+as\s+\w+)?\s+limit\b"
)


def first_rows_of_shared(sql: str) -> set[str]:
    """Subqueries of a query of which it asks for the first row."""
    text = COMMENT.sub("", sql)
    return {name for pair in FIRST_ROW.findall(text) for name in pair} & set(SHARED.findall(text))


@pytest.mark.parametrize(
    "probe",
    [
        "not exists (select 1 from rows)",
        "exists(select r.k\n from rows as r where r.k > 1)",
        "(select k from rows limit 1) > 0",
    ],
)
def test_what_is_looked_for_is_found(probe: str) -> None:
    sql = "with rows as (\nselect 1 as k\n) select * from rows where " + probe
    assert first_rows_of_shared(sql) == {"rows"}


def test_what_is_counted_or_sorted_is_not() -> None:
    sql = "with rows as (select 1 as k) select * from rows where (select count(*) from rows) = 0 order by k limit 1"
    assert first_rows_of_shared(sql) == set()


def test_no_query_asks_for_the_first_row_of_what_it_shares() -> None:
    assert len(QUERIES) > 250
    assert {
        str(path.relative_to(PROJECT)): found for path in QUERIES if (found := first_rows_of_shared(path.read_text()))
    } == {}
