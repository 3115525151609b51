import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion_pipeline.report.scale import Linear, decimals, ticks, widened


@pytest.mark.parametrize(
    ("low", "high", "count", "expected"),
    [
        (0, 10, 5, [0, 2, 4, 6, 8, 10]),
        (0.5, 1, 4, [0.6, 0.8, 1.0]),
        (9.968, 10.032, 5, [9.98, 10.0, 10.02]),
        (-3, 3, 3, [-2, 0, 2]),
        (1, 44, 3, [20, 40]),
        (7, 7, 5, [7]),
    ],
)
def test_ticks_are_round(low: float, high: float, count: int, expected: list[float]) -> None:
    assert ticks(low, high, count) == pytest.approx(expected)


def test_widened_goes_to_the_next_round_values() -> None:
    assert widened([9.968, 10.0, 10.032], 5) == pytest.approx((9.96, 10.04))
    assert widened([0, 10], 5) == (0, 10)
    assert widened([3.0], 5) == (3.0, 3.0)


@pytest.mark.parametrize(
    ("marks", "places"), [([0, 2, 4], 0), ([0, 0.5], 1), ([9.98, 10.0], 2), ([0, 20], 0), ([5], 3)]
)
def test_decimals_distinguish_marks(marks: list[float], places: int) -> None:
    assert decimals(marks) == places


def test_linear() -> None:
    scale = Linear(0, 10, 100, 0)
    assert [scale(0), scale(2.5), scale(10)] == [100, 75, 0]
    assert Linear(4, 4, 0, 10)(4) == 5


finite = st.floats(-1e12, 1e12)


@given(finite, finite, st.integers(2, 10))
def test_any_values_have_few_marks_inside(one: float, other: float, count: int) -> None:
    low, high = sorted((one, other))
    marks = ticks(low, high, count)
    slack = (high - low) * 1e-6
    assert len(marks) <= count + 1
    assert all(math.isfinite(mark) and low - slack <= mark <= high + slack for mark in marks) or low == high
    below, above = widened([one, other], count)
    assert below <= low + slack
    assert above >= high - slack
