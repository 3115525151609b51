"""What changed while everything was read: asked once, at the end, so that a first read says how consistent it is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ion_pipeline.client import IonClient
from ion_pipeline.extract.decide import Known, amount, decide
from ion_pipeline.extract.plan import Plan
from ion_pipeline.extract.results import EntityResult


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
        if result.status == "read" and query and query.watch.updated and clock is not None:
            known[result.entity] = Known(result.rows, clock)
    asked = replace(plan, entities=tuple(entity for entity in plan.entities if entity.name in known))
    tasks = await decide(client, asked, known, page_size=page_size)
    unsettled = {task.plan.name: amount(task, known[task.plan.name].rows) for task in tasks}
    return [replace(result, unsettled=unsettled.get(result.entity, result.unsettled)) for result in results]
