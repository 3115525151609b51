"""Keeps a plant working while its sandbox is served: the clock and the pauses, which `factory.live` leaves out."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from ion_pipeline.sandbox.deliveries import Deliveries
from ion_pipeline.sandbox.factory.live import Change, Plant


async def keep_working(
    plant: Plant,
    post: Callable[[list[Change]], None],
    day_length: timedelta,
    deliveries: Deliveries | None = None,
) -> None:
    """Show the plant's work piece by piece, until cancelled.

    Args:
        plant: The plant.
        post: Applies changes to the rows that are served.
        day_length: The time in which the plant works a day.
        deliveries: Sends events of the changes; None if nobody receives them.
    """

    async def work() -> None:
        while True:
            # In a thread, because requests are answered meanwhile.
            await asyncio.to_thread(plant.work_ahead)
            tick = plant.tick(datetime.now(UTC))
            post(tick.changes)
            if deliveries:
                deliveries.add(tick.changes)
            await asyncio.sleep(tick.share * day_length.total_seconds())

    if deliveries:
        await asyncio.gather(work(), deliveries.deliver())
    else:
        await work()
