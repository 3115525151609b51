"""The models and data tests as Spark is given them: each compiles without a connection, and nothing of DuckDB is left.

That they compile for DuckDB is shown by every warehouse that the tests build.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import orjson
import pytest
import sqlglot
from sqlglot import exp

from tests.documents import read_yaml
from tests.unit.dbt.models import PROJECT

TESTS = Path(__file__).parents[1]
# What `show functions` of Spark 4.3 lists.
SPARK_FUNCTIONS = frozenset((TESTS / "data" / "spark_functions.txt").read_text(encoding="utf-8").split())
# Words before a bracket that are no functions; the last two are forms of Spark's grammar.
KEYWORDS = frozenset(
    {
        "all", "and", "as", "between", "by", "case", "distinct", "else", "except", "exists", "filter", "from", "group",
        "having", "in", "intersect", "join", "not", "on", "or", "over", "partition", "select", "then", "union", "using",
        "values", "when", "where", "with", "within", "try_cast", "timestampdiff",
    }
)  # fmt: skip
DUCKDB_TYPES = frozenset({"varchar", "timestamptz", "hugeint"})


def spark_type(name: str) -> str:
    """The type of Spark for one of a `.yml`."""
    text = (PROJECT / "macros" / "dialect" / "types.sql").read_text(encoding="utf-8")
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])  # noqa: S701 -- SQL
    environment.globals |= {"modules": SimpleNamespace(re=re), "return": lambda value: value}
    macros: Any = environment.from_string(text).module
    return str(macros.spark_type(name)).strip()


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All models and data tests as dbt compiles them for Spark, by unique id."""
    target = tmp_path_factory.mktemp("spark")
    environment = {
        **os.environ,
        "DBT_PROFILES_DIR": str(PROJECT),
        "DBT_TARGET_PATH": str(target),
        "DBT_LOG_PATH": str(target),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    command = [
        sys.executable, "-c", "from dbt.cli.main import cli; cli()", "compile", "--target", "spark",
        "--no-introspect", "--no-populate-cache", "--quiet",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    nodes = orjson.loads((target / "manifest.json").read_bytes())["nodes"]
    return {key: node for key, node in nodes.items() if node["resource_type"] in {"model", "test"}}


@pytest.mark.slow
def test_everything_compiles_for_spark(compiled: dict[str, Any]) -> None:
    models = {path.stem for path in (PROJECT / "models").rglob("*.sql")}
    tests = {path.stem for path in (PROJECT / "tests" / "integrity").rglob("*.sql")}
    kinds = Counter(node["resource_type"] for node in compiled.values())
    assert {node["name"] for node in compiled.values() if node["resource_type"] == "model"} == models
    assert tests <= {node["name"] for node in compiled.values()}
    assert kinds["test"] > len(tests), "tests of the .yml files are missing"
    assert [key for key, node in compiled.items() if not (node.get("compiled_code") or "").strip()] == []


@pytest.mark.slow
def test_nothing_of_duckdb_is_left_for_spark(compiled: dict[str, Any]) -> None:
    left = {key: found for key, node in compiled.items() if (found := foreign(node["compiled_code"]))}
    assert compiled
    assert left == {}


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        ("select list_sort(a) from t", ["list_sort"]),
        ("select cast(a as varchar) from t", ["varchar"]),
        ("select [1, 2] as a from t", ["["]),
        ("select timezone('UTC', a), epoch(a) from t", ["epoch", "timezone"]),
        ("select lambda x: x + 1", ["parse"]),
        ("select a from t qualify", ["parse"]),
        ("select a not in (select b from u) from t", ["not in"]),
        ("select a from t where c or a not in (select b from u)", ["not in"]),
        ("select a from t where not (c and a not in (select b from u))", ["not in"]),
        ("select a not in (1, 2) from t where c and (a not in (select b from u) and a in (select b from u))", []),
        ("select max(a) filter (where a in (1)) over (order by (b)) from t where exists (select 1)", []),
    ],
)
def test_what_is_foreign_to_spark_is_found(sql: str, found: list[str]) -> None:
    assert foreign(sql) == found


def foreign(sql: str) -> list[str]:
    """What Spark has not, or computes as a nested loop, in a statement; `parse` if it cannot be read at all."""
    try:
        [statement] = sqlglot.parse(sql, read="spark", error_level=sqlglot.ErrorLevel.RAISE)
        tokens = sqlglot.tokenize(sql, read="spark")
    except sqlglot.errors.SqlglotError:
        return ["parse"]
    if statement is None or isinstance(statement, exp.Command):
        return ["parse"]
    found = {"["} if any(sql[token.start] == "[" for token in tokens) else set[str]()
    for token in tokens:
        word = token.text.lower()
        # A string may have the same content as a word.
        if not sql[token.start].isalpha():
            continue
        if word in DUCKDB_TYPES:
            found.add(word)
        if sql[token.end + 1 : token.end + 2] == "(":
            found |= {word} - SPARK_FUNCTIONS - KEYWORDS
    if any(is_nested_loop(negation) for negation in statement.find_all(exp.Not)):
        found.add("not in")
    return sorted(found)


def is_nested_loop(negation: exp.Not) -> bool:
    """Whether Spark compares each row with each for this: a `not in (select ...)` that is no term of a `where`."""
    if not (isinstance(negation.this, exp.In) and negation.this.args.get("query")):
        return False
    place = negation.parent
    while isinstance(place, exp.And | exp.Paren):
        place = place.parent
    return not isinstance(place, exp.Where)


def promised_types() -> set[str]:
    """The types that the contracts name."""
    types = set[str]()
    for path in (PROJECT / "models" / "marts").rglob("*.yml"):
        for model in read_yaml(path)["models"]:
            types |= {column["data_type"] for column in model["columns"]}
    return types


def test_types_of_the_contracts_are_the_same_for_spark() -> None:
    types = promised_types()
    assert {"varchar", "bigint[]", "timestamp with time zone", "map(varchar, varchar)"} <= types
    expected = {name: exp.DataType.build(name, dialect="duckdb").sql("spark").lower() for name in types}
    found = {name: exp.DataType.build(spark_type(name), dialect="spark").sql("spark").lower() for name in types}
    assert found == expected
    assert not any(re.search(r"varchar|time zone|\[", spark_type(name)) for name in types)
