"""Progress as bars on a terminal, as plain lines elsewhere.

Progress goes to standard error; standard output is for results.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from ion_pipeline import logs
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.plain import visible
from ion_pipeline.terminal.text import styled


class _RowsPerSecond(ProgressColumn):
    """Rows per second over the last few seconds."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} rows/s" if speed else "", style="progress.data.speed")


class PlainReporter:
    """Prints one line when a phase begins and one when it ends; for logs, cron and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._rows = 0

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """Print when the phase begins, and how long it took."""
        started = time.monotonic()
        self._rows = 0
        self._console.print(f"{title} ...", highlight=False)
        try:
            yield
        except BaseException:
            self._console.print(f"{title}: failed after {time.monotonic() - started:.1f} s", highlight=False)
            raise
        rows = f", {self._rows:,} rows" if self._rows else ""
        self._console.print(f"{title}: done in {time.monotonic() - started:.1f} s{rows}", highlight=False)

    def started(self, entity: str, total: int | None) -> None:
        """Reading of an entity begins; prints nothing."""

    def advanced(self, entity: str, rows: int) -> None:  # noqa: ARG002
        """Rows have arrived; counts them for the last line."""
        with self._lock:
            self._rows += rows

    def finished(self, entity: str) -> None:
        """Reading of an entity has ended; prints nothing."""

    def note(self, message: str) -> None:
        """Print a message for the user."""
        self._console.print(f"note: {message}", highlight=False)


class BarReporter:
    """Shows a bar for all rows with rate and time left, and one for each entity that is being read."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._overall: TaskID | None = None
        self._tasks: dict[str, TaskID] = {}

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:
        """Show a spinner, then bars when rows arrive; print one line at the end."""
        started = time.monotonic()
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<32}", markup=False),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            _RowsPerSecond(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._tasks = {}
        with Progress(*columns, console=self._console, transient=True) as self._progress:
            self._overall = self._progress.add_task(title, total=None)
            yield
            rows = self._progress.tasks[0].completed
        shown = f"  {rows:,.0f} rows" if rows else ""
        self._console.print(
            styled(("✓", "green"), f" {title}  ", (f"{time.monotonic() - started:.1f} s{shown}", "dim"))
        )
        self._progress = self._overall = None

    def started(self, entity: str, total: int | None) -> None:
        """Add a bar for the entity, and add its rows to the overall bar."""
        if self._progress is None or self._overall is None or not total:
            return
        self._tasks[entity] = self._progress.add_task(f"  {visible(entity)}", total=total)
        known = self._progress.tasks[0].total or 0
        self._progress.update(self._overall, total=known + total)

    def advanced(self, entity: str, rows: int) -> None:
        """Advance both bars."""
        if self._progress is None or self._overall is None:
            return
        self._progress.advance(self._overall, rows)
        if entity in self._tasks:
            self._progress.advance(self._tasks[entity], rows)

    def finished(self, entity: str) -> None:
        """Remove the entity's bar."""
        if self._progress is not None and entity in self._tasks:
            self._progress.remove_task(self._tasks.pop(entity))

    def note(self, message: str) -> None:
        """Print a message above the bars."""
        self._console.print(styled(("!", "yellow"), f" {message}"))


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
