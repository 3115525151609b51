"""A signal ends the process correctly, even if another library swallows what its handler raises."""

import os
import signal
from collections.abc import Iterator

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

    def kill(value: int) -> int:
        if value == 1:
            os.kill(os.getpid(), number)
        return value

    with duckdb.connect() as connection:
        connection.create_function("kill", kill, ["BIGINT"], "BIGINT")
        # The query ends only by the signal.
        endless = (
            "select count(*) from (select kill(range) as x from range(9)), range(1000000000) as a, range(1000000) as b"
        )
        with pytest.raises(raised), ends_by_signal():
            connection.execute(endless + " where (a.range * b.range) % 7 = x")


def test_other_errors_are_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), ends_by_signal():
        1 / 0  # noqa: B018
