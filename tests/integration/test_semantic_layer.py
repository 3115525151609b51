"""The metrics of `dbt_project/models/semantic` as MetricFlow computes them, against the published tables.

MetricFlow sums days over weeks, months, parts and steps; the tables of weeks and months, of suppliers and of single
attempts are built apart from that. Where there is no second table, a plain sum says what is asked for.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest

from ion_pipeline.pipeline import dbt
from ion_pipeline.settings import load_settings
from tests.integration.conftest import Built

pytestmark = pytest.mark.slow

YIELD_COUNTS = (
    "units_attempted quantity_attempted quantity_passed_first quantity_failed_first quantity_failed_validation_first "
    "quantity_redlined_first quantity_issue_first quantity_completed quantity_cancelled"
)
BACKLOG = (
    "open_count, open_count_0_to_7_days, open_count_8_to_30_days, open_count_31_to_90_days, open_count_over_90_days"
)
OPEN = "open_issues open_issues_0_to_7_days open_issues_8_to_30_days open_issues_31_to_90_days open_issues_over_90_days"


# What this world has none of: no piece is found bad in use, each in stock has a cost, and only a second load could see
# stock become available.
NOT_THERE = {
    "quantity_rejected_in_use",
    "quantity_without_cost",
    "mean_dock_to_stock_hours",
    "median_dock_to_stock_hours",
}


@dataclass(frozen=True)
class Asked:
    """Metrics and what they are grouped by, as asked of MetricFlow, and the same columns from the tables."""

    metrics: str
    by: str
    sql: str


ASKED = {
    "yield by day": Asked(
        f"first_pass_yield final_yield {YIELD_COUNTS}",
        "metric_time__day step part",
        f"select day_on, step_id, part_id, first_pass_yield, final_yield, {', '.join(YIELD_COUNTS.split())} "  # noqa: S608
        "from quality.first_pass_yield",
    ),
    "yield by week": Asked(
        "first_pass_yield final_yield",
        "metric_time__week step part",
        "select week_starts_on, step_id, part_id, first_pass_yield, final_yield from quality.first_pass_yield_by_week",
    ),
    "yield by month": Asked(
        f"first_pass_yield final_yield {YIELD_COUNTS}",
        "metric_time__month step part yield__step_kind",
        f"select month_starts_on, step_id, part_id, step_kind, first_pass_yield, final_yield, "  # noqa: S608
        f"{', '.join(YIELD_COUNTS.split())} from quality.first_pass_yield_by_month",
    ),
    "yield of a product by step, from single attempts": Asked(
        "first_pass_yield quantity_attempted",
        "part__part_number step__step_title",
        """select part_number, step_title, coalesce(sum(quantity) filter (where is_first_pass), 0) / sum(quantity),
            coalesce(sum(quantity), 0)
        from (select distinct part_number, step_title from quality.first_pass_yield)
        left join (from quality.step_attempts where is_yield_counted) using (part_number, step_title)
        group by all""",
    ),
    "yield of all, from single attempts": Asked(
        "first_pass_yield",
        "",
        "select sum(quantity) filter (where is_first_pass) / sum(quantity) from quality.step_attempts "
        "where is_yield_counted",
    ),
    "yield and redlines of a procedure": Asked(
        "first_pass_yield step_redline_rate",
        "metric_time__month procedure__procedure_title",
        """select * from (
            select month_starts_on, procedure_title, sum(quantity_passed_first) / nullif(sum(quantity_attempted), 0)
            from quality.first_pass_yield_by_month group by all
        ) full join (
            select date_trunc('month', day_on) as month_starts_on, procedure_title,
                sum(run_steps_redlined) / nullif(sum(run_steps_started), 0)
            from quality.step_redline_rates group by all
        ) using (month_starts_on, procedure_title)""",
    ),
    "redlines of runs by month": Asked(
        "redline_rate redlines_per_run runs_started runs_redlined run_redlines runs_cancelled",
        "metric_time__month procedure part",
        "select month_starts_on, procedure_id, part_id, redline_rate, redlines_per_run, runs_started, runs_redlined, "
        "redlines, runs_cancelled from quality.redline_rates_by_month",
    ),
    "redlines of runs by week": Asked(
        "redline_rate",
        "metric_time__week procedure part",
        "select week_starts_on, procedure_id, part_id, redline_rate from quality.redline_rates_by_week",
    ),
    "redlines of steps by day": Asked(
        "step_redline_rate redlines_per_run_step run_steps_started run_steps_redlined run_step_redlines "
        "run_steps_cancelled",
        "metric_time__day step part",
        "select day_on, step_id, part_id, step_redline_rate, redlines_per_run_step, run_steps_started, "
        "run_steps_redlined, redlines, run_steps_cancelled from quality.step_redline_rates",
    ),
    "redlines of steps, from run steps": Asked(
        "step_redline_rate run_step_redlines",
        "step",
        "select step_id, count(*) filter (where redline_count > 0 and status <> 'CANCELED') "
        "/ nullif(count(*) filter (where status <> 'CANCELED'), 0), "
        "sum(redline_count) filter (where status <> 'CANCELED') from production.run_steps "
        "where step_id is not null and not is_group "
        "and (coalesce(started_at, first_attempt_ended_at) is not null or status = 'CANCELED') group by all",
    ),
    "defects by month and class": Asked(
        "defects affected_units",
        "metric_time__month defect_class__part_number step defect_class__disposition_category "
        "defect_class__supplier_name defect_class__labels",
        "select month_starts_on, part_number, step_id, disposition_category, supplier_name, labels, "
        "sum(defect_count), sum(affected_unit_count) from quality.defect_pareto_by_month group by all",
    ),
    "scrap": Asked(
        "scrap_rate quantity_scrapped quantity_completed_and_scrapped quantity_scrapped_of_made_parts",
        "metric_time__month part",
        "select month_starts_on, part_id, scrap_rate, quantity_scrapped, quantity_completed_and_scrapped, "
        "if(quantity_completed is null, null, quantity_scrapped) from quality.scrap",
    ),
    "scrap of all, without parts that are only bought": Asked(
        "scrap_rate",
        "",
        "select sum(quantity_scrapped) / (sum(quantity_completed) + sum(quantity_scrapped)) from quality.scrap "
        "where quantity_completed is not null",
    ),
    "defects of parts": Asked(
        "dpu dpo dpmo issues_per_unit_started issues_per_100_touch_hours issues_per_touch_hour defect_count "
        "pieces_attempted opportunity_count quantity_started part_touch_hours part_issues "
        "defect_count_of_known_opportunities",
        "metric_time__month defective_month__part_number",
        "select month_starts_on, part_number, dpu, dpo, dpmo, issues_per_unit_started, issues_per_100_touch_hours, "
        "issues_per_100_touch_hours / 100, defect_count, quantity_attempted, opportunity_count, quantity_started, "
        "touch_hours, issue_part_count, if(opportunities_per_unit is null, null, defect_count) "
        "from quality.defect_rates",
    ),
    "suppliers' quality": Asked(
        "ppm rejected_share quantity_received quantity_rejected receipt_items rejected_receipt_items "
        "quantity_rejected_not_received quantity_rejected_in_use",
        "metric_time__month supplier received_month__part_number",
        "select month_starts_on, supplier_id, part_number, ppm, ppm / 1e6, quantity_received, quantity_rejected, "
        "receipt_item_count, rejected_receipt_item_count, quantity_rejected_not_received, quantity_rejected_in_use "
        "from quality.supplier_quality",
    ),
    "suppliers' delivery": Asked(
        "on_time_rate lines_due lines_judged lines_on_time late_days",
        "metric_time__month supplier__supplier_name",
        "select month_starts_on, supplier_name, on_time_rate, lines_due, lines_judged, lines_on_time, late_days "
        "from supply.supplier_delivery where lines_due > 0",
    ),
    "backlog by day": Asked(
        f"issues_opened issues_reopened issues_resolved {OPEN}",
        "metric_time__day",
        f"select day_on, opened_count, reopened_count, resolved_count, {BACKLOG} from quality.issue_backlog_daily",  # noqa: S608
    ),
    "backlog at the end of the month": Asked(
        "issues_opened open_issues",
        "metric_time__month",
        "select date_trunc('month', day_on), sum(opened_count), arg_max(open_count, day_on) "
        "from quality.issue_backlog_daily group by all",
    ),
    "backlog now, from issues": Asked(
        "open_issues", "", "select count(*) from quality.issues where is_open and opened_at is not null"
    ),
    "time to close": Asked(
        "mean_days_to_close part_issues_resolved",
        "metric_time__month resolution__part_number resolution__disposition_category",
        "select month_starts_on, part_number, disposition_category, mean_days_to_close, resolved_issue_part_count "
        "from quality.issue_resolution",
    ),
    "time to close of all": Asked(
        "mean_days_to_close total_days_to_close",
        "",
        "select sum(mean_days_to_close * resolved_issue_part_count) / sum(resolved_issue_part_count), "
        "sum(mean_days_to_close * resolved_issue_part_count) from quality.issue_resolution",
    ),
    "from the dock to the stock": Asked(
        "mean_dock_to_stock_hours median_dock_to_stock_hours mean_hours_to_inspected median_hours_to_inspected",
        "part__part_number",
        "select part_number, avg(dock_to_stock_hours), quantile_cont(dock_to_stock_hours, 0.5), "
        "avg(hours_to_inspected), quantile_cont(hours_to_inspected, 0.5) from supply.dock_to_stock group by all",
    ),
    "runs of a part": Asked(
        "runs_finished mean_elapsed_hours median_elapsed_hours run_touch_hours",
        "metric_time__month part__part_number run__status",
        "select date_trunc('month', last_completed_at), part_number, status, count(elapsed_hours), "
        "avg(elapsed_hours), quantile_cont(elapsed_hours, 0.5), sum(touch_hours) from production.runs group by all",
    ),
    "kits": Asked(
        "items_fulfilled_share kit_items kit_items_fulfilled",
        "kit",
        "select part_kit_id, items_fulfilled_share, item_count, items_fulfilled from supply.kits",
    ),
    "plans": Asked(
        "items_complete_share plan_items plan_items_complete",
        "plan",
        "select plan_id, items_complete_share, item_count, items_complete from supply.plans",
    ),
    "stock and its value": Asked(
        "stock_value stock_value_over_currencies stock_currencies quantity_in_stock quantity_without_cost",
        "part__part_number stock__currency stock__cost_basis",
        """select part_number, currency, cost_basis, sum(stock_value) filter (where is_current),
            sum(stock_value) filter (where is_current),
            cast(coalesce(bool_or(stock_value is not null) filter (where is_current), false) as integer),
            sum(quantity) filter (where is_current), sum(quantity_without_cost) filter (where is_current)
        from supply.inventory_valuation group by all""",
    ),
    "stock, from the health of the inventory": Asked(
        "quantity_in_stock",
        "part",
        "select part_id, quantity_in_stock from supply.inventory_health "
        "where part_id in (select part_id from supply.inventory_valuation)",
    ),
    "measurements by month": Asked(
        "measurement_failure_rate outside_limits_rate measurements_recorded measurements_judged measurements_failed "
        "measurements_with_limits measurements_outside_limits",
        "metric_time__month part__part_number measurement__field_name",
        """select date_trunc('month', measured_at), part_number, field_name,
            count(*) filter (where validation_result = 'FAIL')
            / nullif(count(*) filter (where validation_result in ('PASS', 'FAIL')), 0),
            count(*) filter (where is_within_limits = false) / nullif(count(is_within_limits), 0),
            count(value_number) + count(value_boolean), count(is_passed), count(*) filter (where is_passed = false),
            count(is_within_limits), count(*) filter (where is_within_limits = false)
        from quality.measurements group by all""",
    ),
    "measurements of a step, from all results": Asked(
        "measurement_failure_rate measurements_judged",
        "step",
        """select step_id, count(*) filter (where validation_result = 'FAIL')
            / nullif(count(*) filter (where validation_result in ('PASS', 'FAIL')), 0),
            count(*) filter (where validation_result in ('PASS', 'FAIL'))
        from production.step_results
        where field_type in ('NUMBER', 'BOOLEAN') and run_step_field_id is not null group by step_id""",
    ),
    "purchase orders": Asked(
        "lines_complete_share order_lines_expected order_lines_complete",
        "purchase_order supplier__supplier_name",
        "select purchase_order_id, supplier_name, lines_complete_share, lines_expected, lines_complete "
        "from supply.purchase_orders",
    ),
}

Rows = dict[tuple[Any, ...], tuple[float | None, ...]]


# MetricFlow is imported where it is used: that takes more than a second, and every worker imports this module.
@pytest.fixture(scope="module")
def manifest(demo_warehouse: Built) -> Any:
    """What dbt wrote of the semantic models when it built the warehouse."""
    from metricflow_semantics.model.dbt_manifest_parser import parse_manifest_from_dbt_generated_manifest

    target = Path(dbt.environment(load_settings(data_dir=demo_warehouse.data_dir))["DBT_TARGET_PATH"])
    return parse_manifest_from_dbt_generated_manifest((target / "semantic_manifest.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def sql_of(manifest: Any) -> Callable[[list[str], list[str]], str]:
    """MetricFlow's SQL for metrics and what they are grouped by."""
    from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
    from metricflow.protocols.sql_client import SqlEngine
    from metricflow.sql.render.duckdb_renderer import DuckDbSqlPlanRenderer
    from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup

    client: Any = SimpleNamespace(sql_engine_type=SqlEngine.DUCKDB, sql_plan_renderer=DuckDbSqlPlanRenderer())
    engine = MetricFlowEngine(semantic_manifest_lookup=SemanticManifestLookup(manifest), sql_client=client)

    def write(metrics: list[str], by: list[str]) -> str:
        request = MetricFlowQueryRequest.create(metric_names=metrics, group_by_names=by)
        return str(engine.explain(request).sql_statement.sql)

    return write


