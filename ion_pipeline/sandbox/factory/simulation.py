"""Creates a factory and simulates its days."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

from ion_pipeline.sandbox.factory import jobs, purchasing
from ion_pipeline.sandbox.factory.bought_parts import TOOLS
from ion_pipeline.sandbox.factory.catalogue import PARTS, PRODUCTS, use_per_product
from ion_pipeline.sandbox.factory.changes import schedule_changes
from ion_pipeline.sandbox.factory.clock import FIRST_DAY, at
from ion_pipeline.sandbox.factory.context import Engineering, Factory
from ion_pipeline.sandbox.factory.engineering import build_parts, plan_next_versions
from ion_pipeline.sandbox.factory.inventory import new_inventory, next_serial
from ion_pipeline.sandbox.factory.planning import plan_month
from ion_pipeline.sandbox.factory.procedures import build_procedures
from ion_pipeline.sandbox.factory.reference import build_reference
from ion_pipeline.sandbox.factory.store import Store

_PARTS_BEGIN = date(2024, 3, 11)
_PROCEDURES_BEGIN = date(2024, 11, 4)
_OPENING = date(2025, 12, 15)
_NEXT_VERSIONS = date(2026, 1, 2)
_LOT_DAYS = 15


def new_factory(*, seed: int, products_per_day: float, moved: timedelta = timedelta()) -> Factory:
    """A factory before its first day, with people, designs, procedures and tools."""
    store = Store()
    ref = build_reference(store)
    design = Engineering()
    build_parts(store, ref, design, at(_PARTS_BEGIN))
    build_procedures(store, ref, design, at(_PROCEDURES_BEGIN))
    f = Factory(store, random.Random(seed), ref, design, products_per_day=products_per_day, moved=moved)
    schedule_changes(f)
    plan_next_versions(store, design, f.rng, ["ENG-1100", "AV-2110", "RA-3100"], at(_NEXT_VERSIONS),
                       ref.people["engineer"][0])  # fmt: skip
    for number, _, count in TOOLS:
        f.tools += [
            new_inventory(f, design.part(number), at(_OPENING), ref.admin, serial=next_serial(f, number),
                          maintenanceStatus="AVAILABLE", usageType="TOOL")
            for _ in range(count)
        ]  # fmt: skip
    return f


def open_stock(f: Factory) -> None:
    """Adds the opening stock, in the quantities that the factory's rate needs."""
    purchasing.open_stock(f, purchasing.needs(f), at(_OPENING, 9))


def step_day(f: Factory, day: date) -> None:
    """Simulates one day: due deliveries, issues and jobs, orders for low stock, and new products."""
    for _ in work_day(f, day):
        pass


def work_day(f: Factory, day: date) -> Iterator[None]:
    """Simulates one day, and yields after each piece of work that somebody does."""
    if (day + f.moved).month != (f.day + f.moved).month:
        plan_month(f, day)
    f.day = day
    for task in f.agenda.pop(day, []):
        task.run(f)
        yield
    purchasing.replenish(f, purchasing.needs(f))
    yield
    jobs.replenish_lots(f, _lots(f))
    f.owed += f.products_per_day if day > FIRST_DAY else 1.0
    while f.owed >= 1.0:
        f.owed -= 1.0
        jobs.order(f, PRODUCTS[f.started % len(PRODUCTS)])
        f.started += 1
    yield


def _lots(f: Factory) -> dict[str, float]:
    """The reorder levels of parts that are made to stock in lots."""
    use = use_per_product()
    on_assembly = {line.part for spec in PARTS.values() for line in spec.lines if line.made_on_assembly}
    per_day = f.products_per_day / len(PRODUCTS)
    return {
        spec.number: use[spec.number] * (1 + per_day * _LOT_DAYS)
        for spec in PARTS.values()
        if spec.is_made and spec.tracking == "LOT" and spec.number not in on_assembly
    }
