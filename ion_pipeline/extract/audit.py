"""The nightly question: is every row that was read still as ION has it, whatever `_updated` says?

Signatures of all rows (key, etag, the same of the lists inside) are read page by page and compared with what is known.
What differs is told apart: what the next refresh would have brought, and what had drifted silently, which no refresh
would have. Only entities whose changes are told by `_updated` are asked; the others are compared or read in full by
every refresh. Reads no more of a row than that; repairing is `refresh`'s work.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from ion_pipeline.catalog.plan import EntityPlan, EntityQuery
from ion_pipeline.catalog.shape import NodeShape
from ion_pipeline.catalog.signature import UPDATED
from ion_pipeline.client import IonClient
from ion_pipeline.extract.arrow import to_batches
from ion_pipeline.extract.decide import Known, Task
from ion_pipeline.extract.deletes import Differences
from ion_pipeline.extract.errors import CountMismatchError, DuplicateKeyError, PagingError
from ion_pipeline.extract.page_reader import PageReader
from ion_pipeline.extract.paging import CursorPager, KeysetPager, row_key
from ion_pipeline.extract.ranges import IdRange
from ion_pipeline.extract.results import NoProgress, Progress
from ion_pipeline.extract.stream import PageSize, pages
from ion_pipeline.extract.verify import KeyLog, check_count
from ion_pipeline.task_group import task_group

# Compared in one go: few enough to hold, enough to be worth a query.
_CHUNK_ROWS = 20_000

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row, or an owner of rows, that is not as known.

    Attributes:
        key: Its key.
        there: ION has something of it that is not known.
        known: Something of it is known that ION does not have.
    """

    key: Key
    there: bool
    known: bool


class KnownSignatures(Protocol):
    """Compares with what the last refresh left."""

    def compare(self, table: str, key: Sequence[str], rows: pa.Table, id_range: IdRange) -> list[RowDifference]:
        """Rows of a table that are not as known, as far as `rows` has columns.

        Args:
            table: The table.
            key: Columns to name differences by; the first one is spanned.
            rows: All that ION has within the id_range.
            id_range: What of the known rows to compare with.
        """


@dataclass(frozen=True, slots=True)
class EntityAudit:
    """What an audit found of one entity.

    Attributes:
        entity: Its name.
        rows: Rows ION has.
        changed: Rows that changed without their `_updated` moving into a refresh's sight.
        missing: Rows that ION had and we did not, where the counts agreed.
        surplus: Rows that we had and ION did not, where the counts agreed.
        lists: Rows whose lists differed (links, files, attributes) though they themselves were as known.
        repair: Everything that differs, with what the next refresh would have brought.
    """

    entity: str
    rows: int
    changed: int = 0
    missing: int = 0
    surplus: int = 0
    lists: int = 0
    repair: Task | None = None

    @property
    def drifted(self) -> int:
        """Rows that had drifted silently."""
        return self.changed + self.missing + self.surplus + self.lists


@dataclass
class _Found:
    """Keys of rows that differ, each in one set alone, and of those that a refresh would bring.

    Lists without an owner, neither ION's nor ours, are left over from something that went wrong.
    """

    changed: set[Key] = field(default_factory=set)
    new: set[Key] = field(default_factory=set)
    gone: set[Key] = field(default_factory=set)
    lists: set[Key] = field(default_factory=set)
    ownerless: set[Key] = field(default_factory=set)
    ordinary: set[Key] = field(default_factory=set)

    def audit(self, task: Task, *, rows: int, by_id: bool) -> EntityAudit:
        # Counts are compared by every refresh: a row can only be missing unseen where another is too many.
        unseen = min(len(self.new - self.ordinary), len(self.gone))
        wanted, gone = self.changed | self.new | self.lists, self.gone | self.ownerless
        if by_id and (gone or 2 * len(wanted) <= rows):
            differences = Differences(gone={key[0] for key in gone}, unknown={key[0] for key in wanted})
            repair = replace(task, action="repair", reason="not as known", total=rows, differences=differences)
        else:
            # Row by row more than half of them would take more requests than all in order.
            repair = replace(task, action="full", reason="not as known", total=rows)
        return EntityAudit(
            entity=task.plan.name,
            rows=rows,
            changed=len(self.changed - self.ordinary),
            missing=unseen,
            surplus=unseen,
            lists=len((self.lists | self.ownerless) - self.ordinary),
            repair=repair if wanted or gone else None,
        )


