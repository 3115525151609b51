"""What a refresh has to read, decided from the state and two counts per entity. Reads no rows.

One request asks for each entity how many rows it has and how many changed since its watermark. If both show no change,
nothing is read. An entity that vanished or lost a large part of its rows stops the refresh, because undoing a mass
delete is harder than confirming one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from ion_pipeline.catalog.plan import ChangeTracking, EntityPlan, EntityQuery, Plan, RowIdentity, RowVersion
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
# An entity may lose this many rows, whatever share of all its rows that is, in a normal day's work.
_FEW_ROWS = 100
# The ids and etags of an entity with fewer rows than this are read together with the counts.
_SHORT = 500
NEVER_READ = "never read before"
# Up to this many changed rows are compared with the known versions before any row is read.
FEW_VERSIONS = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an entity when a round of reading begins.

    Attributes:
        rows: Number of known rows.
        since: Changes from this instant on are asked for; None if the entity's changes cannot be asked for.
        why: Why the entity has to be read in full; empty if it does not have to.
        etags: Id to etag, for a short entity whose changes show in etags only; None otherwise.
        seen: Versions of the known rows that changed since then, if they are few.
        sample: Rows to ask for together with the counts, to check whether ION was restored to an earlier state.
    """

    rows: int
    since: datetime | None
    why: str = ""
    etags: Mapping[int, str | None] | None = None
    seen: Mapping[RowIdentity, RowVersion] = field(default_factory=dict)
    sample: Mapping[int, Held] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Task:
    """What to do for one entity.

    Attributes:
        plan: The entity, and how it can be read.
        action: What to read of it.
        reason: Why, in a few words.
        rows: Rows that will be read, estimated from the counts.
        requests: Requests that this will take, estimated.
        total: Rows that ION counts; None if ION was not asked or the API key may not read the entity.
        changed: Rows that ION counts as changed.
        since: The instant from which `changed` counts.
        differences: The rows to repair.
        sampled: The rows of the sample that ION has; None if no sample was asked for, or the answer is incomplete.
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
    """What the last refresh stored, by entity. An entity that was never read, or by another query, is read in full."""
    known = {}
    for entity in plan.entities:
        before = state.entities.get(entity.name)
        tracking = entity.query.tracking if entity.query else None
        if before is None:
            known[entity.name] = Known(0, None, NEVER_READ)
        elif tracking is None:
            known[entity.name] = Known(before.rows, None)
        elif next(plan.carried_by(entity.name), None):
            known[entity.name] = Known(before.rows, None, "changes of the rows nested in it cannot be detected")
        elif before.query_hash != entity.query_hash:
            known[entity.name] = Known(before.rows, None, "its query differs from that of the last read")
        elif tracking.updated and before.watermark is not None:
            known[entity.name] = Known(before.rows, before.watermark, seen=before.versions, sample=before.sample)
        elif not tracking.updated and tracking.by_id and tracking.etag and not entity.entity.children:
            etags = state.known.etags(entity.name) if before.rows < _SHORT else None
            known[entity.name] = Known(before.rows, None, "", etags)
        else:
            why = "the last read has no watermark" if tracking.updated else "its changes cannot be detected"
            known[entity.name] = Known(before.rows, None, why)
    return known


async def decide(client: IonClient, plan: Plan, known: Mapping[str, Known], *, page_size: int) -> tuple[Task, ...]:
    """Ask for the counts and decide what to read.

    Args:
        client: The tenant.
        plan: What can be read, and how.
        known: What is known of each entity.
        page_size: Rows per page, for the estimate of requests.

    Raises:
        IonApiError: The counts cannot be read.
    """
    asked = [
        (entity, kind, question)
        for entity in plan.entities
        if entity.query is not None
        for kind, question in _questions(entity, entity.query, known[entity.name], client.page_limit.rows)
    ]
    # An entity that was never read is often one that the API key may not read. A refusal makes `ask` split its request,
    # so these entities get requests of their own.
    asked.sort(key=lambda one: known[one[0].name].why == NEVER_READ)
    read_before = sum(known[entity.name].why != NEVER_READ for entity, _, _ in asked)
    questions = [question for _, _, question in asked]
    answers = [
        *await ask(client, questions[:read_before], about="the counts"),
        *await ask(client, questions[read_before:], about="the counts"),
    ]
    replies: defaultdict[str, _Replies] = defaultdict(lambda: defaultdict(list))
    for (entity, kind, _), reply in zip(asked, answers, strict=True):
        replies[entity.name][kind].append(reply)
    return tuple(_task(entity, known[entity.name], replies[entity.name], page_size) for entity in plan.entities)


def _questions(plan: EntityPlan, query: EntityQuery, known: Known, limit: int) -> Iterator[tuple[_Kind, Question]]:
    """The questions about one entity. No question asks for more rows than the limit."""
    tracking = query.tracking
    short = ("id", tracking.etag) if known.etags is not None else ()
    yield "total", Question(plan, query, None, short, first=_SHORT if short else 1)
    if known.since is not None:
        changed = tracking.changed_since(known.since)
        seen = len(known.seen) if tracking.version_fields and len(known.seen) <= FEW_VERSIONS else 0
        if 0 < seen < limit:
            yield "changed", Question(plan, query, changed, tracking.version_fields, first=seen + 1)
        else:
            yield "changed", Question(plan, query, changed)
            by_id = sorted(one for one in known.seen if isinstance(one, int)) if seen else []
            for start in range(0, len(by_id), limit):
                ids = by_id[start : start + limit]
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
        return Task(plan, "forbidden", "the API key may not read it")
    pages = -(-total.total // page_size)
    if known.why:
        return Task(plan, "full", known.why, total.total, max(1, pages), total.total)
    if known.since is None:
        etags = {node["id"]: node[plan.query.tracking.etag] for node in total.nodes}
        if known.etags is not None and total.total == len(etags) and etags == known.etags:
            return Task(plan, "nothing", "every etag is unchanged", total=total.total)
        return Task(plan, "etag scan", "its ids and etags are compared", total.total, max(1, pages), total.total)
    tracking = plan.query.tracking
    (reply,) = replies["changed"]
    changed = 0 if reply is None or _all_seen(tracking, known, reply, replies["versions"]) else reply.total
    samples = [one for one in replies["sample"] if one and one.is_whole]
    # An incomplete answer does not show which rows are deleted.
    is_sampled = samples and len(samples) == len(replies["sample"])
    sampled = [node for one in samples for node in one.nodes] if is_sampled else None
    counted = Task(plan, "nothing", "", total=total.total, changed=changed, since=known.since, sampled=sampled)
    return _by_counts(counted, known, tracking, page_size)


def _by_counts(counted: Task, known: Known, tracking: ChangeTracking, page_size: int) -> Task:
    """Decide from the two counts, of all rows and of changed rows."""
    total, changed, since = counted.total or 0, counted.changed, counted.since
    differs = total != known.rows
    if not changed and not differs:
        return replace(counted, reason="no row changed, and the number of rows is the same")
    reason = f"{changed:,} changed since {since:%Y-%m-%d %H:%M:%S}, {total:,} rows, {known.rows:,} known"
    if not tracking.by_id:
        return replace(counted, action="full", reason=reason, rows=total, requests=max(1, -(-total // page_size)))
    # New rows are among the changed ones, so deletes can be counted only after the changed rows have been read.
    action: Action = "changes" if changed and not differs else "deletes" if not changed else "changes and deletes"
    return replace(counted, action=action, reason=reason, rows=changed, requests=-(-changed // page_size) + 4 * differs)


def amount(task: Task, known: int) -> int:
    """Rows that changed, by the counts: the changed rows, or the difference in the number of rows if that is more."""
    return max(task.changed, abs((task.total or 0) - known))


async def with_unsettled(
    client: IonClient, plan: Plan, results: Sequence[EntityResult], *, clock: datetime | None, page_size: int
) -> list[EntityResult]:
    """Add to each result the number of rows that ION counts as changed since the clock.

    Args:
        client: The tenant.
        plan: What was read.
        results: From `fetch`.
        clock: ION's clock before the first page; None leaves the results as they are.
        page_size: Rows per page of the read.

    Raises:
        IonApiError: The counts cannot be read.
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
    """Whether every changed row that ION counts came, and is known in the same version."""
    if changed.total == 0:
        return True
    nodes = [*changed.nodes, *(node for reply in versions if reply for node in reply.nodes)]
    if not known.seen or changed.total != len(nodes):
        return False
    return all(known.seen.get(tracking.identity(node)) == tracking.version(node) for node in nodes)


def check_deletes(tasks: Iterable[Task], rows_known: Mapping[str, int], *, largest_share: float) -> None:
    """Stop if more rows are missing than people usually delete.

    Args:
        tasks: Tasks with ION's counts.
        rows_known: Number of known rows, by entity.
        largest_share: Share of an entity's rows that may disappear between two refreshes.

    Raises:
        SuspiciousDeletesError: An entity is missing from the schema, has no rows any more, or lost more than the share.
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
            f"Too many rows are missing to be normal deletes: {'; '.join(found)}.",
            remedy="Check whether ION's tenant was reset, or whether the owner of the API key lost a permission or the "
            "export group. If the rows are really deleted, confirm it with --accept-deletes. Nothing was changed.",
        )


def is_suspicious(known: int, total: int, largest_share: float) -> bool:
    """Whether so many rows disappeared that a person has to confirm it."""
    if total == 0:
        return known > 0
    return known - total > max(_FEW_ROWS, largest_share * known)
