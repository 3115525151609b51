"""Drives a pager: requests the next page while the last one is processed, in sizes that ION can answer in time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from ion_pipeline.client import PageLimit, RequestTimeoutError, TooMuchError
from ion_pipeline.extract.arrow import Node
from ion_pipeline.extract.errors import PagingError
from ion_pipeline.extract.paging import Page, Pager

# Good pages before the page size grows again; doubled by each time-out.
_FIRST_PATIENCE = 4
_ATTEMPTS_AT_ONE_ROW = 3
# Turns of the event loop until a request has passed through the client to its socket.
_TURNS_TO_SEND = 4

Ask = Callable[[Mapping[str, Any]], Awaitable[Page]]
Pause = Callable[[int], Awaitable[None]]


class PageSize:
    """How many rows to ask for: a time-out halves it, good pages slowly raise it, a refusal reduces it permanently.

    Args:
        maximum: The initial size, which is never exceeded.
        limit: The largest size that the tenant is known to accept; shared by all streams.
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
        """Ask for fewer rows from now on: unlike a time-out, a refusal is permanent."""
        self.maximum = min(self.maximum, smaller)
        self._size = min(self._size, smaller)

    def timed_out(self, asked: int) -> None:
        """Halve the size, and double the number of good pages before it grows again.

        Args:
            asked: The size that timed out. If the size is already smaller, nothing changes.
        """
        if asked > self.size:
            return
        self._size = max(1, asked // 2)
        self._good = 0
        self._patience *= 2

    def answered(self) -> None:
        """Count a good page; after enough of them, raise the size by a quarter."""
        self._good += 1
        if self._good >= self._patience and self._size < self.maximum:
            self._size = min(self.maximum, self._size + max(1, self._size // 4))
            self._good = 0


async def pages(pager: Pager, size: PageSize, ask: Ask, pause: Pause) -> AsyncGenerator[Page, None]:
    """Read page after page, requesting one page ahead of the consumer.

    Args:
        pager: Decides which page to request; it is done when the last page has been yielded.
        size: Decides how many rows to request.
        ask: Sends one request with the given variables.
        pause: Waits after the given number of consecutive time-outs.

    Raises:
        PagingError: From the pager.
        RequestTimeoutError: A request for a single row timed out repeatedly.
        TooMuchError: ION refused a request for a single row as too large.
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
            # Send the request before the page is processed, which blocks the event loop.
            for _ in range(_TURNS_TO_SEND):
                await asyncio.sleep(0)
            yield page
            # Free the page's thousands of objects before waiting for the next answer.
            del page
    finally:
        coming.cancel()
        await asyncio.wait([coming])
        if not coming.cancelled():
            # The consumer has stopped, so neither this page nor its error is of use.
            coming.exception()


async def rows_by_id(
    ids: Sequence[int], size: PageSize, ask: Ask, pause: Pause, *, entity: str
) -> AsyncGenerator[list[Node], None]:
    """Read rows by their ids, a page at a time, until all have come or ION returns none of the remaining ids.

    ION may return fewer rows than requested, whether `hasNextPage` says so or not. The ids that did not come are
    requested again; if none of them comes, their rows do not exist.

    Args:
        ids: The ids, any number.
        size: Decides how many rows to request at once.
        ask: Sends one request with the given variables.
        pause: Waits after the given number of consecutive time-outs.
        entity: For messages.

    Raises:
        PagingError: Rows came that were not requested, or no row came although ION counts some.
        RequestTimeoutError, TooMuchError: As in `pages`.
    """
    left, asked = list(ids), list[int]()

    async def some(first: int) -> Page:
        asked[:] = left[:first]
        return await ask({"first": len(asked), "filters": {"id": {"in": list(asked)}}})

    while left:
        page = await _one_page(size, some, pause, most=len(left))
        came = {node["id"] for node in page.nodes}
        if not came <= set(asked):
            raise PagingError(f"{entity}: ION returned rows whose ids were not requested.")
        if not came and (page.has_next or page.total):
            raise PagingError(f"{entity}: ION counts {page.total} of the rows requested by id, but returns none.")
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
            # Only an accepted size is worth sharing, and only if the refusal was about the number of rows.
            if refusal is not None and refusal.of_rows:
                size.limit.learn(asked)
            size.limit.came(asked, len(page.nodes), has_next=page.has_next)
            size.answered()
            return page
