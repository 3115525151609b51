"""Drives a pager: asks for the next page while the one before is worked on, in sizes that ION can answer in time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from ion_pipeline.client import RequestTimeoutError
from ion_pipeline.extract.paging import Page, Pager

_FIRST_PATIENCE = 4
_ATTEMPTS_AT_ONE_ROW = 3
# Turns of the event loop in which a request gets through the client to its socket.
_TURNS_TO_SEND = 4

Ask = Callable[[Mapping[str, Any]], Awaitable[Page]]
Pause = Callable[[int], Awaitable[None]]


class PageSize:
    """How many rows to ask for: halved when ION runs out of time, and slowly grown again.

    Args:
        maximum: The size to start with and never exceed.
    """

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.size = maximum
        self._good = 0
        self._patience = _FIRST_PATIENCE

    def timed_out(self, asked: int) -> None:
        """Halve. Each time it takes twice as many good pages before growing again.

        Args:
            asked: The size that was too much. Where another stream has already made it smaller, nothing changes.
        """
        if asked > self.size:
            return
        self.size = max(1, self.size // 2)
        self._good = 0
        self._patience *= 2

    def answered(self) -> None:
        """Count a good page; after enough of them ask for a quarter more."""
        self._good += 1
        if self._good >= self._patience and self.size < self.maximum:
            self.size = min(self.maximum, self.size + max(1, self.size // 4))
            self._good = 0


async def pages(pager: Pager, size: PageSize, ask: Ask, pause: Pause) -> AsyncGenerator[Page, None]:
    """Read page after page, one ahead of the consumer.

    Args:
        pager: Decides what to ask for; is done when the last page has been handed out.
        size: Decides for how much.
        ask: Makes one request with the given variables.
        pause: Waits after so many time-outs in a row.

    Raises:
        PagingError: From the pager.
        RequestTimeoutError: A single row takes too long, repeatedly.
    """
    coming = asyncio.ensure_future(_ask(pager, size, ask, pause))
    try:
        while True:
            page = await coming
            page = pager.accept(page)
            if pager.done:
                yield page
                return
            coming = asyncio.ensure_future(_ask(pager, size, ask, pause))
            # The request is to be on its way before the page is worked on, which holds the loop.
            for _ in range(_TURNS_TO_SEND):
                await asyncio.sleep(0)
            yield page
            # Its thousands of objects are not to wait with us for the next answer.
            del page
    finally:
        coming.cancel()
        await asyncio.wait([coming])
        if not coming.cancelled():
            # Whoever stopped reading does not want this page, nor why it failed.
            coming.exception()


async def _ask(pager: Pager, size: PageSize, ask: Ask, pause: Pause) -> Page:
    timeouts = at_one_row = 0
    while True:
        asked = size.size
        try:
            page = await ask({"first": asked, **pager.variables()})
        except RequestTimeoutError:
            timeouts += 1
            at_one_row += asked == 1
            if at_one_row >= _ATTEMPTS_AT_ONE_ROW:
                raise
            size.timed_out(asked)
            await pause(timeouts)
        else:
            size.answered()
            return page
