"""A count that several tables publish is compared by an integrity test or listed here with its differences."""

from collections import defaultdict

from tests.documents import read_yaml
from tests.unit.dbt.models import PROJECT, render

# Counts with the same name but different meaning, with what they count (as in the descriptions and docs/metrics.md).
DIFFERENT = {
    ("elapsed_hours", "step_dependencies"): "that of the step in run_steps, once per dependency",
    ("equality_value", "*"): "a limit, not a count",
    ("execution_order", "*"): "a position, not a count",
    ("class_rank", "*"): "a rank, not a count",
    ("failed_validation_count", "step_attempts"): "of an attempt, once for each unit of its run",
    ("issue_count", "further_actions"): "once for each action of an issue; further_actions_from_rows compares it",
    ("issue_count", "step_attempts"): "of an attempt, and only those that concern the unit",
    ("quantity", "holds"): "of the unit that is held",
    ("quantity", "step_attempts"): "pieces of the unit when the attempt ended",
    ("quantity_available", "*"): "of one unit in holds, of all units at a location in inventory_by_location",
    ("redline_count", "step_attempts"): "of an attempt, once for each unit of its run",
    ("waiting_hours", "*"): "each of another wait: for a verdict, before a verdict, of a redline",
    ("lower_limit", "*"): "a limit, not a count",
    ("upper_limit", "*"): "a limit, not a count",
    ("target_value", "*"): "a limit, not a count",
    ("procedure_version", "*"): "a version, not a count",
    ("elapsed_hours", "run_steps"): "of a step, not of a run: steps overlap and wait",
    ("quantity", "materials_used"): "of an installation",
    ("quantity", "part_inventory_events"): "that came or left with an event",
    ("quantity_attempted", "defect_rates"): "counts a piece once for all steps; unit_counts_agree compares it per unit",
    ("quantity_completed", "*"): "per step in first_pass_yield, per run in scrap",
    ("quantity_scrapped", "inventory_by_location"): "as recorded in inventory; scrap also counts issues",
    ("first_pass_yield", "*"): "a ratio of its own period",
    ("final_yield", "*"): "a ratio of its own period",
    ("redline_rate", "*"): "a ratio of its own period",
    ("redlines_per_run", "*"): "a ratio of its own period",
    ("rolled_throughput_yield", "*"): "a product of its own period, which yields_agree compares",
    ("rolled_final_yield", "*"): "a product of its own period",
    ("steps_mandatory", "*"): "of the procedure version, in each of its periods",
    ("steps_executed", "*"): "factors of a product of its own period",
    ("quantity_attempted_least", "*"): "a sample size of its own period",
    ("quantity_attempted_most", "*"): "a sample size of its own period",
    ("total_defect_count", "*"): "the denominator of its own period",
    ("defect_share", "*"): "a ratio of its own period",
    ("cumulative_defect_count", "*"): "a running sum of its own period",
    ("cumulative_defect_share", "*"): "a ratio of its own period",
    ("open_issue_count", "*"): "of a unit in build_status, of a further action in further_actions",
    ("steps_done", "build_status"): "of all runs of a unit; build_status_from_rows compares it",
    ("steps_total", "build_status"): "of all runs of a unit; build_status_from_rows compares it",
    ("unit_count", "runs"): "units of a run, compared with run_history; the others are of issues",
    ("value_number", "step_results"): "a value, not a count; step_results_from_rows compares it",
}


def numbers() -> dict[str, list[str]]:
    """Return the names of numbers that several production and quality tables have, with those tables."""
    tables = defaultdict(list)
    for path in sorted((PROJECT / "models" / "marts").glob("*/*.yml")):
        if path.parent.name not in {"production", "quality"}:
            continue
        [model] = read_yaml(path)["models"]
        for column in model["columns"]:
            if column["data_type"] in {"bigint", "double"} and not column["name"].endswith("_id"):
                tables[column["name"]].append(path.stem)
    return {name: found for name, found in tables.items() if len(found) > 1}


def test_counts_in_several_tables_are_compared() -> None:
    sql = render((PROJECT / "tests" / "integrity" / "published_counts_agree.sql").read_text(encoding="utf-8"))
    shared = numbers()
    assert {"defect_count", "issue_count", "redline_count", "touch_hours", "quantity_affected"} <= shared.keys()
    compared = {
        (name, table)
        for name, tables in shared.items()
        for table in tables
        if any(f"from {table}" in line and name in line for line in sql.splitlines())
    }
    told_apart = {
        (name, table)
        for name, tables in shared.items()
        for table in tables
        if (name, table) in DIFFERENT or (name, "*") in DIFFERENT
    }
    every = {(name, table) for name, tables in shared.items() for table in tables}
    assert every - compared - told_apart == set()
    assert {name for name, _ in DIFFERENT} <= shared.keys(), "names that are no longer in several tables"
