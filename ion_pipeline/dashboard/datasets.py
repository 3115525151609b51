"""The datasets of the dashboard: published tables with their figures, and two queries over them."""

from importlib.resources import files

from ion_pipeline.dashboard.model import Dataset, Metric

_SQL = files("ion_pipeline.dashboard") / "sql"
_SHARE, _NUMBER = ".1%", ",.6~g"


def _sum(name: str, column: str, says: str) -> Metric:
    return Metric(name, f"sum({column})", says, _NUMBER)


YIELD = Dataset(
    "quality",
    "first_pass_yield",
    (
        Metric(
            "first_pass_yield",
            "sum(quantity_passed_first) / nullif(sum(quantity_attempted), 0)",
            "Pieces that pass a step at the first attempt, divided by pieces that attempt it.",
            _SHARE,
        ),
        Metric(
            "final_yield",
            "sum(quantity_completed) / nullif(sum(quantity_attempted), 0)",
            "Pieces whose last attempt ended complete, divided by pieces that attempt the step.",
            _SHARE,
        ),
        _sum("attempted", "quantity_attempted", "Pieces that attempt a step for the first time."),
        _sum("passed_first", "quantity_passed_first", "Pieces that pass at the first attempt."),
    ),
    day="day_on",
)
ATTEMPTS = Dataset(
    "quality",
    "step_attempts",
    (_sum("pieces", "quantity", "Pieces, each counted once per attempt at a step."),),
    day="ended_on",
)
DEFECTS = Dataset(
    "quality",
    "defect_pareto",
    (
        _sum("defects", "defect_count", "Pieces under an issue when it was opened."),
        _sum("affected_units", "affected_unit_count", "Units and lots under an issue, each once per issue."),
    ),
    day="day_on",
)
POINTS = Dataset(
    "quality",
    "control_chart_points",
    (
        Metric("value", "avg(chart_value)", "The plotted value.", _NUMBER),
        Metric("centre_line", "avg(centre)", "Centre, from the baseline only.", _NUMBER),
        Metric("lower_limit", "avg(lower_control_limit)", "Lower control limit.", _NUMBER),
        Metric("upper_limit", "avg(upper_control_limit)", "Upper control limit.", _NUMBER),
        Metric("signals", "count(rules_broken_text)", "Points that break a rule."),
    ),
    day="measured_at",
    computed=(
        (
            "chart",
            "coalesce(field_name, step_title, '') || coalesce(' of ' || part_number, '') || ' (' || chart_key || ')'",
        ),
    ),
)
# A day is the shortest period; over longer ones the mean of the days is a number of open issues, their sum is none.
BACKLOG = Dataset(
    "quality",
    "issue_backlog_daily",
    (
        Metric("00 to 07 days", "avg(open_count_0_to_7_days)", "Issues open at the end of the day.", _NUMBER),
        Metric("08 to 30 days", "avg(open_count_8_to_30_days)", "Issues open at the end of the day.", _NUMBER),
        Metric("31 to 90 days", "avg(open_count_31_to_90_days)", "Issues open at the end of the day.", _NUMBER),
        Metric("91 days and more", "avg(open_count_over_90_days)", "Issues open at the end of the day.", _NUMBER),
    ),
    day="day_on",
)
ISSUES = Dataset(
    "quality",
    "issues",
    (
        Metric("open_issues", "count(case when is_open then 1 end)", "Issues that are open now."),
        Metric("oldest_days", "max(case when is_open then age_days end)", "Age of the oldest open issue in days."),
    ),
    day="opened_at",
)
SUPPLIER_QUALITY = Dataset(
    "quality",
    "supplier_quality",
    (
        Metric(
            "ppm",
            "1000000.0 * sum(quantity_rejected) / nullif(sum(quantity_received), 0)",
            "Pieces rejected per million received, by month of receipt.",
            ",.0f",
        ),
        _sum("received", "quantity_received", "Pieces received."),
        _sum("rejected", "quantity_rejected", "Pieces of them rejected since."),
    ),
    day="month_starts_on",
)
DELIVERY = Dataset(
    "supply",
    "supplier_delivery",
    (
        Metric(
            "on_time_rate",
            "1.0 * sum(lines_on_time) / nullif(sum(lines_judged), 0)",
            "Order lines complete by the promised day plus tolerance, divided by lines whose result is known.",
            _SHARE,
        ),
        _sum("lines", "lines_judged", "Lines due whose result is known."),
        _sum("late", "lines_late", "Lines of them that are late."),
    ),
    day="month_starts_on",
)
RECALL = Dataset(
    "genealogy",
    "recall of any lot or serial",
    (
        Metric(
            "units",
            "case when count(distinct searched_for) <= 1 then count(distinct part_inventory_id) end",
            "Top-level units that contain the lot or serial; null for several.",
        ),
    ),
    query=(_SQL / "recall.sql").read_text("utf-8"),
)
GAPS = Dataset(
    "genealogy",
    "what a recall lacks",
    (Metric("reasons", "count(*)", "Reasons why a recall may lack units; 0 if it is complete."),),
    query=(_SQL / "recall_gaps.sql").read_text("utf-8"),
)
FRESHNESS = Dataset(
    "ops",
    "freshness",
    (Metric("data_as_of", "max(last_read_at)", "When the newest data was read from ION, UTC.", "%Y-%m-%d %H:%M"),),
)
DATASETS = (
    YIELD,
    ATTEMPTS,
    DEFECTS,
    POINTS,
    BACKLOG,
    ISSUES,
    SUPPLIER_QUALITY,
    DELIVERY,
    RECALL,
    GAPS,
    FRESHNESS,
)
