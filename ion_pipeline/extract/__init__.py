"""What to read from ION and how: a schema becomes a plan, a plan becomes record batches, and counts are checked.

    schema = await client.introspect()
    plan = negotiate(schema, known_catalog(), selection)       # nothing is fetched; print(plan) shows it
    results = await fetch(client, plan, sink, progress=progress, page_size=500)

The catalog says which entities and tables there are (`catalog`, `overrides.yml`), `negotiate` compares it with the
tenant's schema, `query` and `arrow` turn one shape into a document and back into rows, `paging` leads from page to
page, `fetch` drives and `verify` counts. Files are not written here: rows go to a `BatchSink`.
"""

from ion_pipeline.extract.catalog import Catalog, ChildList, Column, Entity, Table, build_catalog, known_catalog
from ion_pipeline.extract.errors import CountMismatchError, DuplicateKeyError, PagingError
from ion_pipeline.extract.fetch import fetch
from ion_pipeline.extract.negotiate import negotiate
from ion_pipeline.extract.plan import Drift, EntityPlan, EntityQuery, Plan
from ion_pipeline.extract.results import BatchSink, EntityResult, NoProgress, Progress

__all__ = [
    "BatchSink",
    "Catalog",
    "ChildList",
    "Column",
    "CountMismatchError",
    "Drift",
    "DuplicateKeyError",
    "Entity",
    "EntityPlan",
    "EntityQuery",
    "EntityResult",
    "NoProgress",
    "PagingError",
    "Plan",
    "Progress",
    "Table",
    "build_catalog",
    "fetch",
    "known_catalog",
    "negotiate",
]
