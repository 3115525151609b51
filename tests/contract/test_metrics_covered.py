"""Every figure that a quality engineer needs has a table, a metric and, for a ratio, its numerator and denominator."""

from pathlib import Path
from typing import Any

import pytest

from tests.documents import read_yaml

MARTS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"

TABLES = {
    "production": (
        "runs", "run_steps", "open_runs", "run_history", "serialized_units", "inventory_by_location", "labor_sessions",
        "step_results", "build_status", "part_inventory_events", "step_dependencies", "tools", "tool_usage",
        "materials_used",
    ),
    "quality": (
        "issues", "issue_units", "open_issues_by_disposition", "issue_backlog_daily", "issue_resolution",
        "measurements", "first_pass_yield", "first_pass_yield_by_week", "first_pass_yield_by_month",
        "rolled_throughput_yield", "rolled_throughput_yield_by_week", "rolled_throughput_yield_by_month",
        "defect_rates", "defect_pareto", "defect_pareto_by_week", "defect_pareto_by_month",
        "redline_rates", "redline_rates_by_week", "redline_rates_by_month", "step_redline_rates", "scrap",
        "process_capability", "control_chart_points", "supplier_quality", "redlines", "approvals", "approval_requests",
        "issue_links", "holds", "step_attempts", "further_actions",
    ),
    "reference": ("teams", "team_members", "roles", "role_members"),
    "supply": (
        "purchase_orders", "purchase_order_lines", "receipts", "supplier_delivery", "kits", "kit_items",
        "inventory_health", "inventory_valuation", "dock_to_stock",
        "plans", "plan_items", "plan_item_allocations",
    ),
    "ops": (
        "loads", "freshness", "row_counts", "schema_drift", "history_start", "data_dictionary", "metric_dictionary",
    ),
}  # fmt: skip

# Figures in a quality engineer's terms, with their table and metrics.
ASKED = {
    "attempts at a step": ("production/run_steps", {"attempt_count"}),
    "share that passes a step at the first attempt": ("quality/first_pass_yield", {"first_pass_yield"}),
    "share that finally passes a step": ("quality/first_pass_yield", {"final_yield"}),
    "probability of passing all steps at the first attempt": (
        "quality/rolled_throughput_yield", {"rolled_throughput_yield", "rolled_final_yield"},
    ),
    "defects per unit, per opportunity and per million of them": ("quality/defect_rates", {"dpu", "dpo", "dpmo"}),
    "sigma level": ("quality/defect_rates", {"sigma_level"}),
    "runs that were redlined": ("quality/redline_rates", {"redline_rate", "redlines_per_run"}),
    "steps that were redlined": ("quality/step_redline_rates", {"step_redline_rate", "redlines_per_run_step"}),
    "time that a request or a redline waits for its approval": ("quality/approval_requests", {"waiting_hours"}),
    "nonconformances per unit and per hundred hours of work": (
        "quality/defect_rates", {"issues_per_unit_started", "issues_per_100_touch_hours"},
    ),
    "backlog of issues by age": ("quality/issue_backlog_daily", {"open_count"}),
    "age of an issue": ("quality/issues", {"age_days", "days_to_close"}),
    "time to close": (
        "quality/issue_resolution",
        {"mean_days_to_close", "median_days_to_close", "p90_days_to_close", "mean_open_age_days"},
    ),
    "mix of dispositions by count and by quantity": (
        "quality/open_issues_by_disposition", {"issue_share", "quantity_share"},
    ),
    "most frequent classes of defects": ("quality/defect_pareto", {"defect_share", "cumulative_defect_share"}),
    "share that is scrapped": ("quality/scrap", {"scrap_rate"}),
    "rejected pieces per million received": ("quality/supplier_quality", {"ppm"}),
    "lines delivered on time": ("supply/supplier_delivery", {"on_time_rate", "late_days"}),
    "what kits lack, and how late they are": ("supply/kits", {"items_fulfilled_share", "hours_late"}),
    "what is in stock, what kits lack, its age": (
        "supply/inventory_health", {"quantity_in_stock", "quantity_short_for_kits", "mean_age_days", "standard_value"},
    ),
    "value of the stock by day": ("supply/inventory_valuation", {"stock_value"}),
    "how far plans are, and what is late": ("supply/plans", {"items_complete_share"}),
    "what comes after the work that needs it": ("supply/plan_item_allocations", {"days_after_parent_begins"}),
    "from the dock to the stock": ("supply/dock_to_stock", {"dock_to_stock_hours", "hours_to_inspected"}),
    "share of an order that has come": ("supply/purchase_orders", {"lines_complete_share", "cost_received_share"}),
    "capability within": ("quality/process_capability", {"cp", "cpk", "sigma_within"}),
    "capability overall": ("quality/process_capability", {"pp", "ppk", "sigma_overall"}),
    "charts of individuals, moving ranges, fractions and rates": (
        "quality/control_chart_points", {"chart_value", "centre", "upper_control_limit", "lower_control_limit"},
    ),
    "rules of Western Electric and Nelson": ("quality/control_chart_points", {"rules_broken"}),
    "elapsed time, touch time and age of unfinished runs": (
        "production/runs", {"elapsed_hours", "touch_hours", "wip_age_hours"},
    ),
}  # fmt: skip

