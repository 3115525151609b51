"""A world for another date: instants are moved by whole weeks, nothing else changes, nothing is in the future."""

import re
from datetime import date, datetime, timedelta

import orjson
import pytest

from ion_pipeline.sandbox.factory import build_world
from ion_pipeline.sandbox.factory.clock import TODAY
from ion_pipeline.sandbox.world import Row, World, check_world
from tests.unit.sandbox.factory_worlds import SMALL, digest, small_factory

#: Plans that are made anew in each calendar month, and so are not those of other months after a move.
MONTHLY = re.compile(r"Plan 20\d\d-\d\d$")


def everything_but_monthly_plans(world: World) -> dict[str, list[Row]]:
    """The entities that the monthly plans are not in, and that no later id or etag depends on."""
    return {root: world.tables[root] for root in ("runs", "runSteps", "receipts", "purchaseOrderLines", "parts")}


def without_etags(rows: dict[str, list[Row]]) -> str:
    return re.sub(r'"(_etag|Etag|entityId|LastSessionId)":[^,}]*', "", orjson.dumps(rows).decode())


def test_a_move_changes_the_days_alone() -> None:
    weeks = 21

    def moved(found: re.Match[str]) -> str:
        return f'"{date.fromisoformat(found[1]) + timedelta(weeks=weeks)}{found[2]}"'

    fixed = without_etags(everything_but_monthly_plans(small_factory()))
    world = build_world(scale=SMALL, today=TODAY + timedelta(weeks=weeks))
    check_world(world)
    expected, count = re.subn(r'"(\d{4}-\d\d-\d\d)(T[^"]*|)"', moved, fixed)
    assert count > 3_000
    assert without_etags(everything_but_monthly_plans(world)) == expected


@pytest.mark.slow
@pytest.mark.parametrize("today", [date(2026, 11, 28), date(2026, 11, 30), date(2027, 3, 1)])
def test_a_world_ends_on_the_last_working_day_before_its_date(today: date) -> None:
    world = build_world(scale=1.0, today=today)
    last = max(row["_updated"] for rows in world.tables.values() for row in rows if "_updated" in row)
    before = today - timedelta(days=1)
    while before.weekday() > 4:
        before -= timedelta(days=1)
    assert datetime.fromisoformat(last).date() == before
    plans = sorted(row["name"] for row in world.tables["plans"] if MONTHLY.match(row["name"]))
    made = [row["_created"][:7] for row in world.tables["plans"] if MONTHLY.match(row["name"])]
    assert plans == [f"Plan {month}" for month in made]
    assert made[-1] == f"{before:%Y-%m}"


def test_the_same_date_gives_the_same_bytes_and_the_fixed_one_gives_the_fixed_world() -> None:
    assert digest(build_world(scale=SMALL, today=TODAY)) == digest(small_factory())
    day = date(2026, 11, 27)
    first = build_world(scale=SMALL, today=day, todays_ion=True)
    assert digest(first) == digest(build_world(scale=SMALL, today=day, todays_ion=True))
