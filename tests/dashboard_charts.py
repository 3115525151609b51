"""What each chart of the dashboard must show, from other tables or by other sums than those of its dataset."""
# ruff: noqa: S608 -- names come from the archive that the tests have written

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import orjson
import yaml

LOT = "PLT-POWDER:PLT-BAD-POWDER"
# The charts that a reader sees for one chosen value only.
CHOSEN = {
    "Values and control limits": "chart",
    "Points that break a rule": "chart",
    "Units that contain it": "searched_for",
    "The units": "searched_for",
}
_SIGNALS = """
    select chart_key from quality.control_chart_points group by chart_key
    order by count(*) filter (where len(rules_broken) > 0) desc, chart_key limit 1
"""
_STEPS = "quality.first_pass_yield_by_month group by part_number, procedure_title, step_title"

EXPECTED = {
    "First-pass yield": """
        select sum(quantity) filter (where is_first_pass) / sum(quantity) as first_pass_yield
        from quality.step_attempts where is_yield_counted""",
    "Final yield": """
        select sum(quantity_completed) / sum(quantity_attempted) as final_yield
        from quality.first_pass_yield_by_month""",
    "Pieces attempted": "select sum(quantity) as attempted from quality.step_attempts where is_yield_counted",
    "Data as of (UTC)": "select read_at as data_as_of from ops.loads where is_latest",
    "First-pass yield by month": """
        select month_starts_on as day_on, sum(quantity_passed_first) / sum(quantity_attempted) as first_pass_yield,
            sum(final_yield * quantity_attempted) / sum(quantity_attempted) as final_yield
        from quality.first_pass_yield_by_month group by month_starts_on""",
    "Why not first pass": """
        select not_first_pass_because, sum(quantity) as pieces from quality.step_attempts
        where is_yield_counted and not_first_pass_because is not null group by not_first_pass_because""",
    "Steps, the worst first": f"""
        select part_number, procedure_title, step_title, sum(quantity_attempted) as attempted,
            sum(quantity_passed_first) as passed_first,
            sum(quantity_passed_first) / nullif(sum(quantity_attempted), 0) as first_pass_yield,
            sum(quantity_completed) / nullif(sum(quantity_attempted), 0) as final_yield
        from {_STEPS}""",
    "Defects by part and disposition": """
        select part_number, disposition_category, sum(defect_count) as defects
        from quality.defect_pareto_by_month group by part_number, disposition_category""",
    "Defects by step": """
        select step_title, sum(defect_count) as defects from quality.defect_pareto_by_week group by step_title""",
    "Defects by part, step, disposition and supplier": """
        select part_number, step_title, disposition_category, supplier_name, sum(defect_count) as defects,
            sum(affected_unit_count) as affected_units
        from quality.defect_pareto_by_month group by all""",
    "Values and control limits": f"""
        select point_number, chart_key, chart_value as value, centre as centre_line, lower_control_limit as lower_limit,
            upper_control_limit as upper_limit
        from quality.control_chart_points where chart_key = ({_SIGNALS})""",
    "Points that break a rule": f"""
        select point_number, measured_at, production_on, serial_number, chart_value, unit, lower_control_limit,
            upper_control_limit, array_to_string(rules_broken, ', ') as rules_broken_text
        from quality.control_chart_points where chart_key = ({_SIGNALS}) and rules_broken <> []""",
    "Open issues": "select sum(issue_count) as open_issues from quality.open_issues_by_disposition",
    "Open issues by age": """
        select day_on, open_count_0_to_7_days as "00 to 07 days", open_count_8_to_30_days as "08 to 30 days",
            open_count_31_to_90_days as "31 to 90 days",
            open_count - open_count_0_to_7_days - open_count_8_to_30_days - open_count_31_to_90_days
                as "91 days and more"
        from quality.issue_backlog_daily""",
    "Open issues, the oldest first": """
        select issue_id, issue_title, age_days, disposition, procedure_title, run_step_title, supplier_name,
            assigned_to, opened_at
        from quality.issues where resolved_at is null and is_open""",
    "Rejected per million received": """
        select supplier_name, 1e6 * sum(quantity_rejected) / nullif(sum(quantity_received), 0) as ppm
        from quality.supplier_quality group by supplier_name having sum(quantity_received) > 0""",
    "Order lines on time": """
        select supplier_name, sum(on_time_rate * lines_judged) / nullif(sum(lines_judged), 0) as on_time_rate
        from supply.supplier_delivery group by supplier_name""",
    "Received and rejected by supplier and part": """
        select supplier_name, part_number, sum(quantity_received) as received, sum(quantity_rejected) as rejected,
            1e6 * sum(quantity_rejected) / nullif(sum(quantity_received), 0) as ppm
        from quality.supplier_quality group by supplier_name, part_number""",
    "Delivery by supplier": """
        select supplier_name, sum(lines_judged) as lines, sum(lines_late) as late,
            sum(on_time_rate * lines_judged) / nullif(sum(lines_judged), 0) as on_time_rate
        from supply.supplier_delivery group by supplier_name""",
    "Reasons why units may be missing": """
        select count(*) as reasons from genealogy.genealogy_anomalies where anomaly in ('cycle', 'tree_cut_off')""",
    "What is missing": """
        select finding || ' Units in and above it are missing for what is in it.' as missing
        from genealogy.genealogy_anomalies where anomaly in ('cycle', 'tree_cut_off')""",
    "Units that contain it": """
        select count(*) as units from recall('PLT-POWDER', 'PLT-BAD-POWDER') where is_in_tree""",
    "The units": f"""
        select '{LOT}' as searched_for, part_number, part_revision, serial_number, lot_number, status, location_path,
            quantity_extended, path_count, min_depth, part_inventory_id
        from recall('PLT-POWDER', 'PLT-BAD-POWDER') where is_in_tree""",
}

