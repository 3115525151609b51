"""Measurements through the whole pipeline: published examples, patterns of every rule, random series, planted truth."""

import math
import operator
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.integration.conftest import BuildWarehouse
from tests.oracle import published, series, spc
from tests.oracle.measured import Limits, MeasuredWorld
from tests.oracle.world import read_truths, write_world_dir

pytestmark = pytest.mark.slow

SEED = 7
SERIES = 150
# What is looked at here, and the tests that read nothing else.

Draw = Callable[[list[tuple[int, int]]], list[spc.AttributePoint]]


@dataclass(frozen=True)
class Made:
    """The world, and the random series in it by field."""

    builder: MeasuredWorld
    series: dict[int, series.RandomSeries]

    def subgroups(self, title: str, chart_type: str) -> list[tuple[int, int]]:
        """Per day, run steps of a step that failed of those that ended, or issues on units, from the rows."""
        rows = self.builder.world
        quantities = {run["id"]: run["quantity"] for run in rows["runs"]}
        issues = Counter(issue["runStepId"] for issue in rows["issues"])
        days: dict[str, tuple[int, int]] = {}
        for row in rows["runSteps"]:
            if row["title"] == title:
                count, size = days.get(row["endTime"][:10], (0, 0))
                if chart_type == "p":
                    days[row["endTime"][:10]] = count + (row["status"] == "FAILED"), size + 1
                else:
                    days[row["endTime"][:10]] = count + issues[row["id"]], size + quantities[row["runId"]]
        return [days[day] for day in sorted(days)]


@pytest.fixture(scope="module")
def made() -> Made:
    builder = MeasuredWorld()
    published.add_published(builder)
    series.add_patterns(builder)
    return Made(builder, series.add_random(builder, SEED, SERIES))


@pytest.fixture(scope="module")
def built(
    made: Made,
    once: Callable[[str, Callable[[Path], None]], Path],
    build_warehouse: BuildWarehouse,
) -> Any:
    def fill(folder: Path) -> None:
        write_world_dir(made.builder.world, folder)

    return build_warehouse(once("measured-world", fill), only=("control_chart_points", "process_capability"))


def ask(built: Any, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(built.warehouse), read_only=True) as connection:
        return connection.execute(sql, parameters).fetchall()


def chart(built: Any, chart_type: str, title: str) -> list[tuple[Any, ...]]:
    """Value, centre, limits and rules broken of each point of the chart of a step."""
    points = ask(
        built,
        """select chart_value, centre, lower_control_limit, upper_control_limit, rules_broken
        from quality.control_chart_points where chart_type = ? and step_title = ? order by point_number""",
        chart_type,
        title,
    )
    assert points
    return points


def points_of_random(built: Any, chart_type: str, columns: str) -> dict[int, list[tuple[Any, ...]]]:
    """The points of each random series, by field."""
    found: dict[int, list[tuple[Any, ...]]] = {}
    for field, *point in ask(
        built,
        f"""select step_field_id, {columns} from quality.control_chart_points
        where chart_type = ? and step_title = 'random' order by step_field_id, point_number""",  # noqa: S608
        chart_type,
    ):
        found.setdefault(field, []).append(tuple(point))
    return found


def exact(values: list[float]) -> list[Fraction]:
    return [Fraction(str(value)) for value in values]


def close(number: float | Fraction | None) -> Any:
    """What equals a number but for the fractions a computer lacks; None equals None alone."""
    return None if number is None else pytest.approx(float(number), rel=1e-9, abs=1e-9)


def is_within(value: float, limits: Limits) -> bool:
    """Whether a value is within the limits of a range; for other limits, ION's own result says so."""
    compare: dict[str, Callable[[float, float], bool]] = {
        "at least": operator.ge, "greater than": operator.gt, "at most": operator.le, "less than": operator.lt,
    }  # fmt: skip
    return all(compare[function](value, limit) for function, limit in limits if function in compare)


def printed(number: float, places: int) -> str:
    return f"{number:.{places}f}"


def test_capability_as_in_nist_6_1_6(built: Any) -> None:
    """USL 20, LSL 8, mean 16, sigma 2: Cp 1.0 and Cpk 0.6667; within and overall sigma are both 2 here."""
    [(mean, within, overall, cp, cpk, pp, ppk, small)] = ask(
        built,
        """select mean, sigma_within, sigma_overall, cp, cpk, pp, ppk, is_small_sample
        from quality.process_capability where step_title = '6.1.6'""",
    )
    assert [printed(number, 4) for number in (mean, within, overall)] == ["16.0000", "2.0000", "2.0000"]
    assert (printed(cp, 1), printed(cpk, 4)) == ("1.0", "0.6667")
    assert (printed(pp, 1), printed(ppk, 4)) == ("1.0", "0.6667")
    assert not small


