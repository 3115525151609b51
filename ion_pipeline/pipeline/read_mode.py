"""Options of a read of ION, and the plan of a read."""

from dataclasses import dataclass

from ion_pipeline.extract import Task


@dataclass(frozen=True, slots=True)
class ReadMode:
    """Options of a read.

    Attributes:
        full: Read all rows of all entities.
        accept_deletes: Treat missing rows as deleted, however many they are.
        afresh: Do not resume an interrupted read.
    """

    full: bool = False
    accept_deletes: bool = False
    afresh: bool = False


@dataclass(frozen=True, slots=True)
class RefreshPlan:
    """What a refresh would read.

    Attributes:
        tasks: The task of each entity.
        requests: Number of requests that making the plan took.
    """

    tasks: tuple[Task, ...]
    requests: int

    @property
    def estimated_requests(self) -> int:
        """Estimated number of requests of the read, with one that checks for changes during the read."""
        reading = sum(task.requests for task in self.tasks)
        return reading + 1 if reading else 0
