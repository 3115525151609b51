"""Carry out a plan: read entities side by side, page by page, into a sink, and check that all came.

Requests are bounded by the client's limiter, memory by the number of entities read at once: each holds two pages at
most. What an answer looks like is `page_reader`'s business, what must hold between pages `paging`'s, and whether all
came is `verify`'s.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace

from ion_pipeline.client import IonClient, PermissionDeniedError
from ion_pipeline.extract.arrow import to_batches
from ion_pipeline.extract.errors import CountMismatchError, DuplicateKeyError, PagingError
from ion_pipeline.extract.page_reader import PageReader
from ion_pipeline.extract.paging import CursorPager, KeysetPager
from ion_pipeline.extract.plan import EntityPlan, EntityQuery, Paging, Plan
from ion_pipeline.extract.results import BatchSink, EntityResult, NoProgress, Progress
from ion_pipeline.extract.stream import PageSize, pages
from ion_pipeline.extract.verify import KeyLog, check_count

# While some entities' pages are worked on, the others keep all requests in flight.
_SPARE_ENTITIES = 2


async def fetch(
    client: IonClient,
    plan: Plan,
    sink: BatchSink,
    *,
    progress: Progress | None = None,
    page_size: int = 500,
) -> list[EntityResult]:
    """Read everything in the plan.

    Args:
        client: The tenant, open.
        plan: From `negotiate`.
        sink: Takes the rows; called from one thread, in order for each table.
        progress: Hears how it goes.
        page_size: Rows asked for in one request at most.

    Returns:
        A result for each entity, in the plan's order. One that the API key may not read is reported as `forbidden`.

    Raises:
        IonApiError: A request failed for good, or a value does not fit its column.
        PagingError: Pages do not follow each other, at the second reading too.
        CountMismatchError: Not as many rows came as ION counts, at the second reading too.
        DuplicateKeyError: A key came twice, at the second reading too.
    """
    # Watermarks want the server's clock from before the first page.
    await client.read_clock()
    run = _Run(client, sink, progress or NoProgress(), page_size)
    places = asyncio.Semaphore(client.max_concurrency + _SPARE_ENTITIES)

    async def one(entity: EntityPlan, query: EntityQuery) -> EntityResult:
        async with places:
            return await run.entity(entity, query)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(one(entity, entity.query), name=entity.name)
                for entity in plan.entities
                if entity.query
            ]
    except BaseExceptionGroup as failures:
        # The others were cancelled because of the first; one sentence is what a person can act on.
        raise failures.exceptions[0] from None
    read = {task.get_name(): task.result() for task in tasks}
    return [_result(entity, read) for entity in plan.entities]


@dataclass(frozen=True, slots=True)
class _Run:
    """What the readers of one fetch share."""

    client: IonClient
    sink: BatchSink
    progress: Progress
    page_size: int

    async def entity(self, plan: EntityPlan, query: EntityQuery) -> EntityResult:
        """Read one entity, a second time if the first does not add up."""
        reader = PageReader(self.client, plan, query)
        paging = plan.paging
        try:
            return await self._read(plan, query, reader, paging)
        except PermissionDeniedError as refusal:
            if reader.pages:
                raise
            self.progress.note(str(refusal))
            return EntityResult.unread(plan, "forbidden")
        except PagingError as doubt:
            # A server that does not keep the order asked for can still be read by its own cursors.
            paging = "cursor"
            message = doubt.message
        except (CountMismatchError, DuplicateKeyError) as doubt:
            message = doubt.message
        self.progress.note(f"{message} Reading {plan.name} again, by {paging}.")
        for table in dict.fromkeys(query.shape.tables()):
            self.sink.discard(table)
        return await self._read(plan, query, reader, paging)

    async def _read(self, plan: EntityPlan, query: EntityQuery, reader: PageReader, paging: Paging) -> EntityResult:
        began, watermark = time.monotonic(), self.client.server_time
        pager = KeysetPager(plan.name) if paging == "keyset" else CursorPager(plan.name)
        keys = KeyLog(plan.entity.key if paging == "cursor" else ())
        rows = Counter(dict.fromkeys(query.shape.tables(), 0))
        async with aclosing(pages(pager, PageSize(self.page_size), reader.page, reader.pause)) as stream:
            async for page in stream:
                if not rows.total():
                    self.progress.started(plan.name, page.total)
                for table, batch in to_batches(page.nodes, query.shape):
                    self.sink.write(table, batch)
                    rows[table] += batch.num_rows
                    if table == plan.name:
                        keys.add(batch)
                self.progress.advanced(plan.name, len(page.nodes))
        keys.check(plan.name)
        total = await check_count(plan.name, pager, reader.count)
        self.progress.finished(plan.name)
        return EntityResult(
            entity=plan.name,
            status="read",
            strategy=plan.strategy,
            paging=paging,
            tables=dict(rows),
            pages=reader.pages,
            requests=reader.requests,
            bytes=reader.bytes,
            seconds=time.monotonic() - began,
            total_count=total,
            watermark=watermark,
            query_hash=plan.query_hash,
            drift=plan.drift,
        )


def _result(plan: EntityPlan, read: Mapping[str, EntityResult]) -> EntityResult:
    """An entity's result with its own tables only; of one that came inside another, taken from the other's."""
    source = read.get(plan.carrier or plan.name)
    if source is None:
        return EntityResult.unread(plan, "absent")
    if source.status != "read":
        return EntityResult.unread(plan, source.status)
    own = {plan.name, *(child.table for child in plan.entity.children)}
    tables = {table: rows for table, rows in source.tables.items() if table in own}
    if plan.carrier is None:
        return replace(source, tables=tables)
    return EntityResult(
        entity=plan.name,
        status="read",
        strategy=plan.strategy,
        paging="nested",
        tables=tables,
        watermark=source.watermark,
        query_hash=source.query_hash,
        drift=plan.drift,
    )
