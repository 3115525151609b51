"""Applies the settings of export control: finds the controlled rows and selects the schemas that dbt reads.

`raw` always holds all rows. With `ION_PUBLISH_EXPORT_CONTROLLED=false`, dbt reads views without the controlled rows, so
that no table, count or chart discloses them.
"""

import hashlib

import duckdb

from ion_pipeline.catalog.references import References, references
from ion_pipeline.pipeline.adopt import data_catalog, data_schema
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import (
    CONTROLLED,
    RELEASED,
    RELEASED_HISTORY,
    connect,
    controlled_changed_since,
    find_controlled,
    is_search_current,
    load_log,
    release,
)


def source_schemas(settings: Settings) -> dict[str, str]:
    """Environment variables with the schemas that dbt reads its sources from."""
    if settings.publish_export_controlled:
        return {"ION_SOURCE_SCHEMA": "raw", "ION_SOURCE_HISTORY_SCHEMA": "raw_history"}
    return {"ION_SOURCE_SCHEMA": RELEASED, "ION_SOURCE_HISTORY_SCHEMA": RELEASED_HISTORY}


def definition(settings: Settings) -> str:
    """Digest of what counts as controlled: the references that the search follows."""
    return hashlib.sha256(repr(data_references(settings)).encode()).hexdigest()


def prepare(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Find the controlled rows before dbt runs and, if they are left out, recreate the views without them."""
    if not load_log.exists(connection):
        return  # Nothing has been loaded yet: dbt reports the missing tables.
    found, tables = data_references(settings), data_catalog(settings.data_dir).tables.values()
    find_controlled(connection, found, tables, definition(settings))
    if not settings.publish_export_controlled:
        release(connection, found, tables)


def search(settings: Settings) -> None:
    """Find the controlled rows if no build has found them since the last load; then open the warehouse for writing."""
    if not settings.warehouse_path.is_file():
        return
    resources = resources_of(settings)
    with connect(settings.warehouse_path, resources, read_only=True) as connection:
        is_current = is_search_current(connection, definition(settings))
    if not is_current:
        with connect(settings.warehouse_path, resources) as connection:
            prepare(connection, settings)


def changed_sources(connection: duckdb.DuckDBPyConnection, settings: Settings, load_id: str) -> frozenset[str]:
    """Names of the sources that changed because the set of controlled rows changed after a load."""
    tables = controlled_changed_since(connection, load_id)
    changed = {f"{CONTROLLED}.{table}" for table in tables}
    if not settings.publish_export_controlled:
        changed |= tables | {one.table for one in data_references(settings).weak if one.target in tables}
    return frozenset(changed)


def data_references(settings: Settings) -> References:
    """The references of the schema of a data directory, along which export control extends."""
    return references(data_schema(settings.data_dir), data_catalog(settings.data_dir))
