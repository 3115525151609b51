"""Series that break known rules at known points, and random series of several kinds.

A pattern follows a baseline of 25 deviations with mean 0 and mean moving range 12, so sigma is 12 / 1.128 = 10.638: in
these units 11 is beyond one sigma, 22 beyond two, 32 beyond three. The broken rules were determined by hand.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.oracle.measured import Limits, MeasuredWorld, at

#: Breaks no rule; it ends with a fall to -24, so that no following run above the centre continues it.
QUIET = (
    2, 4, -2, 15, -2, 1, 16, 3, 15, 10, 18, -22, -5, 4, -2, -1, -6, -18, -10, -10, 8, 3, -9, 12, -24,
)  # fmt: skip


@dataclass(frozen=True)
class Pattern:
    """Deviations after the quiet baseline, and the broken rules with their points; 0 is the first deviation."""

    deviations: Sequence[int]
    broken: Mapping[str, Sequence[int]]


def _twins(western_electric: int, nelson: int, *points: int) -> dict[str, Sequence[int]]:
    """Map the three rules that both sets share."""
    return {f"western_electric_{western_electric}": points, f"nelson_{nelson}": points}


PATTERNS = {
    "nothing": Pattern((1, -6, -8, -1, -6, 5, -5), {}),
    "one beyond 3 sigma": Pattern((5, -3, 33, -4), _twins(1, 1, 2)),
    "one beyond 3 sigma below": Pattern((5, -3, 6, -33, 4), _twins(1, 1, 3)),
    "2 of 3 beyond 2 sigma": Pattern((5, -3, 25, 4, 24, -5), _twins(2, 5, 4)),
    "2 of 3 beyond 2 sigma below": Pattern((5, -3, -25, -24, 4, -25, 5), _twins(2, 5, 3, 5)),
    "2 of 3 beyond 2 sigma, but on both sides": Pattern((5, -3, 25, -24, 4), {}),
    "4 of 5 beyond 1 sigma": Pattern((5, -3, 14, 16, 3, 13, 15, -4), _twins(3, 6, 6)),
    "8 on one side": Pattern((-3, 4, 6, 3, 8, 2, 7, 5, 9, -4), {"western_electric_4": (8,)}),
    "9 on one side": Pattern((-3, 4, 6, 3, 8, 2, 7, 5, 9, 1, -4), {"western_electric_4": (8, 9), "nelson_2": (9,)}),
    "8 on one side, the centre among them": Pattern((-3, 4, 6, 3, 8, 0, 2, 7, 5, 9, -4), {}),
    "6 rising": Pattern((5, -9, -5, -2, 1, 4, 7, -4), {"nelson_3": (6,)}),
    "6 falling": Pattern((-5, 9, 6, 2, -1, -4, -7, 3), {"nelson_3": (6,)}),
    "5 rising, then level": Pattern((5, -9, -5, -2, 1, 4, 4, 7, -4), {}),
    # The baseline ends with a rise to 12 and a fall to -24: its last four points are part of the fourteen.
    "14 by turns": Pattern((3, -4, 12, -5, 2, -12, 6, -3, 13, -4, 5, 6), {"nelson_4": (9, 10)}),
    "15 within 1 sigma": Pattern((3, 5, -2, -4, 6, 2, -7, -1, 4, 8, -3, -6, 5, 1, -5, 12), {"nelson_7": (14,)}),
    "8 beyond 1 sigma": Pattern((5, 12, -13, 14, 15, -12, -14, 13, -15, 2), {"nelson_8": (8,)}),
}

NOMINAL = 10.0


def values_of(pattern: Pattern) -> list[float]:
    """Return the measurements of baseline and pattern in mm, for deviations in µm."""
    return [round(NOMINAL + deviation / 1000, 3) for deviation in (*QUIET, *pattern.deviations)]


def add_patterns(builder: MeasuredWorld) -> None:
    """Add each pattern as a series under its name."""
    for name, pattern in PATTERNS.items():
        builder.series(name, values_of(pattern))


def random_values(rng: random.Random) -> list[float | None]:
    """Return up to 60 values of one kind: steady, shifted, drifting, alternating, coarse or constant; None for n/a."""
    length = rng.choice((1, 2, 3, 24, 25, 26, 40, 60, 60, 60))
    temper = rng.choice(("steady", "steady", "shift", "drift", "turns", "coarse", "constant", "narrow"))
    at_point = rng.randrange(20, 60)

    def value(place: int) -> float:
        noise, later = rng.gauss(0.0, 1.0), place >= at_point
        return {
            "steady": noise,
            "shift": noise + 2.5 * later,
            "drift": noise * 0.2 + (place - at_point) * 0.4 * later,
            "turns": noise * 0.5 + (0.9 if place % 2 else -0.9),
            "coarse": float(round(noise)),
            "constant": noise if later else 0.1,
            "narrow": noise * (0.2 if later else 1.0),
        }[temper]

    return [None if rng.random() < 0.03 else round(5.1 + value(place), 2) for place in range(length)]


@dataclass(frozen=True)
class RandomSeries:
    """A field, its limits and its recorded values in order of time; None for not applicable."""

    limits: Limits
    recorded: Sequence[float | None]

    @property
    def values(self) -> list[float]:
        """The charted values."""
        return [value for value in self.recorded if value is not None]


LIMITS: tuple[Limits, ...] = (
    (), (("at least", 3.0),), (("less than", 7.0),), (("at least", 3.5), ("at most", 7.5)),
    (("greater than", 4.1), ("less than", 6.1), ("not equal", 5.1)),
)  # fmt: skip


def add_random(builder: MeasuredWorld, seed: int, count: int) -> dict[int, RandomSeries]:
    """Add random series of one step, measured in parallel; return them by field.

    Results are recorded in random order and partly at the same instant, so that the order of ids is not the order of
    time. The step's runs are on lots of several sizes, some fail and some have issues.
    """
    rng = random.Random(seed)
    step = builder.step("random")
    limits = [rng.choice(LIMITS) for _ in range(count)]
    fields = [builder.field(step, f"random {number}", of_field) for number, of_field in enumerate(limits)]
    planned = [random_values(rng) for _ in fields]
    days = [
        [
            builder.run_step(
                step, at(day, 600 + place), quantity=rng.choice((1, 1, 4, 10)), issues=rng.choice((0, 0, 0, 1, 3)),
                status=rng.choice(("COMPLETE", "COMPLETE", "COMPLETE", "FAILED")),
            )
            for place in range(rng.choice((1, 5, 20)))
        ]
        for day in range(60)
    ]  # fmt: skip
    results = [(place, day) for place, values in enumerate(planned) for day in range(len(values))]
    rng.shuffle(results)
    recorded: list[list[tuple[int, int, float | None]]] = [[] for _ in fields]
    for place, day in results:
        # In one of four series, two days share an instant, so the id decides the order.
        instant = day // 2 * 2 if place % 4 == 0 else day
        value = planned[place][day]
        row = builder.result(rng.choice(days[day]), fields[place], value, at(instant))
        recorded[place].append((instant, row, value))
    return {
        field: RandomSeries(of_field, [value for _, _, value in sorted(rows, key=lambda row: row[:2])])
        for field, of_field, rows in zip(fields, limits, recorded, strict=True)
    }
