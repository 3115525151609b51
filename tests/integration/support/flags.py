"""Which rows of which marts have to say that they are under export control, by the ids in them."""
# ruff: noqa: S608 -- names of our own

from pathlib import Path
from typing import Any

import duckdb

from tests.oracle.export_control import Named

#: Marts with the flag, the columns that name rows, and whose: a row is flagged if and only if one of them is so.
FLAGGED: dict[str, dict[str, str]] = {
    "reference.parts": {"part_id": "parts"},
    "reference.part_inventories": {"part_inventory_id": "partInventories"},
    "reference.procedures": {"procedure_id": "procedures"},
    "reference.procedure_steps": {"step_id": "steps"},
    "production.runs": {"run_id": "runs"},
    "production.run_steps": {"run_step_id": "runSteps"},
    "production.step_results": {
        "run_step_field_id": "runStepFields",
        "datagrid_row_id": "datagridRows",
        "datagrid_column_id": "datagridColumns",
        "entered_part_inventory_id": "partInventories",
    },
    "production.part_inventory_events": {
        "part_inventory_id": "partInventories",
        "related_part_inventory_id": "partInventories",
    },
    "production.step_dependencies": {"run_step_id": "runSteps", "depends_on_run_step_id": "runSteps"},
    "production.materials_used": {
        "run_id": "runs",
        "run_step_id": "runSteps",
        "parent_part_inventory_id": "partInventories",
        "child_part_inventory_id": "partInventories",
        "build_requirement_id": "buildRequirements",
    },
    "production.tools": {"part_inventory_id": "partInventories"},
    "production.tool_usage": {
        "tool_part_inventory_id": "partInventories",
        "run_step_id": "runSteps",
        "part_inventory_id": "partInventories",
    },
    "production.run_history": {"run_id": "runs"},
    "production.open_runs": {"run_id": "runs", "current_run_step_id": "runSteps"},
    "production.labor_sessions": {"run_step_id": "runSteps"},
    "production.inventory_by_location": {"part_id": "parts"},
    "production.serialized_units": {
        "part_inventory_id": "partInventories",
        "installed_in_part_inventory_id": "partInventories",
        "top_part_inventory_id": "partInventories",
        "last_run_id": "runs",
    },
    "quality.redlines": {"redline_id": "redlines"},
    "quality.step_attempts": {"run_step_id": "runSteps", "part_inventory_id": "partInventories"},
    "quality.issues": {"issue_id": "issues"},
    "quality.issue_units": {"issue_id": "issues", "part_inventory_id": "partInventories"},
    "quality.measurements": {"run_step_field_id": "runStepFields"},
    "quality.control_chart_points": {"run_step_field_id": "runStepFields", "step_id": "steps"},
    "quality.scrapped_units": {"part_inventory_id": "partInventories", "issue_id": "issues"},
    "supply.purchase_order_lines": {"purchase_order_line_id": "purchaseOrderLines"},
    "supply.dock_to_stock": {"receipt_item_id": "receiptItems"},
    "supply.plan_items": {"plan_item_id": "planItems"},
    "supply.plan_item_allocations": {"parent_plan_item_id": "planItems", "child_plan_item_id": "planItems"},
    "supply.inventory_health": {"part_id": "parts"},
    "supply.inventory_valuation": {"part_id": "parts"},
    "supply.part_impact": {"part_id": "parts"},
    "supply.kits": {"part_kit_id": "partKits"},
    "supply.kit_items": {"part_kit_item_id": "partKitItems"},
    "supply.receipts": {"receipt_item_id": "receiptItems"},
    "genealogy.abom_installations": {
        "parent_part_inventory_id": "partInventories",
        "child_part_inventory_id": "partInventories",
        "build_requirement_id": "buildRequirements",
    },
    "genealogy.abom_line_history": {
        "parent_part_inventory_id": "partInventories",
        "part_inventory_id": "partInventories",
        "part_id": "parts",
        "build_requirement_id": "buildRequirements",
        "origin_mbom_item_id": "mbomItems",
    },
    "genealogy.abom_where_used": {
        "component_part_inventory_id": "partInventories",
        "ancestor_part_inventory_id": "partInventories",
    },
    "genealogy.abom_configurations": {"part_inventory_id": "partInventories"},
    "genealogy.abom_unit_history": {"part_inventory_id": "partInventories"},
    "genealogy.abom_structure_history": {"part_inventory_id": "partInventories"},
    "genealogy.abom_versions": {"part_inventory_id": "partInventories"},
    "genealogy.mbom_lines": {"mbom_item_id": "mbomItems"},
    "genealogy.mbom_versions": {"mbom_id": "mboms"},
    "genealogy.mbom_version_changes": {
        "mbom_id": "mboms",
        "previous_mbom_id": "mboms",
        "mbom_item_id_before": "mbomItems",
        "mbom_item_id_after": "mbomItems",
        "part_id_before": "parts",
        "part_id_after": "parts",
        "substitute_part_id": "parts",
    },
}
#: The same of what has no rows, or none that are controlled, before something has changed.
FLAGGED_LATER: dict[str, dict[str, str]] = {
    "genealogy.abom_version_changes": {
        "part_inventory_id": "partInventories",
        "part_inventory_id_before": "partInventories",
        "part_inventory_id_after": "partInventories",
        "part_id_before": "parts",
        "part_id_after": "parts",
        "build_requirement_id_before": "buildRequirements",
        "build_requirement_id_after": "buildRequirements",
    },
    "production.build_status": {
        "part_inventory_id": "partInventories",
        "open_run_ids": "runs",
        "current_run_step_ids": "runSteps",
        "available_run_step_ids": "runSteps",
        "blocking_issue_ids": "issues",
        "holding_issue_ids": "issues",
        "short_part_ids": "parts",
    },
    "genealogy.genealogy_anomalies": {
        "part_inventory_ids": "partInventories",
        "build_requirement_ids": "buildRequirements",
        "abom_installation_ids": "abomInstallations",
    },
}
#: What is approved or reviewed, and its connection; orders are never controlled.
APPROVED = {
    "issue": "issues",
    "mbom": "mboms",
    "procedure": "procedures",
    "purchase_order": "purchaseOrders",
    "redline": "redlines",
    "standard_step": "steps",
}
#: Marts that name rows of several connections in one column: the column with the kind, that with the id, the connection
#: of each kind, and the other columns that name rows.
FLAGGED_BY_KIND: dict[str, tuple[str, str, dict[str, str], dict[str, str]]] = {
    "quality.approval_requests": ("approval_kind", "subject_id", APPROVED, {}),
    "quality.approvals": ("approval_kind", "subject_id", APPROVED, {"reviewed_step_id": "steps"}),
    "quality.issue_links": (
        "linked_type",
        "linked_id",
        {
            "issue": "issues",
            "part_inventory": "partInventories",
            "purchase_order_line": "purchaseOrderLines",
            "redline": "redlines",
            "run_step": "runSteps",
        },
        {"issue_id": "issues"},
    ),
    "supply.part_impact_details": (
        "record_type",
        "record_id",
        {
            "abom_items": "abomItems",
            "build_requirements": "buildRequirements",
            "mbom_items": "mbomItems",
            "part_inventories": "partInventories",
            "part_kit_items": "partKitItems",
            "plan_inputs": "planInputs",
            "procedures": "procedures",
            "purchase_order_lines": "purchaseOrderLines",
            "runs": "runs",
        },
        {"part_id": "parts"},
    ),
    "supply.clear_to_build": (
        "consumer_type",
        "consumer_id",
        {"plan_item": "planItems", "run": "runs", "unit": "partInventories"},
        {
            "consumer_part_id": "parts",
            "notable_part_id": "parts",
            "parent_part_id": "parts",
            "part_id": "parts",
            "substitute_part_id": "parts",
        },
    ),
}
#: Marts about a unit with all that is in it: flagged if something in its tree is.
WHOLE_UNITS = ("genealogy.unit_conformance", "genealogy.unit_costs")
#: Trees: the column of the root, and what a step of a path names. What is below a flagged path is flagged as well.
PATHS: dict[str, tuple[str, dict[str, str]]] = {
    "genealogy.abom_hierarchy": (
        "root_part_inventory_id",
        {"part_inventory_id": "partInventories", "build_requirement_id": "buildRequirements"},
    ),
    "genealogy.mbom_hierarchy": ("root_part_id", {"part_id": "parts", "mbom_item_id": "mbomItems"}),
}
# Requirements of the first generation have ids of its own there, which are no build requirements: not looked at here.
_OF_ONE_GENERATION = ("abom_installations", "abom_line_history", "materials_used")


