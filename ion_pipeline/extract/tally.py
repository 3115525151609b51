"""What a refresh has read of each entity, and what it says about it in the end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ion_pipeline.catalog.plan import EntityPlan
from ion_pipeline.extract.decide import Task
from ion_pipeline.extract.page_reader import PageReader
from ion_pipeline.extract.results import EntityResult
from ion_pipeline.extract.state import State


@dataclass
class IncrementalTally:
    """What has been read of an entity by its changes so far.

    Attributes:
        rows: Rows written, by table.
        touched: Tables that have rows or deletes, the entity's own always.
        readers: Who asked; they count requests.
        deleted: Rows found to be gone.
        seconds: Wall time.
    """

    rows: Counter[str] = field(default_factory=Counter)
    touched: set[str] = field(default_factory=set)
    readers: list[PageReader] = field(default_factory=list)
    deleted: int = 0
    seconds: float = 0.0

    def result(self, plan: EntityPlan, *, expected: int, total: int | None, watermark: datetime | None) -> EntityResult:
        """The entity's result."""
        return EntityResult(
            entity=plan.name,
            status="read",
            strategy="incremental",
            paging=plan.paging,
            tables={table: self.rows[table] for table in sorted(self.touched)},
            pages=sum(reader.pages for reader in self.readers),
            requests=sum(reader.requests for reader in self.readers),
            bytes=sum(reader.bytes for reader in self.readers),
            seconds=self.seconds,
            total_count=total,
            watermark=watermark,
            query_hash=plan.query_hash,
            drift=plan.drift,
            deleted=self.deleted,
            expected=expected,
        )


def unread_result(task: Task, expected: int, watermark: datetime | None) -> EntityResult:
    """The result of an entity of which nothing had to be, or could be, read.

    Where an entity has left the tenant's schema with rows known, its deletes have been accepted: it is empty now.
    """
    plan = task.plan
    if task.action == "forbidden":
        return EntityResult.unread(plan, "forbidden")
    if task.action == "none":
        tables = (plan.name, *(child.table for child in plan.entity.children)) if expected else ()
        return replace(EntityResult.unread(plan, "absent"), tables=dict.fromkeys(tables, 0), watermark=watermark)
    return replace(EntityResult.unread(plan, "unchanged"), total_count=task.total, expected=expected)


def nothing_read(tasks: Sequence[Task], state: State) -> list[EntityResult]:
    """Results of a refresh in which nothing is to be read."""
    rows = {name: entity.rows for name, entity in state.entities.items()}
    return [unread_result(task, rows.get(task.plan.name, 0), None) for task in tasks]
