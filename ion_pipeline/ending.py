"""How a process ends on request: SIGTERM unwinds like Ctrl-C, so that locks are given back and children end.

Ctrl-C stays Python's `KeyboardInterrupt`. Dagster puts a handler of its own in the place of both while it runs a job,
which does not say which of the two came: `noted_signals` does.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_STOP_SECONDS = 10.0
# As a shell shows a process that a signal has ended: 128 and its number.
TERMINATED = 128 + signal.SIGTERM


class Terminated(SystemExit):
    """SIGTERM came. Not handled, it ends the process with the usual exit code, 143."""

    def __init__(self) -> None:
        super().__init__(TERMINATED)


def unwind_on_sigterm() -> None:
    """Have SIGTERM raise `Terminated` in the main thread, from now on. To be called there."""
    signal.signal(signal.SIGTERM, _raise)


def stop(process: "subprocess.Popen[str]") -> None:
    """End a child, by force after a while, and wait until it has ended."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def noted_signals() -> Iterator[Callable[[], bytes]]:
    """Records the signals that arrive during the block, also those that another handler handles; main thread only.

    Yields:
        What gives their numbers, one byte each, in the order in which they came.
    """
    reading, writing = os.pipe()
    for descriptor in (reading, writing):
        os.set_blocking(descriptor, False)
    try:
        before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        try:
            yield lambda: _read(reading)
        finally:
            signal.set_wakeup_fd(before)
    finally:
        os.close(reading)
        os.close(writing)


@contextmanager
def ends_by_signal() -> Iterator[None]:
    """Raise what a signal means, whatever other error comes of it: `Terminated` or `KeyboardInterrupt`.

    What a handler raises while DuckDB works is lost, and "Query interrupted" is raised instead; Dagster has an error of
    its own. In other threads than the main one, which signals do not reach, errors are left as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with noted_signals() as numbers:
        try:
            yield
        except BaseException:
            came = numbers()
            if signal.SIGTERM in came:
                raise Terminated from None
            if signal.SIGINT in came:
                raise KeyboardInterrupt from None
            raise


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
