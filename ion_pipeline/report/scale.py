"""Maps values to coordinates, and chooses the values to label on an axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Linear:
    """Maps values linearly to coordinates: low to start and high to end."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The coordinate of a value; the middle if low and high are equal."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, count: int) -> list[float]:
    """About `count` round values from low to high, at a distance of 1, 2 or 5 times a power of ten."""
    step = _round_step(low, high, count)
    if step == 0:
        return [low]
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def widened(values: Sequence[float], count: int) -> tuple[float, float]:
    """The nearest round values below and above all values."""
    low, high = min(values), max(values)
    step = _round_step(low, high, count)
    if step == 0:
        return low, high
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def decimals(marks: Sequence[float]) -> int:
    """How many decimals are needed to distinguish the values."""
    gaps = [abs(later - earlier) for earlier, later in pairwise(marks) if later != earlier]
    return max(0, -math.floor(math.log10(min(gaps)) + 1e-9)) if gaps else 3


def _round_step(low: float, high: float, count: int) -> float:
    rough = (high - low) / count
    # If the values are almost equal, a float cannot represent a step between them.
    if rough <= max(abs(low), abs(high)) * 1e-12 or not math.isfinite(rough) or rough < 1e-300:  # noqa: PLR2004
        return 0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
