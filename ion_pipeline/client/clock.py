"""What time it is at ION, from `Date` headers that are not believed blindly.

The header comes from whatever answered: a web server, a load balancer, a cache. One of them may be wrong, always or
in one answer. What the time is needed for is a watermark, where an earlier instant costs rows read again and a later
one loses rows; so of all that could be the time, the earliest is taken.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: Clocks further apart than this are worth a word.
TOLERANCE = timedelta(minutes=2)


def machine_time() -> datetime:
    """This machine's clock, UTC."""
    return datetime.now(UTC)


class ServerClock:
    """ION's clock, from the headers of all answers so far.

    Args:
        monotonic: Seconds that only go forwards.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        # How far each header was ahead of the seconds since some fixed instant: the time, less what has passed.
        self._lowest: datetime | None = None
        self._highest: datetime | None = None

    def observe(self, header: datetime | None) -> None:
        """An answer came with this `Date`; None: with none."""
        if header is None:
            return
        zero = header - timedelta(seconds=self._monotonic())
        self._lowest = zero if self._lowest is None else min(self._lowest, zero)
        self._highest = zero if self._highest is None else max(self._highest, zero)

    @property
    def ion(self) -> datetime | None:
        """The earliest time that the headers allow for now, in whole seconds as headers are; None without any."""
        if self._lowest is None:
            return None
        return (self._lowest + timedelta(seconds=self._monotonic())).replace(microsecond=0)

    @property
    def now(self) -> datetime | None:
        """The earlier of ION's clock and this machine's; None where ION sends no `Date`."""
        ion = self.ion
        return None if ion is None else min(ion, machine_time())

    @property
    def spread(self) -> timedelta:
        """How far the answers disagree about the time."""
        if self._lowest is None or self._highest is None:
            return timedelta()
        return self._highest - self._lowest
