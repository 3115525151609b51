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

from ion_pipeline.extract.account import nothing_read
from ion_pipeline.extract.afterwards import with_unsettled
from ion_pipeline.extract.audit import EntityAudit, RowDifference, Span, audit
from ion_pipeline.extract.catalog import Catalog, ChildList, Column, Entity, Table, build_catalog, known_catalog
from ion_pipeline.extract.decide import Task, check_deletes, decide, known_of
from ion_pipeline.extract.errors import (
    CountMismatchError,
    DuplicateKeyError,
    PagingError,
    SuspiciousDeletesError,
    TenantRestoredError,
)
from ion_pipeline.extract.export_group import check_group
from ion_pipeline.extract.fetch import fetch
from ion_pipeline.extract.ledger import Ledger
from ion_pipeline.extract.negotiate import negotiate
from ion_pipeline.extract.plan import Drift, EntityPlan, EntityQuery, Plan
from ion_pipeline.extract.refresh import RefreshOptions, carry_out
from ion_pipeline.extract.restored import check_restored
from ion_pipeline.extract.results import BatchSink, ChangeSink, EntityResult, NoProgress, Progress
from ion_pipeline.extract.resume import Left, take_up
from ion_pipeline.extract.state import EntityState, State

__all__ = [
    "BatchSink",
    "Catalog",
    "ChangeSink",
    "ChildList",
    "Column",
    "CountMismatchError",
    "Drift",
    "DuplicateKeyError",
    "Entity",
    "EntityAudit",
    "EntityPlan",
    "EntityQuery",
    "EntityResult",
    "EntityState",
    "Ledger",
    "Left",
    "NoProgress",
    "PagingError",
    "Plan",
    "Progress",
    "RefreshOptions",
    "RowDifference",
    "Span",
    "State",
    "SuspiciousDeletesError",
    "Table",
    "Task",
    "TenantRestoredError",
    "audit",
    "build_catalog",
    "carry_out",
    "check_deletes",
    "check_group",
    "check_restored",
    "decide",
    "fetch",
    "known_catalog",
    "known_of",
    "negotiate",
    "nothing_read",
    "take_up",
    "with_unsettled",
]
