"""The questions of docs/analysts.md, asked of the demo."""

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
def test_the_recall_shown_is_the_recall_planted(demo_warehouse: Built) -> None:
    recall = ASK["questions"]()[0]
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        rows = connection.execute(recall.sql).fetchall()
    shown = [line.strip("| ").split(" | ") for line in (DOCS / "analysts.md").read_text("utf-8").splitlines()]
    assert [[str(value) for value in row] for row in rows] == [
        line for line in shown if len(line) == len(rows[0]) and line[0].startswith("PLT-")
    ]
