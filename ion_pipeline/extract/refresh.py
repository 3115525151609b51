"""Carries out the tasks of `decide`: reads changes and finds deletes, in rounds, until nothing changes during a round.

Whenever an owner is read, all rows of its lists are replaced. `fetch` reads entities in full whose changes cannot be
detected. After each round one request asks for the counts again, and the next round reads what changed since the round
began. The number of rounds is limited; each result says how many changes are left then.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa

from ion_pipeline.catalog.plan import EntityPlan, EntityQuery, Plan, RowIdentity, RowVersion
from ion_pipeline.client import IonClient
from ion_pipeline.extract.arrow import Node, keys_of, to_batches
from ion_pipeline.extract.decide import Known, Task, amount, check_deletes, decide, is_suspicious
from ion_pipeline.extract.deletes import Differences, differences
from ion_pipeline.extract.errors import PagingError
from ion_pipeline.extract.export_group import check_group
from ion_pipeline.extract.fetch import fetch
from ion_pipeline.extract.page_reader import PageReader
from ion_pipeline.extract.paging import KeysetPager
from ion_pipeline.extract.read_progress import EntityProgress, ReadProgress
from ion_pipeline.extract.results import ChangeSink, EntityResult, NoProgress, Progress
from ion_pipeline.extract.state import Ids, State, load_ids
from ion_pipeline.extract.stream import PageSize, pages, rows_by_id
from ion_pipeline.extract.tally import IncrementalTally, unread_result
from ion_pipeline.task_group import task_group

_INCREMENTAL = frozenset({"changes", "deletes", "changes and deletes", "etag scan", "repair"})
_IDS_PER_REQUEST = 200
# Row versions remembered for an entity, so that a row that changed just before it was read is not read again.
_VERSIONS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class RefreshOptions:
    """How a refresh reads.

    Attributes:
        page_size: Rows asked for in one request at most.
        parallel: Whether a large entity that is read in full may be read in several id ranges concurrently.
        rounds: Rounds at most; later changes are left to the next refresh.
        largest_share: Share of an entity's rows that may be found deleted; None for any share.
    """

    page_size: int = 500
    parallel: bool = True
    rounds: int = 3
    largest_share: float | None = 0.2


class _NeedsAllError(Exception):
    """An entity has to be read in full, because its changes cannot be read."""


async def carry_out(
    client: IonClient,
    plan: Plan,
    state: State,
    tasks: Sequence[Task],
    sink: ChangeSink,
    *,
    clock: datetime | None,
    progress: Progress | None = None,
    options: RefreshOptions | None = None,
    read_progress: ReadProgress | None = None,
) -> list[EntityResult]:
    """Read what the tasks say.

    Args:
        client: The tenant, open.
        plan: From `negotiate`.
        state: What the last refresh stored.
        tasks: From `decide`.
        sink: Takes rows and deletes; called from one thread.
        clock: ION's clock before `decide` asked for the counts; it becomes the watermark of the read.
        progress: Receives progress.
        options: How to read.
        read_progress: As in `fetch`; holds the progress of the interrupted read if this read resumes one.

    Returns:
        A result for each entity of the plan.

    Raises:
        IonApiError: A request failed permanently.
        SuspiciousDeletesError: More rows are missing than the options allow.
        CountMismatchError, PagingError, DuplicateKeyError: As in `fetch`.
    """
    run = _Refresh(
        client,
        plan,
        state,
        sink,
        clock=clock,
        progress=progress or NoProgress(),
        options=options or RefreshOptions(),
        read_progress=read_progress or ReadProgress(),
    )
    return await run.run(tasks)


class _Refresh:
    """The rounds of one refresh."""

    def __init__(
        self,
        client: IonClient,
        plan: Plan,
        state: State,
        sink: ChangeSink,
        *,
        clock: datetime | None,
        progress: Progress,
        options: RefreshOptions,
        read_progress: ReadProgress,
    ) -> None:
        self._client, self._plan, self._state, self._sink = client, plan, state, sink
        self._clock, self._progress, self._options = clock, progress, options
        self._ids = {name: Ids(name, entity.rows, state.known) for name, entity in state.entities.items()}
        self._tallies: dict[str, IncrementalTally] = {}
        self._full: dict[str, EntityResult] = {}
        self._totals: dict[str, int | None] = {}
        self._unsettled: dict[str, int] = {}
        self._seen: dict[str, dict[RowIdentity, RowVersion]] = {}
        self._read_progress, self._is_first_round = read_progress, True
        for name, entry in read_progress:
            if entry.since is not None:
                self._resume(name, entry)

    def _resume(self, name: str, entry: EntityProgress) -> None:
        """Count the changes of an entity that an interrupted refresh wrote as if this refresh had written them."""
        self._ids[name].add(entry.live)
        if entry.gone:
            self._ids[name].remove(entry.gone)
        self._tallies[name] = IncrementalTally(
            rows=Counter(entry.tables), touched={name, *(entry.tables or ())}, deleted=len(entry.gone)
        )

    async def run(self, tasks: Sequence[Task]) -> list[EntityResult]:
        first = {task.plan.name: task for task in tasks}
        since = self._clock
        for number in range(1, self._options.rounds + 1):
            await self._round(tasks)
            self._is_first_round = False
            asked_at = self._client.server_time
            tasks = await self._changed_meanwhile(since)
            since = asked_at
            if not tasks:
                break
            if number < self._options.rounds:
                self._progress.note(f"{len(tasks)} entities changed during the read: reading their changes.")
        self._unsettled = {task.plan.name: self._amount(task) for task in tasks}
        return [self._result(first[entity.name]) for entity in self._plan.entities]

    async def _round(self, tasks: Sequence[Task]) -> None:
        full = {task.plan.name for task in tasks if task.action == "full"}
        changing = [task for task in tasks if task.action in _INCREMENTAL]
        load_ids((self._ids[task.plan.name] for task in changing), self._state.known)
        places = asyncio.Semaphore(self._client.max_concurrency)

        async def one(task: Task) -> str | None:
            async with places:
                try:
                    await self._incremental(task)
                except (_NeedsAllError, PagingError) as doubt:
                    self._progress.note(f"{doubt} Reading all of {task.plan.name}.")
                    return task.plan.name
                return None

        async with task_group() as group:
            running = [group.create_task(one(task)) for task in changing]
        full |= {name for task in running if (name := task.result())}
        if full:
            await self._read_in_full(full)

    async def _read_in_full(self, names: set[str]) -> None:
        entities = [entity for entity in self._plan.entities if {entity.name, entity.carrier} & names]
        for entity in entities:
            if entity.name in self._tallies or entity.name in self._full:
                self._read_progress.forget(entity.name)
                for table in (entity.name, *(child.table for child in entity.entity.children)):
                    self._sink.discard(table)
                self._tallies.pop(entity.name, None)
        plan = replace(self._plan, entities=tuple(entities))
        for result in await fetch(
            self._client,
            plan,
            self._sink,
            progress=self._progress,
            page_size=self._options.page_size,
            parallel=self._options.parallel,
            read_progress=self._read_progress,
        ):
            self._full[result.entity] = result
            before = self._state.entities.get(result.entity)
            if before and result.status == "read":
                await self._check_gone(result.entity, before.rows, result.rows)

    async def _incremental(self, task: Task) -> None:
        name, query = task.plan.name, task.plan.query
        if query is None:
            raise AssertionError(f"{name} has no query of its own")
        tally = self._tallies.setdefault(name, IncrementalTally())
        began = time.monotonic()
        reader = PageReader(self._client, task.plan, query)
        tally.readers.append(reader)
        tally.touched.add(name)
        if task.action == "etag scan":
            await self._scan_etags(task.plan, query, reader)
        elif task.action == "repair":
            await self._apply(task.plan, query, reader, task.differences, task.differences.unknown)
        else:
            if task.changed and task.since is not None:
                await self._changes(task.plan, query, reader, task.since, task.changed)
            # The expected number of rows is known only now, after the changes have been read.
            if len(self._ids[name]) != task.total:
                found = await differences(self._client, task.plan, query, self._ids[name])
                await self._apply(task.plan, query, reader, found, found.unknown)
        tally.seconds += time.monotonic() - began
        self._totals[name] = task.total

    async def _changes(
        self, plan: EntityPlan, query: EntityQuery, reader: PageReader, since: datetime, changed: int
    ) -> None:
        # Only the first round can be resumed: later rounds are short, and read changes since a later instant.
        entry = self._read_progress.of(plan.name, since) if self._is_first_round else EntityProgress()
        pager = KeysetPager(plan.name, query.tracking.changed_since(since), last=entry.last)
        read_range = entry.open(entry.last)
        self._progress.started(plan.name, changed)
        self._progress.advanced(plan.name, entry.rows)
        size = PageSize(self._options.page_size, self._client.page_limit)
        async with aclosing(pages(pager, size, reader.page, reader.pause)) as stream:
            async for page in stream:
                self._write(plan, query, page.nodes)
                self._read_progress.page(read_range, page.nodes)
        self._progress.finished(plan.name)

    async def _scan_etags(self, plan: EntityPlan, query: EntityQuery, reader: PageReader) -> None:
        known = self._state.known.etags(plan.name)
        found = await differences(self._client, plan, query, self._ids[plan.name], etag=query.tracking.etag)
        changed = {identifier for identifier, etag in found.etags.items() if known.get(identifier) != etag}
        await self._apply(plan, query, reader, found, changed | found.unknown)

    async def _apply(
        self, plan: EntityPlan, query: EntityQuery, reader: PageReader, found: Differences, wanted: Iterable[int]
    ) -> None:
        if found.overflow:
            raise _NeedsAllError(f"{plan.name} has many unknown rows that ION does not count as changed.")
        ids = self._ids[plan.name]
        if found.gone or found.unknown:
            await self._check_gone(plan.name, len(ids), len(ids) - len(found.gone), found)
        if found.gone:
            self._delete(plan, query, sorted(found.gone))
        size = PageSize(min(_IDS_PER_REQUEST, self._options.page_size), self._client.page_limit)
        async with aclosing(rows_by_id(sorted(wanted), size, reader.page, reader.pause, entity=plan.name)) as stream:
            async for nodes in stream:
                self._write(plan, query, nodes)

    def _write(self, plan: EntityPlan, query: EntityQuery, nodes: Sequence[Node]) -> None:
        if not nodes:
            return
        tally = self._tallies[plan.name]
        ids = [node["id"] for node in nodes]
        if plan.list_of:  # The row may have had another owner.
            self._sink.delete(plan.name, keys_of(query.shape, ids))
        self._clear_lists(plan, query, ids)
        for table, batch in to_batches(nodes, query.shape):
            self._sink.write(table, batch)
            tally.rows[table] += batch.num_rows
        self._ids[plan.name].add(ids)
        seen = self._seen.setdefault(plan.name, {})
        if query.tracking.version_fields and len(seen) < _VERSIONS_KEPT:
            seen.update((query.tracking.identity(node), query.tracking.version(node)) for node in nodes)
        self._progress.advanced(plan.name, len(nodes))

    def _delete(self, plan: EntityPlan, query: EntityQuery, ids: list[int]) -> None:
        self._sink.delete(plan.name, keys_of(query.shape, ids))
        self._clear_lists(plan, query, ids)
        self._ids[plan.name].remove(ids)
        self._tallies[plan.name].deleted += len(ids)

    def _clear_lists(self, plan: EntityPlan, query: EntityQuery, ids: list[int]) -> None:
        for child in query.shape.lists:
            if child.node.owner is not None:
                keys = pa.RecordBatch.from_arrays([pa.array(ids, pa.int64())], [child.node.owner.name])
                self._sink.delete(child.node.table, keys)
                self._tallies[plan.name].touched.add(child.node.table)

    async def _changed_meanwhile(self, began: datetime | None) -> tuple[Task, ...]:
        """Tasks for what changed since a round began, for entities whose changes can be detected."""
        known: dict[str, Known] = {}
        for entity in self._plan.entities:
            is_tracked = entity.query is not None and entity.query.tracking.updated and entity.name in self._ids
            read = self._full.get(entity.name)
            if is_tracked and began is not None and (read is None or read.status == "read"):
                rows = read.rows if read else len(self._ids[entity.name])
                known[entity.name] = Known(rows, began, seen=self._versions(entity.name))
        asked = replace(self._plan, entities=tuple(one for one in self._plan.entities if one.name in known))
        tasks = [
            task
            for task in await decide(self._client, asked, known, page_size=self._options.page_size)
            if task.action not in {"nothing", "forbidden"}
        ]
        if self._options.largest_share is not None:
            before = {name: one.rows for name, one in known.items()}
            check_deletes(tasks, before, largest_share=self._options.largest_share)
        return tuple(self._again(task) for task in tasks)

    def _versions(self, name: str) -> Mapping[RowIdentity, RowVersion]:
        """Versions of the rows that changed last: those that the refresh before kept, and those read by this one."""
        seen = self._seen.get(name, {})
        if name in self._full:
            return {}
        return {**self._state.entities[name].versions, **seen}

    def _again(self, task: Task) -> Task:
        """The task for the next round; an entity that was read in full in this load is read in full again."""
        return replace(task, action="full") if task.plan.name in self._full else task

    def _amount(self, task: Task) -> int:
        read = self._full.get(task.plan.name)
        return amount(task, read.rows if read else len(self._ids[task.plan.name]))

    async def _check_gone(self, name: str, known: int, left: int, found: Differences | None = None) -> None:
        plan, share = self._plan.by_name[name], self._options.largest_share
        await check_group(self._client, plan, self._state, self._progress.note, found, accepts_deletes=share is None)
        if share is not None and is_suspicious(known, left, share):
            check_deletes([Task(plan, "deletes", "", total=left)], {name: known}, largest_share=share)

    def _result(self, task: Task) -> EntityResult:
        name = task.plan.name
        unsettled = self._unsettled.get(name, 0)
        if name in self._full:
            return replace(self._full[name], unsettled=unsettled)
        expected = len(self._ids[name]) if name in self._ids else 0
        if name not in self._tallies:
            return replace(unread_result(task, expected, self._clock), unsettled=unsettled)
        is_tracked = task.plan.query is not None and task.plan.query.tracking.updated
        if not is_tracked:
            # ION was not asked again for this entity, so compare with the count from before the read.
            unsettled = abs((task.total or 0) - expected)
        total = (self._totals.get(name) if unsettled else expected) if is_tracked else task.total
        result = self._tallies[name].result(task.plan, expected=expected, total=total, watermark=self._clock)
        return replace(result, unsettled=unsettled)
