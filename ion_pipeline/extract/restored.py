"""Does ION still have what it once gave? A few rows, asked for with the counts, show it.

A tenant that is restored to an earlier state has its later rows no more, and older versions of those changed since. By
its changes neither shows: nothing has an `_updated` after the watermark. But no ordinary edit moves `_updated` back,
and the rows that changed last are those that a restore takes back. A tenant filled anew under the same organisation has
other contents under known ids, dated to before the watermark.

What is ordinary: a row that is gone, one dated to after the watermark, one with another etag alone (whether a computed
value moves `_updated` is not known). Of these only most of a sample together is a sign.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ion_pipeline.catalog.plan import EntityPlan, Plan
from ion_pipeline.catalog.signature import UPDATED
from ion_pipeline.client import IonClient
from ion_pipeline.extract.aliased import Question, ask
from ion_pipeline.extract.decide import Task
from ion_pipeline.extract.errors import TenantRestoredError
from ion_pipeline.extract.state import Held, State

# Where rows that changed last are gone, as many of those before them are looked at.
_FURTHER = 200
# What most rows of a smaller sample have in common proves nothing.
_FEW = 20


@dataclass
class _Signs:
    """What became of the rows of a sample.

    Attributes:
        rows: Rows in it.
        earlier: Rows that ION dates to before what it once said, by entity.
        gone: Rows that ION has no more.
        other: Rows that are not as known although no change is dated to after the watermark.
    """

    rows: int = 0
    earlier: dict[str, int] = field(default_factory=dict)
    gone: int = 0
    other: int = 0

    @property
    def reason(self) -> str:
        """What is wrong, in one clause; empty where nothing is."""
        if self.earlier:
            names = ", ".join(f"{rows} of {name}" for name, rows in sorted(self.earlier.items()))
            return f"rows are dated to before the version that is known ({names}, of {self.rows} rows compared)"
        if self.rows < _FEW:
            return ""
        if 5 * self.gone > 4 * self.rows:
            return f"{self.gone} of {self.rows} rows compared are gone"
        if 2 * self.other > self.rows:
            return f"{self.other} of {self.rows} rows compared are others, and none is dated to after the last read"
        return ""


async def check_restored(client: IonClient, plan: Plan, tasks: Sequence[Task], state: State, *, page_size: int) -> None:
    """Stop where ION has an older state than the one that is known, or another one.

    Args:
        client: The tenant.
        plan: What can be read, and how.
        tasks: From `decide`, with the samples.
        state: What the last refresh left.
        page_size: Rows asked for in one request at most.

    Raises:
        TenantRestoredError: It has, at a second asking too: a copy of its database may lag behind for a moment.
        IonApiError: The rows cannot be asked for again.
    """
    signs, further = _Signs(), list[str]()
    held: dict[str, Mapping[int, Held]] = {}
    for task in tasks:
        if task.sampled is None:
            continue
        name = task.plan.name
        held[name] = sample = state.entities[name].sample
        there = _compare(task.plan, sample, task.sampled, state, signs)
        if any(one.recent and row_id not in there for row_id, one in sample.items()):
            further.append(name)
    if not signs.reason and not further:
        return
    # Deletes are ordinary, but what was changed before them must still be as it was.
    held |= {name: {**held[name], **state.known.latest(name, _FURTHER)} for name in further}
    again = _Signs()
    questions = [
        question
        for name, rows in held.items()
        for question in _questions(plan.by_name[name], rows, min(page_size, client.page_limit.rows))
    ]
    replies = await ask(client, [question for question, _ in questions], about="rows that are known")
    for (question, rows), reply in zip(questions, replies, strict=True):
        if reply is not None:
            _compare(question.plan, rows, reply.nodes, state, again, total=reply.total)
    if again.reason:
        raise TenantRestoredError(
            f"ION has older rows than it once gave, or others: {again.reason}.",
            remedy="Was the tenant restored to an earlier state, or filled anew? A refresh by changes would mix the "
            "two. `reconcile --dry-run` shows what differs; `refresh --full` reads everything as it is now (with "
            "--accept-deletes where much is gone). Nothing was changed.",
        )


def _questions(
    plan: EntityPlan, rows: Mapping[int, Held], page_size: int
) -> Iterator[tuple[Question, Mapping[int, Held]]]:
    if plan.query is None:
        return
    ids = sorted(rows)
    for start in range(0, len(ids), page_size):
        some = {row_id: rows[row_id] for row_id in ids[start : start + page_size]}
        fields = ("id", UPDATED, plan.query.tracking.etag)
        yield Question(plan, plan.query, {"id": {"in": list(some)}}, fields, first=len(some)), some


def _compare(
    plan: EntityPlan,
    held: Mapping[int, Held],
    nodes: Sequence[Mapping[str, Any]],
    state: State,
    signs: _Signs,
    *,
    total: int = 0,
) -> set[int]:
    """Add what became of some rows to the signs, and give the ids of those that came.

    Rows that ION counts (`total`) beyond those that came are there, too many for one answer: they are not compared.
    """
    watermark, etag = state.entities[plan.name].watermark, plan.query.tracking.etag if plan.query else ""
    there = {node["id"]: node for node in nodes}
    beyond = max(0, total - len(there))
    signs.rows += len(held) - beyond
    signs.gone -= beyond
    for row_id, one in held.items():
        node = there.get(row_id)
        if node is None:
            signs.gone += 1
            continue
        updated = _instant(node[UPDATED])
        if updated is not None and updated < one.updated:
            signs.earlier[plan.name] = signs.earlier.get(plan.name, 0) + 1
        elif node[etag] != one.etag and updated is not None and watermark is not None and updated < watermark:
            signs.other += 1
    return set(there)


def _instant(text: Any) -> datetime | None:
    """An instant as ION writes it; None where it is none, which is for the read to refuse."""
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
