"""Ends a process on request: SIGTERM unwinds the stack like Ctrl-C, so that locks are released and children end.

Ctrl-C remains Python's `KeyboardInterrupt`. While Dagster runs a job, it replaces the handlers of both signals with its
own, which does not distinguish them: `recorded_signals` does.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_STOP_SECONDS = 10.0
# A shell's exit code for a process that a signal ended: 128 plus the signal's number.
TERMINATED = 128 + signal.SIGTERM


class Terminated(SystemExit):
    """SIGTERM was received. If it is not handled, the process ends with the usual exit code, 143."""

    def __init__(self) -> None:
        super().__init__(TERMINATED)


def unwind_on_sigterm() -> None:
    """Make SIGTERM raise `Terminated` in the main thread. Call it in the main thread."""
    signal.signal(signal.SIGTERM, _raise)


def stop(process: "subprocess.Popen[str]") -> None:
    """Terminate a child process, kill it if it does not end in time, and wait for it."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def recorded_signals() -> Iterator[Callable[[], bytes]]:
    """Record the signals that arrive during the block, including those that another handler handles; main thread only.

    Yields:
        A function that returns their numbers, one byte each, in the order of arrival.
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
    """If a signal arrives, raise `Terminated` or `KeyboardInterrupt` in place of the error that it causes.

    While DuckDB runs a query, it discards what a handler raises and raises "Query interrupted"; Dagster raises an error
    of its own. Signals do not reach other threads than the main one, so errors there are unchanged.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with recorded_signals() as numbers:
        try:
            yield
        except BaseException:
            received = numbers()
            if signal.SIGTERM in received:
                raise Terminated from None
            if signal.SIGINT in received:
                raise KeyboardInterrupt from None
            raise


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except BlockingIOError:
        return b""


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
