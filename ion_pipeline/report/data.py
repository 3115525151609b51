"""Reads the report's values from the published file, with a few queries of limited size."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

import duckdb

from ion_pipeline.publish.errors import NotPublishedError
from ion_pipeline.publish.query import Row, rows_of
from ion_pipeline.report import queries, where_used
from ion_pipeline.report.model import (
    ControlChart,
    ControlCharts,
    ControlPoint,
    DefectClass,
    Delays,
    EntityFreshness,
    Load,
    OpenDisposition,
    OpenIssue,
    OpenIssues,
    ProductYield,
    Ratio,
    Report,
    Supplier,
    Suppliers,
    YieldPeriod,
)
from ion_pipeline.report.trees import read_trees
from ion_pipeline.report.where_used import read_where_used

# Upper bounds of what the page shows.
_CLASSES = 12
_PRODUCT_ROWS = 600
_CHARTS = 6
_POINTS = 80
_OLDEST = 10
_SUPPLIERS = 25
_ENTITIES = 500
DIMENSIONS = ("procedure_step", "part", "supplier", "disposition_category", "labels")


def read_report(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    *,
    generated_at: datetime,
    published_at: datetime,
    named: Sequence[int] = (),
    units: int,
) -> Report:
    """Read the values of all sections.

    Args:
        connection: A connection to the published file.
        path: The published file, for messages.
        generated_at: The present time.
        published_at: When the file was published.
        named: Units whose trees are requested, by part inventory id.
        units: How many trees of top-level units to add, newest first.

    Raises:
        NotPublishedError: The file was published without a table that the report reads.
    """
    require_tables(connection, path, queries.READS | where_used.READS)
    load, delays = (next(_rows(connection, sql), None) for sql in (queries.LOAD, queries.DELAYS))
    products = tuple(_rows(connection, queries.PRODUCTS, limit=_PRODUCT_ROWS))
    return Report(
        generated_at=generated_at,
        published_at=published_at,
        load=Load(**load) if load else None,
        delays=Delays(**delays) if delays else None,
        freshness=tuple(EntityFreshness(**row) for row in _rows(connection, queries.FRESHNESS, limit=_ENTITIES)),
        yield_by_week=_yield(connection, queries.YIELD_BY_WEEK),
        yield_by_month=_yield(connection, queries.YIELD_BY_MONTH),
        yield_by_product=tuple(map(_product_yield, products)),
        products_left_out=products[0]["row_count"] - len(products) if products else 0,
        pareto={name: classes for name in DIMENSIONS if (classes := _pareto(connection, name))},
        control=_control(connection),
        open_issues=_open_issues(connection),
        suppliers=_suppliers(connection),
        trees=read_trees(connection, named=named, units=units),
        where_used=read_where_used(connection),
    )


def _yield(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[YieldPeriod, ...]:
    return tuple(
        YieldPeriod(row["starts_on"], Ratio(row["passed_first"], row["attempted"])) for row in _rows(connection, sql)
    )


def _product_yield(row: Row) -> ProductYield:
    reasons = {
        "failed": row["failed"],
        "failed validation": row["failed_validation"],
        "redline": row["redlined"],
        "issue": row["with_issue"],
    }
    return ProductYield(
        product=row["product"],
        step=None if row["is_whole"] else row["step"],
        first_pass=Ratio(row["passed_first"], row["attempted"]),
        before=Ratio(row["passed_before"], row["attempted_before"]),
        reasons=tuple((reason, quantity) for reason, quantity in reasons.items() if quantity),
    )


def _pareto(connection: duckdb.DuckDBPyConnection, dimension: str) -> tuple[DefectClass, ...]:
    return tuple(
        DefectClass(
            row["class"],
            row["defect_count"],
            Ratio(row["cumulative_defect_count"], row["total_defect_count"]),
        )
        for row in _rows(connection, queries.PARETO, dimension=dimension, limit=_CLASSES)
    )


def _control(connection: duckdb.DuckDBPyConnection) -> ControlCharts:
    totals = next(_rows(connection, queries.CONTROL_TOTALS))
    charts = []
    for row in _rows(connection, queries.CONTROL_CHARTS, limit=_CHARTS):
        points = tuple(
            ControlPoint(
                number=point["point_number"],
                measured_on=point["measured_on"],
                serial_number=point["serial_number"],
                sample=None if point["denominator"] is None else Ratio(point["numerator"], point["denominator"]),
                value=point["chart_value"],
                centre=point["centre"],
                lower=point["lower_control_limit"],
                upper=point["upper_control_limit"],
                sigmas=point["sigmas_from_centre"],
                is_baseline=point["is_baseline"],
                rules=tuple(point["rules_broken"]),
            )
            for point in _rows(connection, queries.CONTROL_POINTS, chart_key=row["chart_key"], limit=_POINTS)
        )
        charts.append(
            ControlChart(
                key=row["chart_key"],
                chart_type=row["chart_type"],
                title=row["title"],
                step=row["step"],
                unit=row["unit"],
                baseline_count=row["baseline_count"],
                point_count=row["point_count"],
                broken_count=row["broken_count"],
                points=points,
            )
        )
    return ControlCharts(**totals, charts=tuple(charts))


def _open_issues(connection: duckdb.DuckDBPyConnection) -> OpenIssues:
    return OpenIssues(
        tuple(
            OpenDisposition(row["disposition"], (row["days_7"], row["days_30"], row["days_90"], row["older"]))
            for row in _rows(connection, queries.OPEN_BY_DISPOSITION)
        ),
        tuple(
            OpenIssue(**{**row, "parts": tuple(row["parts"])})
            for row in _rows(connection, queries.OLDEST_OPEN, limit=_OLDEST)
        ),
    )


def _suppliers(connection: duckdb.DuckDBPyConnection) -> Suppliers:
    span = next(_rows(connection, queries.SUPPLIER_MONTHS))
    first: date | None = span["first_month"]
    return Suppliers(
        first,
        span["last_month"],
        tuple(
            Supplier(
                row["supplier_name"],
                Ratio(row["lines_on_time"], row["lines_judged"]),
                row["lines_late_and_open"],
                row["mean_late_days"],
                Ratio(row["quantity_rejected"], row["quantity_received"]),
            )
            for row in _rows(connection, queries.SUPPLIERS, first_month=first, limit=_SUPPLIERS)
        ),
    )


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, **parameters: object) -> Iterator[Row]:
    return iter(rows_of(connection, sql, parameters))


def require_tables(connection: duckdb.DuckDBPyConnection, path: Path, reads: frozenset[str]) -> None:
    """Check that the published file has all tables that are read.

    Raises:
        NotPublishedError: It was published without some of them.
    """
    existing = {row[0] for row in connection.execute(queries.TABLES).fetchall()}
    missing = sorted(reads - existing)
    if missing:
        raise NotPublishedError(
            f"{path} was published without {', '.join(missing)}.",
            remedy="Build and publish again: `ion-pipeline refresh`.",
        )
