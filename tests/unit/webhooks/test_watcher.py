"""When a refresh is due: seconds are numbers here, and nothing waits."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ion_pipeline.catalog import known_catalog
from ion_pipeline.webhooks import Due, Event, Inbox, Pace, Watcher
from tests.examples import examples

SELECTED = ("parts", "runs", "suppliers")


class House:
    """An inbox and its watcher."""

    def __init__(self, folder: Path, pace: Pace) -> None:
        self.inbox = Inbox(folder / "events.sqlite")
        self.pace = pace
        self.number = 0

    def arrives(self, resource: str = "parts") -> None:
        self.number += 1
        self.inbox.store(Event(f"event-{self.number}", resource, "1"))

    def watch(self, now: float = 0) -> Watcher:
        return Watcher(self.inbox, known_catalog(), SELECTED, self.pace, now)

    def started(self) -> Watcher:
        """A watcher after its first refresh, at second 0."""
        watcher = self.watch()
        due = watcher.due(0)
        assert due
        watcher.succeeded(due, 0)
        return watcher


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path, Pace(every=60, settle=1, longest=10, retry=5))


def entities(due: Due | None) -> tuple[str, ...] | None:
    assert due
    return due.entities


def test_the_first_refresh_reads_everything_and_covers_what_waited(house: House) -> None:
    house.arrives()
    watcher = house.watch()
    first = watcher.due(0)
    assert first == Due(None, 0, None, 1)
    watcher.succeeded(first, 0)
    assert watcher.due(59.9) is None
    assert entities(watcher.due(60)) is None


def test_events_that_arrive_together_are_one_refresh_of_what_they_name(house: House) -> None:
    watcher = house.started()
    house.arrives("RUNS")
    assert watcher.due(10) is None
    house.arrives("PART")
    assert watcher.due(10.5) is None
    assert watcher.due(11.4) is None
    due = watcher.due(11.5)
    assert due
    assert (due.entities, due.events) == (("parts", "runs"), 2)
    assert due.received_at
    watcher.succeeded(due, 11.5)
    assert watcher.due(20) is None
    # The time of the next complete refresh is not put off.
    assert entities(watcher.due(60)) is None


def test_events_that_never_pause_wait_no_longer_than_the_longest(house: House) -> None:
    watcher = house.started()
    for tenth in range(100, 200, 5):
        house.arrives()
        assert watcher.due(tenth / 10) is None
    assert entities(watcher.due(20)) == ("parts",)


def test_an_event_during_a_refresh_leads_to_another_one(house: House) -> None:
    watcher = house.started()
    house.arrives("parts")
    assert watcher.due(10) is None
    due = watcher.due(11)
    assert due
    house.arrives("runs")
    watcher.succeeded(due, 11)
    assert watcher.due(13) is None
    assert entities(watcher.due(14)) == ("runs",)


def test_events_of_what_is_not_read_lead_to_nothing(house: House) -> None:
    watcher = house.started()
    house.arrives("api_keys")
    house.arrives("users")
    assert [watcher.due(second) for second in (10, 11, 12)] == [None] * 3
    house.arrives("suppliers")
    assert watcher.due(20) is None
    due = watcher.due(21)
    assert due
    assert (due.entities, due.events) == (("suppliers",), 1)


def test_a_refresh_that_failed_is_repeated_later_and_later_with_its_events(house: House) -> None:
    watcher = house.started()
    house.arrives()
    assert watcher.due(10) is None
    now, waits = 11.0, []
    for _ in range(6):
        due = watcher.due(now)
        assert due
        assert due.position == 1
        waits.append(watcher.failed(now))
        assert watcher.due(now + waits[-1] - 0.1) is None
        now += waits[-1]
    assert waits == [5, 10, 20, 40, 60, 60]
    due = watcher.due(now)
    assert due
    watcher.succeeded(due, now)
    house.arrives()
    assert watcher.due(now + 1) is None
    assert watcher.due(now + 2)
    assert watcher.failed(now + 2) == 5


STEPS = st.lists(
    st.tuples(st.sampled_from(["event", "wait", "fails"]), st.floats(0.1, 30), st.sampled_from(SELECTED)), max_size=40
)


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_every_event_is_read_after_it_arrived(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, float, str]]
) -> None:
    house = House(tmp_path_factory.mktemp("inbox"), Pace(every=60, settle=1, longest=10, retry=5))
    watcher, now = house.started(), 0.0
    unread: set[str] = set()
    for what, seconds, entity in [*steps, *[("wait", 70.0, "parts")] * 2]:
        now += seconds
        if what == "event":
            house.arrives(entity)
            unread.add(entity)
        due = watcher.due(now)
        if due is None:
            continue
        if what == "fails":
            watcher.failed(now)
            continue
        watcher.succeeded(due, now)
        unread -= set(SELECTED if due.entities is None else due.entities)
    assert unread == set()
