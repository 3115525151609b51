"""Runs the job `refresh` in this process, with our own errors in place of Dagster's log.

The command line does so where an instance records its runs; elsewhere it runs `pipeline.refresh`.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterAssetCheckFailedError

from ion_pipeline.defs.home import POSTGRES_URL, prepare_dagster_home
from ion_pipeline.defs.instance import open_instance
from ion_pipeline.defs.names import BUILD, ION, LOAD_ID, LOAD_REQUESTS, LOAD_ROWS, PATH
from ion_pipeline.defs.orphans import PROCESS, fail_orphans, this_process
from ion_pipeline.ending import ends_by_signal
from ion_pipeline.pipeline.read_checks import BlockingCheckError
from ion_pipeline.pipeline.refresh import RefreshResult

# An error is raised; Dagster's own log of it, with a traceback, would only hide the message.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_refresh(
    definitions: dg.Definitions, *, assets: Sequence[str] = (), instance: dg.DagsterInstance | None = None
) -> RefreshResult:
    """Run the job.

    Args:
        definitions: The result of `build_definitions`.
        assets: Keys of the assets to run with their checks, such as `ion/parts`; all if empty.
        instance: Records the run. By default the instance at `DAGSTER_HOME`; if that is not set, a temporary one.

    Raises:
        IonPipelineError: A step failed with this error.
        BlockingCheckError: A blocking check failed; the published version is unchanged.
        KeyboardInterrupt: SIGINT was received (Ctrl-C).
        Terminated: SIGTERM was received.
    """
    job = definitions.resolve_job_def("refresh")
    selection = [dg.AssetKey.from_user_string(asset) for asset in assets] or None
    with _without_skip_warnings(), ends_by_signal(), nullcontext(instance) if instance else _instance() as recorder:
        try:
            result = job.execute_in_process(
                instance=recorder, asset_selection=selection, run_config=_QUIET, tags={PROCESS: this_process()}
            )
        except DagsterAssetCheckFailedError as error:
            raise BlockingCheckError(
                " ".join(str(error).split()), remedy="No later step was run, and nothing was published."
            ) from None
    return summary(result)


@contextmanager
def _without_skip_warnings() -> Iterator[None]:
    # If nothing is new, the models are skipped on purpose; Dagster would warn of each blocking check not evaluated.
    logger = logging.getLogger("dagster._core.execution.plan.active")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def summary(result: dg.ExecuteInProcessResult) -> RefreshResult:
    """Read the result of a run from its events."""
    events = result.get_asset_materialization_events()
    made = [event.step_materialization_data.materialization for event in events]
    entities = [asset for asset in made if asset.asset_key.path[0] == ION and LOAD_ID in asset.metadata]
    load: dict[str, Any] = {name: value.value for name, value in entities[0].metadata.items()} if entities else {}
    published = [asset.metadata[PATH].value for asset in made if PATH in asset.metadata]
    checks = result.get_asset_check_evaluations()
    of_models = [event for event in result.all_events if event.step_key == BUILD]
    built = sum(event.is_step_materialization for event in of_models)
    tested = sum(event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION for event in of_models)
    return RefreshResult(
        run_id=result.run_id,
        load_id=load.get(LOAD_ID),
        entities=len(entities),
        rows=load.get(LOAD_ROWS, 0),
        requests=load.get(LOAD_REQUESTS, 0),
        models=built,
        # An asset that was not built has an output without a materialization.
        up_to_date=sum(event.is_successful_output for event in of_models) - built - tested,
        checks=len(checks),
        warnings=tuple(_sentence(check) for check in checks if not check.passed),
        published=Path(str(published[0])) if published else None,
        seconds={
            str(event.step_key): event.step_success_data.duration_ms / 1000
            for event in result.all_events
            if event.is_step_success
        },
    )


def _sentence(check: dg.AssetCheckEvaluation) -> str:
    return f"{check.asset_key.to_user_string()}: {check.check_name}: {check.description or 'failed.'}"


@contextmanager
def _instance() -> Iterator[dg.DagsterInstance]:
    home = os.environ.get("DAGSTER_HOME")
    if home:
        prepare_dagster_home(Path(home), postgres_url=os.environ.get(POSTGRES_URL))
        with open_instance() as instance:
            # A run that was killed would keep its place in the pools, and this run would wait for it.
            fail_orphans(instance)
            yield instance
    else:
        with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
            yield instance
