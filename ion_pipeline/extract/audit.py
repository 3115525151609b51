"""The nightly comparison: is every stored row still as ION has it, whatever `_updated` says?

The audit reads the signatures of all rows (key, etag, and the same of the lists inside) page by page and compares them
with the stored rows. It distinguishes differences that the next refresh would have found from silent drift, which no
refresh would find. It covers only entities whose changes are detected by `_updated`; every refresh compares the etags
of the others or reads them in full. It reads only signatures; `refresh` repairs the differences.
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

# Rows compared by one query: few enough to hold in memory, enough to make the query worthwhile.
_CHUNK_ROWS = 20_000

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class RowDifference:
    """A row, or an owner of list rows, that differs between ION and the warehouse.

    Attributes:
        key: The row's key.
        there: ION has a version or list row that the warehouse does not have.
        known: The warehouse has a version or list row that ION does not have.
    """

    key: Key
    there: bool
    known: bool


class KnownSignatures(Protocol):
    """Compares signatures with the rows that the last refresh stored."""

    def compare(self, table: str, key: Sequence[str], rows: pa.Table, id_range: IdRange) -> list[RowDifference]:
        """The rows of a table that differ in the columns of `rows`.

        Args:
            table: The table.
            key: Columns that identify a difference; `id_range` applies to the first one.
            rows: All rows that ION has in the range.
            id_range: The range of stored rows to compare with.
        """


@dataclass(frozen=True, slots=True)
class EntityAudit:
    """What an audit found in one entity.

    Attributes:
        entity: Name of the entity.
        rows: Rows that ION has.
        changed: Rows that changed although their `_updated` is too old for a refresh to read them.
        missing: Rows that ION had and the warehouse lacked, although the counts agreed.
        surplus: Rows that the warehouse had and ION lacked, although the counts agreed.
        lists: Unchanged rows whose lists (links, files, attributes) differed.
        repair: A task for all differences, those that the next refresh would have found included; None without any.
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
        """Rows with changes that ION did not report."""
        return self.changed + self.missing + self.surplus + self.lists


@dataclass
class _Found:
    """Keys of rows that differ, each in exactly one set; `ordinary` repeats those that a refresh would find.

    `ownerless` holds owners of stored list rows that neither ION nor the warehouse has: left over from an error.
    """

    changed: set[Key] = field(default_factory=set)
    new: set[Key] = field(default_factory=set)
    gone: set[Key] = field(default_factory=set)
    lists: set[Key] = field(default_factory=set)
    ownerless: set[Key] = field(default_factory=set)
    ordinary: set[Key] = field(default_factory=set)

    def audit(self, task: Task, *, rows: int, by_id: bool) -> EntityAudit:
        # Every refresh compares counts, so a missing row stays undetected only if there is a surplus row too.
        unseen = min(len(self.new - self.ordinary), len(self.gone))
        wanted, gone = self.changed | self.new | self.lists, self.gone | self.ownerless
        if by_id and (gone or 2 * len(wanted) <= rows):
            differences = Differences(gone={key[0] for key in gone}, unknown={key[0] for key in wanted})
            repair = replace(task, action="repair", reason="rows differ", total=rows, differences=differences)
        else:
            # Reading more than half of the rows by id would take more requests than reading all rows in order.
            repair = replace(task, action="full", reason="rows differ", total=rows)
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
    """Compare every row of the entities whose changes are detected by `_updated`.

    Args:
        client: The tenant, open.
        tasks: From `decide`: which entities may be read.
        known: What is stored of each entity.
        signatures: Compares signatures with the stored rows.
        page_size: Rows asked for in one request at most.
        progress: Receives progress.

    Raises:
        IonApiError: A request failed permanently.
        CountMismatchError, PagingError, DuplicateKeyError: An entity changed while it was read, the second time too.
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
    """Reads and compares one entity's signatures."""

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
        """Read all signatures; compare them in chunks if they come in the order of their ids, else all at once."""
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
        tracked = {inner.field for inner in self.query.tracking.lists}
        reported, unreported = set[Key](), set[Key]()
        recent = set(_recent(chunk.table(shape), entity.key, self.since))
        for child in shape.lists:
            if child.node.owner is None:
                continue
            owner, rows = [child.node.owner.name], chunk.table(child.node)
            owners = {row.key for row in self.signatures.compare(child.node.table, owner, rows, id_range)}
            (reported if child.field in tracked else unreported).update(owners)
            if child.field in tracked:
                recent.update(_recent(rows, owner, self.since))
        # A refresh finds the recent rows that differ themselves or in a tracked list.
        found.ordinary |= recent & (found.changed | found.new | reported)
        others = (reported | unreported) - found.changed - found.new - found.gone
        in_ion = set(_keys(chunk.table(shape), entity.key)) if others else set[Key]()
        found.lists |= others & in_ion
        found.ownerless |= others - in_ion


class _Chunk:
    """Collects signatures by table."""

    def __init__(self, shape: NodeShape) -> None:
        self.rows = 0
        self._own = shape.table
        self._batches: dict[str, list[pa.RecordBatch]] = {}

    def add(self, table: str, batch: pa.RecordBatch) -> None:
        """Add the rows of a page."""
        self._batches.setdefault(table, []).append(batch)
        self.rows += batch.num_rows if table == self._own else 0

    def table(self, shape: NodeShape) -> pa.Table:
        """All rows collected for a table."""
        return pa.Table.from_batches(self._batches.get(shape.table, []), schema=shape.arrow_schema)


def _recent(rows: pa.Table, key: Sequence[str], since: datetime) -> Iterator[Key]:
    """Keys of the rows that a refresh would read."""
    if UPDATED in rows.column_names:
        recent = rows.filter(pc.greater_equal(rows[UPDATED], pa.scalar(since, rows.schema.field(UPDATED).type)))
        yield from _keys(recent, key)


def _keys(rows: pa.Table, key: Sequence[str]) -> Iterator[Key]:
    yield from zip(*(rows[name].to_pylist() for name in key), strict=True)
