"""Writes the generated references: docs/{settings,cli,data-dictionary,diagrams,metrics}.md and .env.example.

    python docs/generate.py          write them
    python docs/generate.py --check  fail if one differs from what it would write

`tests/test_docs.py` does the second, so that a reference cannot disagree with its source.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import orjson
import typer
import yaml

from ion_pipeline import cli
from ion_pipeline.catalog import known_catalog
from ion_pipeline.catalog.references import references
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.endpoints import ENDPOINTS
from ion_pipeline.pipeline import dbt
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse import ENTITY_SCHEMA, entity_tables

REPOSITORY = Path(__file__).parent.parent
_NOTICE = "<!-- Written by docs/generate.py (make docs). Change the source, not this file. -->"
# Tables that nearly all others refer to in the same way: who did it, and on which day.
NOT_DRAWN = ("reference.users", "ion.users", "reference.calendar")
# Columns that are drawn although they are no keys.
DRAWN = ("part_number", "serial_number", "lot_number", "status")
# The diagrams of the schema ion: a title, and which tables it has.
TOPICS = (
    ("Plans", r"mbom|step_mbom"),
    ("As built", r"abom|build_requirement"),
    ("Supply", r"purchase_order|receipt|supplier|plan|part_kit|mrp|currenc|contact"),
    ("Parts and inventory", r"part|barcode|location|units_of_measurement"),
    ("Quality", r"issue|redline|review"),
    ("Production", r"run|step|procedure|datagrid|requirement|validation|rule"),
    ("People and the rest", r""),
)
_DIAGRAMS_INTRODUCTION = [
    "One diagram for each schema, and for each topic of the schema `ion`. They show keys, the columns that refer to",
    "other tables, and the numbers of parts, serials and lots; the [data dictionary](data-dictionary.md) has all",
    "columns. Not drawn: columns that name a user or a day, and in `ion` the lists of attributes, labels and files.",
    "",
    "A line says which column refers to the key of which table. `||` at its end: the column is never null. The row",
    "that it refers to is missing if ION no longer has it, has not shown it to the API key, or was read before it.",
]
PUBLIC_SCHEMAS = ("reference", "genealogy", "production", "quality", "supply", "ops")


def settings_reference() -> str:
    """Return every ION_* variable with its default and meaning."""
    lines = [
        _NOTICE,
        "",
        "# Settings",
        "",
        "Settings are read from the environment and from a `.env` file in the working directory.",
    ]
    lines += ["", "| variable | default | meaning |", "|---|---|---|"]
    for name, default, description in _settings():
        lines.append(f"| `ION_{name.upper()}` | {f'`{default}`' if default else ''} | {description} |")
    lines += ["", "## Environments", "", "| `ION_ENVIRONMENT` | API | tokens |", "|---|---|---|"]
    lines.append("| `embedded` | a sandbox on this machine, started for the run | the same |")
    lines += [f"| `{name}` | {hosts.api_url} | {hosts.auth_url} |" for name, hosts in ENDPOINTS.items()]
    lines.append("| `custom` | `ION_API_URL` | `ION_AUTH_URL` |")
    return "\n".join([*lines, "", see_also("cli", "operations", "seeds")])


def dotenv_example() -> str:
    """Return a `.env` with every variable, commented out."""
    lines = ["# Copy to .env and fill in. Written by docs/generate.py (make docs). See also docs/settings.md.", ""]
    for name, default, description in _settings():
        lines += [f"# {description}", f"#ION_{name.upper()}={default}", ""]
    return "\n".join(lines)


def cli_reference() -> str:
    """Return the `--help` text of every command."""
    lines = [_NOTICE, "", "# Commands", ""]
    command = typer.main.get_command(cli.app)
    for path, page in _help_pages(command, "ion-pipeline"):
        lines += [f"## `{path}`", "", "```text", page, "```", ""]
    return "\n".join([*lines, see_also("settings", "operations", "how-to")])


def data_dictionary() -> str:
    """Return every public table with its grain, key and columns, from dbt's manifest and from the catalog."""
    lines = [_NOTICE, "", "# Data dictionary", ""]
    lines += [
        "Every table and column of the published file. Instants are UTC. [Diagrams](diagrams.md) show the keys.",
        "",
    ]
    for table in _tables():
        key = ", ".join(f"`{column.name}`" for column in table.key)
        lines += [f"## `{table.schema}.{table.name}`", "", f"{table.description} Key: {key}.", ""]
        lines += ["| column | type | refers to | meaning |", "|---|---|---|---|", *map(_column_row, table.columns), ""]
    return "\n".join([*lines, see_also("diagrams", "metrics", "analysts")])


