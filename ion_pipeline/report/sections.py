"""The sections of the report, each from its part of the model."""

from ion_pipeline.counting import plural
from ion_pipeline.report import numbers
from ion_pipeline.report.charts import bars, pareto, rate_bar, yield_trend
from ion_pipeline.report.control import control_chart, rule_meaning, rule_name, rule_names
from ion_pipeline.report.freshness import freshness
from ion_pipeline.report.layout import collapsible, figure, no_data, note, section, table
from ion_pipeline.report.markup import Child, Markup, tag
from ion_pipeline.report.model import ControlChart, DefectClass, Ratio, Report, YieldPeriod
from ion_pipeline.report.product_yield import product_yields
from ion_pipeline.report.tree_view import as_built

_AGES = ("0 to 7 days", "8 to 30 days", "31 to 90 days", "over 90 days")
_DIMENSIONS = {
    "procedure_step": "procedure step",
    "part": "part",
    "supplier": "supplier",
    "disposition_category": "disposition",
    "labels": "labels",
}
_CHART_TYPES = {
    "individuals": "individuals chart",
    "moving_range": "moving range chart",
    "p": "p chart, share of run steps that failed",
    "u": "u chart, issues per unit",
}
_LISTED_POINTS = 40


def sections(report: Report) -> dict[str, tuple[str, Markup]]:
    """All sections in order: for each name, the title for the navigation and the content."""
    made = {
        "yield": ("Yield", _yield),
        "defects": ("Defects", _defects),
        "control": ("Control charts", _control),
        "issues": ("Open issues", _issues),
        "suppliers": ("Suppliers", _suppliers),
        "as-built": ("As built", as_built),
        "freshness": ("Freshness", freshness),
    }
    return {name: (title, section(name, title, make(report))) for name, (title, make) in made.items()}


def key_figures(report: Report) -> Markup:
    """The five key figures of the page, each with its numerator and denominator."""
    month = report.yield_by_month[-1] if report.yield_by_month else None
    first_pass = month.first_pass if month else Ratio(0, 0)
    control, ages = report.control, report.open_issues.by_age
    suppliers = report.suppliers.rows
    on_time = Ratio(sum(row.on_time.numerator for row in suppliers), sum(row.on_time.denominator for row in suppliers))
    rejected = Ratio(
        sum(row.rejected.numerator for row in suppliers), sum(row.rejected.denominator for row in suppliers)
    )
    figures = [
        ("First pass yield", numbers.percent(first_pass),
         f"{numbers.fraction(first_pass)} in {month.start_on:%Y-%m}" if month else "no attempts"),
        ("Out of control", numbers.count(control.broken_chart_count) if control.chart_count else numbers.DASH,
         f"of {plural(control.chart_count, 'chart')}"),
        ("Open issues", numbers.count(sum(ages)), f"{numbers.count(ages[3])} older than 90 days"),
        ("Delivered on time", numbers.percent(on_time), f"{numbers.fraction(on_time)} lines"),
        ("Rejected at receiving", f"{numbers.parts_per_million(rejected)} ppm" if rejected.value is not None
         else numbers.DASH, f"{numbers.fraction(rejected)} pieces"),
    ]  # fmt: skip
    return tag(
        "dl",
        [
            tag("div", tag("dt", name), tag("dd", value, class_="figure"), tag("dd", of, class_="of"))
            for name, value, of in figures
        ],
        class_="key",
    )


def _yield(report: Report) -> Child:
    weeks, months = report.yield_by_week, report.yield_by_month
    if not weeks:
        return no_data("No data: no procedure step was attempted.")
    return [
        _trend(weeks, "week", 7),
        product_yields(report),
        collapsible(
            "By month",
            _trend(months, "month", 31),
            table(
                "First pass yield by month",
                ("Month", "Yield", "Passed first", "Attempted"),
                [
                    (
                        f"{each.start_on:%Y-%m}",
                        numbers.percent(each.first_pass),
                        numbers.count(each.first_pass.numerator),
                        numbers.count(each.first_pass.denominator),
                    )
                    for each in reversed(months)
                ],
                numeric=(1, 2, 3),
            ),
        ),
        note(
            "Quantity that passed a procedure step at the first attempt, without failed validation, redline or issue, ",
            "of the quantity that attempted it; summed over all steps, in the period of the first attempt. ",
            "A lot counts with its quantity.",
        ),
    ]


