"""ION's clock, from the `Date` headers of its answers.

A web server, a load balancer or a cache sets the header, and any of them may be wrong, always or once. The time is
needed for a watermark: one that is too early reads some rows again, one that is too late loses rows. So the earliest
of all possible times is used.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: A difference between clocks that is larger than this is reported.
TOLERANCE = timedelta(minutes=2)


def machine_time() -> datetime:
    """This machine's clock, UTC."""
    return datetime.now(UTC)


class ServerClock:
    """ION's clock, from the headers of all answers so far.

    Args:
        monotonic: Monotonic seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        # Each header minus the monotonic seconds at its arrival; adding the present seconds gives the present time.
        self._lowest: datetime | None = None
        self._highest: datetime | None = None

    def observe(self, header: datetime | None) -> None:
        """Record the `Date` of an answer; None if it had none."""
        if header is None:
            return
        zero = header - timedelta(seconds=self._monotonic())
        self._lowest = zero if self._lowest is None else min(self._lowest, zero)
        self._highest = zero if self._highest is None else max(self._highest, zero)

    @property
    def ion(self) -> datetime | None:
        """The earliest present time that the headers allow, in whole seconds as they are; None without a header."""
        if self._lowest is None:
            return None
        return (self._lowest + timedelta(seconds=self._monotonic())).replace(microsecond=0)

    @property
    def now(self) -> datetime | None:
        """The earlier of ION's clock and this machine's; None if ION sends no `Date`."""
        ion = self.ion
        return None if ion is None else min(ion, machine_time())

    @property
    def spread(self) -> timedelta:
        """The largest difference between the times that the answers give."""
        if self._lowest is None or self._highest is None:
            return timedelta()
        return self._highest - self._lowest