Rows = list[tuple[Any, ...]]


def chosen(connection: duckdb.DuckDBPyConnection, title: str) -> dict[str, str]:
    """The value that is chosen in the filter of a chart, by its column; nothing if a reader sees all rows."""
    column = CHOSEN.get(title)
    if column is None:
        return {}
    if column == "searched_for":
        return {column: LOT}
    [(value,)] = connection.execute(
        "select distinct coalesce(field_name, step_title, '') || coalesce(' of ' || part_number, '') || ' (' || "
        f"chart_key || ')' from quality.control_chart_points where chart_key = ({_SIGNALS})"
    ).fetchall()
    return {column: value}


def expected(connection: duckdb.DuckDBPyConnection, title: str) -> tuple[list[str], Rows]:
    """The names of the columns that a chart shows and its rows, sorted."""
    cursor = connection.execute(EXPECTED[title])
    names = [column[0] for column in cursor.description or ()]
    return names, plain(cursor.fetchall())


def plain(rows: Iterable[Iterable[Any]]) -> Rows:
    """Rows sorted, with instants and days as Superset's JSON has them: milliseconds since 1970."""
    return sorted((tuple(map(_plain, row)) for row in rows), key=lambda row: [_sortable(value) for value in row])


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.astimezone(UTC).timestamp() * 1000)
    if isinstance(value, date):
        return int(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp() * 1000)
    return value


def _sortable(value: Any) -> tuple[bool, str, float]:
    is_number = isinstance(value, (int, float))
    return (value is None, "" if is_number or value is None else str(value), round(value, 6) if is_number else 0.0)


def same(one: Rows, other: Rows) -> bool:
    """Whether rows agree, but for the order in which their sums were added up."""
    return len(one) == len(other) and all(
        math.isclose(a, b, rel_tol=1e-9) if isinstance(a, (int, float)) and isinstance(b, (int, float)) else a == b
        for left, right in zip(one, other, strict=True)
        for a, b in zip(left, right, strict=True)
    )


def documents(archive: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """The YAML documents of an archive by their paths."""
    return {path.partition("/")[2]: yaml.safe_load(content) for path, content in archive.items()}


def query_of(chart: Mapping[str, Any]) -> dict[str, Any]:
    """What a chart asks of its dataset."""
    [query] = orjson.loads(chart["query_context"])["queries"]
    return dict(query)


def sql_of(dataset: Mapping[str, Any], query: Mapping[str, Any], where: Mapping[str, str]) -> str:
    """The SQL that Superset makes of a query and the values chosen in filters, leaving out the order of the rows."""
    computed = {column["column_name"]: column["expression"] or column["column_name"] for column in dataset["columns"]}
    metrics = {metric["metric_name"]: metric["expression"] for metric in dataset["metrics"]}
    by = {}
    for column in query["columns"]:
        name = column if isinstance(column, str) else column["label"]
        grain = None if isinstance(column, str) else column.get("timeGrain")
        truncated = {"P1M": f"date_trunc('month', {name})", "P1D": f"date_trunc('day', {name})"}
        by[name] = truncated[grain] if grain else computed[name]
    shown = by | {name: metrics[name] for name in query["metrics"] or ()}
    source = f"({dataset['sql']}) as source" if dataset["sql"] else f"{dataset['schema']}.{dataset['table_name']}"
    conditions = [query["extras"]["where"], *(f"{computed[name]} = '{value}'" for name, value in where.items())]
    grouped = f" group by {', '.join(by.values())}" if by and query["metrics"] else ""
    selected = ", ".join(f'{sql} as "{name}"' for name, sql in shown.items())
    where_all = " and ".join(one for one in conditions if one) or "true"
    return f"select {selected} from {source} where {where_all}{grouped}"
