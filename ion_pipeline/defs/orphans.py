"""Finds runs that count as started although their process has ended: after a power cut, or if the daemon was killed.

    python -m ion_pipeline.defs.orphans

Dagster notices that the process of a run has died, but not that the server that started it has ended, nor that a
command was killed. Such a run stays "started" forever and keeps its place in the pools, so that every later run waits
for it. So the search runs before the daemon starts and before a command's run. A run that is marked as failed here is
retried and reported like any other failed run.
"""

import os
import socket
import sys
from pathlib import Path

import dagster as dg
import orjson
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient

from ion_pipeline.defs.instance import open_instance

# Tag of a run that a command started: host name, boot id and process id.
PROCESS = "ion/process"
_ACTIVE = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> str:
    """The value of the tag for a run of this process."""
    return f"{socket.gethostname()} {_boot()} {os.getpid()}"


def fail_orphans(instance: dg.DagsterInstance) -> list[str]:
    """Set each run to failed whose server does not answer, or whose process was on this machine and has ended.

    Args:
        instance: The instance that records the runs.

    Returns:
        The ids of these runs.
    """
    failed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_ACTIVE)):
        server, process = run.tags.get(GRPC_INFO_TAG), run.tags.get(PROCESS)
        if (server and not _answers(server)) or (process and _has_ended(process)):
            instance.report_run_failed(run, "The process of this run has ended: it was killed, or its server was.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            failed.append(run.run_id)
    return failed


def _boot() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else "-"


def _has_ended(process: str) -> bool:
    """Whether a process was on this machine and has ended; False for other machines, which cannot be checked."""
    host, boot, pid = process.split()
    if host != socket.gethostname():
        return False
    if boot != _boot():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _answers(server: str) -> bool:
    where = orjson.loads(server)
    client = DagsterGrpcClient(host=where.get("host"), port=where.get("port"), socket=where.get("socket"))
    try:
        client.ping("")
    except DagsterUserCodeUnreachableError:
        return False
    return True


if __name__ == "__main__":
    with open_instance() as at_home:
        for run_id in fail_orphans(at_home):
            sys.stderr.write(f"Run {run_id} has no process any more and is marked as failed.\n")
