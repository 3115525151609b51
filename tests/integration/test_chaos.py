"""Every fault at every request of a refresh, wrong clocks and ceilings: what reports success is as the world is.

People change the tenant before and while it is read. What `raw` should hold is the world's own rows with the same
changes made in plain Python. A refresh may stop; the next one, with nothing wrong, has to bring what is missing.
`ION_TEST_CHAOS=all` tries every position, and settles after each; without it each kind has one position, spread over
all of them, and what was right at once is not read again.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from ion_pipeline.client import retry
from tests.integration.support.changing_world import PAGE, Change, Row, add
from tests.integration.support.chaos import Chaos, chaos
from tests.integration.support.people import DEEDS, People

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

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
FEWEST = 15
ALL = os.environ.get("ION_TEST_CHAOS") == "all"
CEILINGS = [(most, limit) for most in ((3, PAGE, 100) if ALL else (3,)) for limit in ("max_first", "cap_first")]


class Rounds:
    """People's work, the same in every run: each round some of all deeds, at the rows that are there then."""

    def __init__(self, world: Chaos) -> None:
        self.chaos, self.tenant = world, world.tenant
        self._people = People(world.tenant)
        self._round = 0

    def now(self) -> None:
        """All deeds of a round, in one request."""
        self._round += 1
        made = self._replaced()
        for change in made:
            self.tenant.world.apply(change)
        deeds = [(DEEDS[self._round % len(DEEDS)], 3 * self._round)]
        deeds += [(deed, self._round + number) for number, deed in enumerate(ALWAYS)]
        for deed, which in deeds:
            for change in self._people.changes(deed, which):
                self.tenant.world.apply(change)
                made.append(change)
        self.tenant.send(made)

    def _replaced(self) -> list[Change]:
        """New rows where rounds have deleted many: a tenant of few rows would look restored, or be empty."""
        made = []
        tables: tuple[tuple[str, str, Row], ...] = (
            ("build_requirements", "buildRequirements", {"partId": 10}),
            ("abom_installations", "abomInstallations", {"quantity": 1}),
            ("parts", "parts", {"description": "made up for"}),
        )
        for name, root, values in tables:
            ids = range(1_000_000 + 100 * self._round, 1_000_000 + 100 * self._round + FEWEST)
            made += [add(root, id=row_id, **values) for row_id in ids[len(self.tenant.world.rows[name]) :]]
        return made

    def meanwhile(self) -> list[Change]:
        return self._people.changes(DEEDS[self._round % len(DEEDS)], 5 * self._round)


@pytest.fixture(scope="module", autouse=True)
def _without_pauses() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retry, "full_jitter", lambda _config, _failures: 0.0)
        logging.getLogger("httpx").setLevel(logging.WARNING)
        yield


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rounds]:
    """A tenant that refuses more than the page size, for faults and clocks: nothing ever asks for more.

    It grows by a part and shrinks by some rows each round; only what a fault hides may stop a refresh.
    """
    with chaos(tmp_path_factory.mktemp("chaos"), overlap_minutes=0) as tenant:
        tenant.front.limit(max_first=PAGE)
        yield Rounds(tenant)


def positions(rounds: Rounds) -> int:
    """Requests of a refresh with nothing wrong."""
    rounds.now()
    rounds.chaos.front.arm()
    assert rounds.chaos.attempt() == "succeeded"
    return rounds.chaos.front.requests


def judge(world: Chaos, outcome: str, *, meanwhile: bool) -> list[str]:
    """Where raw is not as the world: after this refresh if it says so, and in any case after another one."""
    refused = world.front.limited
    wrong = [f"{refused} requests asked for too many rows"] if refused else []
    if outcome == "succeeded" and not meanwhile:
        wrong += [f"at once: {one}" for one in world.tenant.differences()]
        if not ALL and not wrong:
            return []
    return wrong + [f"afterwards: {one}" for one in world.settle()]


def test_every_fault_at_every_request(rounds: Rounds) -> None:
    world, there = rounds.chaos, positions(rounds)
    cells, outcomes, wrong = Counter[str](), Counter[str](), list[str]()
    for kind, (name, rule) in enumerate(KINDS.items()):
        # Seven has no factor in common with the number of kinds: early, late and in between.
        for position in range(there) if ALL else [7 * kind % there]:
            meanwhile = position % 2 == 1
            rounds.now()
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
    assert sum(cells.values()) >= len(KINDS) * (there if ALL else 1) // 2
    assert outcomes["succeeded"] > sum(outcomes.values()) // 2


def test_clocks_that_are_wrong(rounds: Rounds) -> None:
    world, there = rounds.chaos, positions(rounds)
    cells, wrong = Counter[str](), list[str]()
    for size in CLOCKS:
        for ahead in (size, -size):
            # All answers are what a wrong clock does; one alone, a day ahead, what a load balancer does.
            some: list[int | None] = [there // 2] if ahead > timedelta(hours=1) else [None]
            for at in [None, *range(there)] if ALL else some:
                rounds.now()
                world.front.arm(ahead, at)
                outcome = world.attempt()
                found = judge(world, outcome, meanwhile=False)
                # What comes next is what a watermark that has gone too far hides.
                rounds.now()
                found += judge(world, world.attempt(), meanwhile=False)
                cells[outcome] += 1
                if found:
                    wrong.append(f"{ahead} at {'all' if at is None else at}: {found[:3]}")
                    world.heal()
    logging.getLogger(__name__).info("%d requests; %s; %s", there, dict(cells), dict(world.stops))
    assert wrong == []
    assert cells["succeeded"] > 0


@pytest.mark.parametrize(("most", "limit"), CEILINGS)
def test_ceilings_of_the_page_size(tmp_path: Path, most: int, limit: str) -> None:
    with below(tmp_path, **{limit: most}) as world:
        # No request asks for more than the page size, and a tenant that refuses even that is asked for less.
        assert most < PAGE or not world.front.limited


def test_ceilings_of_what_a_query_costs(tmp_path: Path) -> None:
    # Less than what 8 rows of a part cost, and more than one row of anything.
    with below(tmp_path, max_cost=150) as world:
        assert world.front.limited


@contextmanager
def below(folder: Path, **limit: int) -> Iterator[Chaos]:
    """A tenant of its own, for the size that one accepts is kept, after rounds of changes read below a limit."""
    with chaos(folder, overlap_minutes=0) as world:
        rounds, outcomes, wrong = Rounds(world), Counter[str](), list[str]()
        world.front.arm()
        world.front.limit(**limit)
        for number in range(4 if ALL else 2):
            rounds.now()
            outcome = world.attempt()
            outcomes[outcome] += 1
            found = [] if outcome == "succeeded" else [f"it {outcome}"]
            found += world.tenant.differences()
            if found:
                wrong.append(f"round {number}: {found[:3]}")
        logging.getLogger(__name__).info("%s; %s; %s", limit, dict(outcomes), dict(world.stops))
        assert wrong == []
        yield world
        world.front.limit()
        assert world.settle() == []
