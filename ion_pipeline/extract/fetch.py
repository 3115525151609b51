"""Carry out a plan: read entities side by side, page by page, into a sink, and check that all came.

Requests are bounded by the client's limiter, memory by the number of streams read at once: each holds two pages at
most. A stream is an entity, or one of the id ranges that a large entity is cut into (see `ranges`). What an answer
looks like is `page_reader`'s business, what must hold between pages `paging`'s, and whether all came is `verify`'s.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ion_pipeline.catalog.plan import EntityPlan, EntityQuery, Paging, Plan
from ion_pipeline.client import IonClient, PermissionDeniedError
from ion_pipeline.extract.arrow import to_batches
from ion_pipeline.extract.errors import CountMismatchError, DuplicateKeyError, PagingError
from ion_pipeline.extract.page_reader import PageReader
from ion_pipeline.extract.paging import CursorPager, KeysetPager, Pager, RowKey, row_key
from ion_pipeline.extract.ranges import Cutter, IdRange
from ion_pipeline.extract.read_progress import EntityProgress, ReadProgress, ReadRange
from ion_pipeline.extract.results import BatchSink, EntityResult, NoProgress, Progress
from ion_pipeline.extract.stream import PageSize, pages
from ion_pipeline.extract.verify import KeyLog, check_count
from ion_pipeline.heap import heap_at_rest
from ion_pipeline.task_group import task_group

# While some streams' pages are worked on, the others keep all requests in flight.
_SPARE_STREAMS = 2

_T = TypeVar("_T")


async def fetch(
    client: IonClient,
    plan: Plan,
    sink: BatchSink,
    *,
    progress: Progress | None = None,
    page_size: int = 500,
    parallel: bool = True,
    read_progress: ReadProgress | None = None,
) -> list[EntityResult]:
    """Read everything in the plan.

    Args:
        client: The tenant, open.
        plan: From `negotiate`.
        sink: Takes the rows; called from one thread, in order for each table.
        progress: Hears how it goes.
        page_size: Rows asked for in one request at most.
        parallel: Whether a large entity may be read in several id ranges side by side.
        read_progress: Is told how far each entity has been read; where it knows of rows that are there, they stay.

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
    places = asyncio.Semaphore(client.max_concurrency + _SPARE_STREAMS)
    run = _Run(client, sink, progress or NoProgress(), page_size, places, parallel, read_progress or ReadProgress())
    with heap_at_rest():
        results = await _all(run.entity(entity, entity.query) for entity in plan.entities if entity.query)
    read = {result.entity: result for result in results}
    return [_result(entity, read) for entity in plan.entities]


async def _all(work: Iterable[Coroutine[Any, Any, _T]]) -> list[_T]:
    async with task_group() as group:
        tasks = [group.create_task(one) for one in work]
    return [task.result() for task in tasks]


@dataclass(frozen=True, slots=True)
class _Run:
    """What the readers of one fetch share."""

    client: IonClient
    sink: BatchSink
    progress: Progress
    page_size: int
    places: asyncio.Semaphore
    parallel: bool
    read_progress: ReadProgress

    async def entity(self, plan: EntityPlan, query: EntityQuery) -> EntityResult:
        """Read one entity, a second time if the first does not add up."""
        reader = PageReader(self.client, plan, query)
        paging = plan.paging
        try:
            return await self._read(plan, query, reader, paging, self._cutter(paging))
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
        self.read_progress.forget(plan.name)
        for table in dict.fromkeys(query.shape.tables()):
            self.sink.discard(table)
        return await self._read(plan, query, reader, paging)

    def _cutter(self, paging: Paging) -> Cutter | None:
        size = min(self.page_size, self.client.page_limit.rows)
        return Cutter(size, self.client.max_concurrency) if self.parallel and paging == "keyset" else None

    async def _read(
        self, plan: EntityPlan, query: EntityQuery, reader: PageReader, paging: Paging, cutter: Cutter | None = None
    ) -> EntityResult:
        began, watermark = time.monotonic(), self.client.server_time
        size = PageSize(self.page_size, self.client.page_limit)
        reading, unsettled = _Reading(self, plan.name, query, reader, size), 0
        if paging == "keyset":
            entry = self.read_progress.of(plan.name)
            if entry.tables is not None:
                watermark = self.read_progress.clock
                reading.go_on(entry.tables, entry)
            total = entry.rows
            total += sum(await _all([reading.by_id(read_range, cutter) for read_range in entry.unread()]))
        else:
            total, unsettled = await reading.by_cursor(row_key(plan.entity, query.shape), KeyLog(plan.entity.key))
        self.progress.finished(plan.name)
        return EntityResult(
            entity=plan.name,
            status="read",
            strategy=plan.strategy,
            paging=paging,
            tables=dict(reading.rows),
            pages=reader.pages,
            requests=reader.requests,
            bytes=reader.bytes,
            seconds=time.monotonic() - began,
            total_count=total,
            watermark=watermark,
            query_hash=plan.query_hash,
            drift=plan.drift,
            unsettled=unsettled,
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of one entity, in one stream or several."""

    run: _Run
    entity: str
    query: EntityQuery
    reader: PageReader
    size: PageSize
    rows: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rows.update(dict.fromkeys(self.query.shape.tables(), 0))

    def go_on(self, tables: Mapping[str, int], entry: EntityProgress) -> None:
        """Count what is there already."""
        self.rows.update(tables)
        self.run.progress.started(self.entity, entry.total)
        self.run.progress.advanced(self.entity, entry.rows)

    async def by_id(self, id_range: IdRange, cutter: Cutter | None) -> int:
        """Read a range of ids, cut or not, and give its number of rows, checked."""
        pager = KeysetPager(self.entity, id_range=id_range, cutter=cutter)
        written = self.run.read_progress.of(self.entity).open(id_range.above)
        await self._stream(pager, read_range=written)
        self.run.read_progress.end(written, pager.id_range.until)
        others = 0
        if cutter and pager.rest and pager.total is not None:
            further = cutter.further(pager.total - pager.rows)
            others = sum(await _all(self.by_id(piece, further) for piece in pager.rest))
            # The first page counted the rows of the others too.
            pager.total -= others
        return others + await check_count(self.entity, pager, self.reader.count)

    async def by_cursor(self, key: RowKey | None, keys: KeyLog) -> tuple[int, int]:
        """Read everything by the server's cursors; the number of rows, checked, and how many came or went meanwhile."""
        pager = CursorPager(self.entity, key)
        await self._stream(pager, keys=keys)
        keys.check(self.entity)
        rows = await check_count(self.entity, pager, self.reader.count)
        return rows, abs(rows - await self.reader.count(pager.seen())) if pager.moved else 0

    async def _stream(self, pager: Pager, *, keys: KeyLog | None = None, read_range: ReadRange | None = None) -> None:
        progress, shape = self.run.progress, self.query.shape
        async with self.run.places, aclosing(pages(pager, self.size, self.reader.page, self.reader.pause)) as stream:
            async for page in stream:
                if not self.rows.total():
                    progress.started(self.entity, page.total)
                for table, batch in to_batches(page.nodes, shape):
                    self.run.sink.write(table, batch)
                    self.rows[table] += batch.num_rows
                    if keys and table == self.entity:
                        keys.add(batch)
                progress.advanced(self.entity, len(page.nodes))
                self.run.read_progress.page(read_range, page.nodes)
                # Not kept until the next one is there: with many streams that would be most of the memory.
                del page


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
