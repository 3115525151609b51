"""Which part of an interrupted read still holds: compared with the tenant as it is now, before the read goes on.

Rows that were read before the interruption stay if ION counts as many in the same ranges of ids: a row that has been
deleted since would otherwise be kept as if it were there. Rows that changed since need no care, because the load's
clock is that of its beginning: whatever asks for changes asks from there. Where anything does not hold, the entity is
forgotten and read from the start.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ion_pipeline.catalog.plan import EntityPlan, Plan
from ion_pipeline.client import IonClient
from ion_pipeline.extract.aliased import Question, ask
from ion_pipeline.extract.decide import Task
from ion_pipeline.extract.paging import between
from ion_pipeline.extract.read_progress import EntityProgress, ReadProgress
from ion_pipeline.extract.results import BatchSink

_CHANGES = frozenset({"changes", "deletes", "changes and deletes"})


@dataclass(frozen=True, slots=True)
class InterruptedRead:
    """What an interrupted read has left.

    Attributes:
        tables: Rows that it has written, by table.
        ids: Looks up the ids of an entity's own table in the order written, with: is it a tombstone?
    """

    tables: Mapping[str, int]
    ids: Callable[[str], Iterable[tuple[int, bool]]]


async def resume_read(
    client: IonClient,
    plan: Plan,
    tasks: Sequence[Task],
    *,
    read_progress: ReadProgress,
    left: InterruptedRead,
    sink: BatchSink,
) -> tuple[Task, ...]:
    """Go on with a read.

    Args:
        client: The tenant.
        plan: The same as when the read began.
        tasks: From `decide`, as things are now.
        read_progress: Of the interrupted read; forgets what does not hold, before it is discarded.
        left: What there is.
        sink: Is told to discard what does not hold.

    Returns:
        The tasks: what had turned out to need reading in full is still read so.
    """
    by_name = {task.plan.name: task for task in tasks}
    doubtful = [
        name for name, entry in read_progress if not _fits(plan, by_name.get(name), entry, left.tables.get(name, 0))
    ]
    for name in doubtful:
        read_progress.forget(name)
    for name in await _shrunk(client, plan, read_progress):
        read_progress.forget(name)
    kept: set[str] = set()
    for name, entry in read_progress:
        tables = _tables(plan.by_name[name])
        kept |= tables
        entry.tables = {table: rows for table, rows in left.tables.items() if table in tables}
        entry.total = by_name[name].total
        if entry.since is not None:
            entry.live, entry.gone = _sorted_out(left.ids(name))
    for table in left.tables:
        if table not in kept:
            sink.discard(table)
    full = {name for name, entry in read_progress if entry.since is None}
    return tuple(replace(task, action="full") if task.plan.name in full else task for task in tasks)


def _fits(plan: Plan, task: Task | None, entry: EntityProgress, rows: int) -> bool:
    """Whether the entity would be read now as it was then, and its rows are there."""
    if task is None or task.plan.query is None or task.plan.paging != "keyset":
        return False
    if entry.since is not None:
        return task.action in _CHANGES and task.since == entry.since and rows >= entry.rows
    # Rows nested in others may go without a sign of it in their owners.
    is_alone = next(plan.carried_by(task.plan.name), None) is None
    return task.action != "forbidden" and is_alone and rows == entry.rows


async def _shrunk(client: IonClient, plan: Plan, read_progress: ReadProgress) -> set[str]:
    """Entities read in full of which ION does not count as many rows as were read."""
    asked = [
        (name, read_range.rows, Question(entity, entity.query, between(read_range.above, read_range.upto) or None))
        for name, entry in read_progress
        if entry.since is None and (entity := plan.by_name[name]).query is not None
        for read_range in entry.merged()
    ]
    replies = await ask(client, [question for _, _, question in asked], about="the counts of what is there")
    return {name for (name, rows, _), reply in zip(asked, replies, strict=True) if reply is None or reply.total != rows}


def _tables(plan: EntityPlan) -> set[str]:
    return set(plan.query.shape.tables()) if plan.query else set()


def _sorted_out(ids: Iterable[tuple[int, bool]]) -> tuple[set[int], set[int]]:
    """Ids of the rows that were there at last, and of those that were not."""
    live: set[int] = set()
    gone: set[int] = set()
    for identifier, is_deleted in ids:
        (gone if is_deleted else live).add(identifier)
        (live if is_deleted else gone).discard(identifier)
    return live, gone
