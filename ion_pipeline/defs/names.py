"""Names that several assets share: keys, groups, pools and metadata."""

import dagster as dg

ION = "ion"
RAW = "raw"
PUBLISHED = "published"
PUBLISHED_KEY = dg.AssetKey([PUBLISHED, "ion"])

# The operations of a refresh, in order; the operation of the assets that one makes is `<name>_assets`.
EXTRACT = "extract"
LOAD = "load"
BUILD = "build"
PUBLISH = "publish"

# A pool admits one operation at a time over all runs of an instance (see dagster.yaml): a tenant is not read twice at
# the same time, and DuckDB has one writer.
ION_API = "ion_api"
DUCKDB_WRITER = "duckdb_writer"

# Tag of a run that says how ION is read: "changes", "full" or "reconcile".
READ = "ion/read"

# Tag of a run that names the entities it reads, separated by commas; without it, those of the settings.
READ_ENTITIES = "ion/entities"

# Metadata.
LOAD_ID = "load_id"
ROWS = "dagster/row_count"
PATH = "path"


def entity_key(entity: str) -> dg.AssetKey:
    """The asset of an entity in the lake."""
    return dg.AssetKey([ION, entity])


def raw_key(table: str) -> dg.AssetKey:
    """The asset of a table in `raw`. The dbt sources name the same key in their `meta`."""
    return dg.AssetKey([RAW, table])