def _trend(periods: tuple[YieldPeriod, ...], name: str, days: int) -> Markup:
    total = Ratio(
        sum(each.first_pass.numerator for each in periods), sum(each.first_pass.denominator for each in periods)
    )
    caption = (
        f"First pass yield by {name}, {periods[0].start_on} to {periods[-1].start_on}: {numbers.percent(total)}, "
        f"{numbers.fraction(total)}. Bars: quantity attempted."
    )
    return figure(lambda width: yield_trend(periods, width=width, days=days, label=caption), caption)


def _defects(report: Report) -> Child:
    if not report.pareto:
        return no_data("No data: no issue names a unit.")
    return [
        [
            collapsible(f"By {_DIMENSIONS[dimension]}", _pareto(dimension, classes), is_open=place == 0)
            for place, (dimension, classes) in enumerate(report.pareto.items())
        ],
        note("A defect is one piece of a unit that an issue names; the issue may be open or resolved."),
    ]


def _pareto(dimension: str, classes: tuple[DefectClass, ...]) -> Markup:
    last = classes[-1].cumulative
    others = last.denominator - last.numerator
    first = classes[0]
    caption = (
        f"Defects by {_DIMENSIONS[dimension]}: {numbers.count(last.denominator)} in all, {first.name} with "
        f"{numbers.count(first.defects)} ({numbers.percent(first.share)}) first. Line: running sum."
        + (f" {numbers.count(others)} more in classes not shown." if others > 0 else "")
    )
    return figure(lambda width: pareto(classes, width=width, label=caption), caption)


def _control(report: Report) -> Child:
    control = report.control
    if not control.charts:
        return no_data("No data: no numeric value was measured.")
    shown = [
        collapsible(
            [
                tag("span", chart.title, class_="name"),
                tag("span", f" {_kind(chart)}", class_="quiet"),
                tag("span", f" {numbers.count(chart.broken_count)} of {plural(chart.point_count, 'point')} "
                            "break a rule", class_="detail"),
            ],
            _chart(chart),
            is_open=place == 0,
        )
        for place, chart in enumerate(control.charts)
    ]  # fmt: skip
    return [
        tag(
            "p",
            f"A rule is broken on {numbers.count(control.broken_chart_count)} of "
            f"{plural(control.chart_count, 'chart')} with {plural(control.point_count, 'point')}. ",
            f"Shown: the {len(control.charts)} charts with the most points after their baseline that break a rule.",
        ),
        shown,
        note(
            "Centre and limits are computed from the baseline only, so that a later shift does not move them. UCL and "
            "LCL: centre ± 3 sigma; CL: centre line. If several points form a pattern, the last one is marked."
        ),
    ]


def _chart(chart: ControlChart) -> Child:
    unit = f" in {chart.unit}" if chart.unit and chart.chart_type in {"individuals", "moving_range"} else ""
    broken = [each for each in chart.points if each.rules]
    caption = (
        f"{chart.title}, {_kind(chart)}{unit}: points "
        f"{chart.points[0].number} to {chart.points[-1].number}, of which {len(broken)} break a rule (diamonds). "
        f"{_limits(chart)} Baseline: {plural(chart.baseline_count, 'point')}."
    )
    drawing = figure(lambda width: control_chart(chart.points, width=width, label=caption), caption)
    if not broken:
        return drawing
    latest = broken[-_LISTED_POINTS:]
    rows = [
        (
            str(each.number),
            tag("span", str(each.measured_on or numbers.DASH), class_="whole"),
            each.serial_number or (numbers.fraction(each.sample) if each.sample else numbers.DASH),
            numbers.measured(each.value),
            numbers.DASH if each.sigmas is None else f"{each.sigmas:+.1f}",
            tag("span", rule_names(each.rules), class_="rules"),
        )
        for each in reversed(latest)
    ]
    meanings = [(rule_name(rule), rule_meaning(rule)) for rule in dict.fromkeys(r for p in latest for r in p.rules)]
    return [
        drawing,
        table(
            f"Points of {chart.title} that break a rule",
            ("Point", "Day", "Sample" if chart.points[-1].sample else "Unit", "Value", "Sigmas", "Rules broken"),
            rows,
            numeric=(0, 3, 4),
            is_stacked=True,
        ),
        note([[tag("b", name), f": {meaning}. "] for name, meaning in sorted(meanings) if meaning]),
        note(f"{len(broken) - len(latest)} earlier points are not listed.") if len(broken) > len(latest) else None,
    ]