# Ratios with their numerator and denominator columns, by table.
RATIOS = {
    "quality/first_pass_yield": {
        "first_pass_yield": ("quantity_passed_first", "quantity_attempted"),
        "final_yield": ("quantity_completed", "quantity_attempted"),
    },
    "quality/defect_rates": {
        "dpu": ("defect_count", "quantity_attempted"),
        "dpo": ("defect_count", "opportunity_count"),
        "issues_per_unit_started": ("issue_part_count", "quantity_started"),
        "issues_per_100_touch_hours": ("issue_part_count", "touch_hours"),
    },
    "quality/redline_rates": {"redline_rate": ("runs_redlined", "runs_started")},
    "quality/step_redline_rates": {"step_redline_rate": ("run_steps_redlined", "run_steps_started")},
    "quality/open_issues_by_disposition": {"issue_share": ("issue_count", "total_issue_count")},
    "quality/defect_pareto": {"defect_share": ("defect_count", "total_defect_count")},
    "quality/scrap": {"scrap_rate": ("quantity_scrapped", "quantity_completed")},
    "quality/supplier_quality": {"ppm": ("quantity_rejected", "quantity_received")},
    "supply/supplier_delivery": {"on_time_rate": ("lines_on_time", "lines_judged")},
    "supply/plans": {"items_complete_share": ("items_complete", "item_count")},
    "supply/kits": {"items_fulfilled_share": ("items_fulfilled", "item_count")},
    "supply/purchase_orders": {
        "lines_complete_share": ("lines_complete", "lines_expected"),
        "cost_received_share": ("cost_received", "cost_expected"),
    },
    "quality/process_capability": {
        "cp": ("tolerance", "sigma_within"), "cpk": ("distance_to_nearest_limit", "sigma_within"),
        "pp": ("tolerance", "sigma_overall"), "ppk": ("distance_to_nearest_limit", "sigma_overall"),
    },
    "quality/control_chart_points": {"chart_value": ("numerator", "denominator")},
}  # fmt: skip


def described(table: str) -> dict[str, Any]:
    [model] = read_yaml(MARTS / f"{table}.yml")["models"]
    return dict(model)


@pytest.mark.parametrize("table", [f"{schema}/{name}" for schema, names in TABLES.items() for name in names])
def test_each_table_exists_with_grain_types_and_key(table: str) -> None:
    assert (MARTS / f"{table}.sql").is_file()
    model = described(table)
    assert model["description"].startswith("One row per")
    assert all(column["data_type"] and column["description"] for column in model["columns"])
    constraints = [*model.get("constraints", ()), *(c for col in model["columns"] for c in col.get("constraints", ()))]
    kinds = {constraint["type"] for constraint in constraints}
    assert "not_null" in kinds or "primary_key" in kinds
    assert "primary_key" in kinds or any("unique_combination" in test for test in model.get("data_tests", ()))


def test_no_table_has_its_counts_once_per_length_of_period_or_way_of_classifying() -> None:
    """A sum of such a table without a filter counts everything several times."""
    ways = {"period_type", "dimension"}
    tables = sorted(MARTS.glob("*/*.yml"))
    assert len(tables) > 90
    assert [
        path.stem
        for path in tables
        if ways & {c["name"] for c in described(path.relative_to(MARTS).with_suffix("").as_posix())["columns"]}
    ] == []


@pytest.mark.parametrize("name", ["first_pass_yield", "rolled_throughput_yield", "redline_rates", "defect_pareto"])
def test_week_and_month_are_tables_with_the_columns_of_the_day(name: str) -> None:
    columns = {
        period: [column["name"] for column in described(f"quality/{name}{period}")["columns"]]
        for period in ("", "_by_week", "_by_month")
    }
    for period, first_day in (("_by_week", "week_starts_on"), ("_by_month", "month_starts_on")):
        assert columns[period] == [first_day if column == "day_on" else column for column in columns[""]]


@pytest.mark.parametrize("asked", ASKED)
def test_each_figure_is_a_metric_of_its_table(asked: str) -> None:
    table, metrics = ASKED[asked]
    model = described(table)
    assert metrics <= {metric["name"] for metric in model["config"]["meta"]["metrics"]}
    assert metrics <= {column["name"] for column in model["columns"]}


@pytest.mark.parametrize("table", RATIOS)
def test_each_ratio_has_its_numerator_and_denominator_as_columns(table: str) -> None:
    columns = {column["name"] for column in described(table)["columns"]}
    for ratio, parts in RATIOS[table].items():
        assert {ratio, *parts} <= columns
