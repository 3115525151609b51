"""Geometry against values computed by hand from the sizes of the drawing; text that never becomes markup."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.report.charts import bars, pareto, rate_bar, yield_trend
from ion_pipeline.report.control import control_chart, rule_meaning, rule_name, rule_names
from ion_pipeline.report.model import ControlPoint, DefectClass, Ratio, YieldPeriod
from tests.examples import examples


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 -- our own


def drawn(svg: str, name: str, class_: str) -> list[dict[str, str]]:
    return [each.attrib for each in parse(svg).iter(name) if each.get("class") == class_]


def values(found: list[dict[str, str]], *names: str) -> list[tuple[float, ...]]:
    return [tuple(float(each[name]) for name in names) for each in found]


def classes(*counts: float) -> list[DefectClass]:
    return [
        DefectClass(f"class {place}", count, Ratio(sum(counts[: place + 1]), sum(counts)))
        for place, count in enumerate(counts)
    ]


def test_pareto_has_bars_and_the_running_sum_on_one_scale() -> None:
    # 230 to 764 is 534 wide and means 10 defects.
    svg = pareto(classes(6, 3, 1), width=820, label="Defects")
    assert values(drawn(svg, "rect", "bar"), "x", "width") == [(230, 320.4), (230, 160.2), (230, 53.4)]
    assert values(drawn(svg, "circle", "running"), "cx", "cy") == [(550.4, 39), (710.6, 65), (764, 91)]
    assert drawn(svg, "polyline", "cumulative")[0]["points"] == "550.4,39 710.6,65 764,91"
    texts = [(each.text, each.get("class")) for each in parse(svg).iter("text")]
    assert [text for text, class_ in texts if class_ == "number"] == ["6", "3", "1"]
    assert [text for text, class_ in texts if class_ == "tick"] == ["0 %", "25 %", "50 %", "75 %", "100 %"]


def test_pareto_of_less_than_all_classes_ends_below_all() -> None:
    svg = pareto([DefectClass("only", 5, Ratio(5, 10))], width=820, label="Defects")
    assert values(drawn(svg, "circle", "running"), "cx") == [(497,)]


def test_yield_trend_joins_neighbours_only() -> None:
    start = date(2026, 1, 5)
    periods = [
        YieldPeriod(start + timedelta(days=days), Ratio(passed, attempted))
        for days, passed, attempted in ((0, 5, 10), (7, 10, 10), (21, 15, 20))
    ]
    svg = yield_trend(periods, width=820, days=7, label="Yield")
    # From 40 % at 176 to 100 % at 14; days from 58 to 794.
    points = values(drawn(svg, "circle", "value"), "cx", "cy")
    assert points == [(58, 149), (303.33, 14), (794, 81.5)]
    assert values(drawn(svg, "line", "trend"), "x1", "y1", "x2", "y2") == [(58, 149, 303.33, 14)]
    # Bars begin at 232; the tallest, of 20, ends at 200.
    assert values(drawn(svg, "rect", "muted"), "y", "height") == [(216, 16), (216, 16), (200, 32)]
    tips = [each.text for each in parse(svg).iter("title")]
    assert "2026-01-05: 50.0 %, 5 of 10" in tips


def test_bars_are_in_proportion() -> None:
    svg = bars([("a", 0), ("b", 2), ("c", 4)], width=320, label="Ages")
    # 92 to 280.
    assert values(drawn(svg, "rect", "bar"), "x", "width") == [(92, 94), (92, 188)]
    assert [each.text for each in parse(svg).iter("text")] == ["a", "0", "b", "2", "c", "4"]


def test_rate_bar_is_filled_by_its_share_and_empty_of_nothing() -> None:
    assert values(drawn(rate_bar(Ratio(1, 4)), "rect", "bar"), "width") == [(24,)]
    assert list(parse(rate_bar(Ratio(0, 0)))) == []


def control_point(number: int, value: float, *rules: str, **levels: float | None) -> ControlPoint:
    return ControlPoint(
        number=number, measured_on=None, serial_number=f"S{number}", sample=None, value=value,
        centre=levels.get("centre", 10.0), lower=levels.get("lower", 4.0), upper=levels.get("upper", 16.0), sigmas=None,
        is_baseline=number <= 2, rules=rules,
    )  # fmt: skip


def test_control_chart_marks_what_breaks_a_rule() -> None:
    points = [control_point(1, 10), control_point(2, 12), control_point(3, 20, "nelson_1", "western_electric_1")]
    svg = control_chart(points, width=820, label="Chart")
    # 0 to 20 from 228 to 28, ten to a unit; points from 62 to 772.
    assert values(drawn(svg, "circle", "value"), "cx", "cy") == [(62, 128), (417, 108)]
    (diamond,) = drawn(svg, "path", "broken")
    assert diamond["d"].startswith("M772 22l6 6")
    assert [each.text for each in parse(svg).iter("text") if each.get("class") == "mark"] == ["3"]
    assert {each["d"] for each in drawn(svg, "path", "limit")} == {
        f"M52 {y}H239.5L239.5 {y}H594.5L594.5 {y}H786" for y in (188, 68)
    }
    assert drawn(svg, "path", "centre")[0]["d"].startswith("M52 128H")
    assert drawn(svg, "polyline", "trend")[0]["points"] == "62,128 417,108 772,28"
    assert "Point 3; S3; 20; Nelson 1; Western Electric 1" in [each.text for each in parse(svg).iter("title")]


def test_control_chart_without_limits_is_values_alone() -> None:
    none = dict.fromkeys(("centre", "lower", "upper"))
    svg = control_chart([control_point(1, 5, **none), control_point(2, 5, **none)], width=344, label="Chart")
    assert not drawn(svg, "path", "limit")
    assert not drawn(svg, "path", "centre")
    assert len(drawn(svg, "circle", "value")) == 2


def test_rules_have_names_and_meanings_and_unknown_ones_are_unchanged() -> None:
    assert rule_name("western_electric_4") == "Western Electric 4"
    assert rule_meaning("nelson_7") == "fifteen points in a row within 1 sigma"
    assert rule_names(["western_electric_2", "nelson_5", "western_electric_3"]) == "Western Electric 2, 3; Nelson 5"
    assert (rule_name("house_rule"), rule_meaning("house_rule")) == ("house_rule", None)
    assert "house_rule" in rule_names(["nelson_1", "house_rule"])


measure = st.floats(-1e9, 1e9)
ratios = st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)).map(lambda pair: Ratio(min(pair), max(pair)))


@settings(max_examples=examples(60))
@given(st.text(), st.lists(st.tuples(measure, st.lists(st.text(), max_size=2)), min_size=1, max_size=8), st.booleans())
def test_any_control_chart_is_well_formed_and_finite(
    text: str, points: list[tuple[float, list[str]]], wide: bool
) -> None:
    svg = control_chart(
        [control_point(place, value, *rules) for place, (value, rules) in enumerate(points, 1)],
        width=820 if wide else 344,
        label=text,
    )
    assert_sound(svg)
    assert len(drawn(svg, "path", "broken")) == sum(1 for _, rules in points if rules)


@settings(max_examples=examples(60))
@given(st.lists(st.tuples(st.text(), st.floats(0.001, 1e9)), min_size=1, max_size=8), st.sampled_from([820.0, 344.0]))
def test_any_pareto_is_well_formed_and_finite(counts: list[tuple[str, float]], width: float) -> None:
    total, running, rows = sum(count for _, count in counts), 0.0, []
    for name, count in counts:
        running += count
        rows.append(DefectClass(name, count, Ratio(running, total)))
    svg = pareto(rows, width=width, label=counts[0][0])
    assert_sound(svg)
    assert len(drawn(svg, "rect", "bar")) == len(counts)


@settings(max_examples=examples(60))
@given(st.lists(ratios.filter(lambda each: each.denominator > 0), min_size=1, max_size=60), st.sampled_from([7, 31]))
def test_any_trend_is_well_formed_and_inside(shares: list[Ratio], days: int) -> None:
    periods = [YieldPeriod(date(2026, 1, 1) + timedelta(days=days * place), each) for place, each in enumerate(shares)]
    svg = yield_trend(periods, width=344, days=days, label="Yield")
    assert_sound(svg)
    points = values(drawn(svg, "circle", "value"), "cx", "cy")
    assert len(points) == len(shares)
    assert all(44 <= x <= 332 and 14 <= y <= 176.01 for x, y in points)
    if len(shares) > 1:
        assert len(drawn(svg, "line", "trend")) == len(shares) - 1


NUMBER = re.compile(r"-?\d+(\.\d+)?$")
NUMERIC = {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"}


def assert_sound(svg: str) -> None:
    """The markup is well formed, and every coordinate is a plain number."""
    root = parse(svg)
    assert root.get("role") == "img"
    assert "aria-label" in root.attrib
    for each in root.iter():
        assert each.tag in {"svg", "line", "text", "rect", "circle", "path", "polyline", "title"}
        assert not set(each.attrib) & {"style", "onload", "onclick", "href"}
        assert all(NUMBER.match(value) for name, value in each.attrib.items() if name in NUMERIC), each.attrib


def test_the_check_of_drawings_can_fail() -> None:
    with pytest.raises(AssertionError):
        assert_sound('<svg role="img" aria-label=""><rect width="nan"/></svg>')
