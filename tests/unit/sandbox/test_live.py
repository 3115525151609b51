"""A plant that keeps working: the same ticks give the same changes, and nothing but plans is ahead of the clock."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ion_pipeline.errors import SettingsError
from ion_pipeline.sandbox.factory import build_plant, build_world
from ion_pipeline.sandbox.factory.live import Change, Plant, Tick
from ion_pipeline.sandbox.live import keep_working
from ion_pipeline.sandbox.model import today_model
from ion_pipeline.sandbox.server import SandboxOptions, build_app
from ion_pipeline.sandbox.world import check_world
from tests.unit.sandbox.factory_worlds import SMALL, digest

BEGIN = datetime(2026, 11, 30, 8, tzinfo=UTC)
APART, DAY = timedelta(seconds=20), timedelta(minutes=10)
#: What somebody plans for later; everything else has happened.
PLANS = {
    "dueDate", "scheduledEnd", "needDate", "estimatedArrivalDate", "estimatedArrival", "endTime", "forecastedEndTime",
    "forecastedStartTime",
}  # fmt: skip


def plant() -> Plant:
    return Plant(build_plant(scale=SMALL, today=BEGIN.date())[1], BEGIN, DAY)


@cache
def worked() -> tuple[list[Tick], Plant]:
    """A hundred and fifty ticks, done once."""
    found = plant()
    return [found.tick(BEGIN + APART * number) for number in range(1, 151)], found


def test_a_plant_begins_with_the_world_of_its_date() -> None:
    world, _ = build_plant(scale=SMALL, today=date(2026, 11, 30))
    assert digest(world) == digest(build_world(scale=SMALL, today=date(2026, 11, 30), todays_ion=True))


@pytest.mark.slow
def test_the_same_ticks_give_the_same_changes() -> None:
    again = plant()
    assert [again.tick(BEGIN + APART * number) for number in range(1, 31)] == worked()[0][:30]


@pytest.mark.slow
def test_everything_that_a_plant_does_happens() -> None:
    done: Counter[tuple[str, str]] = Counter()
    outcomes: Counter[tuple[str, str]] = Counter()
    for tick in worked()[0]:
        for change in tick.changes:
            done[change["op"], change["entity"]] += 1
            values = change.get("row") or change.get("values") or {}
            outcomes.update((change["entity"], values[name]) for name in ("status", "result") if name in values)
    for entity in ("runs", "abomInstallations", "issues", "purchaseOrders", "receipts", "partInventories", "redlines"):
        assert done["add", entity] > 0, entity
    assert done["delete", "abomInstallations"] + done["update", "partInventories"] > 0
    for wanted in (
        ("runSteps", "COMPLETE"),
        ("runSteps", "FAILED"),
        ("runStepFieldValidations", "PASS"),
        ("runStepFieldValidations", "FAIL"),
        ("issues", "RESOLVED"),
        ("purchaseOrders", "RECEIVED"),
        ("runs", "COMPLETE"),
    ):
        assert outcomes[wanted] > 0, wanted


@pytest.mark.slow
def test_what_happens_is_between_two_ticks_and_plans_are_ahead() -> None:
    seen = ahead = 0
    for number, tick in enumerate(worked()[0], 1):
        now = BEGIN + APART * number
        assert 0 < tick.share <= 1
        for change in tick.changes:
            values: dict[str, Any] = change.get("row") or change.get("values") or {}
            if "_updated" in values:
                assert datetime.fromisoformat(values["_updated"]) == now
            for name in ("_created", "startTime", "receivedAt", "orderedAt"):
                if change["op"] == "add" and change["entity"] != "planItems" and values.get(name):
                    assert now - APART <= datetime.fromisoformat(values[name]) <= now, (change["entity"], name)
                    seen += 1
            for name, value in values.items():
                if name in PLANS or not isinstance(value, str) or not value.endswith("+00:00"):
                    continue
                assert datetime.fromisoformat(value) <= now, (change["entity"], name)
            if change["op"] == "add" and change["entity"] == "purchaseOrderLines":
                assert now < datetime.fromisoformat(values["estimatedArrivalDate"]) < now + 100 * DAY
                ahead += 1
    assert seen > 500
    assert ahead > 0


@pytest.mark.slow
def test_the_plants_own_rows_stay_a_valid_world() -> None:
    _, found = worked()
    world, _ = build_plant(scale=SMALL, today=BEGIN.date())
    world.tables = found.factory.store.tables()
    check_world(world, today_model())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"profile": "full"}, 'profile "full" also serves generation 1'),
        ({"profile": "today", "day_minutes": 0.0}, "a day takes it some time"),
        ({"profile": "today", "world": Path("world")}, "in its own world only"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        build_app(SandboxOptions(**{"day_minutes": 10.0, **options}), "secret")


class EnoughError(Exception):
    """Ends the plant's work."""


def test_work_goes_on_until_it_is_stopped_and_its_errors_are_not_lost() -> None:
    posted: list[list[Change]] = []

    def post(changes: list[Change]) -> None:
        posted.append(changes)
        if len(posted) == 4:
            raise EnoughError

    begun = datetime.now(UTC)
    with pytest.raises(EnoughError):
        asyncio.run(keep_working(Plant(build_plant(scale=SMALL, today=begun.date())[1], begun, DAY), post, timedelta()))
    again, now = Plant(build_plant(scale=SMALL, today=begun.date())[1], begun, DAY), begun
    for changes in posted:
        now += APART
        expected = again.tick(now).changes
        assert [(one["op"], one["entity"]) for one in changes] == [(one["op"], one["entity"]) for one in expected]
