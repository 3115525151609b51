"""A hand-written report in which all texts are equal, for tests of the page."""

from datetime import UTC, date, datetime

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
    TreeLine,
    Trees,
    YieldPeriod,
)
from ion_pipeline.report.where_used import Use, WhereUsed

AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
EMPTY = Report(
    generated_at=AT, published_at=AT, load=None, delays=None, freshness=(), yield_by_week=(), yield_by_month=(),
    yield_by_product=(), products_left_out=0, pareto={}, control=ControlCharts(0, 0, 0, ()),
    open_issues=OpenIssues((), ()), suppliers=Suppliers(None, None, ()),
    trees=Trees((), 0, 0), where_used=WhereUsed((), (), ()),
)  # fmt: skip


def line(depth: int, text: str, *, is_open: bool = False) -> TreeLine:
    return TreeLine(
        depth=depth, part_inventory_id=None if is_open else depth, part_number=text, part_revision=text,
        description=text, serial_number=None if is_open else text, lot_number=None if is_open else f"{text} lot",
        designator=text, quantity_required=4, quantity_installed=None if is_open else 2.0, is_open=is_open,
        is_made_on_assembly=True, is_substitute=True,
    )  # fmt: skip


def full_report(text: str) -> Report:
    """A report with data in each section, and this text in place of every text."""
    points = tuple(
        ControlPoint(
            number=number, measured_on=date(2026, 1, number), serial_number=text, sample=None, value=number / 4,
            centre=1.0, lower=0.5, upper=1.5, sigmas=number / 2, is_baseline=number < 5,
            rules=(text, "nelson_1") if number > 6 else (),
        )
        for number in range(1, 9)
    )  # fmt: skip
    chart = ControlChart(
        key=text, chart_type=text, title=text, step=text, unit=text, baseline_count=4, point_count=8, broken_count=2,
        points=points,
    )  # fmt: skip
    classes = (DefectClass(text, 6, Ratio(6, 8)), DefectClass(f"{text} too", 2, Ratio(8, 8)))
    months = (YieldPeriod(date(2026, 1, 1), Ratio(3, 4)), YieldPeriod(date(2026, 2, 1), Ratio(99, 100)))
    return Report(
        generated_at=AT,
        published_at=AT,
        load=Load(text, text, text, AT, AT, 12345),
        delays=Delays(AT, 100, 30.0, 180.0, 9000.0),
        freshness=(
            EntityFreshness(text, 7, AT, AT, 1.5, 30.0, 180.0),
            EntityFreshness(f"{text} too", 0, None, None, None, None, None),
        ),
        yield_by_week=months,
        yield_by_month=months,
        yield_by_product=(
            ProductYield(text, None, Ratio(99, 100), Ratio(3, 4), (("failed", 1.0),)),
            ProductYield(text, text, Ratio(1, 2), Ratio(0, 0), (("redline", 1.0),)),
            ProductYield(f"{text} too", None, Ratio(0, 4), Ratio(1, 4), ()),
        ),
        products_left_out=1,
        pareto={"part": classes, "supplier": classes},
        control=ControlCharts(5, 1, 99, (chart,)),
        open_issues=OpenIssues(
            (OpenDisposition(text, (1, 0, 2, 3)),), (OpenIssue(17, text, 123, text, (text, text), text),)
        ),
        suppliers=Suppliers(
            date(2026, 1, 1), date(2026, 2, 1), (Supplier(text, Ratio(3, 4), 1, 2.5, Ratio(37, 4000)),)
        ),
        trees=Trees(
            ((line(0, text), line(1, text), line(2, text), line(1, text, is_open=True)), (line(0, text),)), 1, 9
        ),
        # Lines 1 and 2 are on the page, in the unit of line 0; the unit 7 is not.
        where_used=WhereUsed(
            ((0, text), (7, f"{text} 7")),
            (Use(text, text, (1, 2), (0, 1), False), Use(f"{text} lot", text, (5,), (), True)),
            (text,),
        ),
    )
