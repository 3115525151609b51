"""The results of a read, and the protocols of the objects that receive its rows and its progress. Pure data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import pyarrow as pa

from ion_pipeline.catalog.plan import Drift, EntityPlan, Paging

Status = Literal["read", "unchanged", "forbidden", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityResult:
    """The result of reading one entity.

    Attributes:
        entity: Name of the entity.
        status: `read`; `unchanged`: no row had to be read; `forbidden` for this API key; `absent` from this tenant's
            schema.
        strategy: `full`: all rows were read. `incremental`: changes and deletes were read.
        paging: How one page led to the next.
        tables: Rows written, by table; empty unless the status is `read`.
        pages: Pages read.
        requests: Requests sent, repeated ones and counts included.
        bytes: Bytes received over the wire.
        seconds: Wall time from the first request to the last row.
        total_count: Number of rows by ION's count; None if ION does not count them (nested lists).
        watermark: ION's clock before the first request; None if ION sends no `Date` header.
        query_hash: Hash of the page query.
        drift: How the tenant's type differs from the catalog.
        deleted: For an incremental read, rows found to be deleted.
        expected: For an incremental read, the number of rows that should exist afterwards.
        unsettled: Rows that had changed again when the read ended.
    """

    entity: str
    status: Status
    strategy: Literal["full", "incremental"] = "full"
    paging: Paging = "none"
    tables: Mapping[str, int] = field(default_factory=dict)
    pages: int = 0
    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    total_count: int | None = None
    watermark: datetime | None = None
    query_hash: str = ""
    drift: Drift = field(default_factory=Drift)
    deleted: int = 0
    expected: int | None = None
    unsettled: int = 0

    @property
    def rows(self) -> int:
        """Rows of the entity's own table."""
        return self.tables.get(self.entity, 0)

    @classmethod
    def unread(cls, plan: EntityPlan, status: Status) -> "EntityResult":
        """The result of an entity of which no row was read."""
        return cls(entity=plan.name, status=status, paging=plan.paging, query_hash=plan.query_hash, drift=plan.drift)


class BatchSink(Protocol):
    """Takes the rows that are read."""

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Add rows of a table, in the order in which they are read."""

    def discard(self, table: str) -> None:
        """Discard the rows of a table written so far: the table is read again from the start."""


class ChangeSink(BatchSink, Protocol):
    """Takes rows and deletes."""

    def delete(self, table: str, keys: pa.RecordBatch) -> None:
        """Delete the rows with these keys; a key of only an owner's id deletes all rows that the owner had before."""


class Progress(Protocol):
    """Receives the progress of a read."""

    def started(self, entity: str, total: int | None) -> None:
        """The first page of an entity has come; `total` rows are expected, None if unknown. Repeated for a re-read."""

    def advanced(self, entity: str, rows: int) -> None:
        """This many more rows of an entity have been written."""

    def finished(self, entity: str) -> None:
        """Reading of an entity has ended."""

    def note(self, message: str) -> None:
        """A note for the user, in one sentence."""


class NoProgress:
    """Ignores all progress."""

    def started(self, entity: str, total: int | None) -> None:
        """Ignored."""

    def advanced(self, entity: str, rows: int) -> None:
        """Ignored."""

    def finished(self, entity: str) -> None:
        """Ignored."""

    def note(self, message: str) -> None:
        """Ignored."""