@pytest.fixture(scope="module")
def published(demo_warehouse: Built, manifest: Any) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published file under the name that the manifest gives to the warehouse's."""
    [database] = {model.node_relation.database for model in manifest.semantic_models}
    with duckdb.connect() as connection:
        connection.execute(f"attach '{demo_warehouse.published}' as \"{database}\" (read_only)")
        connection.execute(f"use \"{database}\"; set TimeZone = 'UTC'")
        yield connection


def keyed(connection: duckdb.DuckDBPyConnection, sql: str, columns: int) -> Rows:
    """Rows by their first columns; an instant at midnight is a day."""
    rows = connection.execute(sql).fetchall()
    found = {tuple(as_day(value) for value in row[:columns]): row[columns:] for row in rows}
    assert len(found) == len(rows), "rows with the same key"
    return found


def same(left: tuple[float | None, ...], right: tuple[float | None, ...]) -> bool:
    """Whether the numbers agree, but for the order in which they were added up; null agrees only with null."""
    return all(
        (a is None and b is None) or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9))
        for a, b in zip(left, right, strict=True)
    )


def as_day(value: object) -> object:
    return value.date() if isinstance(value, datetime) else value


def test_metricflow_finds_nothing_wrong(manifest: Any) -> None:
    from metricflow_semantic_interfaces.validations.semantic_manifest_validator import SemanticManifestValidator

    found = SemanticManifestValidator[Any]().validate_semantic_manifest(manifest)
    assert [issue.message for issue in found.all_issues] == []


