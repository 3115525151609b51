"""Writes the generated references: docs/{settings,cli,data-dictionary,metrics}.md and .env.example.

    python docs/generate.py          write them
    python docs/generate.py --check  fail if one differs from what it would write

`tests/test_docs.py` does the second, so that a reference cannot disagree with its source.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import click
import orjson
import typer

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
    return "\n".join(lines) + "\n"


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
    return "\n".join(lines)


def data_dictionary() -> str:
    """Return every public table with its grain and columns, from dbt's manifest and from the catalog."""
    lines = [_NOTICE, "", "# Data dictionary", ""]
    lines += ["Every table and column of the published file. Instants are UTC.", ""]
    for schema, table in _public_tables():
        lines += [f"## `{schema}.{table['name']}`", "", " ".join(table["description"].split()), ""]
        lines += ["| column | type | meaning |", "|---|---|---|", *map(_column_row, table["columns"].values()), ""]
    for entity in entity_tables(known_catalog(), references(known_schema(), known_catalog())):
        columns = [
            {"name": column.name, "data_type": column.type.lower(), "description": column.description}
            for column in entity.columns
        ]
        lines += [f"## `{ENTITY_SCHEMA}.{entity.name}`", "", entity.description, ""]
        lines += ["| column | type | meaning |", "|---|---|---|", *map(_column_row, columns), ""]
    return "\n".join(lines)


def metrics_reference() -> str:
    """Return every metric with formula, grain, source and caveats, from the metadata of the models that contain it."""
    lines = [_NOTICE, "", "# Metrics", "", "The content of `ops.metric_dictionary`, grouped by table.", ""]
    for schema, table in _public_tables():
        metrics = table["config"]["meta"].get("metrics", [])
        lines += [f"## `{schema}.{table['name']}`", ""] if metrics else []
        for metric in metrics:
            texts = {name: " ".join(text.split()) for name, text in metric.items()}
            lines += [f"### `{texts['name']}`", "", texts["formula"], ""]
            lines += [f"- Grain: {texts['grain']}.", f"- Source: {texts['source']}.", f"- {texts['caveats']}", ""]
    return "\n".join(lines)


GENERATED: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings_reference,
    ".env.example": dotenv_example,
    "docs/cli.md": cli_reference,
    "docs/data-dictionary.md": data_dictionary,
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


@cache
def _models() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        manifest = orjson.loads(dbt.prepared_manifest(load_settings(data_dir=folder)).read_bytes())
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def _public_tables() -> list[tuple[str, dict[str, Any]]]:
    """Return each public table with its schema, in the order of the page."""
    return [
        (schema, table)
        for schema in PUBLIC_SCHEMAS
        for table in sorted(_models(), key=lambda node: str(node["name"]))
        if table["schema"] == schema
    ]


def _column_row(column: dict[str, Any]) -> str:
    description = " ".join(column["description"].split()).replace("|", "\\|")
    return f"| `{column['name']}` | {column['data_type']} | {description} |"


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
