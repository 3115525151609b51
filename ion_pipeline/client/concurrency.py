"""Limits the requests in flight: the limit grows additively while ION answers quickly, and halves after a refusal.

`Window` computes the limit, `AdaptiveLimiter` is the queue in front of it. Neither knows what a request is.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_QUICK_SECONDS = 5.0
_FIRST_LIMIT = 4.0


@dataclass(slots=True)
class Window:
    """The number of requests that may be in flight.

    Attributes:
        maximum: Upper bound.
        limit: The present number; its integer part applies.
        quick_seconds: An answer that takes longer does not make the window grow. ION ends a request after 30 s.
        shrunk_at: When it was last halved. Refusals of requests that started earlier are ignored.
    """

    maximum: int
    limit: float = field(default=0.0)
    quick_seconds: float = _QUICK_SECONDS
    shrunk_at: float = float("-inf")

    def __post_init__(self) -> None:
        self.limit = min(self.limit or _FIRST_LIMIT, float(self.maximum))

    def grow(self, seconds: float) -> None:
        """Count one answer that took `seconds`: a full window of quick answers raises the limit by one."""
        if seconds <= self.quick_seconds:
            self.limit = min(float(self.maximum), self.limit + 1.0 / self.limit)

    def shrink(self, *, started_at: float, now: float) -> None:
        """Count one refusal: halve the limit, once for all requests that were in flight at the time."""
        if started_at >= self.shrunk_at:
            self.limit = max(1.0, self.limit / 2.0)
            self.shrunk_at = now


class AdaptiveLimiter:
    """Grants slots for requests: at most the window at once, at most a rate per second, and none during a pause.

    Args:
        max_concurrency: Upper bound of the window.
        requests_per_second: Maximum number of slots granted per second, evenly spaced; None for no maximum.
        clock: Monotonic seconds.
        sleep: Waits for a number of seconds.
    """

    def __init__(
        self,
        *,
        max_concurrency: int,
        requests_per_second: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.window = Window(maximum=max_concurrency)
        self.in_flight = 0
        self._spacing = 1.0 / requests_per_second if requests_per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._not_before = clock()
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold one slot for the duration of the `async with`."""
        await self._enter()
        try:
            await self._pace()
            yield
        finally:
            self.in_flight -= 1
            self._wake()

    def answered(self, *, started_at: float) -> None:
        """Report a good answer to a request that began at `started_at` on the limiter's clock."""
        self.window.grow(self._clock() - started_at)
        self._wake()

    def refused(self, *, started_at: float, pause: float = 0.0) -> None:
        """Report a 429 or 5xx; no slot is granted for `pause` seconds."""
        now = self._clock()
        self.window.shrink(started_at=started_at, now=now)
        self._not_before = max(self._not_before, now + pause)

    def now(self) -> float:
        """The limiter's clock."""
        return self._clock()

    async def _enter(self) -> None:
        while self.in_flight >= int(self.window.limit):
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                # This task may have been woken and then cancelled: wake the next one instead.
                self._wake()
                raise
            finally:
                if turn in self._waiting:
                    self._waiting.remove(turn)
        self.in_flight += 1

    async def _pace(self) -> None:
        while (delay := self._not_before - self._clock()) > 0:
            await self._sleep(delay)
        self._not_before = max(self._not_before, self._clock()) + self._spacing

    def _wake(self) -> None:
        free = int(self.window.limit) - self.in_flight
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