def diagrams() -> str:
    """Return one entity-relationship diagram for each schema, or for each topic of a large one, in Mermaid."""
    lines = [_NOTICE, "", "# Diagrams", "", *_DIAGRAMS_INTRODUCTION, ""]
    tables = _tables()
    for schema in (*PUBLIC_SCHEMAS, ENTITY_SCHEMA):
        lines += [f"## `{schema}`", ""]
        of_schema = [table for table in tables if table.schema == schema and not _is_small_list(table)]
        if schema != ENTITY_SCHEMA:
            lines += _diagram(of_schema)
            continue
        topics = dict.fromkeys(topic for topic, _ in TOPICS)
        for topic in topics:
            lines += [f"### {topic}", "", *_diagram([table for table in of_schema if topic == _topic(table)])]
    return "\n".join([*lines, see_also("data-dictionary", "analysts", "bi")])


def metrics_reference() -> str:
    """Return every metric with formula, grain, source and caveats, from the metadata of the models that contain it."""
    lines = [_NOTICE, "", "# Metrics", "", "The content of `ops.metric_dictionary`, grouped by table.", ""]
    in_metricflow = {metric["name"] for metric in _manifest()["metrics"].values()}
    for schema, table in _public_tables():
        metrics = table["config"]["meta"].get("metrics", [])
        lines += [f"## `{schema}.{table['name']}`", ""] if metrics else []
        for metric in metrics:
            texts = {name: " ".join(text.split()) for name, text in metric.items()}
            lines += [f"### `{texts['name']}`", "", texts["formula"], ""]
            lines += [f"- Grain: {texts['grain']}.", f"- Source: {texts['source']}.", f"- {texts['caveats']}"]
            lines += (
                [f"- In [MetricFlow](bi.md#metricflow): `{texts['name']}`."] if texts["name"] in in_metricflow else []
            )
            lines += [""]
    return "\n".join([*lines, see_also("data-dictionary", "seeds", "analysts", "bi")])


def see_also(*pages: str) -> str:
    """Return the last line of a page: its neighbours."""
    return " · ".join(["See also: [Contents](index.md)", *(f"[{page}]({page}.md)" for page in pages)]) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings_reference,
    ".env.example": dotenv_example,
    "docs/cli.md": cli_reference,
    "docs/data-dictionary.md": data_dictionary,
    "docs/diagrams.md": diagrams,
    "docs/metrics.md": metrics_reference,
}


def _settings() -> list[tuple[str, str, str]]:
    rows = []
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        default = extra.get("default") if isinstance(extra, dict) else field.default
        rows.append((name, "" if default in {None, ()} else str(default), field.description or ""))
    return rows


def _help_pages(command: click.Command, path: str) -> list[tuple[str, str]]:
    context = click.Context(
        command, info_name=path, max_content_width=100, terminal_width=100, help_option_names=["-h", "--help"]
    )
    text = (
        click.Command.get_help(command, context) if not isinstance(command, click.Group) else command.get_help(context)
    )
    pages = [(path, "\n".join(line.rstrip() for line in text.strip().splitlines()))]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            if subcommand is not None:
                pages += _help_pages(subcommand, f"{path} {name}")
    return pages


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    type: str
    description: str
    is_never_null: bool
    refers_to: str | None

    @property
    def target(self) -> str:
        """The table that the column refers to; empty if it refers to none."""
        return self.refers_to.rpartition(".")[0] if self.refers_to else ""


@dataclass(frozen=True, slots=True)
class _Table:
    schema: str
    name: str
    description: str
    key: tuple[_Column, ...]
    columns: tuple[_Column, ...]


@cache
def _manifest() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        manifest: dict[str, Any] = orjson.loads(dbt.prepared_manifest(load_settings(data_dir=folder)).read_bytes())
    return manifest


def _models() -> list[dict[str, Any]]:
    return [node for node in _manifest()["nodes"].values() if node["resource_type"] == "model"]


def _public_tables() -> list[tuple[str, dict[str, Any]]]:
    """Return each public model with its schema, in the order of the page."""
    return [
        (schema, table)
        for schema in PUBLIC_SCHEMAS
        for table in sorted(_models(), key=lambda node: str(node["name"]))
        if table["schema"] == schema
    ]


