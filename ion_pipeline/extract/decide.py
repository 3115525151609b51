"""What a refresh has to read, from what is known and two counts per entity. Reads no rows.

One request asks every entity how many rows it has and how many changed since its watermark. Where neither tells of
anything new, nothing is read. A count that fell is not believed blindly: an entity that vanished or lost a large part
of its rows stops the refresh, because un-doing a mass delete is harder than confirming one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from ion_pipeline.catalog.plan import ChangeTracking, EntityPlan, EntityQuery, Plan, RowVersion
from ion_pipeline.catalog.signature import UPDATED
from ion_pipeline.client import IonClient
from ion_pipeline.extract.aliased import Question, Reply, ask
from ion_pipeline.extract.deletes import Differences
from ion_pipeline.extract.errors import SuspiciousDeletesError
from ion_pipeline.extract.results import EntityResult
from ion_pipeline.extract.state import Held, State

Action = Literal[
    "nothing", "changes", "deletes", "changes and deletes", "etag scan", "repair", "full", "nested", "none", "forbidden"
]
_Kind = Literal["total", "changed", "versions", "sample"]
_Replies = defaultdict[_Kind, list[Reply | None]]
# Below this an entity may lose any share of its rows in a day's work.
_FEW_ROWS = 100
# A list of ids and etags as short as this comes with the counts.
_SHORT = 500
NEVER_READ = "never read before"
# Changes as few as this are compared with what is known before any is read.
FEW_VERSIONS = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """What should be there when a round of reading begins.

    Attributes:
        rows: Rows known.
        since: Changes from this instant on are asked for; None: the entity has to be read in full.
        why: Why in full, if so.
        etags: Id to etag of an entity whose changes show by etag alone, if it is a short one; None otherwise.
        seen: Marks of the rows that have changed since and are known, if they are few.
        sample: Rows to be asked for beside the counts, to see whether ION still has what it once had.
    """

    rows: int
    since: datetime | None
    why: str = ""
    etags: Mapping[int, str | None] | None = None
    seen: Mapping[int, RowVersion] = field(default_factory=dict)
    sample: Mapping[int, Held] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done about one entity.

    Attributes:
        plan: The entity, and how it can be read.
        action: What to read of it.
        reason: Why, in a few words.
        rows: Rows that will come, as far as counts tell.
        requests: Requests it will take, about.
        total: What ION counts; None where it was not or may not be asked.
        changed: Rows that ION counts as changed.
        since: The instant that `changed` counts from.
        differences: The rows to repair.
        sampled: The rows of the sample that ION has; None where none were asked for, or not all that it has came.
    """

    plan: EntityPlan
    action: Action
    reason: str
    rows: int = 0
    requests: int = 0
    total: int | None = None
    changed: int = 0
    since: datetime | None = None
    differences: Differences = field(default_factory=Differences)
    sampled: Sequence[Mapping[str, Any]] | None = None


def known_of(plan: Plan, state: State) -> dict[str, Known]:
    """What the last refresh left, entity by entity; what was never read, or asked otherwise, is to be read in full."""
    known = {}
    for entity in plan.entities:
        before = state.entities.get(entity.name)
        tracking = entity.query.tracking if entity.query else None
        if before is None:
            known[entity.name] = Known(0, None, NEVER_READ)
        elif tracking is None:
            known[entity.name] = Known(before.rows, None)
        elif next(plan.carried_by(entity.name), None):
            known[entity.name] = Known(before.rows, None, "what is nested in it shows no changes")
        elif before.query_hash != entity.query_hash:
            known[entity.name] = Known(before.rows, None, "other fields than at the last read")
        elif tracking.updated and before.watermark is not None:
            known[entity.name] = Known(before.rows, before.watermark, seen=before.versions, sample=before.sample)
        elif not tracking.updated and tracking.by_id and tracking.etag and not entity.entity.children:
            etags = state.known.etags(entity.name) if before.rows < _SHORT else None
            known[entity.name] = Known(before.rows, None, "", etags)
        else:
            why = "the last read has no watermark" if tracking.updated else "this tenant shows no changes of it"
            known[entity.name] = Known(before.rows, None, why)
    return known


