"""Runs unchanged models on the tables of a test, without dbt and without a warehouse, in a millisecond each."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jinja2

from tests.documents import read_yaml

PROJECT = Path(__file__).parents[3] / "dbt_project"
_FILES = {path.stem: path for path in (PROJECT / "models").rglob("*.sql")}
_SCHEMAS = {
    "ion": "raw",
    "ion_controlled": "raw_controlled",
    "ion_further_actions": "raw",
    "ion_history": "raw_history",
    "ion_load_log": "raw",
}
_VARS = read_yaml(PROJECT / "dbt_project.yml")["vars"]


class _Adapter:
    """Finds DuckDB's implementation of a macro, as dbt's adapter does."""

    def __init__(self) -> None:
        self.macros: Any = None

    def dispatch(self, name: str) -> Any:
        return getattr(self.macros, f"duckdb__{name}")


_REFERENCES: list[str] = []


def _ref(name: str) -> str:
    _REFERENCES.append(name)
    return name


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"])  # noqa: S701 -- SQL
    adapter = _Adapter()
    environment.globals |= {
        "adapter": adapter,
        "return": lambda value: value,
        "config": lambda **_: "",
        "ref": _ref,
        "source": lambda schema, name: f"{_SCHEMAS[schema]}.{name}",
        "var": _VARS.__getitem__,
    }
    # These need dbt's graph, or dbt's own tags.
    others = {"attribute_maps", "attribute_owners", "stage_attributes", "generate_schema_name", "materializations"}
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((PROJECT / "macros").rglob("*.sql"))
        if path.stem not in others
    )
    # A macro returns a text here, not a list: where a loop needs its list, the list is given directly.
    for name, values in re.findall(r"{% macro (\w+)\(\) %}\s*{{ return\((\[.*?\])\) }}", text, re.DOTALL):
        text = text.replace(f" in {name}()", f" in {values}")
    adapter.macros = environment.from_string(text).module
    environment.globals |= {name: made for name, made in vars(adapter.macros).items() if callable(made)}
    return environment


_ENVIRONMENT = _environment()


@cache
def _rendered(model: str) -> tuple[str, frozenset[str]]:
    """Return the SQL of a model and the models it reads, including those named by macros."""
    _REFERENCES.clear()
    text = _FILES[model].read_text(encoding="utf-8")
    return _ENVIRONMENT.from_string(text).render().strip(), frozenset(_REFERENCES)


def render(template: str) -> str:
    """Return a piece of SQL with the project's macros expanded."""
    return _ENVIRONMENT.from_string(template).render()


def sql_of(model: str) -> str:
    """Return the SQL of a model, with references as bare names."""
    return _rendered(model)[0]


def models_above(name: str, given: Collection[str] = ()) -> list[str]:
    """Return a model and its inputs in build order, without the given inputs."""
    found: list[str] = []
    for needed in sorted(_rendered(name)[1] - {*given}):
        found += [model for model in models_above(needed, given) if model not in found]
    return [*found, name]


class Models:
    """Models as views of one in-memory database, over input tables that can be refilled."""

    def __init__(self, inputs: Mapping[str, str], models: Iterable[str]) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self._inputs = dict(inputs)
        for name, columns in inputs.items():
            self.connection.execute(f"create table {name} ({columns})")
        self._models = [(name, sql_of(name)) for name in models]
        # No row is under export control here.
        self.connection.execute("create schema raw_controlled")
        for name in {found for _, sql in self._models for found in re.findall(r"raw_controlled\.\w+", sql)}:
            self.connection.execute(f"create table {name} (id bigint, row_key varchar)")
        self.connection.execute("create schema genealogy")

    def fill(self, **rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace the rows of all inputs and build the models; a column that the rows do not name is null."""
        assert rows.keys() <= self._inputs.keys()
        for name in self._inputs:
            self.connection.execute(f"delete from {name}")  # noqa: S608 -- names of this repository
            if filled := rows.get(name):
                names = list(filled[0])
                marks = ", ".join(f"({', '.join('?' * len(names))})" for _ in filled)
                values = [row[column] for row in filled for column in names]
                self.connection.execute(f"insert into {name} ({', '.join(names)}) values {marks}", values)  # noqa: S608
        for name, sql in self._models:
            self.connection.execute(f"create or replace table {name} as {sql}")
            if "marts" in _FILES[name].parts:
                self.connection.execute(f"create view if not exists genealogy.{name} as from main.{name}")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        cursor = self.connection.execute(sql, list(values))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
