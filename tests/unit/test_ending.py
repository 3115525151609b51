"""A signal ends the process correctly, even if another library swallows what its handler raises."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from ion_pipeline.ending import Terminated, ends_by_signal, unwind_on_sigterm


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "raised"), [(signal.SIGTERM, Terminated), (signal.SIGINT, KeyboardInterrupt)])
def test_a_signal_in_the_middle_of_a_query(number: signal.Signals, raised: type[BaseException]) -> None:
    unwind_on_sigterm()
    signal.signal(signal.SIGINT, signal.default_int_handler)

    begun = threading.Event()

    def note(value: int) -> int:
        begun.set()
        return value

    def kill() -> None:
        assert begun.wait(60)
        os.kill(os.getpid(), number)

    # One thread: the query comes back to Python often, where it sees the signal. A task of several threads may not.
    with duckdb.connect(config={"threads": 1}) as connection, ThreadPoolExecutor(1) as killer:
        connection.create_function("note", note, ["BIGINT"], "BIGINT")
        killed = killer.submit(kill)
        # The query ends only by the signal.
        endless = "select count(*) from range(1000000000000000) where range % 7 = 3 and (range > 10 or note(range) > 0)"
        with pytest.raises(raised), ends_by_signal():
            connection.execute(endless)
        killed.result(60)


def test_other_errors_are_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), ends_by_signal():
        1 / 0  # noqa: B018