def check_flags(database: Path, mart: str, columns: dict[str, str], found: set[Named]) -> set[bool]:
    """Every row is flagged if and only if it names a row that is controlled.

    Args:
        database: A published file or a warehouse.
        mart: Schema and table.
        columns: Columns that hold an id or a list of ids, and of which connection.
        found: What is controlled, by the oracle.

    Returns:
        Which flags occur.
    """
    generation = "and abom_generation = 2" if mart.endswith(_OF_ONE_GENERATION) else ""
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            f"select is_export_controlled, {', '.join(columns)} from {mart} where true {generation}"
        ).fetchall()
    wrong = [
        row for row in rows
        if row[0] is not any(_is_named(root, ids, found) for root, ids in zip(columns.values(), row[1:], strict=True))
    ]  # fmt: skip
    assert not wrong, (mart, wrong[:5])
    return {row[0] for row in rows}


def check_flags_by_kind(database: Path, mart: str, found: set[Named]) -> set[bool]:
    """As `check_flags`, for a mart of `FLAGGED_BY_KIND`."""
    kind, key, connections, columns = FLAGGED_BY_KIND[mart]
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(
            f"select {', '.join(['is_export_controlled', kind, key, *columns])} from {mart}"
        ).fetchall()
    wrong = [
        (flag, kind, key, *ids) for flag, kind, key, *ids in rows
        if flag is not (
            _is_named(connections[kind], key, found)
            or any(_is_named(root, one, found) for root, one in zip(columns.values(), ids, strict=True))
        )
    ]  # fmt: skip
    assert not wrong, (mart, wrong[:5])
    return {row[0] for row in rows}


def _is_named(root: str, ids: Any, found: set[Named]) -> bool:
    return any((root, key) in found for key in (ids if isinstance(ids, list) else [ids]))
