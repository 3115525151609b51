"""Progress as bars on a terminal, as plain lines elsewhere.

Progress goes to standard error; standard output is for results.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.constrain import Constrain
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from ion_pipeline import logs
from ion_pipeline.counting import Count
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.plain import visible
from ion_pipeline.terminal.pace import Pace, count_words, duration
from ion_pipeline.terminal.text import styled

# A log has a line of a long phase after this many seconds, and then again.
_LINE_SECONDS = 60.0
# The bar of the phase: no entity has this name.
_PHASE = ""
# As wide as the bars get, and the width from which there is room for long names next to the numbers.
_WIDEST, _ROOMY = 110, 100


class PlainReporter:
    """Prints one line when a phase begins and one when it ends, and one a minute between; for logs, cron and pipes.

    Args:
        console: Where to print.
        clock: Seconds that only grow.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._lock = threading.Lock()
        self._title, self._printed = "", 0.0
        self._pace = Pace(clock)

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """Print when the phase begins; at its end how long it took, and how much was done."""
        started = self._printed = self._clock()
        self._title, self._pace = title, Pace(self._clock)
        self._console.print(f"{title} ...", highlight=False)
        try:
            yield
        except BaseException:
            self._print(f"failed after {self._clock() - started:.1f} s", _result(self._pace))
            raise
        self._print(f"done in {self._clock() - started:.1f} s", _result(self._pace))

    def counted(self, count: Count) -> None:
        """Print how far the phase is, if nothing was printed for a minute, or what it waits for."""
        with self._lock:
            self._pace.heard(count)
            is_waiting = count.doing and not count.total
            if self._clock() - self._printed < _LINE_SECONDS and not is_waiting:
                return
            self._printed = self._clock()
            self._print(_doing(count), self._pace.words().replace("  ", ", "))

    def started(self, entity: str, total: int | None) -> None:  # noqa: ARG002
        """Reading of an entity begins: there are more rows."""
        self.counted(_more(self._pace.count, total=total or 0))

    def advanced(self, entity: str, rows: int) -> None:  # noqa: ARG002
        """Rows have arrived."""
        self.counted(_more(self._pace.count, done=rows))

    def finished(self, entity: str) -> None:
        """Reading of an entity has ended; prints nothing."""

    def note(self, message: str) -> None:
        """Print a message for the user."""
        self._console.print(f"note: {message}", highlight=False)

    def _print(self, *parts: str) -> None:
        self._console.print(f"{self._title}: {', '.join(filter(None, parts))}", highlight=False)


class _Words(ProgressColumn):
    """How many of how many, the rate, and the time left; where that is not known, the time that has passed."""

    def render(self, task: Task) -> Text:
        words = task.fields["pace"].words()
        passed = "" if words.endswith("left") else duration(task.elapsed or 0)
        return Text("  ".join(filter(None, (words, passed))), style="progress.data.speed")


class _Bars(Progress):
    """Bars, and below them what is worked on now; never wider than the terminal."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        title_width = 32 if console.width >= _ROOMY else 24
        super().__init__(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, max_width=title_width)),
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            _Words(table_column=Column(no_wrap=True)),
            console=console,
            get_time=clock,
            transient=True,
            expand=True,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bars of all tasks, and a line about what is worked on."""
        yield Constrain(self.make_tasks_table(self.tasks), _WIDEST)
        line = "".join(_doing(task.fields["pace"].count) for task in self.tasks[:1])
        if line:
            yield Text(f"  {visible(line)}", style="dim", no_wrap=True, overflow="ellipsis")


class BarReporter:
    """Shows a bar with numbers, rate and time left, and one for each entity that is being read.

    Args:
        console: Where to print.
        clock: Seconds that only grow.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console, self._clock = console, clock
        self._bars: _Bars | None = None
        self._tasks: dict[str, tuple[TaskID, Pace]] = {}

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """Show a spinner, then bars when something is counted; print one line at the end."""
        started = self._clock()
        try:
            with _Bars(self._console, self._clock) as self._bars:
                self._tasks = {}
                pace = self._add(_PHASE, title)
                yield
        except BaseException:
            self._print(("✗", "red"), f"{title}  failed after", self._clock() - started, pace)
            raise
        finally:
            self._bars = None
        self._print(("✓", "green"), f"{title} ", self._clock() - started, pace)

    def counted(self, count: Count) -> None:
        """Move the bar."""
        self._move(_PHASE, lambda _: count)

    def started(self, entity: str, total: int | None) -> None:
        """Add a bar for the entity, and its rows to those of the phase."""
        if self._bars is None or not total:
            return
        self._add(entity, f"  {visible(entity)}")
        for name in (_PHASE, entity):
            self._move(name, lambda count: _more(count, total=total))

    def advanced(self, entity: str, rows: int) -> None:
        """Advance both bars."""
        for name in (_PHASE, entity):
            self._move(name, lambda count: _more(count, done=rows))

    def finished(self, entity: str) -> None:
        """Remove the entity's bar."""
        if self._bars is not None and entity in self._tasks:
            self._bars.remove_task(self._tasks.pop(entity)[0])

    def note(self, message: str) -> None:
        """Print a message above the bars."""
        self._console.print(styled(("!", "yellow"), f" {message}"))

    def _add(self, name: str, title: str) -> Pace:
        pace = Pace(self._clock)
        if self._bars is not None:
            self._tasks[name] = self._bars.add_task(title, total=None, pace=pace), pace
        return pace

    def _move(self, name: str, changed: Callable[[Count | None], Count]) -> None:
        if self._bars is None or name not in self._tasks:
            return
        task, pace = self._tasks[name]
        count = changed(pace.count)
        pace.heard(count)
        share = count.share if count.share is not None else count.done / count.total if count.total else None
        self._bars.update(task, total=None if share is None else 1.0, completed=share or 0.0)

    def _print(self, sign: tuple[str, str], what: str, seconds: float, pace: Pace) -> None:
        counted = f"  {_result(pace)}" if _result(pace) else ""
        self._console.print(styled(sign, f" {what} ", (f"{seconds:.1f} s{counted}", "dim")))


def _more(count: Count | None, *, total: int = 0, done: int = 0) -> Count:
    """A count of rows with more of them; all that is known is how many rows the entities have that are being read."""
    before = count or Count(0, 0, "rows")
    done, total = before.done + done, before.total + total
    return Count(done, total, "rows", share=done / total if done <= total > 0 else None)


def _doing(count: Count | None) -> str:
    return "  ".join(filter(None, (count.doing, count.name))) if count else ""


def _result(pace: Pace) -> str:
    """What was counted, for the last line of a phase; empty if nothing was there."""
    return count_words(pace.count) if pace.count and (pace.count.total or pace.count.done) else ""


class LogReporter(NullReporter):
    """Notes in the log, and no progress: where standard error holds JSON and nothing else."""

    def note(self, message: str) -> None:
        """Log what a person should know."""
        logs.logger().warning("note", message=message)


def reporter(console: Console) -> Reporter:
    """Bars on a terminal, lines elsewhere, notes alone where logs are JSON."""
    if logs.is_json():
        return LogReporter()
    return BarReporter(console) if console.is_terminal else PlainReporter(console)
