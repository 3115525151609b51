"""The composition root: combines the assets, checks, jobs, schedules and sensors, and connects them to `pipeline`.

Dagster loads `defs`. Loading reads only the settings and the dbt project: it needs no network, no credentials and no
prepared file.
"""

import os

import dagster as dg

from ion_pipeline import logs
from ion_pipeline.catalog.published import published_tables
from ion_pipeline.defs.entities import entity_assets
from ion_pipeline.defs.jobs import fresh_for, make_jobs, make_schedules
from ion_pipeline.defs.models import model_assets
from ion_pipeline.defs.published import published_assets
from ion_pipeline.defs.raw import raw_assets
from ion_pipeline.defs.sensors import make_sensors
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.dbt import prepared_manifest
from ion_pipeline.pipeline.pipeline import Pipeline, real_pipeline
from ion_pipeline.settings import Settings, load_settings, unknown_settings


def build_definitions(settings: Settings | None = None, *, pipeline: Pipeline | None = None) -> dg.Definitions:
    """Build the asset graph.

    Args:
        settings: Name the tenant and the data directory; without them, this function and each step read the
            environment.
        pipeline: The steps that the assets call; by default those that write dbt's lines to Dagster's run page.

    Raises:
        SettingsError: A setting is wrong, or `ION_ENTITIES` names an entity that does not exist.
        BuildError: The dbt project does not parse.
    """
    shape = settings or load_settings(tenant=False)
    catalog = data_catalog(shape.data_dir)
    entities = catalog.select(shape.entities or catalog.default_selection)
    names = {entity.name for entity in entities}
    tables = [table for table in catalog.tables.values() if table.entity in names]
    published = {table.name for table in published_tables(catalog)}
    models, freshness = model_assets(prepared_manifest(shape)), fresh_for(shape.freshness_hours)
    steps = pipeline or real_pipeline(settings, None)
    return dg.Definitions(
        assets=[
            entity_assets(entities, freshness),
            raw_assets(tables),
            models,
            published_assets(models.keys, sorted(published & {table.name for table in tables}), freshness),
        ],
        jobs=make_jobs(shape, steps),
        schedules=make_schedules(shape),
        sensors=make_sensors(shape, catalog, frozenset(names)),
        resources={"pipeline": steps},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions for the settings of the environment.

    Each process of Dagster that runs steps calls this function, so it also sets the umask of the settings.
    """
    settings = load_settings(tenant=False)
    os.umask(settings.file_umask)
    logs.configure(settings.log_level, settings.log_format)
    for sentence in unknown_settings():
        logs.logger().warning("note", message=sentence)
    return build_definitions()
