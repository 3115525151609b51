"""Writes files in a background thread, in order, with a limit on the memory that waiting work holds.

Compression and hashing release Python's global lock, so pages can be read at the same time. In the foreground, a
checkpoint's flushes to the disk would delay every request in flight.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from ion_pipeline.files.errors import write_error

Work = Callable[[], None]


class Background:
    """One thread and its queue of work. The owner calls the methods from one thread at a time.

    If work fails, the next call raises its error, and no later work is begun.
    """

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._queue: deque[tuple[Future[None], int]] = deque()
        self._has_failed = False
        self.held_bytes = 0

    def do(self, work: Work, held_bytes: int = 0, *, writes: str) -> None:
        """Queue work; it is done after all work that was queued before.

        Args:
            work: The work.
            held_bytes: Memory that is freed when the work is done.
            writes: What the work writes and where, for its error: a later call for other work may raise it.

        Raises:
            FileWriteError: Work that was queued before could not write its file.
        """
        self._collect(lambda future: future.done())
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="ion-lake")
        self._queue.append((self._thread.submit(self._run, work, writes), held_bytes))
        self.held_bytes += held_bytes

    def wait(self, at_most_bytes: int) -> None:
        """Wait until waiting work holds no more than this many bytes."""
        self._collect(lambda future: future.done() or self.held_bytes > at_most_bytes)

    def drain(self) -> None:
        """Wait until all work is done."""
        self._collect(lambda _: True)

    def close(self) -> None:
        """Begin no more work, and wait for the work in progress; its errors are ignored."""
        self._has_failed = True
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
        self._thread, self.held_bytes = None, 0
        self._queue.clear()

    def _collect(self, is_due: Callable[[Future[None]], bool]) -> None:
        while self._queue and is_due(self._queue[0][0]):
            future, held_bytes = self._queue[0]
            future.result()
            self._queue.popleft()
            self.held_bytes -= held_bytes

    def _run(self, work: Work, writes: str) -> None:
        if self._has_failed:
            return
        try:
            work()
        except OSError as error:
            self._has_failed = True
            raise write_error(error, writes) from error
        except BaseException:
            self._has_failed = True
            raise
