"""Whether rows that come or go were made or deleted, or only shown to or hidden from this key.

ION leaves parts, procedures and runs that are flagged as export controlled out of every answer to a key whose owner is
not in the export group. Nothing says so: the schema names neither the group nor its members, so the rows have to show
it. A key that is shown any flagged row of an entity is in the group, and what is gone from it was deleted.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ion_pipeline.catalog.plan import ChangeTracking, EntityPlan
from ion_pipeline.catalog.references import FLAGGED
from ion_pipeline.client import IonClient
from ion_pipeline.extract.aliased import Question, ask
from ion_pipeline.extract.deletes import Differences
from ion_pipeline.extract.errors import SuspiciousDeletesError
from ion_pipeline.extract.state import State

# As many ids as are asked for in one filter.
_SAMPLE = 200


async def check_group(
    client: IonClient,
    plan: EntityPlan,
    state: State,
    note: Callable[[str], None],
    found: Differences | None = None,
    *,
    accepts_deletes: bool = False,
) -> None:
    """Stop where rows are gone because the key no longer sees them, and say so where it sees more than before.

    Args:
        client: The tenant.
        plan: The entity; any other than parts, procedures and runs passes.
        state: What the last refresh left.
        note: Receives what a person should know.
        found: Ids of rows that came or went beside all changes; None: not known, all rows are read.
        accepts_deletes: Whatever is gone counts as deleted.

    Raises:
        SuspiciousDeletesError: Flagged rows were known, some of them are gone, and ION shows none any more.
        IonApiError: ION cannot be asked.
    """
    if plan.name not in FLAGGED or plan.query is None:
        return
    flagged = state.known.controlled(plan.name)
    if not accepts_deletes:
        await _check_gone(client, plan, flagged, note=note, found=found)
    before = state.entities.get(plan.name)
    if before and before.watermark:
        await _tell_shown(client, plan, flagged, before.watermark, note=note, found=found)


async def _check_gone(
    client: IonClient,
    plan: EntityPlan,
    flagged: frozenset[int],
    *,
    note: Callable[[str], None],
    found: Differences | None,
) -> None:
    missing = flagged if found is None else flagged & found.gone
    if not missing:
        return
    if await _is_shown(client, plan, flagged - missing):
        if found is not None:
            note(
                f"{len(missing):,} export-controlled rows of {plan.name} are gone while others are shown: "
                "they are taken as deleted."
            )
        return
    if found is not None or await _is_missing(client, plan, missing):
        raise SuspiciousDeletesError(
            f"Export-controlled rows of {plan.name} are gone ({len(missing):,} of {len(flagged):,} known), and ION "
            "shows no other: the key's owner seems to have lost the export group.",
            remedy="Ask ION's administrator whether the owner of the API key is in the export group, and make a new "
            "key then: a key keeps the rights its owner had when it was made. If the rows are to count as deleted, "
            "say so with --accept-deletes. Nothing was changed.",
        )


async def _tell_shown(
    client: IonClient,
    plan: EntityPlan,
    flagged: frozenset[int],
    since: datetime,
    *,
    note: Callable[[str], None],
    found: Differences | None,
) -> None:
    """A row that nobody knew is not new if it has not changed since the last refresh: it was there, and hidden."""
    tracking = plan.query.tracking if plan.query else ChangeTracking()
    ids = None if found is None else sorted(found.unknown)[:_SAMPLE]
    if not (tracking.flag and tracking.updated) or ids == []:
        return
    asked: dict[str, Any] = {tracking.flag: {"eq": True}, "_updated": {"lt": since.isoformat()}}
    if ids:
        asked["id"] = {"in": ids}
    older = await _count(client, plan, asked) - (0 if ids else len(flagged))
    if older > 0:
        note(
            f"{older:,} export-controlled rows of {plan.name} are shown for the first time and have not changed since "
            "the last refresh: the key's owner seems to have joined the export group. They are not new in ION."
        )


async def _is_shown(client: IonClient, plan: EntityPlan, others: frozenset[int]) -> bool:
    """Whether ION shows any flagged row; by the rows that are left of those known, where it cannot be asked."""
    if plan.query is None or not plan.query.tracking.flag:
        return bool(others)
    return await _count(client, plan, {plan.query.tracking.flag: {"eq": True}}) > 0


async def _is_missing(client: IonClient, plan: EntityPlan, flagged: frozenset[int]) -> bool:
    """Whether rows known as flagged are not there any more, flagged or not, by a sample of them."""
    if plan.query is None or not plan.query.tracking.by_id:
        return True
    ids = sorted(flagged)[:_SAMPLE]
    return await _count(client, plan, {"id": {"in": ids}}) < len(ids)


async def _count(client: IonClient, plan: EntityPlan, filters: dict[str, Any]) -> int:
    if plan.query is None:
        raise AssertionError(f"{plan.name} has no query of its own")
    (reply,) = await ask(client, [Question(plan, plan.query, filters)], about=f"{plan.name} under export control")
    return reply.total if reply else 0
