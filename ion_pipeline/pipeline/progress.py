"""The interface that long-running steps report their progress to: a terminal, a log, or nothing."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from ion_pipeline.counting import Count
from ion_pipeline.extract import Progress


class Reporter(Progress, Protocol):
    """Receives the progress of a refresh: its phases, how far each is, and notes.

    Reading names each entity that is read; all other phases count.
    """

    def phase(self, title: str) -> AbstractContextManager[None]:
        """Report a phase, such as `Reading ION`, which ends with the block, also after an exception."""
        ...

    def counted(self, count: Count) -> None:
        """Report how far the phase is."""
        ...


class NullReporter:
    """A reporter that discards everything."""

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:  # noqa: ARG002
        """Run the block."""
        yield

    def counted(self, count: Count) -> None:
        """Discard a count."""

    def started(self, entity: str, total: int | None) -> None:
        """Discard the start of an entity."""

    def advanced(self, entity: str, rows: int) -> None:
        """Discard the number of rows."""

    def finished(self, entity: str) -> None:
        """Discard the end of an entity."""

    def note(self, message: str) -> None:
        """Discard a note."""
