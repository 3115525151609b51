"""What to read from ION and how: a schema becomes a plan, a plan becomes record batches, and counts are checked.

    schema = await client.introspect()
    plan = negotiate(schema, known_catalog(), selection)       # nothing is fetched; print(plan) shows it
    results = await fetch(client, plan, sink, progress=progress, page_size=500)

A refresh reads only what changed, from what is known (`state`):

    tasks = await decide(client, plan, known_of(plan, state), page_size=500)
    results = await carry_out(client, plan, state, tasks, sink, clock=clock)

The catalog says which entities and tables there are (`catalog`, `overrides.yml`), `negotiate` compares it with the
tenant's schema, `query` and `arrow` turn one shape into a document and back into rows, `paging` leads from page to
page, `fetch` drives and `verify` counts; `decide`, `refresh` and `deletes` are about changes. Files are not written
here: rows go to a `BatchSink`.
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
