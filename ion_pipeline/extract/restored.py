"""Detects that a tenant was restored to an earlier state, from a sample of rows that is read with the counts.

A tenant that was restored to an earlier state lacks its later rows, and has older versions of rows that changed since.
A query for changes finds neither, since no row has an `_updated` after the watermark. But no normal edit sets
`_updated` to an earlier instant, and a restore affects the rows that changed last. A tenant that was filled again under
the same organisation has other contents under known ids, with an `_updated` before the watermark.

Single differences are normal: a missing row, a row with an `_updated` after the watermark, a row with only another etag
(it is not known whether a computed value changes `_updated`). They are a sign of a restore only if most of a sample
shows them.
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

# If rows that changed last are missing, this many of the rows that changed before them are compared too.
_FURTHER = 200
# A sample of fewer rows proves nothing.
_FEW = 20


@dataclass
class _Signs:
    """The differences found in a sample.

    Attributes:
        rows: Rows in the sample.
        earlier: By entity, rows with an `_updated` before the known one.
        gone: Rows that ION does not have any more.
        other: Rows that differ from the known version, although their `_updated` is before the watermark.
    """

    rows: int = 0
    earlier: dict[str, int] = field(default_factory=dict)
    gone: int = 0
    other: int = 0

    @property
    def reason(self) -> str:
        """What shows that the tenant was restored, in one clause; empty if nothing does."""
        if self.earlier:
            names = ", ".join(f"{rows} of {name}" for name, rows in sorted(self.earlier.items()))
            return f"rows are older than the versions already read ({names}, of {self.rows} rows compared)"
        if self.rows < _FEW:
            return ""
        if 5 * self.gone > 4 * self.rows:
            return f"{self.gone} of {self.rows} rows compared are gone"
        if 2 * self.other > self.rows:
            return f"{self.other} of {self.rows} rows compared differ, although none has changed since the last read"
        return ""


async def check_restored(client: IonClient, plan: Plan, tasks: Sequence[Task], state: State, *, page_size: int) -> None:
    """Stop if ION has an earlier state than the one already read, or a different one.

    Args:
        client: The tenant.
        plan: What can be read, and how.
        tasks: From `decide`, with the samples.
        state: What the last refresh stored.
        page_size: Rows asked for in one request at most.

    Raises:
        TenantRestoredError: ION has an earlier or different state, and the second request shows it too: a replica of
            its database may lag behind for a moment.
        IonApiError: The rows cannot be read a second time.
    """
    signs, further = _Signs(), list[str]()
    held: dict[str, Mapping[int, Held]] = {}
    for task in tasks:
        if task.sampled is None:
            continue
        name = task.plan.name
        held[name] = sample = state.entities[name].sample
        there = _compare(task.plan, sample, task.sampled, state, signs)
        if any(row.recent and row_id not in there for row_id, row in sample.items()):
            further.append(name)
    if not signs.reason and not further:
        return
    # Deletes are normal, but rows that changed before the deleted ones must be unchanged.
    held |= {name: {**held[name], **rows} for name, rows in state.known.latest(further, _FURTHER).items()}
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
            f"ION returned older rows than before, or different ones: {again.reason}.",
            remedy="Check whether the tenant was restored to an earlier state, or filled again: a refresh by changes "
            "would mix the two states. `reconcile --dry-run` shows what differs; `refresh --full` reads everything as "
            "it is now (with --accept-deletes if many rows are missing). Nothing was changed.",
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
    """Compare rows, add the differences to the signs, and return the ids of the rows that came.

    If ION counts more rows (`total`) than came, the others exist but did not fit into the answer: they are left out.
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
    """An instant from ION's text; None if the text is not an instant, which the read will then refuse."""
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
