"""Distinguishes created and deleted rows from rows that ION begins to show to, or hide from, this API key.

ION omits parts, procedures and runs that are flagged as export controlled from every answer to a key whose owner is not
in the export group. The schema names neither the group nor its members, so only the rows show it: if the key sees any
flagged row of an entity, its owner is in the group, and a missing row was deleted.
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

# Ids in one filter at most.
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
    """Stop if rows are missing because the key no longer sees them; note if it sees more rows than before.

    Args:
        client: The tenant.
        plan: The entity; only parts, procedures and runs are checked.
        state: What the last refresh stored.
        note: Receives notes for the user.
        found: Ids of missing and of unknown rows that no change shows; None if all rows are read and ids are not known.
        accepts_deletes: Whether every missing row counts as deleted.

    Raises:
        SuspiciousDeletesError: Some known flagged rows are missing, and ION shows no flagged row any more.
        IonApiError: ION cannot be asked.
    """
    if plan.name not in FLAGGED or plan.query is None:
        return
    flagged = state.known.controlled(plan.name)
    if not accepts_deletes:
        await _check_gone(client, plan, flagged, note=note, found=found)
    before = state.entities.get(plan.name)
    if before and before.watermark:
        await _note_newly_shown(client, plan, flagged, before.watermark, note=note, found=found)


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
            "shows no other: the key's owner has probably lost the export group.",
            remedy="Ask ION's administrator whether the owner of the API key is in the export group. If the owner is "
            "added again, create a new key: a key keeps the rights that its owner had when it was created. If the "
            "rows are really deleted, confirm it with --accept-deletes. Nothing was changed.",
        )


async def _note_newly_shown(
    client: IonClient,
    plan: EntityPlan,
    flagged: frozenset[int],
    since: datetime,
    *,
    note: Callable[[str], None],
    found: Differences | None,
) -> None:
    """Note unknown rows that have not changed since the last refresh: they were hidden, and are not new."""
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
            "the last refresh: the key's owner has probably joined the export group. They are not new in ION."
        )


async def _is_shown(client: IonClient, plan: EntityPlan, others: frozenset[int]) -> bool:
    """Whether ION shows any flagged row; if rows cannot be filtered by the flag, whether any known one is left."""
    if plan.query is None or not plan.query.tracking.flag:
        return bool(others)
    return await _count(client, plan, {plan.query.tracking.flag: {"eq": True}}) > 0


async def _is_missing(client: IonClient, plan: EntityPlan, flagged: frozenset[int]) -> bool:
    """Whether some of the rows known as flagged are missing from ION, flagged or not; checks a sample."""
    if plan.query is None or not plan.query.tracking.by_id:
        return True
    ids = sorted(flagged)[:_SAMPLE]
    return await _count(client, plan, {"id": {"in": ids}}) < len(ids)


async def _count(client: IonClient, plan: EntityPlan, filters: dict[str, Any]) -> int:
    if plan.query is None:
        raise AssertionError(f"{plan.name} has no query of its own")
    (reply,) = await ask(client, [Question(plan, plan.query, filters)], about=f"{plan.name} under export control")
    return reply.total if reply else 0
