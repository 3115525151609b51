"""The lake: immutable Parquet loads with atomic commits, and the data directory's tenant.

    tenant = claim_tenant(data_dir, organization_id, api_host)
    with Lake(data_dir / "lake").begin(tenant, schemas) as writer:
        writer.write("parts", batch)
        writer.delete("parts", keys)
        manifest = writer.commit({"parts": TableRead("parts", total_count=1200)})

Layout: `<table>/load=<ulid>/part-*.parquet` with a `_manifest.json` beside; a load exists once `_loads/<ulid>.json`
does. What to read from ION and what the rows mean is not known here.
"""

from ion_pipeline.lake.errors import LakeCorruptionError
from ion_pipeline.lake.journal import Resumption
from ion_pipeline.lake.lake import Lake
from ion_pipeline.lake.manifest import (
    FileEntry,
    LoadManifest,
    SchemaDrift,
    Snapshot,
    Strategy,
    TableManifest,
    TableRead,
)
from ion_pipeline.lake.page_size import LearnedPageSize, keep_page_size, read_page_size
from ion_pipeline.lake.part import WriterOptions
from ion_pipeline.lake.rows import LAKE_COLUMNS
from ion_pipeline.lake.snapshot import VERSION_COLUMNS, SnapshotWriter
from ion_pipeline.lake.tenant import Tenant, claim_tenant, read_tenant
from ion_pipeline.lake.writer import LoadWriter

__all__ = [
    "LAKE_COLUMNS",
    "VERSION_COLUMNS",
    "FileEntry",
    "Lake",
    "LakeCorruptionError",
    "LearnedPageSize",
    "LoadManifest",
    "LoadWriter",
    "Resumption",
    "SchemaDrift",
    "Snapshot",
    "SnapshotWriter",
    "Strategy",
    "TableManifest",
    "TableRead",
    "Tenant",
    "WriterOptions",
    "claim_tenant",
    "keep_page_size",
    "read_page_size",
    "read_tenant",
]