async def audit(
    client: IonClient,
    tasks: Iterable[Task],
    known: Mapping[str, Known],
    signatures: KnownSignatures,
    *,
    page_size: int,
    progress: Progress | None = None,
) -> list[EntityAudit]:
    """Compare every row of the entities whose changes are told by `_updated`.

    Args:
        client: The tenant, open.
        tasks: From `decide`: which entities may be read.
        known: What should be there.
        signatures: Compares.
        page_size: Rows asked for in one request at most.
        progress: Hears how it goes.

    Raises:
        IonApiError: A request failed for good.
        CountMismatchError, PagingError, DuplicateKeyError: An entity did not hold still, at the second reading too.
    """
    places = asyncio.Semaphore(client.max_concurrency)
    listener = progress or NoProgress()

    async def one(task: Task, query: EntityQuery, since: datetime) -> EntityAudit:
        async with places:
            scan = _SignatureScan(client, task, query, since, signatures, page_size, listener)
            try:
                return await scan.run(by_id=task.plan.paging == "keyset")
            except (PagingError, CountMismatchError, DuplicateKeyError) as doubt:
                listener.note(f"{doubt.message} Comparing {task.plan.name} again.")
                by_id = task.plan.paging == "keyset" and not isinstance(doubt, PagingError)
                return await scan.run(by_id=by_id)

    asked = [
        (task, query, since)
        for task in tasks
        if (query := task.plan.query)
        and (since := known[task.plan.name].since) is not None
        and task.action != "forbidden"
    ]
    async with task_group() as group:
        running = [group.create_task(one(*each)) for each in asked]
    return [each.result() for each in running]


@dataclass(frozen=True, slots=True)
class _SignatureScan:
    """One entity's signatures, read and compared."""

    client: IonClient
    task: Task
    query: EntityQuery
    since: datetime
    signatures: KnownSignatures
    page_size: int
    progress: Progress

    @property
    def plan(self) -> EntityPlan:
        return self.task.plan

    async def run(self, *, by_id: bool) -> EntityAudit:
        """Read all, a chunk at a time where they come in order of their ids."""
        name, shape = self.plan.name, self.query.signature
        reader = PageReader(self.client, self.plan, replace(self.query, page=self.query.signature_page))
        pager = KeysetPager(name) if by_id else CursorPager(name, row_key(self.plan.entity, shape))
        found, chunk, keys = _Found(), _Chunk(shape), KeyLog(self.plan.entity.key)
        above: int | None = None
        self.progress.started(name, self.task.total)
        async with aclosing(
            pages(pager, PageSize(self.page_size, self.client.page_limit), reader.page, reader.pause)
        ) as stream:
            async for page in stream:
                for table, batch in to_batches(page.nodes, shape):
                    chunk.add(table, batch)
                    if not by_id and table == name:
                        keys.add(batch)
                self.progress.advanced(name, len(page.nodes))
                if isinstance(pager, KeysetPager) and chunk.rows >= _CHUNK_ROWS and not pager.done:
                    self._compare(chunk, IdRange(above, pager.last), found)
                    above, chunk = pager.last, _Chunk(shape)
        self._compare(chunk, IdRange(above), found)
        keys.check(name)
        rows = await check_count(name, pager, reader.count)
        self.progress.finished(name)
        return found.audit(self.task, rows=rows, by_id=by_id and self.query.tracking.by_id)

    def _compare(self, chunk: "_Chunk", id_range: IdRange, found: _Found) -> None:
        entity, shape = self.plan.entity, self.query.signature
        for row in self.signatures.compare(entity.name, entity.key, chunk.table(shape), id_range):
            (found.changed if row.there and row.known else found.new if row.there else found.gone).add(row.key)
        watched = {inner.field for inner in self.query.tracking.lists}
        told, untold = set[Key](), set[Key]()
        recent = set(_recent(chunk.table(shape), entity.key, self.since))
        for child in shape.lists:
            if child.node.owner is None:
                continue
            owner, rows = [child.node.owner.name], chunk.table(child.node)
            owners = {row.key for row in self.signatures.compare(child.node.table, owner, rows, id_range)}
            (told if child.field in watched else untold).update(owners)
            if child.field in watched:
                recent.update(_recent(rows, owner, self.since))
        # Of the recent rows a refresh sees those that differ themselves, or in a list that it watches.
        found.ordinary |= recent & (found.changed | found.new | told)
        others = (told | untold) - found.changed - found.new - found.gone
        there = set(_keys(chunk.table(shape), entity.key)) if others else set[Key]()
        found.lists |= others & there
        found.ownerless |= others - there


class _Chunk:
    """Signatures as they come, table by table."""

    def __init__(self, shape: NodeShape) -> None:
        self.rows = 0
        self._own = shape.table
        self._batches: dict[str, list[pa.RecordBatch]] = {}

    def add(self, table: str, batch: pa.RecordBatch) -> None:
        """Add a page's rows."""
        self._batches.setdefault(table, []).append(batch)
        self.rows += batch.num_rows if table == self._own else 0

    def table(self, shape: NodeShape) -> pa.Table:
        """All of a table's rows."""
        return pa.Table.from_batches(self._batches.get(shape.table, []), schema=shape.arrow_schema)


def _recent(rows: pa.Table, key: Sequence[str], since: datetime) -> Iterator[Key]:
    """Keys of the rows that a refresh would ask for."""
    if UPDATED in rows.column_names:
        recent = rows.filter(pc.greater_equal(rows[UPDATED], pa.scalar(since, rows.schema.field(UPDATED).type)))
        yield from _keys(recent, key)


def _keys(rows: pa.Table, key: Sequence[str]) -> Iterator[Key]:
    yield from zip(*(rows[name].to_pylist() for name in key), strict=True)
