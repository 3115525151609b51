"""The named questions and docs/analysts.md are one: the same SQL, titles and examples."""

import re

import pytest

from ion_pipeline.questions import Question, questions
from tests.analyst_questions import blocks

QUESTIONS = questions()
BLOCKS = {(block.title, block.command): block.sql for block in blocks() if block.command}


def test_every_named_question_is_on_the_page_and_no_other_is() -> None:
    assert len(QUESTIONS) > 15
    assert {(question.title, question.command()) for question in QUESTIONS.values()} == set(BLOCKS)


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_the_page_has_the_sql_that_the_command_asks(question: Question) -> None:
    assert BLOCKS[question.title, question.command()] == question.printed()


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_each_parameter_is_declared_and_used(question: Question) -> None:
    declared = [parameter.name for parameter in question.parameters]
    assert len(set(declared)) == len(declared)
    assert set(re.findall(r"\$(\w+)", question.sql)) == set(declared)
    assert not {"format", "rows", "context"} & set(declared)
    required = {parameter.name for parameter in question.parameters if not parameter.is_optional}
    # Without the optional ones no line is left that needs them; `part` is found by its lot.
    used = set(re.findall(r"\$(\w+)", question.select(required)))
    assert used - {parameter.name for parameter in question.parameters if parameter.kind == "part"} == required
    assert "-- if" not in question.select(declared)
