"""Counts what a refresh has read of each entity, and makes the entity's result."""

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
    """What has been read of an entity's changes so far.

    Attributes:
        rows: Rows written, by table.
        touched: Tables with rows or deletes, always including the entity's own.
        readers: The page readers; they count requests.
        deleted: Rows found to be deleted.
        seconds: Wall time.
    """

    rows: Counter[str] = field(default_factory=Counter)
    touched: set[str] = field(default_factory=set)
    readers: list[PageReader] = field(default_factory=list)
    deleted: int = 0
    seconds: float = 0.0

    def result(self, plan: EntityPlan, *, expected: int, total: int | None, watermark: datetime | None) -> EntityResult:
        """The entity's result; `unchanged` if the search for changes found none, so that nothing has to be loaded."""
        found_any = bool(self.rows.total() or self.deleted or total != expected)
        return EntityResult(
            entity=plan.name,
            status="read" if found_any else "unchanged",
            strategy="incremental",
            paging=plan.paging,
            tables={table: self.rows[table] for table in sorted(self.touched)} if found_any else {},
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
    """The result of an entity of which no row had to be read, or could be read.

    If an entity with known rows is missing from the tenant's schema, the user has accepted its deletes: it is empty.
    """
    plan = task.plan
    if task.action == "forbidden":
        return EntityResult.unread(plan, "forbidden")
    if task.action == "none":
        tables = (plan.name, *(child.table for child in plan.entity.children)) if expected else ()
        return replace(EntityResult.unread(plan, "absent"), tables=dict.fromkeys(tables, 0), watermark=watermark)
    return replace(EntityResult.unread(plan, "unchanged"), total_count=task.total, expected=expected)


def nothing_read(tasks: Sequence[Task], state: State) -> list[EntityResult]:
    """The results of a refresh in which nothing has to be read."""
    rows = {name: entity.rows for name, entity in state.entities.items()}
    return [unread_result(task, rows.get(task.plan.name, 0), None) for task in tasks]
