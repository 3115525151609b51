"""Random runs that cover unusual cases: steps in any state, repeated, nested, added; of lots, several units or none."""

import random
from datetime import datetime, timedelta

from tests.oracle.shop_builder import ShopBuilder

_STATES = ("COMPLETE",) * 6 + ("FAILED",) * 3 + ("CANCELED", "TODO", "IN_PROGRESS", "HOLD", "REDLINE", "DAG_MODIFIABLE")
_TITLES = ("Turn", "Wash (optional)", "Rework seam", "Test", "Glue", "(Optional) polish", "Weld")
_TROUBLES = (None,) * 8 + ("limit", "redline", "issue")


def random_floor(shop: ShopBuilder, seed: int, procedures: int = 5, runs: int = 25) -> None:
    """Add procedures, units and runs to a world; the same seed adds the same."""
    rng = random.Random(seed)
    for number in range(procedures):
        shop.now = datetime.fromisoformat("2026-04-28T22:00:00+00:00")
        inside = rng.choices(_TITLES, k=rng.choice((0, 0, 2)))
        steps = shop.procedure(f"Random {number}", rng.choices(_TITLES, k=rng.randint(1, 5)), inside=inside)
        parts = [shop.part(rng.choice(("SERIAL", "SERIAL", "LOT", None))) for _ in range(2)]
        units = [shop.unit(part, rng.choice((1.0, 4.0, 0.5))) for part in parts for _ in range(4)]
        for _ in range(runs):
            _run(rng, shop, steps, units)


def _run(rng: random.Random, shop: ShopBuilder, steps: list[int], units: list[int]) -> None:
    chosen: list[int | None] = [step for step in steps if rng.random() < 0.8] or [steps[0]]
    if rng.random() < 0.2:
        chosen.append(None)
    makes = rng.sample(units, rng.choice((0, 0, 1, 3)))
    unit = rng.choice((*units, None))
    run_steps = shop.run(chosen, unit, originPartInventories=[{"id": one} for one in makes], partId=None)
    shop.now += timedelta(minutes=rng.choice((1, 600, 2000)))
    for run_step in run_steps:
        status = rng.choice(_STATES)
        row = shop.row("runSteps", run_step)
        if status in ("COMPLETE", "FAILED", "CANCELED"):
            shop.end(run_step, status, trouble=_trouble(rng, shop, run_step))
        else:
            shop.leave(run_step, status, started=rng.random() < 0.6)
        if rng.random() < 0.5:
            begin = shop.tick()
            shop.session(row, begin, shop.tick() if rng.random() < 0.8 else None)
        if shop.world["issues"] and shop.world["issues"][-1]["runStepId"] == run_step:
            for one in rng.sample(units, rng.choice((0, 1, 3))):
                link = {"issueId": shop.world["issues"][-1]["id"], "partInventoryId": one, "fromSplitInventory": False}
                shop.world["issuePartInventories"].append(link)


def _trouble(rng: random.Random, shop: ShopBuilder, run_step: int) -> str | None:
    trouble = rng.choice(_TROUBLES)
    has_field = any(field["runStepId"] == run_step for field in shop.world["runStepFields"])
    return trouble if has_field or trouble != "limit" else None
