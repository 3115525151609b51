"""A count that several tables publish is compared by an integrity test, or stands here with what tells them apart."""

from collections import defaultdict

from tests.documents import read_yaml
from tests.unit.dbt.models import PROJECT, render

# Same name, not the same count: what they are of, as their descriptions and docs/metrics.md say.
DIFFERENT = {
    ("execution_order", "first_pass_yield"): "a place, no count",
    ("execution_order", "run_steps"): "a place, no count",
    ("lower_limit", "*"): "a limit, no count",
    ("upper_limit", "*"): "a limit, no count",
    ("target_value", "*"): "a limit, no count",
    ("procedure_version", "*"): "a version, no count",
    ("elapsed_hours", "run_steps"): "of a step, not of a run: steps overlap and wait",
    ("open_count", "*"): "open at the end of a day or month: compared through what was opened and resolved",
    ("quantity_attempted", "defect_rates"): "a piece once for all steps: unit_counts_agree compares it unit by unit",
    ("quantity_completed", "*"): "of a step in first_pass_yield, out of the runs in scrap",
    ("quantity_scrapped", "inventory_by_location"): "what inventory says: scrap knows of issues as well",
    ("unit_count", "runs"): "units of a run, compared with run_history; the others are of issues",
}


def numbers() -> dict[str, list[str]]:
    """The tables of production and quality that have a number of this name, of those that are in several."""
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
