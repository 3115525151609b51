"""ION's clock is the earliest that the answers allow."""

from datetime import UTC, datetime, timedelta

import pytest

from ion_pipeline.client import clock as clock_module
from ion_pipeline.client.clock import ServerClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "machine_time", lambda: NOON + timedelta(minutes=30))


def clock_after(*answers: tuple[float, datetime | None], now: float) -> ServerClock:
    """A clock that received headers at some seconds and is read at another second."""
    at = [0.0]
    clock = ServerClock(lambda: at[0])
    for second, header in answers:
        at[0] = second
        clock.observe(header)
    at[0] = now
    return clock


def test_it_advances_between_answers() -> None:
    assert clock_after((0, NOON), (5, None), now=61.5).ion == NOON + timedelta(seconds=61)
    assert clock_after((5, None), now=6).now is None


@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_one_answer_a_day_ahead_changes_nothing(wrong: int) -> None:
    answers = [(float(n), NOON + timedelta(seconds=n, days=n == wrong)) for n in range(3)]
    clock = clock_after(*answers, now=3)
    assert clock.ion == NOON + timedelta(seconds=3)
    assert clock.spread == timedelta(days=1)


def test_the_earlier_of_the_two_clocks_is_taken() -> None:
    assert clock_after((0, NOON + timedelta(days=1)), now=1).now == NOON + timedelta(minutes=30)
    assert clock_after((0, NOON), now=1).now == NOON + timedelta(seconds=1)
