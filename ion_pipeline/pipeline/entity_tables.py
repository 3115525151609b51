"""The tables of ION's entities and lists, as the settings and the adopted definitions make them."""

import duckdb

from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.export_control import data_references
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import EntityTable, entity_tables, load_log, record_columns


def published_entities(settings: Settings) -> tuple[EntityTable, ...]:
    """Every entity table to publish, with or without the rows under export control as the settings say."""
    return entity_tables(
        data_catalog(settings.data_dir),
        data_references(settings),
        released=not settings.publish_export_controlled,
    )


def prepare(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Record the columns of the entity tables before dbt runs: no model defines them, and the data dictionary does."""
    if load_log.exists(connection):
        record_columns(connection, published_entities(settings))
