"""The one composition root: which assets, checks, jobs and schedules there are, and what they call.

`defs` is what Dagster loads. To load it reads the settings and dbt's project and nothing else: no network, no
credentials, no prepared file.
"""

import os

import dagster as dg
import structlog

from ion_pipeline.defs.entities import entity_assets
from ion_pipeline.defs.jobs import fresh_for, make_jobs, make_schedules
from ion_pipeline.defs.models import model_assets
from ion_pipeline.defs.published import published_assets
from ion_pipeline.defs.raw import raw_assets
from ion_pipeline.defs.resources import Pipeline, real_pipeline
from ion_pipeline.defs.sensors import make_sensors
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.dbt import prepared_manifest
from ion_pipeline.pipeline.progress import Reporter
from ion_pipeline.pipeline.steps import ReadMode
from ion_pipeline.settings import Settings, load_settings, unknown_settings


def build_definitions(
    settings: Settings | None = None,
    reporter: Reporter | None = None,
    *,
    mode: ReadMode | None = None,
    pipeline: Pipeline | None = None,
) -> dg.Definitions:
    """Put the graph together.

    Args:
        settings: Which tenant and data directory; read from the environment if not given, and again by each step.
        reporter: Hears how the steps go; without one, dbt's lines go to standard output, for Dagster's run page.
        mode: How ION is read: changes only, unless told otherwise.
        pipeline: What the assets call, instead of the real steps.

    Raises:
        SettingsError: A setting is wrong, or `ION_ENTITIES` names an entity that does not exist.
        BuildError: dbt's project does not parse.
    """
    shape = settings or load_settings(tenant=False)
    catalog = data_catalog(shape.data_dir)
    entities = catalog.select(shape.entities or catalog.default_selection)
    names = {entity.name for entity in entities}
    models, freshness = model_assets(prepared_manifest(shape)), fresh_for(shape.freshness_hours)
    return dg.Definitions(
        assets=[
            entity_assets(entities, freshness),
            raw_assets([table for table in catalog.tables.values() if table.entity in names]),
            models,
            published_assets(models.keys, freshness),
        ],
        jobs=make_jobs(shape),
        schedules=make_schedules(shape),
        sensors=make_sensors(shape, catalog, frozenset(names)),
        resources={"pipeline": pipeline or real_pipeline(settings, reporter, mode)},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """The definitions as the environment sets them.

    Each process of Dagster that runs steps loads them, and its files get the permissions that the settings say.
    """
    os.umask(load_settings(tenant=False).file_umask)
    for sentence in unknown_settings():
        structlog.get_logger().warning(sentence)
    return build_definitions()