def test_each_metric_is_compared(manifest: Any) -> None:
    compared = {metric for asked in ASKED.values() for metric in asked.metrics.split()}
    assert {metric.name for metric in manifest.metrics} == compared


@pytest.mark.parametrize("name", ASKED)
def test_metricflow_and_the_tables_agree(
    name: str, sql_of: Callable[[list[str], list[str]], str], published: duckdb.DuckDBPyConnection
) -> None:
    asked = ASKED[name]
    metrics, by = asked.metrics.split(), asked.by.split()
    shown = f"select {', '.join([*by, *metrics])} from ({sql_of(metrics, by)})"  # noqa: S608
    found, expected = keyed(published, shown, len(by)), keyed(published, asked.sql, len(by))
    unknown = {
        name for name, values in zip(metrics, zip(*expected.values(), strict=True), strict=True) if not any(values)
    }
    assert unknown <= NOT_THERE, "nothing but zeros and nulls"
    assert found.keys() == expected.keys()
    differing = {key: (values, expected[key]) for key, values in found.items() if not same(values, expected[key])}
    assert differing == {}


def test_where_nothing_was_attempted_there_is_no_yield(
    sql_of: Callable[[list[str], list[str]], str], published: duckdb.DuckDBPyConnection
) -> None:
    """Neither 0 nor an error: on some days a step was only cancelled."""
    written = sql_of(["first_pass_yield", "quantity_attempted"], ["metric_time__day", "step"])
    rows = published.execute(f"select first_pass_yield from ({written}) where quantity_attempted = 0").fetchall()  # noqa: S608
    assert rows
    assert {value for (value,) in rows} == {None}


def test_a_value_in_several_currencies_is_unknown(
    sql_of: Callable[[list[str], list[str]], str], published: duckdb.DuckDBPyConnection
) -> None:
    """Their sum would be no amount of any."""
    written = sql_of(["stock_value", "stock_currencies", "stock_value_over_currencies"], [])
    asked = f"select stock_value, stock_currencies, stock_value_over_currencies from ({written})"  # noqa: S608
    [(value, currencies, added_up)] = published.execute(asked).fetchall()
    assert value is None
    assert currencies > 1
    assert added_up > 0
