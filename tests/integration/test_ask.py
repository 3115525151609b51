"""`ion-pipeline ask` on the demo's published file: the same rows as the page's SQL, complete, and never misread."""

import csv
import io
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from ion_pipeline import cli
from ion_pipeline.questions import Question, questions
from tests.oracle.world import read_truths

pytestmark = pytest.mark.slow
QUESTIONS = questions()
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    demo_warehouse: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(
            sys, "argv", ["ion-pipeline", "--data-dir", str(demo_warehouse.data_dir), "ask", *arguments]
        )
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_a_bound_value_and_a_written_one_give_the_same_rows(run: Run, demo_warehouse: Any, question: Question) -> None:
    """The command binds its values; the page has them in its SQL."""
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        cursor = connection.execute(question.printed())
        columns = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    code, said, _ = run(*shlex.split(question.command())[2:], "--format", "json")
    assert code == 0
    document = json.loads(said)
    assert document["rows"] == json.loads(orjson.dumps(rows, default=str, option=orjson.OPT_NAIVE_UTC))
    assert document["rows"]
    assert document["data_as_of"]


def test_a_recall_by_the_lot_alone_has_the_planted_units(run: Run, demo_warehouse: Any) -> None:
    truth = read_truths(demo_warehouse.world)["contaminated_lot"]
    code, said, noted = run("recall", "--lot", truth["lot_number"].lower(), "--format", "csv")
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(said)))
    assert sorted(row["serial_number"] for row in rows) == truth["affected_top_level_serials"]
    assert noted.startswith("Data as of ")
    code, said, noted = run("recall", "--lot", "PLT-LOOP-1")
    assert (code, noted.startswith("! INCOMPLETE. 3 more units")) == (0, True)
    assert "3 rows." in said
    assert "in or above a ring of installations" in " ".join(said.split())


def test_a_yield_is_the_planted_one(run: Run, demo_warehouse: Any) -> None:
    code, said, _ = run("yield", "--part", "plt-rty", "--month", "2026-01", "--format", "json")
    assert code == 0
    assert [row["first_pass_yield"] for row in json.loads(said)["rows"]] == [0.9, 0.8, 0.9]
    assert run("yield", "--part", "PLT-RTY", "--month", "January")[0] == 2
    assert run("yield", "--part", "PLT-RTY")[0] == 2


def test_what_is_left_out_is_counted_and_no_column_is_cut(run: Run) -> None:
    code, whole, _ = run("anomalies")
    assert code == 0
    code, said, _ = run("anomalies", "--rows", "2")
    total = int(whole.splitlines()[-2].split()[0])
    assert f"ONLY THE FIRST 2 ARE SHOWN, {total - 2} ARE LEFT OUT" in said
    assert "…" not in said
    assert "the installations that close the ring are left out of all trees." in whole


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("inventory", "--part", "PLT-STOK"), 1, "PLT-STOCK"),
        (("inventory", "--part", "PLT-STOCK' or '1'='1"), 1, "No part number"),
        (("late-orders", "--supplier", "Nobody at all"), 1, "No supplier name Nobody at all"),
        (("recall", "--lot", "PLT-BAD-POWER"), 1, "PLT-POWDER:PLT-BAD-POWDER"),
        (("as-built", "--unit", "PLT-BAD-POWDER"), 2, "is the name of 2 units"),
        (("no-such-question",), 2, "no-such-question"),
    ],
)
def test_a_name_that_nothing_has_is_no_empty_answer(run: Run, arguments: tuple[str, ...], code: int, says: str) -> None:
    ended, said, noted = run(*arguments)
    assert (ended, said) == (code, "")
    assert says in noted


def test_it_lists_its_questions_with_their_parameters(run: Run) -> None:
    _, said, noted = run()
    listed = " ".join((said + noted).split())
    for question in QUESTIONS.values():
        options = [f"--{one.name}]" if one.is_optional else f"--{one.name}" for one in question.parameters]
        assert all(option in listed for option in (question.name, *options)), question.name
    code, said, _ = run("recall", "--help")
    assert code == 0
    assert "Example: ion-pipeline ask recall --lot PLT-BAD-POWDER" in " ".join(said.split())
