"""Runs on which nobody works any more although they say so: after a power cut, or when the daemon was killed.

    python -m ion_pipeline.defs.orphans

Dagster notices when the process of one run dies, but not when the server is gone that started it: such a run stays
"started" for ever and keeps its place in the pools, so that no later run reads the tenant. This is run before the
daemon starts. What it marks as failed is tried again like any failed run, and told of like one.
"""

import sys

import dagster as dg
import orjson
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient

_AT_WORK = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]


def fail_orphans(instance: dg.DagsterInstance) -> list[str]:
    """Mark the runs as failed whose server does not answer.

    Runs of the command line are started by no server and are left alone.

    Args:
        instance: Where the runs are recorded.

    Returns:
        The ids of these runs.
    """
    failed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_AT_WORK)):
        if GRPC_INFO_TAG in run.tags and not _answers(run.tags[GRPC_INFO_TAG]):
            instance.report_run_failed(run, "The process of this run is gone: the daemon or the machine was stopped.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            failed.append(run.run_id)
    return failed


def _answers(server: str) -> bool:
    where = orjson.loads(server)
    client = DagsterGrpcClient(host=where.get("host"), port=where.get("port"), socket=where.get("socket"))
    try:
        client.ping("")
    except DagsterUserCodeUnreachableError:
        return False
    return True


if __name__ == "__main__":
    with dg.DagsterInstance.get() as at_home:
        for run_id in fail_orphans(at_home):
            sys.stderr.write(f"Run {run_id} was gone and is marked as failed.\n")