def test_individuals_chart_as_in_nist_6_3_2_2(built: Any) -> None:
    points = chart(built, "individuals", "6.3.2.2")
    assert tuple(value for value, *_ in points) == published.FLOW_RATE
    assert {(printed(centre, 2), printed(lower, 4), printed(upper, 4)) for _, centre, lower, upper, _ in points} == {
        ("50.81", "45.8159", "55.8041")
    }
    assert all(not broken for *_, broken in points), "the handbook says the process is in control"


def test_moving_range_chart_of_nist_6_3_2_2(built: Any) -> None:
    """The handbook prints the mean moving range; the upper limit is 3.267 times it (metric definitions)."""
    points = chart(built, "moving_range", "6.3.2.2")
    assert [printed(value, 1) for value, *_ in points] == [
        "2.0",
        "2.3",
        "1.4",
        "3.5",
        "3.4",
        "1.4",
        "0.2",
        "1.2",
        "1.5",
    ]
    assert {(printed(centre, 4), lower, printed(upper, 4)) for _, centre, lower, upper, _ in points} == {
        ("1.8778", 0.0, printed(3.267 * 16.9 / 9, 4))
    }


def test_u_chart_with_the_counts_of_nist_6_3_3_1(built: Any) -> None:
    """With one unit a day a u chart is the handbook's chart of counts: 28 lies on the limit, 31 is out."""
    points = chart(built, "u", "6.3.3.1")
    assert tuple(value for value, *_ in points) == published.WAFER_DEFECTS
    assert {(centre, lower, upper) for _, centre, lower, upper, _ in points} == {(16.0, 4.0, 28.0)}
    assert [(value, broken) for value, *_, broken in points if broken] == [(31.0, ["western_electric_1", "nelson_1"])]


def test_p_chart_with_the_proportions_of_nist_6_3_3_2(built: Any) -> None:
    points = chart(built, "p", "6.3.3.2")
    assert [value for value, *_ in points] == [out / size for out, size in published.proportions_by_day()]
    of_one_wafer = {
        (printed(centre, 4), printed(lower, 4), printed(upper, 4)) for _, centre, lower, upper, _ in points[5:]
    }
    assert of_one_wafer == {("0.2313", "0.0524", "0.4102")}
    # Days of two wafers: 0.231333 ± 3 √(0.231333 · 0.768667 / 100), by hand.
    assert {(printed(lower, 4), printed(upper, 4)) for _, _, lower, upper, _ in points[:5]} == {("0.1048", "0.3578")}
    assert [value for value, *_, broken in points if broken] == [0.44, 0.48]


@pytest.mark.parametrize("name", series.PATTERNS)
def test_pattern_breaks_its_rule_where_it_should_and_no_other(built: Any, name: str) -> None:
    broken = [set(rules) for *_, rules in chart(built, "individuals", name)]
    expected: list[set[str]] = [set() for _ in broken]
    for rule, points in series.PATTERNS[name].broken.items():
        for point in points:
            expected[len(series.QUIET) + point].add(rule)
    assert broken == expected


def test_every_rule_has_a_pattern() -> None:
    assert {rule for pattern in series.PATTERNS.values() for rule in pattern.broken} == set(spc.RULES)


def test_random_individuals_against_the_definitions(built: Any, made: Made) -> None:
    found = points_of_random(built, "individuals", "chart_value, centre, sigma, sigmas_from_centre, rules_broken")
    assert found.keys() == {field for field, of_field in made.series.items() if of_field.values}
    seen: dict[str, int] = dict.fromkeys(spc.RULES, 0)
    for field, points in found.items():
        values = made.series[field].values
        assert [value for value, *_ in points] == values
        expected = spc.individuals(exact(values))
        for (_, centre, sigma, distance, broken), far, rules in zip(
            points, expected.distances, expected.broken, strict=True
        ):
            assert (centre, sigma) == (close(expected.centre), close(expected.sigma))
            # A distance that is infinite is none.
            known = far is not None and math.isfinite(far)
            assert distance == (pytest.approx(float(far), abs=1e-8) if far is not None and known else None)
            assert (set(broken), len(broken)) == (rules, len(rules))
            for rule in rules:
                seen[rule] += 1
    assert min(seen.values()) >= 10, f"a rule is hardly ever broken, so hardly tested: {seen}"


