"""The adaptive limiter against its definition, with a simulated clock."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion_pipeline.client.concurrency import AdaptiveLimiter, Window


def test_a_window_grows_by_one_a_round_up_to_its_maximum() -> None:
    window = Window(maximum=8)
    assert window.limit == 4
    for _ in range(5):
        window.grow(seconds=0.1)
    assert 4.9 < window.limit < 5.3
    for _ in range(100):
        window.grow(seconds=0.1)
    assert window.limit == 8


def test_a_slow_answer_does_not_make_it_grow() -> None:
    window = Window(maximum=8)
    window.grow(seconds=20)
    assert window.limit == 4


def test_it_halves_once_for_requests_in_flight_together() -> None:
    window = Window(maximum=64, limit=16)
    for _ in range(10):
        window.shrink(started_at=1.0, now=2.0)
    assert window.limit == 8
    window.shrink(started_at=2.5, now=3.0)
    assert window.limit == 4


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 64))
def test_it_stays_between_one_and_its_maximum(refusals: list[bool], maximum: int) -> None:
    window = Window(maximum=maximum)
    for now, refused in enumerate(refusals):
        if refused:
            window.shrink(started_at=now, now=now)
        else:
            window.grow(seconds=0.0)
        assert 1 <= window.limit <= maximum


class Clock:
    """A clock on which time passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def test_a_rate_is_kept() -> None:
    clock = Clock()
    limiter = AdaptiveLimiter(max_concurrency=10, requests_per_second=4, clock=lambda: clock.now, sleep=clock.sleep)
    starts = []

    async def run() -> None:
        for _ in range(9):
            async with limiter.slot():
                starts.append(clock.now)

    asyncio.run(run())
    assert starts == pytest.approx([index / 4 for index in range(9)])


def test_a_pause_holds_everyone_back() -> None:
    clock = Clock()
    limiter = AdaptiveLimiter(max_concurrency=10, clock=lambda: clock.now, sleep=clock.sleep)

    async def run() -> list[float]:
        async with limiter.slot():
            limiter.refused(started_at=0.0, pause=30.0)
        starts = []
        for _ in range(3):
            async with limiter.slot():
                starts.append(clock.now)
        return starts

    assert asyncio.run(run()) == [30.0, 30.0, 30.0]


def test_a_slot_is_released_in_any_case() -> None:
    limiter = AdaptiveLimiter(max_concurrency=1)

    async def run() -> int:
        with pytest.raises(RuntimeError):
            async with limiter.slot():
                raise RuntimeError
        return limiter.in_flight

    assert asyncio.run(run()) == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=1, max_size=60), st.integers(1, 4))
def test_no_slot_is_lost_or_doubled_under_cancellation(jobs: list[tuple[bool, int]], maximum: int) -> None:
    limiter = AdaptiveLimiter(max_concurrency=maximum)
    most = 0

    async def job(yields: int) -> None:
        nonlocal most
        async with limiter.slot():
            most = max(most, limiter.in_flight)
            for _ in range(yields):
                await asyncio.sleep(0)

    async def run() -> None:
        tasks = [asyncio.create_task(job(yields)) for _, yields in jobs]
        for step, ((cancelled, _), task) in enumerate(zip(jobs, tasks, strict=True)):
            if cancelled:
                for _ in range(step % 3):
                    await asyncio.sleep(0)
                task.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(*tasks, return_exceptions=True)
            # Whatever was cancelled, all slots are free again.
            await asyncio.gather(*(job(1) for _ in range(2 * maximum)))

    asyncio.run(run())
    assert limiter.in_flight == 0
    assert most <= maximum
