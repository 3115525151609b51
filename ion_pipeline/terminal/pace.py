"""How fast a count goes and how long the rest takes, in words."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from rich.filesize import decimal

from ion_pipeline.counting import Count

#: A rate is that of the last seconds: reading slows down where rows are large, and a resumed count does not begin at 0.
_WINDOW = 60.0
# Less than this says nothing yet about the rest.
_LEAST_SECONDS, _LEAST_SHARE = 2.0, 0.01


@dataclass(frozen=True, slots=True)
class _Seen:
    at: float
    count: Count


class Pace:
    """The counts of the last minute, and what follows from them.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: deque[_Seen] = deque()
        # Those with a share of the work, which also grows while something else is done with the same things.
        self._shares: deque[_Seen] = deque()

    @property
    def count(self) -> Count | None:
        """The latest count; None before the first."""
        with self._lock:
            return self._seen[-1].count if self._seen else None

    def heard(self, count: Count) -> None:
        """Add a count; of something else, the rate begins anew."""
        with self._lock:
            if self._seen and (self._seen[-1].count.doing, self._seen[-1].count.unit) != (count.doing, count.unit):
                self._seen.clear()
            seen = _Seen(self._clock(), count)
            _append(self._seen, seen)
            if count.share is None or (self._shares and _share(seen) < _share(self._shares[-1])):
                self._shares.clear()
            if count.share is not None:
                _append(self._shares, seen)

    def words(self) -> str:
        """`312 of 1,204 nodes  41/s  0:21 left`; rate and time left only where they are known."""
        count = self.count
        if count is None:
            return ""
        if not count.done and not count.total:
            return ""
        parts = [count_words(count)]
        is_done = count.done >= count.total > 0
        if is_done and (count.share is None or count.share >= 1):
            return parts[0]
        if not is_done and (rate := _rate_words(self._rate(), count.unit)):
            parts.append(rate)
        left = self._left()
        if left is not None:
            parts.append(f"{duration(left)} left")
        return "  ".join(parts)

    def _rate(self) -> float:
        with self._lock:
            if not self._seen:
                return 0.0
            first, last, now = self._seen[0], self._seen[-1], self._clock()
        seconds = now - first.at
        return (last.count.done - first.count.done) / seconds if seconds >= _LEAST_SECONDS else 0.0

    def _left(self) -> float | None:
        with self._lock:
            if not self._shares:
                return None
            first, last, now = self._shares[0], self._shares[-1], self._clock()
        done, seconds = _share(last) - _share(first), now - first.at
        if done < _LEAST_SHARE or seconds < _LEAST_SECONDS or _share(last) >= 1:
            return None
        return seconds * (1 - _share(last)) / done


def _append(seen: deque[_Seen], one: _Seen) -> None:
    """Add the newest, and leave out what is older than the window but for one."""
    seen.append(one)
    while len(seen) > 2 and seen[1].at < one.at - _WINDOW:  # noqa: PLR2004 -- first and last
        seen.popleft()


def _share(seen: _Seen) -> float:
    return seen.count.share or 0.0


def count_words(count: Count) -> str:
    """`312 of 1,204 nodes`, or `1,204 nodes` when all are done, or there are more than was known."""
    done, total = _amount(count.done, count.unit), _amount(count.total, count.unit)
    unit = "" if count.unit == "bytes" else f" {count.unit}"
    return f"{done}{unit}" if count.done >= count.total else f"{done} of {total}{unit}"


def duration(seconds: float) -> str:
    """`0:21`, `12:05` or `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _rate_words(rate: float, unit: str) -> str:
    if rate >= 1:
        return f"{_amount(rate, unit)}/s"
    a_minute = round(rate * 60)
    return f"{a_minute}/min" if a_minute and unit != "bytes" else ""


def _amount(number: float, unit: str) -> str:
    return decimal(round(number)) if unit == "bytes" else f"{number:,.0f}"
