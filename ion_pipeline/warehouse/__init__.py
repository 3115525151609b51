"""The warehouse: a DuckDB file that holds the loads of the lake.

    load(lake, data_dir / "warehouse.duckdb", catalog.tables.values(), resources=Resources("4GB", 2))
    rebuild(lake, data_dir / "warehouse.duckdb", catalog.tables.values())

`raw.<table>` holds the current rows, `raw_history.<table>` every version with `valid_from`, `valid_to` and
`is_current`. dbt builds everything that is derived from them.
"""

from ion_pipeline.warehouse.applying import AppliedLoad
from ion_pipeline.warehouse.builds import (
    BuildRecord,
    BuiltNode,
    begin_build,
    built_load,
    built_nodes,
    changed_since_build,
    first_versions_after,
    record_build,
)
from ion_pipeline.warehouse.compacting import CompactReport, compact
from ion_pipeline.warehouse.connection import Resources, connect
from ion_pipeline.warehouse.diff import diff_rows
from ion_pipeline.warehouse.entity_tables import (
    ENTITY_SCHEMA,
    EntityColumn,
    EntityState,
    EntityTable,
    columns_digest,
    entity_tables,
    record_columns,
    states,
)
from ion_pipeline.warehouse.errors import (
    CompactionError,
    CountMismatchError,
    DuplicateKeyError,
    LoadOrderError,
    MissingLoadError,
    RetypedColumnError,
    WarehouseBusyError,
    WarehouseDamagedError,
    WarehouseDiskFullError,
    WarehouseError,
    WarehouseMemoryError,
)
from ion_pipeline.warehouse.export_control import (
    controlled_changed_since,
    find_controlled,
    is_search_current,
    left_out_since,
    release,
)
from ion_pipeline.warehouse.fingerprints import FINGERPRINT, Fingerprint, fingerprint
from ion_pipeline.warehouse.load_log import TableChange, note_published
from ion_pipeline.warehouse.loading import LoadReport, load, rebuild
from ion_pipeline.warehouse.schemas import CONTROLLED, RELEASED, RELEASED_HISTORY

__all__ = [
    "CONTROLLED",
    "ENTITY_SCHEMA",
    "FINGERPRINT",
    "RELEASED",
    "RELEASED_HISTORY",
    "AppliedLoad",
    "BuildRecord",
    "BuiltNode",
    "CompactReport",
    "CompactionError",
    "CountMismatchError",
    "DuplicateKeyError",
    "EntityColumn",
    "EntityState",
    "EntityTable",
    "Fingerprint",
    "LoadOrderError",
    "LoadReport",
    "MissingLoadError",
    "Resources",
    "RetypedColumnError",
    "TableChange",
    "WarehouseBusyError",
    "WarehouseDamagedError",
    "WarehouseDiskFullError",
    "WarehouseError",
    "WarehouseMemoryError",
    "begin_build",
    "built_load",
    "built_nodes",
    "changed_since_build",
    "columns_digest",
    "compact",
    "connect",
    "controlled_changed_since",
    "diff_rows",
    "entity_tables",
    "find_controlled",
    "fingerprint",
    "first_versions_after",
    "is_search_current",
    "left_out_since",
    "load",
    "note_published",
    "rebuild",
    "record_build",
    "record_columns",
    "release",
    "states",
]