def test_random_moving_ranges_against_the_definitions(built: Any, made: Made) -> None:
    columns = "chart_value, centre, upper_control_limit, rules_broken"
    found = points_of_random(built, "moving_range", columns)
    assert found.keys() == {field for field, of_field in made.series.items() if len(of_field.values) > 1}
    beyond = 0
    for field, points in found.items():
        values = exact(made.series[field].values)
        centre = spc.individuals(values).mean_moving_range
        assert centre is not None
        for (value, *lines, broken), (before, after) in zip(points, pairwise(values), strict=True):
            moving_range, limit = abs(after - before), Fraction("3.267") * centre
            assert (value, *lines) == (close(moving_range), close(centre), close(limit))
            assert bool(broken) == (moving_range > limit)
            beyond += bool(broken)
    assert beyond


def test_random_capability_against_the_definitions(built: Any, made: Made) -> None:
    found = {
        field: tuple(row)
        for field, *row in ask(
            built,
            """select step_field_id, measurement_count, not_applicable_count, is_small_sample, out_of_limits_count,
                mean, sigma_within, sigma_overall, cp, cpk, pp, ppk
            from quality.process_capability where step_title = 'random'""",
        )
    }
    assert found.keys() == made.series.keys()
    for field, row in found.items():
        of_field = made.series[field]
        count = len(of_field.values)
        assert row[:3] == (count, len(of_field.recorded) - count, count < 25)
        assert row[3] == sum(not is_within(value, of_field.limits) for value in of_field.values)
        limits = {function: Fraction(str(value)) for function, value in of_field.limits}
        lower = limits.get("at least", limits.get("greater than"))
        upper = limits.get("at most", limits.get("less than"))
        if not count:
            assert row[4:] == (None,) * 7
            continue
        exactly = spc.capability(exact(of_field.values), lower, upper)
        assert row[4:] == (
            close(exactly.mean), close(exactly.sigma_within), close(exactly.sigma_overall),
            close(exactly.index(exactly.tolerance, exactly.sigma_within, 6)),
            close(exactly.index(exactly.to_nearest_limit, exactly.sigma_within, 3)),
            close(exactly.index(exactly.tolerance, exactly.sigma_overall, 6)),
            close(exactly.index(exactly.to_nearest_limit, exactly.sigma_overall, 3)),
        )  # fmt: skip


@pytest.mark.parametrize(("chart_type", "draw"), [("p", spc.p_chart), ("u", spc.u_chart)])
def test_random_subgroups_against_the_definitions(built: Any, made: Made, chart_type: str, draw: Draw) -> None:
    subgroups = made.subgroups("random", chart_type)
    assert len({size for _, size in subgroups}) > 2
    found = chart(built, chart_type, "random")
    for (value, centre, lower, upper, broken), point in zip(found, draw(subgroups), strict=True):
        assert (value, centre) == (close(point.value), close(point.centre))
        spread = 3 * math.sqrt(point.variance)
        highest = min(1.0, point.centre + spread) if chart_type == "p" else point.centre + spread
        assert (lower, upper) == (close(max(0.0, point.centre - spread)), close(highest))
        assert broken == (["western_electric_1", "nelson_1"] if point.is_beyond else [])


def test_planted_shift_breaks_its_rules_first_where_planted(demo_warehouse: Any) -> None:
    truth = read_truths(demo_warehouse.world)["process_shift"]
    points = ask(
        demo_warehouse,
        """select point_number - 1, run_step_field_id, centre, sigma, is_baseline, rules_broken
        from quality.control_chart_points where chart_key = ? order by point_number""",
        f"individuals/{truth['step_field_id']}/{truth['part_id']}",
    )
    assert [field for _, field, *_ in points] == truth["run_step_field_ids"]
    assert sum(is_baseline for *_, is_baseline, _ in points) == truth["baseline_points"]
    sigma = truth["baseline_mean_moving_range"] / 1.128
    for _, _, *lines, _, _ in points:
        assert lines == [close(truth["baseline_mean"]), close(sigma)]
    first: dict[str, int] = {}
    for index, *_, broken in points:
        for rule in broken:
            first.setdefault(rule, index)
    assert first == {
        f"{rule_set}_{number}": index
        for rule_set, rules in truth["first_break_index"].items()
        for number, index in rules.items()
    }
