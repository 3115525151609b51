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


def render() -> str:
    """Give the text of `_sources.yml`."""
    tables = known_catalog().tables.values()
    return _HEAD + "".join(line for table in tables for line in _lines(table))


def _lines(table: Table) -> Iterator[str]:
    yield f"      - name: {table.name}\n"
    yield f"        description: {_description(table)}\n"
    yield f"        config: {{meta: {{dagster: {{asset_key: [raw, {table.name}]}}}}}}\n"


def _description(table: Table) -> str:
    key = ", ".join(table.key)
    if table.is_child:
        return f"A list inside ION's {table.entity}, one row per {key}."
    return f"ION's {table.entity}, one row per {key}."


if __name__ == "__main__":
    SOURCES.write_text(render(), encoding="utf-8")
