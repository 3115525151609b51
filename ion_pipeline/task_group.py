"""A task group that raises the first error itself instead of an exception group."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def task_group() -> AsyncIterator[asyncio.TaskGroup]:
    """Run tasks concurrently; raise the first task's error, because of which the other tasks were cancelled.

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