async def decide(client: IonClient, plan: Plan, known: Mapping[str, Known], *, page_size: int) -> tuple[Task, ...]:
    """Ask for the counts and say what is to be read.

    Args:
        client: The tenant.
        plan: What can be read, and how.
        known: What should be there.
        page_size: For the estimate of requests.

    Raises:
        IonApiError: The counts cannot be had.
    """
    asked = [
        (entity, kind, question)
        for entity in plan.entities
        if entity.query is not None
        for kind, question in _questions(entity, entity.query, known[entity.name], client.page_limit.rows)
    ]
    # What was never read is often what the key may not read; asked apart, a refusal costs the others nothing.
    asked.sort(key=lambda one: known[one[0].name].why == NEVER_READ)
    others = sum(known[entity.name].why != NEVER_READ for entity, _, _ in asked)
    questions = [question for _, _, question in asked]
    answers = [
        *await ask(client, questions[:others], about="the counts"),
        *await ask(client, questions[others:], about="the counts"),
    ]
    replies: defaultdict[str, _Replies] = defaultdict(lambda: defaultdict(list))
    for (entity, kind, _), reply in zip(asked, answers, strict=True):
        replies[entity.name][kind].append(reply)
    return tuple(_task(entity, known[entity.name], replies[entity.name], page_size) for entity in plan.entities)


def _questions(plan: EntityPlan, query: EntityQuery, known: Known, limit: int) -> Iterator[tuple[_Kind, Question]]:
    """What is asked of one entity. No question asks for more rows than the limit."""
    tracking = query.tracking
    short = ("id", tracking.etag) if known.etags is not None else ()
    yield "total", Question(plan, query, None, short, first=_SHORT if short else 1)
    if known.since is not None:
        changed = tracking.changed_since(known.since)
        seen = sorted(known.seen) if tracking.version_fields and len(known.seen) <= FEW_VERSIONS else []
        if seen and len(seen) < limit:
            yield "changed", Question(plan, query, changed, tracking.version_fields, first=len(seen) + 1)
        else:
            yield "changed", Question(plan, query, changed)
            for start in range(0, len(seen), limit):
                ids = seen[start : start + limit]
                rows = {**changed, "id": {"in": ids}}
                yield "versions", Question(plan, query, rows, tracking.version_fields, first=len(ids))
    sample = sorted(known.sample)
    for start in range(0, len(sample), limit):
        ids = sample[start : start + limit]
        yield "sample", Question(plan, query, {"id": {"in": ids}}, ("id", UPDATED, tracking.etag), first=len(ids))


