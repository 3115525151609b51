"""How long work tells of itself, whoever listens: a terminal, a log, or nobody."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from ion_pipeline.extract import Progress


class Reporter(Progress, Protocol):
    """Listens to a whole refresh: its phases, and the rows of the one that reads."""

    def phase(self, title: str) -> AbstractContextManager[None]:
        """Something that takes a while, such as `Reading ION`; ends with the block, well or not."""
        ...


class NullReporter:
    """Nobody listens."""

    @contextmanager
    def phase(self, title: str) -> Iterator[None]:  # noqa: ARG002
        """Run the block."""
        yield

    def started(self, entity: str, total: int | None) -> None:
        """Reading of an entity begins."""

    def advanced(self, entity: str, rows: int) -> None:
        """Rows have arrived."""

    def finished(self, entity: str) -> None:
        """Reading of an entity has ended."""

    def note(self, message: str) -> None:
        """Something a person should know."""
