"""Export control as the settings want it: what is looked for, from where dbt reads, and what that changes.

`raw` holds all rows always. With `ION_PUBLISH_EXPORT_CONTROLLED=false` dbt reads views that leave the controlled ones
out, so that nothing which is built, counted or drawn from them knows of any.
"""

import hashlib

import duckdb

from ion_pipeline.catalog.references import References, references
from ion_pipeline.pipeline.adopt import data_catalog, data_schema
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import (
    CONTROLLED,
    RELEASED,
    RELEASED_HISTORY,
    controlled_changed_since,
    find_controlled,
    release,
)


def source_schemas(settings: Settings) -> dict[str, str]:
    """Variables that tell dbt from which schemas its sources are."""
    if settings.publish_export_controlled:
        return {"ION_SOURCE_SCHEMA": "raw", "ION_SOURCE_HISTORY_SCHEMA": "raw_history"}
    return {"ION_SOURCE_SCHEMA": RELEASED, "ION_SOURCE_HISTORY_SCHEMA": RELEASED_HISTORY}


def definition(settings: Settings) -> str:
    """Digest of what counts as controlled: of the references that are followed."""
    return hashlib.sha256(repr(_references(settings)).encode()).hexdigest()


def prepare(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Find what is controlled and, where it is left out, make the views without it: before dbt reads anything."""
    if not connection.execute("select 1 from duckdb_tables() where schema_name = 'raw' limit 1").fetchone():
        return  # Nothing was loaded yet; dbt will say so.
    found, tables = _references(settings), data_catalog(settings.data_dir).tables.values()
    find_controlled(connection, found, tables, definition(settings))
    if not settings.publish_export_controlled:
        release(connection, found, tables)


def changed_sources(connection: duckdb.DuckDBPyConnection, settings: Settings, load_id: str) -> frozenset[str]:
    """Names of sources that changed because other rows are controlled than as of a load."""
    tables = controlled_changed_since(connection, load_id)
    changed = {f"{CONTROLLED}.{table}" for table in tables}
    if not settings.publish_export_controlled:
        changed |= tables | {one.table for one in _references(settings).weak if one.target in tables}
    return frozenset(changed)


def _references(settings: Settings) -> References:
    return references(data_schema(settings.data_dir), data_catalog(settings.data_dir))
