"""Names that several assets share: keys, groups, pools and metadata."""

import dagster as dg

ION = "ion"
RAW = "raw"
PUBLISHED = "published"
PUBLISHED_KEY = dg.AssetKey([PUBLISHED, "ion"])

# The operations, in order.
EXTRACT = "extract"
LOAD = "load"
BUILD = "build"
PUBLISH = "publish"

# Pools hold one operation at a time over all runs of an instance (see dagster.yaml): one tenant is not read twice at
# once, and DuckDB has one writer.
ION_API = "ion_api"
DUCKDB_WRITER = "duckdb_writer"

# Tag of a run: how ION is read, one of "changes", "full" and "reconcile".
READ = "ion/read"

# Metadata that the result of a run is made from.
LOAD_ID = "load_id"
LOAD_REQUESTS = "load_requests"
LOAD_ROWS = "load_rows"
ROWS = "dagster/row_count"
PATH = "path"


def entity_key(entity: str) -> dg.AssetKey:
    """The asset of an entity in the lake."""
    return dg.AssetKey([ION, entity])


def raw_key(table: str) -> dg.AssetKey:
    """The asset of a table in `raw`. The dbt sources name the same key in their `meta`."""
    return dg.AssetKey([RAW, table])
