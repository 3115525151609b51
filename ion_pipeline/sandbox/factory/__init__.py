"""A seeded simulation of a factory for rocket engines, flight computers and robot arms; it produces a world."""

from collections import defaultdict
from datetime import date, timedelta

from ion_pipeline.sandbox.factory.clock import TODAY, period_for, working_days
from ion_pipeline.sandbox.factory.context import Factory
from ion_pipeline.sandbox.factory.generation1 import derive_generation1
from ion_pipeline.sandbox.factory.moving import move
from ion_pipeline.sandbox.factory.planning import link_results
from ion_pipeline.sandbox.factory.planted import plant
from ion_pipeline.sandbox.factory.simulation import new_factory, open_stock, step_day
from ion_pipeline.sandbox.factory.today import add_today
from ion_pipeline.sandbox.world import World

__all__ = ["add_today", "build_plant", "build_world"]

_ORGANIZATION = {
    "id": 1,
    "name": "Kestrel Works, Raketen & Roboter ⚙",
    "domain": "factory.example",
    "orgSchema": "factory",
    "settings": {"numReviewersRequired": 1, "datetimeFormat": "YYYY-MM-DD HH:mm"},
}


def build_world(*, seed: int = 7, scale: float = 1.0, today: date = TODAY, todays_ion: bool = False) -> World:
    """Builds a world.

    Args:
        seed: Seed of the random numbers; the same seed, scale and date give the same world, byte for byte.
        scale: 1 is about 20,000 rows over all entities; a small fixed part is in every world.
        today: The date that the world is for: it ends on the last working day before.
        todays_ion: Add what only today's ION records (`add_today`).
    """
    return _built(seed, scale, today, todays_ion)[0]


def build_plant(
    *, seed: int = 7, scale: float = 1.0, today: date = TODAY, todays_ion: bool = True
) -> tuple[World, Factory]:
    """Builds a world as `build_world`, and the factory at its end, which can continue; they share their rows."""
    world, factory = _built(seed, scale, today, todays_ion)
    factory.store.catch_up()
    factory.day += factory.moved
    factory.agenda = defaultdict(list, {day + factory.moved: tasks for day, tasks in factory.agenda.items()})
    factory.moved = timedelta()
    return world, factory


def _built(seed: int, scale: float, today: date, todays_ion: bool) -> tuple[World, Factory]:
    last_day, moved = period_for(today)
    factory = new_factory(seed=seed, products_per_day=_products_per_day(scale), moved=moved)
    truths = plant(factory)
    open_stock(factory)
    for day in working_days(last=last_day):
        step_day(factory, day)
    link_results(factory)
    derive_generation1(factory.store)
    tables = factory.store.tables()
    truths["rows"] = {root: len(rows) for root, rows in tables.items()}
    world = World(tables=tables, organization=dict(_ORGANIZATION), truths=truths)
    if todays_ion:
        add_today(world)
    move(world, moved)
    return world, factory


def _products_per_day(scale: float) -> float:
    """End products to start per working day, so that the world has about `scale` times 20,000 rows."""
    return max(0.45 * scale - 0.06, 0.25 * scale)
