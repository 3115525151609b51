"""Writes `dbt_project/models/staging/ion/_sources.yml` from the catalog: `python -m tests.contract.dbt_sources`.

dbt needs the raw tables declared by name, and the catalog already knows them; `test_dbt_sources.py` fails when the
two differ.
"""

from collections.abc import Iterator
from pathlib import Path

from ion_pipeline.extract.catalog import Table, known_catalog

SOURCES = Path(__file__).parents[2] / "dbt_project" / "models" / "staging" / "ion" / "_sources.yml"

_HEAD = """\
# Written from the catalog by `python -m tests.contract.dbt_sources`; a test compares the two.
version: 2

sources:
  - name: ion
    schema: raw
    description: ION's entities as extracted, current rows only; one load fills all of them in one transaction.
    config:
      # When the last load that was committed reached the warehouse.
      loaded_at_query: "select max(loaded_at) from raw._ion_loads"
      freshness:
        warn_after: {count: 26, period: hour}
        error_after: {count: 7, period: day}
    tables:
"""


# Tables whose past the models read. Each source costs time to parse, so only these are declared.
HISTORY = (
    "abom_edges",
    "abom_installations",
    "abom_item_reference_designators",
    "abom_items",
    "build_requirement_part_inventories",
    "build_requirement_reference_designators",
    "build_requirements",
    "issues",
    "mbom_item_reference_designators",
    "mbom_items",
    "mbom_substitutes",
    "mboms",
    "part_inventories",
    "run_steps",
)
_HISTORY_HEAD = """\
  - name: ion_history
    schema: raw_history
    description: Every version of a row since the first load, with valid_from, valid_to and is_current.
    tables:
"""


def render() -> str:
    """Give the text of `_sources.yml`."""
    tables = known_catalog().tables
    current = [line for table in tables.values() for line in _lines(table, _description(table))]
    past = [line for name in HISTORY for line in _history_lines(tables[name])]
    return "".join([_HEAD, *current, _HISTORY_HEAD, *past])


def _lines(table: Table, description: str) -> Iterator[str]:
    yield f"      - name: {table.name}\n"
    yield f"        description: {description}\n"
    yield f"        config: {{meta: {{dagster: {{asset_key: [raw, {table.name}]}}, entity: {table.entity}}}}}\n"


def _history_lines(table: Table) -> Iterator[str]:
    yield f"      - name: {table.name}\n"
    yield f"        description: Versions of the rows of raw.{table.name}.\n"
    yield f"        config: {{meta: {{dagster: {{asset_key: [raw, {table.name}]}}}}}}\n"


def _description(table: Table) -> str:
    key = ", ".join(table.key)
    if table.is_child:
        return f"A list inside ION's {table.entity}, one row per {key}."
    return f"ION's {table.entity}, one row per {key}."


if __name__ == "__main__":
    SOURCES.write_text(render(), encoding="utf-8")
