"""Models run as they are on tables made up by a test: no dbt, no warehouse, a millisecond each."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import yaml

PROJECT = Path(__file__).parents[3] / "dbt_project"
_FILES = {path.stem: path for path in (PROJECT / "models").rglob("*.sql")}
_VARS = yaml.safe_load((PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]


class _Adapter:
    """Finds DuckDB's implementation of a macro, as dbt's adapter does."""

    def __init__(self) -> None:
        self.macros: Any = None

    def dispatch(self, name: str) -> Any:
        return getattr(self.macros, f"duckdb__{name}")


def _environment() -> tuple[jinja2.Environment, str]:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"])  # noqa: S701 -- SQL
    adapter = _Adapter()
    environment.globals |= {
        "adapter": adapter,
        "return": lambda value: value,
        "config": lambda **_: "",
        "ref": lambda name: name,
        "var": _VARS.__getitem__,
    }
    text = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((PROJECT / "macros").rglob("*.sql"))
        if path.stem not in {"attribute_maps", "attribute_owners", "stage_attributes", "generate_schema_name"}
    )
    adapter.macros = environment.from_string(text).module
    return environment, text


_ENVIRONMENT, _MACROS = _environment()


def sql_of(model: str) -> str:
    """The SQL of a model, its references by their bare names."""
    text = _FILES[model].read_text(encoding="utf-8")
    return _ENVIRONMENT.from_string(_MACROS + text).render().strip()


class Models:
    """Models as views of one database in memory, over input tables that can be filled again and again."""

    def __init__(self, inputs: Mapping[str, str], models: Iterable[str]) -> None:
        self.connection = duckdb.connect()
        self._inputs = dict(inputs)
        for name, columns in inputs.items():
            self.connection.execute(f"create table {name} ({columns})")
        self._models = [(name, sql_of(name)) for name in models]
        self.connection.execute("create schema genealogy")

    def fill(self, **rows: Sequence[Mapping[str, Any]]) -> None:
        """Replace the rows of all inputs and build the models; a column that the rows do not name is null."""
        assert rows.keys() <= self._inputs.keys()
        for name in self._inputs:
            self.connection.execute(f"delete from {name}")  # noqa: S608 -- our own names
            if filled := rows.get(name):
                names = list(filled[0])
                marks = ", ".join(f"({', '.join('?' * len(names))})" for _ in filled)
                values = [row[column] for row in filled for column in names]
                self.connection.execute(f"insert into {name} ({', '.join(names)}) values {marks}", values)  # noqa: S608
        for name, sql in self._models:
            self.connection.execute(f"create or replace table {name} as {sql}")
            if "marts" in _FILES[name].parts:
                self.connection.execute(f"create or replace table genealogy.{name} as from {name}")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query."""
        cursor = self.connection.execute(sql, list(values))
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
