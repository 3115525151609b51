"""The warehouse: the lake's loads in DuckDB, and the public part of it as files for everyone else.

    load(lake, data_dir / "warehouse.duckdb", catalog.tables.values(), resources=Resources("4GB", 2))
    rebuild(lake, data_dir / "warehouse.duckdb", catalog.tables.values())
    publish(data_dir / "warehouse.duckdb", data_dir / "published")

`raw.<table>` holds the current rows, `raw_history.<table>` every version with `valid_from`, `valid_to` and
`is_current`. What is between `raw` and the public schemas is dbt's.
"""

from ion_pipeline.warehouse.applying import AppliedLoad, LoadProgress
from ion_pipeline.warehouse.builds import Built, begin_build, built_load, changed_since_build, note_build
from ion_pipeline.warehouse.compacting import CompactReport, compact
from ion_pipeline.warehouse.comparing import unequal
from ion_pipeline.warehouse.connection import Resources, connect
from ion_pipeline.warehouse.controlled import CONTROLLED, controlled_changed_since, find_controlled, left_out_since
from ion_pipeline.warehouse.dictionary import ColumnEntry, TableEntry
from ion_pipeline.warehouse.errors import (
    CompactionError,
    CountMismatchError,
    DuplicateKeyError,
    LoadOrderError,
    MissingDriverError,
    MissingLoadError,
    PublishError,
    RetypedColumnError,
    WarehouseBusyError,
    WarehouseDamagedError,
    WarehouseDiskFullError,
    WarehouseError,
    WarehouseMemoryError,
)
from ion_pipeline.warehouse.latest import INCLUDED
from ion_pipeline.warehouse.loading import LoadReport, load, rebuild
from ion_pipeline.warehouse.merge import TableChange
from ion_pipeline.warehouse.postgres import check_postgres, send_to_postgres
from ion_pipeline.warehouse.publishing import PUBLIC_SCHEMAS, STORAGE_VERSION, PublishReport, publish, settle
from ion_pipeline.warehouse.released import RELEASED, RELEASED_HISTORY, release
from ion_pipeline.warehouse.sending import SendReport, check_store, check_target, current_publish, send

__all__ = [
    "CONTROLLED",
    "INCLUDED",
    "PUBLIC_SCHEMAS",
    "RELEASED",
    "RELEASED_HISTORY",
    "STORAGE_VERSION",
    "AppliedLoad",
    "Built",
    "ColumnEntry",
    "CompactReport",
    "CompactionError",
    "CountMismatchError",
    "DuplicateKeyError",
    "LoadOrderError",
    "LoadProgress",
    "LoadReport",
    "MissingDriverError",
    "MissingLoadError",
    "PublishError",
    "PublishReport",
    "Resources",
    "RetypedColumnError",
    "SendReport",
    "TableChange",
    "TableEntry",
    "WarehouseBusyError",
    "WarehouseDamagedError",
    "WarehouseDiskFullError",
    "WarehouseError",
    "WarehouseMemoryError",
    "begin_build",
    "built_load",
    "changed_since_build",
    "check_postgres",
    "check_store",
    "check_target",
    "compact",
    "connect",
    "controlled_changed_since",
    "current_publish",
    "find_controlled",
    "left_out_since",
    "load",
    "note_build",
    "publish",
    "rebuild",
    "release",
    "send",
    "send_to_postgres",
    "settle",
    "unequal",
]
