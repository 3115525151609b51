"""Tasks side by side, of which the first error is the one that is reported."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group that raises its first error itself: the other tasks were cancelled because of it.

    Example:
        async with task_group() as group:
            tasks = [group.create_task(work(one)) for one in things]
        results = [task.result() for task in tasks]
    """
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
