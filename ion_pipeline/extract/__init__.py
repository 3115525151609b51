"""Reads ION: a plan becomes record batches, and the rows that came are checked against ION's counts.

    schema = await client.introspect()
    plan = negotiate(schema, known_catalog(), selection)       # nothing is fetched; print(plan) shows it
    results = await fetch(client, plan, sink, progress=progress, page_size=500)

A refresh reads only the changes since the last one (`state`):

    tasks = await decide(client, plan, known_of(plan, state), page_size=500)
    results = await carry_out(client, plan, state, tasks, sink, clock=clock)

`ion_pipeline.catalog` makes the plan. `fetch` reads it: `paging` leads from page to page, `arrow` turns a page into
record batches, `verify` compares counts. `decide`, `refresh` and `deletes` find and read changes, `resume` continues an
interrupted read, `audit` compares all rows. This package writes no files: rows go to a `BatchSink`.
"""

from ion_pipeline.extract.audit import EntityAudit, RowDifference, audit
from ion_pipeline.extract.decide import Task, check_deletes, decide, known_of, with_unsettled
from ion_pipeline.extract.errors import (
    CountMismatchError,
    DuplicateKeyError,
    PagingError,
    SuspiciousDeletesError,
    TenantRestoredError,
)
from ion_pipeline.extract.export_group import check_group
from ion_pipeline.extract.fetch import fetch
from ion_pipeline.extract.ranges import IdRange
from ion_pipeline.extract.read_progress import ReadProgress
from ion_pipeline.extract.refresh import RefreshOptions, carry_out
from ion_pipeline.extract.restored import check_restored
from ion_pipeline.extract.results import BatchSink, ChangeSink, EntityResult, NoProgress, Progress
from ion_pipeline.extract.resume import InterruptedRead, resume_read
from ion_pipeline.extract.state import EntityState, State
from ion_pipeline.extract.tally import nothing_read

__all__ = [
    "BatchSink",
    "ChangeSink",
    "CountMismatchError",
    "DuplicateKeyError",
    "EntityAudit",
    "EntityResult",
    "EntityState",
    "IdRange",
    "InterruptedRead",
    "NoProgress",
    "PagingError",
    "Progress",
    "ReadProgress",
    "RefreshOptions",
    "RowDifference",
    "State",
    "SuspiciousDeletesError",
    "Task",
    "TenantRestoredError",
    "audit",
    "carry_out",
    "check_deletes",
    "check_group",
    "check_restored",
    "decide",
    "fetch",
    "known_of",
    "nothing_read",
    "resume_read",
    "with_unsettled",
]
