"""Every fault at every request of a refresh, wrong clocks and ceilings: what reports success is as the world is.

People change the tenant before and while it is read. What `raw` should hold is the world's own rows with the same
changes made in plain Python. A refresh may stop; the next one, with nothing wrong, has to bring what is missing.
`ION_TEST_CHAOS=all` tries every position; without it every fourth, another one for each kind.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ion_pipeline.client import retry
from tests.integration.changing_world import Change
from tests.integration.chaos import Chaos, chaos
from tests.integration.test_interleavings import DEEDS, People

pytestmark = pytest.mark.slow

KINDS = {
    "status 500": {"kind": "status", "status": 500},
    "status 503": {"kind": "status", "status": 503},
    "status 429": {"kind": "status", "status": 429, "retry_after": "0"},
    "status 403": {"kind": "status", "status": 403},
    "timeout": {"kind": "timeout"},
    "drop": {"kind": "drop"},
    "truncate": {"kind": "truncate"},
    "not_json": {"kind": "not_json"},
    "slow": {"kind": "slow"},
    "partial_error": {"kind": "partial_error"},
    "expire_tokens": {"kind": "expire_tokens"},
}
CLOCKS = (timedelta(minutes=10), timedelta(days=1))
# Each round: rows and lists of four entities change, come and go.
ALWAYS = ("change", "insert", "attribute", "link", "delete", "re-parent", "unwatched")
EVERY = 1 if os.environ.get("ION_TEST_CHAOS") == "all" else 4


class Rounds:
    """People's work, the same in every run: each round some of all deeds, at the rows that are there then."""

    def __init__(self, world: Chaos) -> None:
        self.tenant = world.tenant
        self._people = People(world.tenant)
        self._round = 0

    def now(self) -> list[Change]:
        self._round += 1
        made = self._people.changes(DEEDS[self._round % len(DEEDS)], 3 * self._round)
        for number, deed in enumerate(ALWAYS):
            self.tenant.change(*made)
            made = self._people.changes(deed, self._round + number)
        return made

    def meanwhile(self) -> list[Change]:
        return self._people.changes(DEEDS[self._round % len(DEEDS)], 5 * self._round)


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "full_jitter", lambda _config, _failures: 0.0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Chaos]:
    # The tenant grows by a part and shrinks by some rows each round; only what a fault hides may stop a refresh.
    with chaos(tmp_path, overlap_minutes=0) as tenant:
        yield tenant


def positions(world: Chaos, rounds: Rounds) -> int:
    """Requests of a refresh with nothing wrong."""
    world.change(rounds.now())
    world.front.arm()
    assert world.attempt() == "succeeded"
    return world.front.requests


def judge(world: Chaos, outcome: str, *, meanwhile: bool) -> list[str]:
    """Where raw is not as the world: after this refresh if it says so, and in any case after another one."""
    wrong = []
    if outcome == "succeeded" and not meanwhile:
        wrong += [f"at once: {one}" for one in world.tenant.differences()]
    return wrong + [f"afterwards: {one}" for one in world.settle()]


def test_every_fault_at_every_request(world: Chaos) -> None:
    rounds = Rounds(world)
    there = positions(world, rounds)
    cells, outcomes, wrong = Counter[str](), Counter[str](), list[str]()
    for kind, (name, rule) in enumerate(KINDS.items()):
        for position in range(there):
            if (position + kind) % EVERY:
                continue
            meanwhile = position % 2 == 1
            world.change(rounds.now())
            if meanwhile:
                world.change(rounds.meanwhile(), request=position + 1)
            world.break_one({**rule, "skip": position})
            outcome = world.attempt()
            if world.fired():
                cells[name] += 1
            outcomes[outcome] += 1
            found = judge(world, outcome, meanwhile=meanwhile)
            if found:
                wrong.append(f"{name} at request {position}: {found[:3]}")
                world.heal()
    logging.getLogger(__name__).info("%d requests; %s; %s; %s", there, dict(cells), dict(outcomes), dict(world.stops))
    assert wrong == []
    assert there >= 8
    assert cells.keys() == KINDS.keys()
    assert sum(cells.values()) >= len(KINDS) * there // (2 * EVERY)
    assert outcomes["succeeded"] > sum(outcomes.values()) // 2


def test_clocks_that_are_wrong(world: Chaos) -> None:
    rounds = Rounds(world)
    there = positions(world, rounds)
    cells, wrong = Counter[str](), list[str]()
    for size in CLOCKS:
        for ahead in (size, -size):
            for at in [None, *range(0, there, EVERY)]:
                world.change(rounds.now())
                world.front.arm(ahead, at)
                outcome = world.attempt()
                found = judge(world, outcome, meanwhile=False)
                # What comes next is what a watermark that has gone too far hides.
                world.change(rounds.now())
                found += judge(world, world.attempt(), meanwhile=False)
                cells[outcome] += 1
                if found:
                    wrong.append(f"{ahead} at {'all' if at is None else at}: {found[:3]}")
                    world.heal()
    logging.getLogger(__name__).info("%d requests; %s; %s", there, dict(cells), dict(world.stops))
    assert wrong == []
    assert cells["succeeded"] > 0


@pytest.mark.parametrize("limit", ["max_first", "cap_first"])
@pytest.mark.parametrize("most", [3, 8, 100])
def test_ceilings_of_the_page_size(world: Chaos, most: int, limit: str) -> None:
    wrong = changes_below(world, limit, most)
    # No request asks for more than the page size, and a tenant that refuses even that is asked for less.
    if most >= world.tenant.settings.page_size and world.front.limited:
        wrong.append(f"{world.front.limited} requests asked for more than {most} rows")
    assert wrong == []
    world.front.limit()
    assert world.settle() == []


def test_ceilings_of_what_a_query_costs(world: Chaos) -> None:
    # Less than what 8 rows of a part cost, and more than one row of anything.
    assert changes_below(world, "max_cost", 150) == []
    assert world.front.limited
    world.front.limit()
    assert world.settle() == []


def changes_below(world: Chaos, limit: str, most: int) -> list[str]:
    """Where raw is not as the world after each of some rounds of changes read below a limit."""
    rounds, outcomes, wrong = Rounds(world), Counter[str](), list[str]()
    world.front.arm()
    world.front.limit(**{limit: most})
    for number in range(4):
        world.change(rounds.now())
        outcome = world.attempt()
        outcomes[outcome] += 1
        found = [] if outcome == "succeeded" else [f"it {outcome}"]
        found += world.tenant.differences()
        if found:
            wrong.append(f"round {number}: {found[:3]}")
    logging.getLogger(__name__).info("%s %d; %s; %s", limit, most, dict(outcomes), dict(world.stops))
    return wrong
