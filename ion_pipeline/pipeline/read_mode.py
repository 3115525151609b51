"""How ION is read, what a read would do, and what it did."""

from dataclasses import dataclass

from ion_pipeline.extract import EntityResult, Task


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


@dataclass(frozen=True, slots=True)
class ExtractReport:
    """The result of one read of ION.

    Attributes:
        load_id: The new load in the lake; None if nothing was new.
        organization_id: ION's id of the tenant.
        entities: The result of each entity, in the schema's order.
        requests: Number of GraphQL requests, retries included.
        token_requests: Number of requests to the token host.
        bytes: Bytes received.
        seconds: Wall time.
        clock_doubts: One sentence for each doubt about the clocks.
    """

    load_id: str | None
    organization_id: str
    entities: tuple[EntityResult, ...]
    requests: int
    token_requests: int
    bytes: int
    seconds: float
    clock_doubts: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Number of rows of all entities, without the rows of their lists."""
        return sum(entity.rows for entity in self.entities)

    @property
    def rows_by_entity(self) -> list[tuple[str, int]]:
        """Entities that were read, with their number of rows."""
        return [(entity.entity, entity.rows) for entity in self.entities if entity.status == "read"]

    @property
    def unread(self) -> dict[str, str]:
        """Entities that could not be read, with the reason: forbidden or absent."""
        return {entity.entity: entity.status for entity in self.entities if entity.status in {"forbidden", "absent"}}

    @property
    def unsettled(self) -> dict[str, int]:
        """Number of rows by entity that changed again during the read; the next refresh reads them."""
        return {entity.entity: entity.unsettled for entity in self.entities if entity.unsettled}
