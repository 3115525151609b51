"""A warning of dbt is one sentence that says what to do; the kinds are those of docs/runbooks.md and of the project."""

import re
from pathlib import Path

import pytest

from ion_pipeline.pipeline.dbt.report import BuildReport, NodeResult
from ion_pipeline.pipeline.dbt.warned import ADVICE, kind_of, warning_lines
from tests.documents import read_yaml

REPOSITORY = Path(__file__).parents[3]
PROJECT = REPOSITORY / "dbt_project"


def warned(test: str, message: str) -> list[str]:
    results = (
        NodeResult(f"test.ion_warehouse.{test}.0123456789", "warn", message, 0.1),
        NodeResult("test.ion_warehouse.first_pass_yield_key.0123456789", "pass", "", 0.1),
    )
    return warning_lines(BuildReport(results, 1.0))


@pytest.mark.parametrize(
    ("test", "message", "says"),
    [
        ("issues_refers_to", "Got 1 result, configured to warn if != 0", "issues_refers_to: 1 row refer"),
        ("runs_known_values", "Got 1234 results, configured to warn if != 0", "runs_known_values: 1,234 values of ION"),
        (
            "int_abom__assembly_paths_stays_below_cap",
            "Got 2 results, configured to warn if != 0",
            ": 2 rows of ION are",
        ),
        ("users_not_empty", "Got 1 result, configured to warn if != 0", "users_not_empty: the table has no rows: "),
        ("limits_swapped", "", "limits_swapped: fields (number not known) with the lower limit"),
        ("something_new", "Got 3 results.", "something_new: Got 3 results. docs/runbooks.md has the test."),
    ],
)
def test_a_warning_is_one_sentence_with_what_to_do(test: str, message: str, says: str) -> None:
    [line] = warned(test, message)
    assert says in line
    assert "{" not in line
    assert line.endswith(".")


def test_every_test_that_warns_has_advice() -> None:
    runbooks = (REPOSITORY / "docs" / "runbooks.md").read_text("utf-8")
    described = set(re.findall(r"^\| `(\w+)` \(warning\)", runbooks, re.MULTILINE))
    unmapped = re.search(r"Two warnings ask .*?: `(\w+)` and `(\w+)`", runbooks)
    assert unmapped
    assert described | set(unmapped.groups()) == set(ADVICE)

    generic = {
        path.stem for path in (PROJECT / "tests" / "generic").glob("*.sql") if "'warn'" in path.read_text("utf-8")
    }
    named = {
        test[kind].get("name") or test[kind]["config"]["name"]
        for path in (PROJECT / "models").rglob("*.yml")
        for model in read_yaml(path).get("models", [])
        for test in [*model.get("data_tests", []), *(t for c in model["columns"] for t in c.get("data_tests", []))]
        if isinstance(test, dict)
        for kind in test.keys() & generic
    }
    singular = {
        path.stem for path in (PROJECT / "tests").rglob("*.sql")
        if path.parent.name != "generic" and re.search(r"severity\s*=\s*'warn'", path.read_text("utf-8"))
    }  # fmt: skip
    assert len(named) > 50
    assert len(singular) >= 5
    assert {test for test in named | singular if kind_of(test) is None} == set()
