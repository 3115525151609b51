"""From values to places on the paper, and which values to write at an axis."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Linear:
    """Maps low to start and high to end, and all between in proportion."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The place of a value; the middle where all values are one."""
        if self.high == self.low:
            return (self.start + self.end) / 2
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, count: int) -> list[float]:
    """About so many round values (1, 2 or 5 times a power of ten apart) from low to high."""
    step = _round_step(low, high, count)
    if step == 0:
        return [low]
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [place * step for place in range(first, last + 1)]


def widened(values: Sequence[float], count: int) -> tuple[float, float]:
    """The round values below and above all values."""
    low, high = min(values), max(values)
    step = _round_step(low, high, count)
    if step == 0:
        return low, high
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def decimals(marks: Sequence[float]) -> int:
    """How many decimals tell the values apart."""
    gaps = [abs(later - earlier) for earlier, later in pairwise(marks) if later != earlier]
    return max(0, -math.floor(math.log10(min(gaps)) + 1e-9)) if gaps else 3


def _round_step(low: float, high: float, count: int) -> float:
    rough = (high - low) / count
    # Values as good as equal have no step between them that a float can hold.
    if rough <= max(abs(low), abs(high)) * 1e-12 or not math.isfinite(rough) or rough < 1e-300:  # noqa: PLR2004
        return 0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
