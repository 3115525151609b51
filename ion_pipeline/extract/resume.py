"""Checks which part of an interrupted read is still valid, by the tenant's current counts, before the read resumes.

The rows that an entity's interrupted read has written are kept if ION counts as many rows in the same ranges of ids;
otherwise a row that was deleted since would be kept. Rows that changed since need no check: the load keeps the clock of
its beginning, so the next query for changes finds them. If an entity's rows are not valid, its progress is discarded
and it is read from the start.
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
    """What an interrupted read has written.

    Attributes:
        tables: Number of rows written, by table.
        ids: Reads the ids in an entity's own table in the order written, each with whether it is a tombstone.
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
    """Prepare to resume an interrupted read.

    Args:
        client: The tenant.
        plan: The plan, the same as when the read began.
        tasks: From `decide`, with the current counts.
        read_progress: The progress of the interrupted read; entities that are not valid are removed from it.
        left: What the interrupted read has written.
        sink: Discards the tables that are not valid.

    Returns:
        The tasks; an entity that the interrupted read was reading in full is still read in full.
    """
    by_name = {task.plan.name: task for task in tasks}
    invalid = [
        name for name, entry in read_progress if not _fits(plan, by_name.get(name), entry, left.tables.get(name, 0))
    ]
    for name in invalid:
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
            entry.live, entry.gone = _live_and_gone(left.ids(name))
    for table in left.tables:
        if table not in kept:
            sink.discard(table)
    full = {name for name, entry in read_progress if entry.since is None}
    return tuple(replace(task, action="full") if task.plan.name in full else task for task in tasks)


def _fits(plan: Plan, task: Task | None, entry: EntityProgress, rows: int) -> bool:
    """Whether the entity would be read in the same way now, and the rows that were read are there."""
    if task is None or task.plan.query is None or task.plan.paging != "keyset":
        return False
    if entry.since is not None:
        return task.action in _CHANGES and task.since == entry.since and rows >= entry.rows
    # A nested row may be deleted although its owner does not change.
    is_alone = next(plan.carried_by(task.plan.name), None) is None
    return task.action != "forbidden" and is_alone and rows == entry.rows


async def _shrunk(client: IonClient, plan: Plan, read_progress: ReadProgress) -> set[str]:
    """The entities read in full for which ION counts another number of rows than were read."""
    asked = [
        (name, read_range.rows, Question(entity, entity.query, between(read_range.above, read_range.upto) or None))
        for name, entry in read_progress
        if entry.since is None and (entity := plan.by_name[name]).query is not None
        for read_range in entry.merged()
    ]
    replies = await ask(client, [question for _, _, question in asked], about="the counts of rows already read")
    return {name for (name, rows, _), reply in zip(asked, replies, strict=True) if reply is None or reply.total != rows}


def _tables(plan: EntityPlan) -> set[str]:
    return set(plan.query.shape.tables()) if plan.query else set()


def _live_and_gone(ids: Iterable[tuple[int, bool]]) -> tuple[set[int], set[int]]:
    """The ids whose last entry is a row, and the ids whose last entry is a tombstone."""
    live: set[int] = set()
    gone: set[int] = set()
    for identifier, is_deleted in ids:
        (gone if is_deleted else live).add(identifier)
        (live if is_deleted else gone).discard(identifier)
    return live, gone
