"""How ION is to be read, and what a read would do."""

from dataclasses import dataclass

from ion_pipeline.extract import Task


@dataclass(frozen=True, slots=True)
class ReadMode:
    """How a read is done.

    Attributes:
        full: Read all rows of all entities, whatever is known.
        accept_deletes: Take what is gone for deleted, however much it is.
        afresh: Do not go on with a read that was interrupted.
    """

    full: bool = False
    accept_deletes: bool = False
    afresh: bool = False


@dataclass(frozen=True, slots=True)
class RefreshPlan:
    """What a refresh would read.

    Attributes:
        tasks: Entity by entity.
        requests: Requests it took to find out.
    """

    tasks: tuple[Task, ...]
    requests: int

    @property
    def estimated_requests(self) -> int:
        """Requests that reading would take, about; one more asks whether anything changed meanwhile."""
        reading = sum(task.requests for task in self.tasks)
        return reading + 1 if reading else 0
