"""Control charts in plain Python, from the definitions: exact fractions, one point and one rule at a time.

It uses no database and rounds nothing. The rules are written as for a person at a chart: look at the last n points. A
point is identified by its index, from 0.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

BASELINE = 25
D2 = Fraction("1.128")
"""Mean range of two points, in sigmas."""


Distance = Fraction | float | None
"""From the centre in sigmas; infinite off the centre where sigma is 0."""


@dataclass(frozen=True)
class Individuals:
    """An individuals chart.

    If the baseline does not vary, sigma is 0: the distance of a point on the centre is 0, that of any other point is
    infinite. A baseline of one point has no sigma, so no distance is known.
    """

    centre: Fraction
    mean_moving_range: Fraction | None
    sigma: Fraction | None
    distances: list[Distance]
    broken: list[frozenset[str]]


def individuals(values: Sequence[Fraction], baseline: int = BASELINE) -> Individuals:
    """Compute the chart: centre and sigma from the first points, and all rules of both sets for each point."""
    first = values[:baseline]
    centre = sum(first, Fraction()) / len(first)
    ranges = [abs(after - before) for before, after in pairwise(first)]
    mean_range = sum(ranges, Fraction()) / len(ranges) if ranges else None
    sigma = None if mean_range is None else mean_range / D2
    distances = [_distance(value - centre, sigma) for value in values]
    # A point has a side even without a distance in sigmas.
    judged = [_judged(value - centre, sigma) for value in values]
    broken = [
        frozenset(
            name
            for name, rule in RULES.items()
            if (sigma or name not in IN_SIGMAS) and rule(values[: end + 1], judged[: end + 1])
        )
        for end in range(len(values))
    ]
    return Individuals(centre, mean_range, sigma, distances, broken)


def _distance(difference: Fraction, sigma: Fraction | None) -> Distance:
    if sigma is None:
        return None
    if sigma == 0:
        return math.copysign(math.inf, difference) if difference else Fraction()
    return difference / sigma


def _judged(difference: Fraction, sigma: Fraction | None) -> Distance:
    """The distance for the rules; at most 1 if sigma is unknown, so that it gives a side but is beyond no line."""
    if sigma is None:
        return Fraction((difference > 0) - (difference < 0))
    return _distance(difference, sigma)


Distances = Sequence[Distance]
Rule = Callable[[Sequence[Fraction], Distances], bool]


def _beyond(lines: int) -> Rule:
    def rule(_: Sequence[Fraction], distances: Distances) -> bool:
        last = distances[-1]
        return last is not None and abs(last) > lines

    return rule


def _some_beyond(needed: int, of: int, line: int) -> Rule:
    """Rule: the last point and enough of the points before it are beyond a line, all on one side."""

    def rule(_: Sequence[Fraction], distances: Distances) -> bool:
        above = [distance is not None and distance > line for distance in distances[-of:]]
        below = [distance is not None and distance < -line for distance in distances[-of:]]
        return any(side[-1] and sum(side) >= needed for side in (above, below))

    return rule


def _one_side(length: int) -> Rule:
    def rule(_: Sequence[Fraction], distances: Distances) -> bool:
        last = distances[-length:]
        return len(last) == length and (
            all(distance is not None and distance > 0 for distance in last)
            or all(distance is not None and distance < 0 for distance in last)
        )

    return rule


def _rising_or_falling(length: int) -> Rule:
    def rule(values: Sequence[Fraction], _: Distances) -> bool:
        last = values[-length:]
        return len(last) == length and (
            all(before < after for before, after in pairwise(last))
            or all(before > after for before, after in pairwise(last))
        )

    return rule


def _alternating(length: int) -> Rule:
    def rule(values: Sequence[Fraction], _: Distances) -> bool:
        steps = [after - before for before, after in pairwise(values[-length:])]
        return len(steps) == length - 1 and all(before * after < 0 for before, after in pairwise(steps))

    return rule


def _all(length: int, condition: Callable[[Fraction | float], bool]) -> Rule:
    def rule(_: Sequence[Fraction], distances: Distances) -> bool:
        last = distances[-length:]
        return len(last) == length and all(distance is not None and condition(distance) for distance in last)

    return rule


RULES: dict[str, Rule] = {
    "western_electric_1": _beyond(3),
    "western_electric_2": _some_beyond(2, 3, 2),
    "western_electric_3": _some_beyond(4, 5, 1),
    "western_electric_4": _one_side(8),
    "nelson_1": _beyond(3),
    "nelson_2": _one_side(9),
    "nelson_3": _rising_or_falling(6),
    "nelson_4": _alternating(14),
    "nelson_5": _some_beyond(2, 3, 2),
    "nelson_6": _some_beyond(4, 5, 1),
    "nelson_7": _all(15, lambda distance: abs(distance) <= 1),
    "nelson_8": _all(8, lambda distance: abs(distance) > 1),
}


#: Rules that measure in sigmas, which do not apply if the baseline does not vary. Rule 1 still applies: the limits then
#: equal the centre, and every point off the centre is beyond them.
IN_SIGMAS = {"western_electric_2", "western_electric_3", "nelson_5", "nelson_6", "nelson_7", "nelson_8"}


@dataclass(frozen=True)
class AttributePoint:
    """A point of a p or u chart; the variance is 0 without variation in the baseline."""

    value: Fraction
    centre: Fraction
    variance: Fraction

    @property
    def is_beyond(self) -> bool:
        """Whether the point is more than three sigma from the centre; in squares, which needs no root."""
        return (self.value - self.centre) ** 2 > 9 * self.variance


def p_chart(subgroups: Sequence[tuple[int, int]], baseline: int = BASELINE) -> list[AttributePoint]:
    """Chart of failed fractions, from (failed, inspected)."""
    return _attribute_chart(subgroups, baseline, lambda centre: centre * (1 - centre))


def u_chart(subgroups: Sequence[tuple[int, int]], baseline: int = BASELINE) -> list[AttributePoint]:
    """Chart of counts per unit, from (count, units)."""
    return _attribute_chart(subgroups, baseline, lambda centre: centre)


def _attribute_chart(
    subgroups: Sequence[tuple[int, int]], baseline: int, spread: Callable[[Fraction], Fraction]
) -> list[AttributePoint]:
    first = subgroups[:baseline]
    centre = Fraction(sum(count for count, _ in first), sum(size for _, size in first))
    return [AttributePoint(Fraction(count, size), centre, spread(centre) / size) for count, size in subgroups]


@dataclass(frozen=True)
class Capability:
    """The capability of a process; in exact fractions except the overall standard deviation, which needs a root."""

    mean: Fraction
    sigma_within: Fraction | None
    variance_overall: Fraction | None
    tolerance: Fraction | None
    to_nearest_limit: Fraction | None

    def index(self, distance: Fraction | None, sigma: float | Fraction | None, sigmas: int) -> float | None:
        """A capability index: a distance divided by a multiple of sigma."""
        return None if distance is None or not sigma else float(distance) / (sigmas * float(sigma))

    @property
    def sigma_overall(self) -> float | None:
        """Standard deviation (n - 1)."""
        return math.sqrt(self.variance_overall) if self.variance_overall else None


def capability(values: Sequence[Fraction], lower: Fraction | None, upper: Fraction | None) -> Capability:
    """Compute the capability of all values; either limit may be missing."""
    count = len(values)
    mean = sum(values, Fraction()) / count
    ranges = [abs(after - before) for before, after in pairwise(values)]
    distances = []
    if upper is not None:
        distances.append(upper - mean)
    if lower is not None:
        distances.append(mean - lower)
    return Capability(
        mean=mean,
        sigma_within=sum(ranges, Fraction()) / len(ranges) / D2 if any(ranges) else None,
        variance_overall=sum((value - mean) ** 2 for value in values) / (count - 1) if count > 1 else None,
        tolerance=None if lower is None or upper is None else upper - lower,
        to_nearest_limit=min(distances, default=None),
    )
