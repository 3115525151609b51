"""Draws a control chart and describes its rules in words."""

from collections.abc import Sequence

from ion_pipeline.report import numbers
from ion_pipeline.report.charts import label_at, line, svg
from ion_pipeline.report.markup import Child, Markup, point, tag
from ion_pipeline.report.model import ControlPoint
from ion_pipeline.report.scale import Linear, decimals, ticks, widened

_RULES = {
    "1": "one point beyond 3 sigma",
    "western_electric_2": "two of three points beyond 2 sigma on one side",
    "western_electric_3": "four of five points beyond 1 sigma on one side",
    "western_electric_4": "eight points in a row on one side of the centre",
    "nelson_2": "nine points in a row on one side of the centre",
    "nelson_3": "six points in a row rising or falling",
    "nelson_4": "fourteen points in a row alternating up and down",
    "nelson_5": "two of three points beyond 2 sigma on one side",
    "nelson_6": "four of five points beyond 1 sigma on one side",
    "nelson_7": "fifteen points in a row within 1 sigma",
    "nelson_8": "eight points in a row beyond 1 sigma on either side",
}
_RULES |= dict.fromkeys(("western_electric_1", "nelson_1"), _RULES.pop("1"))
_TOP, _BOTTOM = 28.0, 228.0
# Height of the strip above the highest value, for the label of the baseline.
_STRIP = 20.0
_NUMBER_ROOM = 20


def rule_name(rule: str) -> str:
    """The usual name of a rule, such as Nelson 2; an unknown rule is returned unchanged."""
    family, _, number = rule.rpartition("_")
    return f"{family.replace('_', ' ').title()} {number}" if rule in _RULES else rule


def rule_names(rules: Sequence[str]) -> str:
    """Names of several rules, grouped by rule set: Western Electric 2, 3; Nelson 5."""
    sets: dict[str, list[str]] = {}
    for rule in rules:
        family, _, number = rule_name(rule).rpartition(" ")
        sets.setdefault(family, []).append(number)
    return "; ".join(f"{family} {', '.join(each)}".strip() for family, each in sets.items())


def rule_meaning(rule: str) -> str | None:
    """The pattern that breaks a rule; None for an unknown rule."""
    return _RULES.get(rule)


def control_chart(points: Sequence[ControlPoint], *, width: float, label: str) -> Markup:
    """Values in order, with centre and limits; points that break a rule are numbered diamonds."""
    left, right = 52.0, width - 34
    levels = [
        level
        for each in points
        for level in (each.value, each.centre, each.lower, each.upper)
        if level is not None
    ]  # fmt: skip
    low, high = widened(levels, 5)
    up = Linear(low, high, _BOTTOM, _TOP)
    across = Linear(points[0].number, points[-1].number, left + 10, right - 14)
    marks = ticks(low, high, 5)
    places = decimals(marks)
    drawn: list[Child] = [
        _baseline(points, across),
        [line(left, up(mark), right, up(mark), "grid") for mark in marks],
        [label_at(left - 6, up(mark) + 4, f"{mark:.{places}f}", "tick", "end") for mark in marks],
        [
            [_steps([(across(each.number), None if level is None else up(level))
                     for each, level in zip(points, values, strict=True)], right, left, class_),
             _end_label(values, up, name, right)]
            for name, class_, values in (
                ("LCL", "limit", [each.lower for each in points]),
                ("CL", "centre", [each.centre for each in points]),
                ("UCL", "limit", [each.upper for each in points]),
            )
        ],
        tag("polyline", class_="trend",
            points=" ".join(f"{point(across(each.number))},{point(up(each.value))}" for each in points)),
    ]  # fmt: skip
    written = -1e9
    for each in points:
        x, y = across(each.number), up(each.value)
        if not each.rules:
            drawn.append(tag("circle", _tip(each), cx=x, cy=y, r=2.6, class_="value"))
            continue
        diamond = f"M{point(x)} {point(y - 6)}l6 6l-6 6l-6-6z"
        drawn.append(tag("path", _tip(each), d=diamond, class_="broken"))
        if x - written >= _NUMBER_ROOM:
            written = x
            above = each.centre is None or each.value >= each.centre
            drawn.append(label_at(x, y - 9 if above else y + 18, str(each.number), "mark", "middle"))
    first, last = points[0].number, points[-1].number
    numbered = sorted({round(number) for number in ticks(first, last, max(3, int((right - left) // 80)))} | {first})
    drawn += [
        label_at(across(number), _BOTTOM + 18, str(number), "tick", "middle") for number in numbered if number >= first
    ]
    return svg(width, _BOTTOM + 26, label, drawn)


def _baseline(points: Sequence[ControlPoint], across: Linear) -> Child:
    """A background behind the baseline: the points from which centre and limits were computed."""
    inside = [each.number for each in points if each.is_baseline]
    if not inside or len(inside) == len(points):
        return None
    x, end = across(inside[0]) - 6, across(inside[-1]) + 6
    return [
        tag("rect", x=x, y=_TOP - _STRIP, width=end - x, height=_BOTTOM - _TOP + _STRIP, class_="ground"),
        label_at(x + 4, _TOP - 7, "baseline", "tick", "start"),
    ]


def _steps(
    levels: Sequence[tuple[float, float | None]], end: float, start: float, class_: str
) -> Child:  # fmt: skip
    """A line at a level that changes halfway between two points, with gaps where there is no level."""
    path = []
    for place, (x, y) in enumerate(levels):
        if y is None:
            continue
        begin = (levels[place - 1][0] + x) / 2 if place else start
        stop = (x + levels[place + 1][0]) / 2 if place + 1 < len(levels) else end
        joined = place and levels[place - 1][1] is not None
        path.append(f"{'L' if joined else 'M'}{point(begin)} {point(y)}H{point(stop)}")
    return tag("path", d="".join(path), class_=class_) if path else None


def _end_label(values: Sequence[float | None], up: Linear, name: str, right: float) -> Child:
    last = values[-1]
    return None if last is None else label_at(right + 5, up(last) + 4, name, "tick", "start")


def _tip(each: ControlPoint) -> Markup:
    rules = rule_names(each.rules)
    parts = (f"Point {each.number}", each.serial_number, f"{numbers.measured(each.value)}", rules)
    return tag("title", "; ".join(part for part in parts if part))
