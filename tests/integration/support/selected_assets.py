"""Makes selected assets, as Dagster does for somebody who selects them on its page."""

from collections.abc import Sequence

import dagster as dg

from ion_pipeline.definitions import build_definitions
from ion_pipeline.pipeline.pipeline import Pipeline
from ion_pipeline.settings import Settings

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def make_assets(
    settings: Settings, pipeline: Pipeline, assets: Sequence[str], instance: dg.DagsterInstance
) -> dg.ExecuteInProcessResult:
    """Make the assets, such as `ion/parts`, and evaluate their checks."""
    selection = [dg.AssetKey.from_user_string(asset) for asset in assets]
    job = build_definitions(settings, pipeline=pipeline).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(instance=instance, asset_selection=selection, run_config=_QUIET)
