"""What a fetch reports, and whom it talks to while it runs. Pure data and protocols."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

import pyarrow as pa

from ion_pipeline.catalog.plan import Drift, EntityPlan, Paging

Status = Literal["read", "unchanged", "forbidden", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityResult:
    """How the read of one entity went.

    Attributes:
        entity: Name of the entity.
        status: `read`; `unchanged`: nothing of it had to be read; `forbidden` to this API key; `absent` from this
            tenant's schema.
        strategy: `full`: these are all rows. `incremental`: changes and deletes.
        paging: How pages followed each other.
        tables: Rows written, by table; empty unless read.
        pages: Pages read.
        requests: Requests sent for it, repeated ones and counts included.
        bytes: Bytes received for it, over the wire.
        seconds: Wall time from its first request to its last row.
        total_count: What ION says there are; None where it does not (nested lists).
        watermark: ION's clock before the first request; None where it sends no `Date`.
        query_hash: Identifies what was asked for.
        drift: How the tenant's type differs from the catalog.
        deleted: Rows found to be gone, in an incremental read.
        expected: Rows there should be afterwards, in an incremental read.
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
        """An entity of which nothing was read."""
        return cls(entity=plan.name, status=status, paging=plan.paging, query_hash=plan.query_hash, drift=plan.drift)


class BatchSink(Protocol):
    """Takes what is read."""

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Add rows of a table, in the order read."""

    def discard(self, table: str) -> None:
        """Forget the rows of a table written so far: it is read again from the start."""


class ChangeSink(BatchSink, Protocol):
    """Takes changes too."""

    def delete(self, table: str, keys: pa.RecordBatch) -> None:
        """Rows with these keys are gone; with an owner's id alone, all that the owner had before this call."""


class Progress(Protocol):
    """Hears how a read goes."""

    def started(self, entity: str, total: int | None) -> None:
        """The first page of an entity is there; `total` rows are to come, None if unknown. Again at a re-read."""

    def advanced(self, entity: str, rows: int) -> None:
        """So many more rows of an entity are written."""

    def finished(self, entity: str) -> None:
        """Reading of an entity has ended."""

    def note(self, message: str) -> None:
        """Something a person should know, in one sentence."""


class NoProgress:
    """Nobody listens."""

    def started(self, entity: str, total: int | None) -> None:
        """Not heard."""

    def advanced(self, entity: str, rows: int) -> None:
        """Not heard."""

    def finished(self, entity: str) -> None:
        """Not heard."""

    def note(self, message: str) -> None:
        """Not heard."""
