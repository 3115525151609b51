"""Runs the job `refresh` in this process, with our own errors in place of Dagster's log.

The command line does so where an instance records its runs; elsewhere it runs `pipeline.refresh`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import dagster as dg
import orjson

from ion_pipeline.defs.home import POSTGRES_URL, prepare_dagster_home
from ion_pipeline.defs.instance import open_instance
from ion_pipeline.defs.jobs import make_jobs
from ion_pipeline.defs.names import BUILD, EXTRACT, PUBLISH
from ion_pipeline.defs.operations import REPORT
from ion_pipeline.defs.orphans import PROCESS, fail_orphans, this_process
from ion_pipeline.ending import ends_by_signal
from ion_pipeline.pipeline.dbt import prepared_manifest
from ion_pipeline.pipeline.pipeline import Pipeline
from ion_pipeline.pipeline.refresh import RefreshResult, result_of
from ion_pipeline.settings import Settings

# An error is raised; Dagster's own log of it, with a traceback, would only hide the message.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_refresh(settings: Settings, pipeline: Pipeline, *, instance: dg.DagsterInstance | None = None) -> RefreshResult:
    """Run the job.

    Args:
        settings: Name the data directory.
        pipeline: The steps.
        instance: Records the run. By default the instance at `DAGSTER_HOME`; if that is not set, a temporary one.

    Raises:
        IonPipelineError: A step failed with this error.
        BlockingCheckError: A blocking check failed; the published version is unchanged.
        KeyboardInterrupt: SIGINT was received (Ctrl-C).
        Terminated: SIGTERM was received.
    """
    reporter = pipeline.reporter
    manifest = prepared_manifest(settings, parsing=reporter.phase("Preparing the models"), on_count=reporter.counted)
    (job,) = (one for one in make_jobs(settings, pipeline) if one.name == "refresh")
    with ends_by_signal(), nullcontext(instance) if instance else _instance() as recorder:
        result = job.execute_in_process(instance=recorder, run_config=_QUIET, tags={PROCESS: this_process()})
    seconds = {
        str(event.step_key): event.step_success_data.duration_ms / 1000
        for event in result.all_events
        if event.is_step_success
    }

    def report(step: str) -> Any:
        return result.output_for_node(step, REPORT)

    if PUBLISH not in seconds:
        return result_of(report(EXTRACT), seconds=seconds, run_id=result.run_id)
    return result_of(
        report(EXTRACT),
        report(BUILD).nodes,
        orjson.loads(manifest.read_bytes()),
        report(PUBLISH).database,
        seconds=seconds,
        run_id=result.run_id,
    )


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