def _tables() -> list[_Table]:
    """Return each public table, in the order of the page."""
    project = yaml.safe_load((REPOSITORY / "dbt_project" / "dbt_project.yml").read_text("utf-8"))
    declared = project["vars"]["refers_to"]
    tables = []
    for schema, node in _public_tables():
        columns = {
            name: _Column(
                name,
                column["data_type"],
                " ".join(column["description"].split()),
                any(one["type"] in {"not_null", "primary_key"} for one in column["constraints"]),
                next((to for to in declared if name in declared[to] and to != f"{schema}.{node['name']}.{name}"), None),
            )
            for name, column in node["columns"].items()
        }
        key = tuple(columns[name] for name in _key(node))
        description = " ".join(node["description"].split())
        tables.append(_Table(schema, node["name"], description, key, tuple(columns.values())))
    for entity in entity_tables(known_catalog(), references(known_schema(), known_catalog())):
        key_numbers = {column.name: column.key_number for column in entity.columns if column.key_number}
        columns = {
            column.name: _Column(
                column.name,
                column.type.lower(),
                " ".join(column.description.split()),
                column.name in key_numbers,
                column.refers_to,
            )
            for column in entity.columns
        }
        key = tuple(columns[name] for name in sorted(key_numbers, key=key_numbers.__getitem__))
        tables.append(_Table(ENTITY_SCHEMA, entity.name, entity.description, key, tuple(columns.values())))
    return tables


def _key(model: dict[str, Any]) -> list[str]:
    """Return the columns that identify a row: those of the primary key, or else of the test `unique_combination`."""
    for constraint in model["constraints"]:
        if constraint["type"] == "primary_key":
            return list(constraint["columns"])
    for name, column in model["columns"].items():
        if any(constraint["type"] == "primary_key" for constraint in column["constraints"]):
            return [name]
    tests = (node for node in _manifest()["nodes"].values() if node.get("attached_node") == model["unique_id"])
    [columns] = [
        node["test_metadata"]["kwargs"]["columns"]
        for node in tests
        if node["test_metadata"]["name"] == "unique_combination"
    ]
    return list(columns)


def _column_row(column: _Column) -> str:
    refers_to = f"`{column.refers_to}`" if column.refers_to else ""
    description = column.description.replace("|", "\\|")
    return f"| `{column.name}` | {column.type} | {refers_to} | {description} |"


def _is_small_list(table: _Table) -> bool:
    """Whether a diagram gains nothing by it: attributes, labels and files hang on many tables in the same way."""
    return table.schema == ENTITY_SCHEMA and table.name.endswith(("_attributes", "_labels", "_file_attachments"))


def _topic(table: _Table) -> str:
    return next(topic for topic, names in TOPICS if re.match(names, table.name))


def _diagram(tables: list[_Table]) -> list[str]:
    lines = ["```mermaid", "erDiagram"]
    inside = {f"{table.schema}.{table.name}" for table in tables}
    for table in tables:
        lines += [f"    {_entity(f'{table.schema}.{table.name}')} {{", *_attributes(table), "    }"]
    outside, edges = dict[str, None](), []
    for table in tables:
        by_target: dict[str, list[_Column]] = {}
        for column in table.columns:
            if column.target not in {"", *NOT_DRAWN}:
                by_target.setdefault(column.target, []).append(column)
        for target, columns in by_target.items():
            if target not in inside:
                outside[target] = None
            end = "||" if all(column.is_never_null for column in columns) else "o|"
            names = ", ".join(column.name for column in columns)
            edges.append(
                f'    {_entity_id(f"{table.schema}.{table.name}")} }}o--{end} {_entity_id(target)} : "{names}"'
            )
    lines += [f"    {_entity(target)}" for target in outside]
    return [*lines, *edges, "```", ""]


def _entity(name: str) -> str:
    return f'{_entity_id(name)}["{name}"]'


def _entity_id(name: str) -> str:
    return name.replace(".", "_")


def _attributes(table: _Table) -> list[str]:
    lines = []
    for column in table.columns:
        is_foreign = column.target not in {"", *NOT_DRAWN}
        marks = [*(["PK"] if column in table.key else []), *(["FK"] if is_foreign else [])]
        if marks or column.name in DRAWN:
            line = f"        {column.type} {column.name} {', '.join(marks)}"
            lines.append(line.replace("timestamp with time zone", "timestamptz").rstrip())
    return lines


def main() -> None:
    """Write or check every generated file."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, generate in GENERATED.items():
        path, text = REPOSITORY / name, generate()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text, encoding="utf-8")
    if check and stale:
        sys.exit(f"out of date: {', '.join(stale)} (run: make docs)")


if __name__ == "__main__":
    os.chdir(REPOSITORY)
    main()
