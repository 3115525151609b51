# ruff: noqa: S608 -- texts of this repository, never run
"""No query takes the first row of a subquery that it also reads elsewhere: DuckDB 2.0 may hang on it.

`exists (select … from shared)` and `select … from shared limit 1` stop reading early. The operator that fills the
shared rows for the other reader then waits without end, uses no CPU and ignores interrupts (observed with a million
rows).
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
    """Return the subqueries of a query whose first row it takes."""
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
def test_each_form_of_a_first_row_is_found(probe: str) -> None:
    sql = "with rows as (\nselect 1 as k\n) select * from rows where " + probe
    assert first_rows_of_shared(sql) == {"rows"}


def test_counting_or_sorting_is_not_reported() -> None:
    sql = "with rows as (select 1 as k) select * from rows where (select count(*) from rows) = 0 order by k limit 1"
    assert first_rows_of_shared(sql) == set()


def test_no_query_takes_the_first_row_of_a_shared_subquery() -> None:
    assert len(QUERIES) > 250
    assert {
        str(path.relative_to(PROJECT)): found for path in QUERIES if (found := first_rows_of_shared(path.read_text()))
    } == {}
