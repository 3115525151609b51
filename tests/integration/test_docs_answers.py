"""The questions of docs/analysts.md, asked of the demo."""

import re

import duckdb
import pytest

from tests.analyst_questions import PAGE, blocks
from tests.integration.conftest import Built


@pytest.mark.slow
def test_every_question_for_analysts_has_an_answer(demo_warehouse: Built) -> None:
    questions = blocks()
    assert len(questions) >= 10
    assert len(questions) == PAGE.read_text("utf-8").count("```sql")
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        unanswered = [question.title for question in questions if not connection.execute(question.sql).fetchall()]
    assert unanswered == []


@pytest.mark.slow
def test_answers_on_the_page_are_the_answers(demo_warehouse: Built) -> None:
    answered = [question for question in blocks() if question.answer]
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
        r"^```sql\n(.*?)^```", PAGE.with_name("data-connector.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(statements) >= 4
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        assert [sql for sql in statements if not connection.execute(sql).fetchall()] == []
