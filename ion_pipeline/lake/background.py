"""Work on files that nobody has to wait for: done in order by one thread, with a bound on the memory it holds.

Compressing and hashing leave Python's lock alone, so pages are read meanwhile; a checkpoint's flushes to the disk would
otherwise hold up every request under way.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from ion_pipeline.files.errors import write_error

Work = Callable[[], None]


class Background:
    """One thread and what it has to do. Its owner calls it from one thread at a time.

    What fails is raised by the next call, and nothing that comes after it is begun.
    """

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._queue: deque[tuple[Future[None], int]] = deque()
        self._has_failed = False
        self.held_bytes = 0

    def do(self, work: Work, held_bytes: int = 0, *, writes: str) -> None:
        """Have something done after all that was asked for before.

        Args:
            work: What to do.
            held_bytes: Memory that is free again once it is done.
            writes: What it writes and where, for the error: the call that raises it may be about something else.

        Raises:
            FileWriteError: Something that was asked for before could not be written.
        """
        self._collect(lambda future: future.done())
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="ion-lake")
        self._queue.append((self._thread.submit(self._run, work, writes), held_bytes))
        self.held_bytes += held_bytes

    def wait(self, at_most_bytes: int) -> None:
        """Wait until no more than this is held."""
        self._collect(lambda future: future.done() or self.held_bytes > at_most_bytes)

    def drain(self) -> None:
        """Wait until all is done."""
        self._collect(lambda _: True)

    def close(self) -> None:
        """Begin nothing more and wait for what is being done. What fails now is of no interest any more."""
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
