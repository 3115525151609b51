"""Every generic test of ours finds what it is for, and is content otherwise: one failing and one passing case each.

A small dbt project of its own borrows the tests from `dbt_project/tests/generic` and is built once. A recursive model
with a right and a wrong unit test shows that dbt's unit tests of recursive SQL can fail at all, which dbt does not
promise.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

GENERIC = Path(__file__).parents[2] / "dbt_project" / "tests" / "generic"

PROJECT = """\
name: fixture
version: "1.0.0"
profile: fixture
test-paths: [borrowed]
flags: {send_anonymous_usage_stats: false, require_generic_test_arguments_property: true}
vars: {cap: 3}
"""

PROFILE = """\
fixture:
  target: duckdb
  outputs: {duckdb: {type: duckdb, path: ":memory:", threads: 1}}
"""

RECURSIVE = """
with recursive steps as (
    select start as n from {{ ref('starts') }}
    union all
    select n - 1 from steps where n > 1
)
select n from steps
"""

MODELS = {
    "things": "select * from (values (1, 'NEW', 2), (2, 'OLD', 0), (3, null, 1)) as t(id, status, depth)",
    "uses": "select * from (values (1, 1, 9), (2, 3, null)) as t(id, thing_id, other_id)",
    "nothing": "select 1 as id, 1 as thing_id where false",
    "twice": "select * from (values (1, 'a'), (1, 'a'), (1, 'b')) as t(id, name)",
    "unkeyed": "select * from (values (1, 'a'), (2, null)) as t(id, name)",
    "countdown": RECURSIVE,
    # The same again, because a failed unit test keeps the other tests of its model from running.
    "countdown_again": RECURSIVE,
    "starts": "select 2 as start",
}

# model, test, arguments -> what dbt is to say
CASES = {
    ("things", "unique_combination", "{columns: [id]}"): "pass",
    ("twice", "unique_combination", "{columns: [id, name]}"): "fail",
    ("unkeyed", "unique_combination", "{columns: [id, name]}"): "fail",
    ("things", "not_empty", ""): "pass",
    ("nothing", "not_empty", ""): "warn",
    ("uses", "refers_to", "{references: {thing_id: {to: \"ref('things')\", field: id}}}"): "pass",
    ("uses", "refers_to", "{references: {other_id: {to: \"ref('things')\", field: id}}}"): "warn",
    # All is well with the first column, and the second one is looked at all the same.
    (
        "uses",
        "refers_to",
        "{references: {thing_id: {to: \"ref('things')\", field: id}, other_id: {to: \"ref('things')\", field: id}}}",
    ): "warn",
    ("nothing", "refers_to", "{references: {thing_id: {to: \"ref('things')\", field: id}}}"): "warn",
    ("things", "known_values", "{columns: {status: [NEW, OLD]}}"): "pass",
    ("things", "known_values", "{columns: {id: [1, 2, 3], status: [OLD]}}"): "warn",
    ("things", "stays_below", "{column: depth, cap: \"var('cap')\"}"): "pass",
    ("things", "stays_below", "{column: depth, cap: 2}"): "warn",
    ("things", "holds_values", "{column: status, values: [NEW, OLD]}"): "pass",
    ("things", "holds_values", "{column: status, values: [NEW, LATER]}"): "fail",
}

UNIT_TESTS = """
unit_tests:
  - name: right
    model: countdown
    given: [{input: ref('starts'), rows: [{start: 3}]}]
    expect: {rows: [{n: 3}, {n: 2}, {n: 1}]}
  - name: wrong
    model: countdown_again
    given: [{input: ref('starts'), rows: [{start: 3}]}]
    expect: {rows: [{n: 3}, {n: 2}]}
"""


def schema() -> str:
    """The yml of the fixture project: one named test per case."""
    lines = ["version: 2", "models:"]
    for model in MODELS:
        lines += [f"  - name: {model}"]
        tests = [(number, case) for number, case in enumerate(CASES) if case[0] == model]
        lines += ["    data_tests:"] if tests else []
        for number, (_, test, arguments) in tests:
            lines += [f"      - {test}:", f"          name: case_{number}"]
            lines += [f"          arguments: {arguments}"] if arguments else []
    return "\n".join(lines) + "\n" + UNIT_TESTS


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What dbt says of each test, by the test's name."""
    project = tmp_path_factory.mktemp("fixture")
    (project / "models").mkdir()
    (project / "dbt_project.yml").write_text(PROJECT)
    (project / "profiles.yml").write_text(PROFILE)
    (project / "models" / "schema.yml").write_text(schema())
    for name, sql in MODELS.items():
        (project / "models" / f"{name}.sql").write_text(sql)
    # By a link, for the folder also has tests of the real project, which would not compile here.
    (project / "borrowed").mkdir()
    (project / "borrowed" / "generic").symlink_to(GENERIC, target_is_directory=True)
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "build", "--project-dir", str(project)]
    run = subprocess.run(
        command, env={**os.environ, "DBT_PROFILES_DIR": str(project)}, capture_output=True, text=True, check=False
    )
    results = project / "target" / "run_results.json"
    assert results.is_file(), run.stdout + run.stderr
    document = json.loads(results.read_bytes())
    return {r["unique_id"].split(".")[2]: r["status"] for r in document["results"]} | {
        r["unique_id"].rsplit(".", 1)[1]: r["status"] for r in document["results"] if r["unique_id"].startswith("unit")
    }


@pytest.mark.parametrize(("number", "expected"), list(enumerate(CASES.values())), ids=[f"{c[0]}-{c[1]}" for c in CASES])
def test_case(outcome: dict[str, str], number: int, expected: str) -> None:
    assert outcome[f"case_{number}"] == expected


def test_unit_tests_of_recursive_models_can_fail(outcome: dict[str, str]) -> None:
    assert (outcome["right"], outcome["wrong"]) == ("pass", "fail")


def test_every_generic_test_is_shown_both_ways() -> None:
    ours = {path.stem for path in GENERIC.glob("*.sql")}
    assert ours
    for name in ours:
        said = {expected for (_, test, _), expected in CASES.items() if test == name}
        assert "pass" in said, f"{name} has no passing case"
        assert said & {"fail", "warn"}, f"{name} has no failing case"