def _kind(chart: ControlChart) -> str:
    kind = _CHART_TYPES.get(chart.chart_type, chart.chart_type)
    return f"{chart.step}, {kind}" if chart.step else kind


def _limits(chart: ControlChart) -> str:
    """A sentence on centre and limits, with their values if they are the same for all points."""
    levels = {(each.lower, each.centre, each.upper) for each in chart.points}
    if len(levels) > 1:
        return "The limits depend on the size of the sample."
    lower, centre, upper = levels.pop()
    if upper is None:
        return "No limits: the baseline does not vary."
    return f"Centre {numbers.measured(centre)}, limits {numbers.measured(lower)} and {numbers.measured(upper)}."


def _issues(report: Report) -> Child:
    issues = report.open_issues
    total = sum(issues.by_age)
    if not total:
        return no_data("No issue is open.")
    ages = list(zip(_AGES, issues.by_age, strict=True))
    caption = f"{plural(total, 'open issue')} by age: " + ", ".join(f"{name} {count}" for name, count in ages)
    return [
        figure(lambda width: bars(ages, width=width, label=caption), f"{caption}."),
        table(
            "Open issues by disposition and age",
            ("Disposition", "0–7 d", "8–30 d", "31–90 d", "> 90 d", "All"),  # noqa: RUF001 -- ranges
            [
                (row.disposition, *(numbers.count(each) if each else "·" for each in row.by_age), str(row.issues))
                for row in issues.by_disposition
            ],
            numeric=range(1, 6),
        ),
        collapsible(
            f"The {len(issues.oldest)} oldest",
            table(
                "Oldest open issues",
                ("Issue", "Age", "Disposition", "Parts", "Assigned to"),
                [
                    (
                        [tag("span", f"#{each.issue_id} ", class_="quiet"), each.title],
                        f"{each.age_days:,} d",
                        each.disposition,
                        ", ".join(each.parts) or numbers.DASH,
                        each.assigned_to or numbers.DASH,
                    )
                    for each in issues.oldest
                ],
                numeric=(1,),
            ),
        ),
        note("Age in days since it was opened, or last reopened, on the day of the latest load."),
    ]


def _suppliers(report: Report) -> Child:
    suppliers = report.suppliers
    if not suppliers.rows:
        return no_data("No data: no purchase order line is due and nothing was received.")
    return [
        tag("p", f"Months {suppliers.first_month:%Y-%m} to {suppliers.last_month:%Y-%m}; most late lines first."),
        table(
            "Suppliers: delivery and quality",
            ("Supplier", "", "On time", "Lines", "PPM", "Pieces rejected", "Late and open", "Mean late"),
            [
                (
                    row.name,
                    rate_bar(row.on_time),
                    numbers.percent(row.on_time),
                    numbers.fraction(row.on_time),
                    numbers.parts_per_million(row.rejected),
                    numbers.fraction(row.rejected),
                    numbers.count(row.late_and_open),
                    numbers.DASH if row.mean_late_days is None else f"{row.mean_late_days:,.0f} d",
                )
                for row in suppliers.rows
            ],
            numeric=range(2, 8),
        ),
        note(
            "On time: lines fully received by the promised day, of the due lines for which that is known. PPM: pieces "
            "rejected at receiving per million received. Mean late: the mean over late lines."
        ),
    ]
