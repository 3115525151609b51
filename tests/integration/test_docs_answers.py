"""The questions of docs/analysts.md, asked of the demo."""

import re
import runpy
from pathlib import Path

import duckdb
import pytest

from tests.integration.conftest import Built

DOCS = Path(__file__).parents[2] / "docs"
ASK = runpy.run_path(str(DOCS / "ask.py"))


@pytest.mark.slow
def test_every_question_for_analysts_has_an_answer(demo_warehouse: Built) -> None:
    questions = ASK["questions"]()
    assert len(questions) >= 10
    assert len(questions) == (DOCS / "analysts.md").read_text("utf-8").count("```sql")
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        unanswered = [question.title for question in questions if not connection.execute(question.sql).fetchall()]
    assert unanswered == []


@pytest.mark.slow
def test_answers_on_the_page_are_the_answers(demo_warehouse: Built) -> None:
    answered = [question for question in ASK["questions"]() if question.answer]
    assert len(answered) >= 9
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        for question in answered:
            cursor = connection.execute(question.sql)
            columns = tuple(column[0] for column in cursor.description or ())
            rows = [tuple("" if value is None else str(value) for value in row) for row in cursor.fetchall()]
            assert (columns, *rows) == question.answer, question.title


@pytest.mark.slow
def test_what_replaces_the_data_connector_has_rows(demo_warehouse: Built) -> None:
    statements = re.findall(
        r"^```sql\n(.*?)^```", (DOCS / "data-connector.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(statements) >= 4
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        assert [sql for sql in statements if not connection.execute(sql).fetchall()] == []
