"""Writes `dbt_project/models/staging/ion/_sources.yml` from the catalog: `python -m tests.contract.dbt_sources`.

dbt needs the raw tables declared by name, and the catalog defines them; `test_dbt_sources.py` fails when the two
differ.
"""

from collections.abc import Iterator
from pathlib import Path

from ion_pipeline.catalog.catalog import Table, known_catalog

SOURCES = Path(__file__).parents[2] / "dbt_project" / "models" / "staging" / "ion" / "_sources.yml"

_HEAD = """\
# Written from the catalog by `python -m tests.contract.dbt_sources`; a test compares the two.
version: 2

sources:
  - name: ion
    schema: "{{ env_var('ION_SOURCE_SCHEMA', 'raw') }}"
    description: ION's entities as extracted, current rows only; one load fills all of them in one transaction.
    config:
      # When the last load that was committed reached the warehouse.
      loaded_at_query: "select max(loaded_at) from raw._ion_loads"
      freshness:
        warn_after: {count: 26, period: hour}
        error_after: {count: 7, period: day}
    tables:
"""


# Tables whose history the models read. Each source costs time to parse, so only these are declared.
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
# Tables whose rows have an export control flag: those whose staging view has the column.
CONTROLLED = (
    "abom_installations",
    "abom_items",
    "build_requirements",
    "datagrid_values",
    "issue_approval_requests",
    "issue_approvals",
    "issue_attributes",
    "issues",
    "location_attributes",
    "mbom_approval_requests",
    "mbom_approvals",
    "mbom_attributes",
    "mbom_items",
    "mboms",
    "part_attributes",
    "part_inventories",
    "part_inventory_attributes",
    "part_kit_attributes",
    "part_kit_item_attributes",
    "part_kit_items",
    "part_kits",
    "parts",
    "plan_inputs",
    "plan_items",
    "procedure_attributes",
    "procedures",
    "purchase_order_attributes",
    "purchase_order_line_attributes",
    "purchase_order_lines",
    "receipt_attributes",
    "receipt_items",
    "redline_approval_requests",
    "redline_approvals",
    "redlines",
    "review_requests",
    "reviews",
    "run_attributes",
    "run_step_attributes",
    "run_step_fields",
    "run_steps",
    "runs",
    "step_approval_requests",
    "step_approvals",
    "step_attributes",
    "steps",
    "supplier_attributes",
)
_CONTROLLED_HEAD = """\
  - name: ion_controlled
    schema: raw_controlled
    description: Keys of the rows under export control, first key column as id; computed before each build.
    tables:
"""
_HISTORY_HEAD = """\
  - name: ion_history
    schema: "{{ env_var('ION_SOURCE_HISTORY_SCHEMA', 'raw_history') }}"
    description: Every version of a row since the first load, with valid_from, valid_to and is_current.
    tables:
"""


def render() -> str:
    """Return the text of `_sources.yml`."""
    tables = known_catalog().tables
    current = [line for table in tables.values() for line in _lines(table, _description(table))]
    past = [line for name in HISTORY for line in _lines_of_raw(tables[name], "Versions of the rows of")]
    controlled = [line for name in CONTROLLED for line in _lines_of_raw(tables[name], "Keys of the controlled rows of")]
    return "".join([_HEAD, *current, _HISTORY_HEAD, *past, _CONTROLLED_HEAD, *controlled])


def _lines(table: Table, description: str) -> Iterator[str]:
    yield f"      - name: {table.name}\n"
    yield f"        description: {description}\n"
    yield f"        config: {{meta: {{dagster: {{asset_key: [raw, {table.name}]}}, entity: {table.entity}}}}}\n"


def _lines_of_raw(table: Table, what: str) -> Iterator[str]:
    yield f"      - name: {table.name}\n"
    yield f"        description: {what} raw.{table.name}.\n"
    yield f"        config: {{meta: {{dagster: {{asset_key: [raw, {table.name}]}}}}}}\n"


def _description(table: Table) -> str:
    key = ", ".join(table.key)
    if table.is_child:
        return f"A list inside ION's {table.entity}, one row per {key}."
    return f"ION's {table.entity}, one row per {key}."


if __name__ == "__main__":
    SOURCES.write_text(render(), encoding="utf-8")