def _task(plan: EntityPlan, known: Known, replies: _Replies, page_size: int) -> Task:
    if plan.query is None:
        return Task(plan, "none" if plan.paging == "none" else "nested", plan.reason)
    (total,) = replies["total"]
    if total is None:
        return Task(plan, "forbidden", "the key may not read it")
    pages = -(-total.total // page_size)
    if known.why:
        return Task(plan, "full", known.why, total.total, max(1, pages), total.total)
    if known.since is None:
        etags = {node["id"]: node[plan.query.tracking.etag] for node in total.nodes}
        if known.etags is not None and total.total == len(etags) and etags == known.etags:
            return Task(plan, "nothing", "every etag is as known", total=total.total)
        return Task(plan, "etag scan", "ids and etags are compared", total.total, max(1, pages), total.total)
    tracking = plan.query.tracking
    (reply,) = replies["changed"]
    changed = 0 if reply is None or _all_seen(tracking, known, reply, replies["versions"]) else reply.total
    samples = [one for one in replies["sample"] if one and one.is_whole]
    # Of an answer that is not whole nobody can tell which of its rows are gone.
    is_sampled = samples and len(samples) == len(replies["sample"])
    sampled = [node for one in samples for node in one.nodes] if is_sampled else None
    counted = Task(plan, "nothing", "", total=total.total, changed=changed, since=known.since, sampled=sampled)
    return _by_counts(counted, known, tracking, page_size)


def _by_counts(counted: Task, known: Known, tracking: ChangeTracking, page_size: int) -> Task:
    """What two counts tell: rows in all, and rows changed."""
    total, changed, since = counted.total or 0, counted.changed, counted.since
    differs = total != known.rows
    if not changed and not differs:
        return replace(counted, reason="no change, as many rows as known")
    reason = f"{changed:,} changed since {since:%Y-%m-%d %H:%M:%S}, {total:,} rows, {known.rows:,} known"
    if not tracking.by_id:
        return replace(counted, action="full", reason=reason, rows=total, requests=max(1, -(-total // page_size)))
    # New rows are among the changed ones; only with them read does a count tell of deletes.
    action: Action = "changes" if changed and not differs else "deletes" if not changed else "changes and deletes"
    return replace(counted, action=action, reason=reason, rows=changed, requests=-(-changed // page_size) + 4 * differs)


def amount(task: Task, known: int) -> int:
    """Rows that changed, as far as the counts tell: those counted as changed, or how far the rows known are off."""
    return max(task.changed, abs((task.total or 0) - known))


async def with_unsettled(
    client: IonClient, plan: Plan, results: Sequence[EntityResult], *, clock: datetime | None, page_size: int
) -> list[EntityResult]:
    """The results, each with the rows that ION counts as changed since the clock.

    Args:
        client: The tenant.
        plan: What was read.
        results: From `fetch`.
        clock: ION's clock before the first page; None leaves the results as they are.
        page_size: As it was read with.

    Raises:
        IonApiError: The counts cannot be had.
    """
    known: dict[str, Known] = {}
    for result in results:
        query = plan.by_name[result.entity].query
        if result.status == "read" and query and query.tracking.updated and clock is not None:
            known[result.entity] = Known(result.rows, clock)
    asked = replace(plan, entities=tuple(entity for entity in plan.entities if entity.name in known))
    tasks = await decide(client, asked, known, page_size=page_size)
    unsettled = {task.plan.name: amount(task, known[task.plan.name].rows) for task in tasks}
    return [replace(result, unsettled=unsettled.get(result.entity, result.unsettled)) for result in results]


def _all_seen(tracking: ChangeTracking, known: Known, changed: Reply, versions: Iterable[Reply | None]) -> bool:
    """Whether every changed row is one we know, as it is now: as many came as are counted, and all are known."""
    if changed.total == 0:
        return True
    nodes = [*changed.nodes, *(node for reply in versions if reply for node in reply.nodes)]
    if not known.seen or changed.total != len(nodes):
        return False
    return all(known.seen.get(node["id"]) == tracking.version(node) for node in nodes)


def check_deletes(tasks: Iterable[Task], rows_known: Mapping[str, int], *, largest_share: float) -> None:
    """Stop where more is gone than people delete.

    Args:
        tasks: With ION's counts.
        rows_known: Rows known, by entity.
        largest_share: Share of an entity's rows that may go between two refreshes.

    Raises:
        SuspiciousDeletesError: An entity is gone from the schema, has no rows any more, or lost more than the share.
    """
    found = []
    for task in tasks:
        rows = rows_known.get(task.plan.name, 0)
        if task.action == "none" and rows:
            found.append(f"{task.plan.name} ({rows:,} rows known) is no longer in the tenant's schema")
        elif task.total is not None and rows and is_suspicious(rows, task.total, largest_share):
            found.append(f"{task.plan.name} had {rows:,} rows and has {task.total:,}")
    if found:
        raise SuspiciousDeletesError(
            f"Too much is gone to be taken for deletes: {'; '.join(found)}.",
            remedy="Was ION's tenant reset, or a permission or the export group of the key's owner taken away? If the "
            "rows are really deleted, say so with --accept-deletes. Nothing was changed.",
        )


def is_suspicious(known: int, total: int, largest_share: float) -> bool:
    """Whether so many rows went that it has to be confirmed."""
    if total == 0:
        return known > 0
    return known - total > max(_FEW_ROWS, largest_share * known)
