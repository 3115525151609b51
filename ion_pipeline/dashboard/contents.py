"""The charts and tabs of the dashboard."""

from ion_pipeline.dashboard.datasets import (
    ATTEMPTS,
    BACKLOG,
    DEFECTS,
    DELIVERY,
    FRESHNESS,
    GAPS,
    ISSUES,
    POINTS,
    RECALL,
    SUPPLIER_QUALITY,
    YIELD,
)
from ion_pipeline.dashboard.model import Chart, Filter, Tab

TITLE = "ION: quality and recall"
_OF_YIELD = (("y_axis_format", ".1%"), ("truncateYAxis", True), ("y_axis_bounds", [0, 1]))

_AGE = Chart("Data as of (UTC)", FRESHNESS, "table", ("data_as_of",), width=3, height=20)
_PARTS = Filter("Part number", YIELD, "part_number")
_TIME = Filter("Time")

TABS = (
    Tab(
        "Yield",
        "A piece counts once per step, on the day of its first attempt. A yield of several rows is the sum of its "
        "numerators divided by the sum of its denominators, whatever is chosen above.",
        (
            (
                Chart("First-pass yield", YIELD, "big_number_total", ("first_pass_yield",), width=3, height=20),
                Chart("Final yield", YIELD, "big_number_total", ("final_yield",), width=3, height=20),
                Chart("Pieces attempted", YIELD, "big_number_total", ("attempted",), width=3, height=20),
                _AGE,
            ),
            (
                Chart(
                    "First-pass yield by month",
                    YIELD,
                    "echarts_timeseries_line",
                    ("first_pass_yield", "final_yield"),
                    axis="day_on",
                    grain="P1M",
                    options=(("markerEnabled", True), *_OF_YIELD),
                    width=7,
                ),
                Chart(
                    "Why not first pass",
                    ATTEMPTS,
                    "echarts_timeseries_bar",
                    ("pieces",),
                    axis="not_first_pass_because",
                    where="is_yield_counted and not is_first_pass",
                    order=("pieces", False),
                    options=(("show_value", True),),
                    width=5,
                ),
            ),
            (
                Chart(
                    "Steps, the worst first",
                    YIELD,
                    "table",
                    ("attempted", "passed_first", "first_pass_yield", "final_yield"),
                    ("part_number", "procedure_title", "step_title"),
                    order=("first_pass_yield", True),
                    width=12,
                ),
            ),
        ),
        (_PARTS, _TIME),
    ),
    Tab(
        "Defects",
        "A defect is a piece under an issue when the issue was opened. It is in one class of part, step, disposition, "
        "supplier and labels, so defects may be added up over any of them.",
        (
            (
                Chart(
                    "Defects by part and disposition",
                    DEFECTS,
                    "echarts_timeseries_bar",
                    ("defects",),
                    ("disposition_category",),
                    axis="part_number",
                    order=("defects", False),
                    options=(("stack", "Stack"), ("show_legend", True)),
                ),
                Chart(
                    "Defects by step",
                    DEFECTS,
                    "echarts_timeseries_bar",
                    ("defects",),
                    axis="step_title",
                    order=("defects", False),
                    options=(("show_value", True),),
                ),
            ),
            (
                Chart(
                    "Defects by part, step, disposition and supplier",
                    DEFECTS,
                    "table",
                    ("defects", "affected_units"),
                    ("part_number", "step_title", "disposition_category", "supplier_name"),
                    order=("defects", False),
                    width=12,
                ),
            ),
        ),
        (_PARTS, _TIME),
    ),
    Tab(
        "Control charts",
        "Centre and limits come from the baseline only, so that a later shift does not widen them. Points are in the "
        "order of measurement, or of production days.",
        (
            (
                Chart(
                    "Values and control limits",
                    POINTS,
                    "echarts_timeseries_line",
                    ("value", "centre_line", "lower_limit", "upper_limit"),
                    # One set of lines per chart: the mean of several charts is no value.
                    ("chart_key",),
                    axis="point_number",
                    order=("point_number", True),
                    rows=10_000,
                    options=(("truncateYAxis", True), ("show_legend", True)),
                    width=12,
                ),
            ),
            (
                Chart(
                    "Points that break a rule",
                    POINTS,
                    "table",
                    by=(
                        "point_number", "measured_at", "production_on", "serial_number", "chart_value", "unit",
                        "lower_control_limit", "upper_control_limit", "rules_broken_text",
                    ),
                    where="rules_broken_text is not null",
                    order=("point_number", True),
                    width=12,
                ),
            ),
        ),
        (Filter("Chart", POINTS, "chart", one_by="signals"),),
    ),
    Tab(
        "Open issues",
        "Issues open at the end of each day by their age; a reopened issue counts from its reopening.",
        (
            (
                Chart("Open issues", ISSUES, "big_number_total", ("open_issues",), width=3),
                Chart(
                    "Open issues by age",
                    BACKLOG,
                    "echarts_area",
                    ("00 to 07 days", "08 to 30 days", "31 to 90 days", "91 days and more"),
                    axis="day_on",
                    grain="P1D",
                    order=("day_on", True),
                    rows=10_000,
                    options=(("stack", "Stack"), ("sort_series_type", "name"), ("sort_series_ascending", True)),
                    width=9,
                ),
            ),
            (
                Chart(
                    "Open issues, the oldest first",
                    ISSUES,
                    "table",
                    by=(
                        "issue_id", "issue_title", "age_days", "disposition", "procedure_title", "run_step_title",
                        "supplier_name", "assigned_to", "opened_at",
                    ),
                    where="is_open",
                    order=("age_days", False),
                    width=12,
                ),
            ),
        ),
    ),
    Tab(
        "Suppliers",
        "Rejected pieces restate the month of their receipt. On time is complete by the promised day plus tolerance.",
        (
            (
                Chart(
                    "Rejected per million received",
                    SUPPLIER_QUALITY,
                    "echarts_timeseries_bar",
                    ("ppm",),
                    axis="supplier_name",
                    where="quantity_received > 0",
                    order=("ppm", False),
                    options=(("show_value", True),),
                ),
                Chart(
                    "Order lines on time",
                    DELIVERY,
                    "echarts_timeseries_bar",
                    ("on_time_rate",),
                    axis="supplier_name",
                    order=("on_time_rate", True),
                    options=(("show_value", True), *_OF_YIELD),
                ),
            ),
            (
                Chart(
                    "Received and rejected by supplier and part",
                    SUPPLIER_QUALITY,
                    "table",
                    ("received", "rejected", "ppm"),
                    ("supplier_name", "part_number"),
                    order=("ppm", False),
                ),
                Chart(
                    "Delivery by supplier",
                    DELIVERY,
                    "table",
                    ("lines", "late", "on_time_rate"),
                    ("supplier_name",),
                    order=("on_time_rate", True),
                ),
            ),
        ),
        (Filter("Supplier", SUPPLIER_QUALITY, "supplier_name"), _TIME),
    ),
    Tab(
        "Recall",
        "The top-level units that contain the chosen lot or serial, or something split off it, at any depth. "
        "**If units may be missing, the reasons are listed first**; then `ion-pipeline report --recall` finds those "
        "outside of trees too. A lot or serial that is not offered is in no tree of a top-level unit.",
        (
            (
                Chart("Reasons why units may be missing", GAPS, "big_number_total", ("reasons",), width=3, height=24),
                Chart("What is missing", GAPS, "table", by=("missing",), width=6, height=24),
                _AGE,
            ),
            (Chart("Units that contain it", RECALL, "big_number_total", ("units",), width=12, height=20),),
            (
                Chart(
                    "The units",
                    RECALL,
                    "table",
                    by=(
                        "searched_for", "part_number", "part_revision", "serial_number", "lot_number", "status",
                        "location_path", "quantity_extended", "path_count", "min_depth", "part_inventory_id",
                    ),
                    order=("serial_number", True),
                    rows=10_000,
                    width=12,
                ),
            ),
        ),
        (Filter("Lot or serial", RECALL, "searched_for", one_by="units"),),
    ),
)  # fmt: skip
CHARTS = tuple({chart.title: chart for tab in TABS for row in tab.rows for chart in row}.values())
