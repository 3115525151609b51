"""Charts as SVG: functions from values to markup. The style sheet sets colours by class; the caller sets the width."""

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise

from ion_pipeline.report import numbers
from ion_pipeline.report.markup import Child, Markup, point, tag
from ion_pipeline.report.model import DefectClass, Ratio, YieldPeriod
from ion_pipeline.report.scale import Linear, decimals, ticks

# Mean width of a character at the text size that the style sheet gives to labels.
CHARACTER = 6.2
_ROW = 26
_ALL = 100


def svg(width: float, height: float, label: str, *children: Child) -> Markup:
    """A drawing with a label for screen readers."""
    return tag(
        "svg", *children, viewBox=f"0 0 {point(width)} {point(height)}", width=width, height=height, role="img",
        aria_label=label,
    )  # fmt: skip


def yield_trend(periods: Sequence[YieldPeriod], *, width: float, days: int, label: str) -> Markup:
    """Yield over time as points, with bars below it for the quantity attempted.

    Args:
        periods: Periods in order, each with at least one attempt.
        width: Width of the drawing.
        days: Largest distance of consecutive periods; a line joins only those that are not farther apart.
        label: Description of the drawing for screen readers.
    """
    left, right, top, floor, base = 44.0, width - 12, 14.0, 176.0, 232.0
    low = min(period.first_pass.value or 0 for period in periods)
    marks = ticks(min(low, 0.95), 1, 4)
    lowest = marks[0] if marks[0] <= low else marks[0] - (marks[1] - marks[0])
    marks = marks if marks[0] == lowest else [lowest, *marks]
    across = Linear(*_day_span(periods), left + 14, right - 14)
    up = Linear(lowest, 1, floor, top)
    most = max(period.first_pass.denominator for period in periods)
    tall = Linear(0, most, base, floor + 24)
    places = max(0, decimals(marks) - 2)
    drawn: list[Child] = [
        [line(left, up(mark), right, up(mark), "grid") for mark in marks],
        [label_at(left - 6, up(mark) + 4, f"{mark * _ALL:.{places}f} %", "tick", "end") for mark in marks],
        line(left, base, right, base, "axis"),
        label_at(left - 6, tall(most) + 4, _short(most), "tick", "end"),
        label_at(left - 6, base + 4, "0", "tick", "end"),
        label_at(left + 4, floor + 16, "attempted", "tick", "start"),
    ]
    thick = max(3.0, min(16.0, (right - left) / max(len(periods), 1) * 0.5))
    for period in periods:
        x = across(period.start_on.toordinal())
        y = tall(period.first_pass.denominator)
        bar = tag(
            "rect", _tip(period), x=x - thick / 2, y=min(y, base - 1), width=thick, height=max(base - y, 1.0),
            class_="muted",
        )  # fmt: skip
        drawn.append(bar)
    for earlier, later in pairwise(periods):
        if (later.start_on - earlier.start_on).days <= days:
            a, b = ((across(each.start_on.toordinal()), up(each.first_pass.value or 0)) for each in (earlier, later))
            drawn.append(line(*a, *b, "trend"))
    for period in periods:
        x, y = across(period.start_on.toordinal()), up(period.first_pass.value or 0)
        drawn.append(tag("circle", _tip(period), cx=x, cy=y, r=3.5, class_="value"))
    drawn += [
        label_at(across(day.toordinal()), base + 18, f"{day:%Y-%m}", "tick", "middle")
        for day in _months(periods, int((right - left) // 64))
    ]
    return svg(width, base + 26, label, drawn)


def pareto(classes: Sequence[DefectClass], *, width: float, label: str) -> Markup:
    """Bars in descending order and their running sum, both on one scale that ends at the total of all defects."""
    narrow = width < 500  # noqa: PLR2004 -- a phone: names above the bars instead of to their left
    left, right = (4.0, width - 44) if narrow else (230.0, width - 56)
    row = 40.0 if narrow else float(_ROW)
    thick, top = 14.0, 26.0
    over = 18.0 if narrow else (row - thick) / 2
    along = Linear(0, classes[0].cumulative.denominator, left, right)
    bottom = top + row * len(classes)
    shares = (0, 50, 100) if narrow else (0, 25, 50, 75, 100)
    steps = [left + share / _ALL * (right - left) for share in shares]
    drawn: list[Child] = [
        [line(x, top - 4, x, bottom, "grid") for x in steps],
        [label_at(x, top - 10, f"{share} %", "tick", "middle" if share else "start")
         for x, share in zip(steps, shares, strict=True)],
    ]  # fmt: skip
    corners = []
    for place, each in enumerate(classes):
        y = top + row * place + over
        tip = tag("title", f"{each.name}: {numbers.fraction(each.share)} defects, {numbers.percent(each.share)}; "
                           f"up to here {numbers.percent(each.cumulative)}")  # fmt: skip
        corners.append((along(each.cumulative.numerator), y + thick / 2))
        room = int((right - left) / CHARACTER) if narrow else int((left - 14) / CHARACTER)
        drawn += [
            tag("rect", tip, x=left, y=y, width=max(along(each.defects) - left, 1.0), height=thick, class_="bar"),
            label_at(left, y - 5, _cut(each.name, room), "name", "start")
            if narrow
            else label_at(left - 10, y + 11, _cut(each.name, room), "name", "end"),
            label_at(right + 10, y + 11, numbers.count(each.defects), "number", "start"),
        ]
    drawn.append(tag("polyline", points=" ".join(f"{point(x)},{point(y)}" for x, y in corners), class_="cumulative"))
    drawn += [tag("circle", cx=x, cy=y, r=3.0, class_="running") for x, y in corners]
    return svg(width, bottom + 6, label, drawn)


def bars(values: Sequence[tuple[str, float]], *, width: float, label: str) -> Markup:
    """Horizontal bars, each with its name before and its number after it."""
    left, right = 92.0, width - 40
    most = max(value for _, value in values)
    along = Linear(0, most or 1, left, right)
    drawn: list[Child] = [line(left, 0, left, _ROW * len(values), "axis")]
    for place, (name, value) in enumerate(values):
        y = _ROW * place + 5.0
        drawn += [
            label_at(left - 10, y + 12, name, "name", "end"),
            tag("rect", x=left, y=y, width=along(value) - left, height=16, class_="bar") if value else None,
            label_at(along(value) + 8, y + 12, numbers.count(value), "number", "start"),
        ]
    return svg(width, _ROW * len(values), label, drawn)


def rate_bar(ratio: Ratio, *, width: float = 96) -> Markup:
    """A share as the filled part of a bar, empty without a share. Hidden from screen readers: the number follows."""
    filled = [] if ratio.value is None else [
        tag("rect", x=0, y=2, width=width, height=8, class_="track"),
        tag("rect", x=0, y=2, width=width * ratio.value, height=8, class_="bar"),
    ]  # fmt: skip
    return tag("svg", filled, viewBox=f"0 0 {point(width)} 12", width=width, height=12, aria_hidden="true")


def _tip(period: YieldPeriod) -> Markup:
    share = period.first_pass
    return tag("title", f"{period.start_on}: {numbers.percent(share)}, {numbers.fraction(share)}")


def _day_span(periods: Sequence[YieldPeriod]) -> tuple[int, int]:
    return periods[0].start_on.toordinal(), periods[-1].start_on.toordinal()


def _months(periods: Sequence[YieldPeriod], most: int) -> list[date]:
    """First days of months between the first and the last period; only every n-th if there are more than `most`."""
    first, last = periods[0].start_on, periods[-1].start_on
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
    months = [day for day in days if day.day == 1] or [first]
    return months[:: -(-len(months) // max(most, 1))]


def _short(value: float) -> str:
    return f"{value / 1000:,.3g}k" if value >= 100_000 else numbers.count(value)  # noqa: PLR2004


def _cut(name: str, room: int) -> str:
    return name if len(name) <= room else name[: max(room - 1, 1)] + "…"


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """A straight line."""
    return tag("line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2), class_=class_)


def label_at(x: float, y: float, written: str, class_: str, anchor: str) -> Markup:
    """A piece of text; `anchor` says which part of it is at x: start, middle or end."""
    return tag("text", written, x=float(x), y=float(y), class_=class_, text_anchor=anchor)
