"""A bound for what could wait forever: a child process that says nothing, a thread that does not end, a lost answer."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

# What fails may wait again while it is cleared up, such as for a child process: that is interrupted too.
_AGAIN = 10.0


@contextmanager
def bounded(what: str, seconds: float) -> Iterator[None]:
    """Fail if the block takes longer, at the line that waits. Only the main thread can use it.

    A call into a library in C is interrupted when it returns to Python.
    """

    def stop(*_: object) -> None:
        pytest.fail(f"{what} is not done after {seconds:g} s: this line waits for what does not come")

    handler = signal.signal(signal.SIGALRM, stop)
    outer = signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *outer)
        signal.signal(signal.SIGALRM, handler)
