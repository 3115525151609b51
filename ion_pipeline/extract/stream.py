"""Drives a pager: asks for the next page while the one before is worked on, in sizes that ION can answer in time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from ion_pipeline.client import PageLimit, RequestTimeoutError, TooMuchError
from ion_pipeline.extract.arrow import Node
from ion_pipeline.extract.errors import PagingError
from ion_pipeline.extract.paging import Page, Pager

_FIRST_PATIENCE = 4
_ATTEMPTS_AT_ONE_ROW = 3
# Turns of the event loop in which a request gets through the client to its socket.
_TURNS_TO_SEND = 4

Ask = Callable[[Mapping[str, Any]], Awaitable[Page]]
Pause = Callable[[int], Awaitable[None]]


class PageSize:
    """How many rows to ask for: halved by a time-out and slowly grown again, reduced permanently by a refusal.

    Args:
        maximum: The size to start with and never exceed.
        limit: What the tenant accepts, as far as is known; shared by all streams.
    """

    def __init__(self, maximum: int, limit: PageLimit | None = None) -> None:
        self.maximum = maximum
        self.limit = limit or PageLimit(maximum)
        self._size = maximum
        self._good = 0
        self._patience = _FIRST_PATIENCE

    @property
    def size(self) -> int:
        """Rows to ask for now."""
        return min(self._size, self.limit.rows)

    def refused(self, smaller: int) -> None:
        """Ask for less from now on: a refusal, unlike a time-out, does not pass."""
        self.maximum = min(self.maximum, smaller)
        self._size = min(self._size, smaller)

    def timed_out(self, asked: int) -> None:
        """Halve. Each time it takes twice as many good pages before growing again.

        Args:
            asked: The size that was too much. Where another stream has already made it smaller, nothing changes.
        """
        if asked > self.size:
            return
        self._size = max(1, asked // 2)
        self._good = 0
        self._patience *= 2

    def answered(self) -> None:
        """Count a good page; after enough of them ask for a quarter more."""
        self._good += 1
        if self._good >= self._patience and self._size < self.maximum:
            self._size = min(self.maximum, self._size + max(1, self._size // 4))
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
        TooMuchError: A single row is refused as too much.
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


async def rows_by_id(
    ids: Sequence[int], size: PageSize, ask: Ask, pause: Pause, *, entity: str
) -> AsyncGenerator[list[Node], None]:
    """Read rows by their ids, a page at a time, until each has come or ION gives none of those that are left.

    Not as many come as were asked for where ION gives less than it is asked for, and says so (`hasNextPage`) or not:
    what did not come is asked for again, alone. What does not come then either is not there.

    Args:
        ids: The ids, in any number.
        size: Decides for how many to ask at once.
        ask: Makes one request with the given variables.
        pause: Waits after so many time-outs in a row.
        entity: For messages.

    Raises:
        PagingError: Rows came that were not asked for, or ION counts rows and gives none.
        RequestTimeoutError, TooMuchError: As `pages`.
    """
    left, asked = list(ids), list[int]()

    async def some(first: int) -> Page:
        asked[:] = left[:first]
        return await ask({"first": len(asked), "filters": {"id": {"in": list(asked)}}})

    while left:
        page = await _one_page(size, some, pause, most=len(left))
        came = {node["id"] for node in page.nodes}
        if not came <= set(asked):
            raise PagingError(f"{entity}: rows came that were not asked for by id.")
        if not came and (page.has_next or page.total):
            raise PagingError(f"{entity}: ION counts {page.total} of the rows asked for by id, and gives none.")
        missing = [identifier for identifier in asked if identifier not in came]
        left[: len(asked)] = missing if came else []
        if page.nodes:
            yield page.nodes


async def _ask(pager: Pager, size: PageSize, ask: Ask, pause: Pause) -> Page:
    return await _one_page(size, lambda first: ask({"first": first, **pager.variables()}), pause)


async def _one_page(
    size: PageSize, ask: Callable[[int], Awaitable[Page]], pause: Pause, *, most: int | None = None
) -> Page:
    timeouts = at_one_row = 0
    refusal: TooMuchError | None = None
    while True:
        asked = size.size if most is None else min(size.size, most)
        try:
            page = await ask(asked)
        except RequestTimeoutError:
            timeouts += 1
            at_one_row += asked == 1
            if at_one_row >= _ATTEMPTS_AT_ONE_ROW:
                raise
            size.timed_out(asked)
            await pause(timeouts)
        except TooMuchError as error:
            if asked == 1:
                raise
            refusal = error
            size.refused(error.smaller(asked))
        else:
            # Only a size that was accepted is known to help, and only where it is about rows it helps elsewhere too.
            if refusal is not None and refusal.of_rows:
                size.limit.learn(asked)
            size.limit.came(asked, len(page.nodes), has_next=page.has_next)
            size.answered()
            return page
