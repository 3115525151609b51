"""Runs on which nobody works any more although they say so: after a power cut, or when the daemon was killed.

    python -m ion_pipeline.defs.orphans

Dagster notices when the process of one run dies, but not when the server is gone that started it, nor when a command
line was killed: such a run stays "started" for ever and keeps its place in the pools, so that every later run waits for
it. So they are looked for before the daemon starts and before a command's run. What is marked as failed here is tried
again like any failed run of the daemon, and told of like one.
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

# Tag of a run of the command line: machine, its boot, process.
PROCESS = "ion/process"
_AT_WORK = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> str:
    """What the tag says of a run of this process."""
    return f"{socket.gethostname()} {_boot()} {os.getpid()}"


def fail_orphans(instance: dg.DagsterInstance) -> list[str]:
    """Mark the runs as failed whose server does not answer, or whose process was on this machine and is gone.

    Args:
        instance: Where the runs are recorded.

    Returns:
        The ids of these runs.
    """
    failed = []
    for run in instance.get_runs(dg.RunsFilter(statuses=_AT_WORK)):
        server, process = run.tags.get(GRPC_INFO_TAG), run.tags.get(PROCESS)
        if (server and not _answers(server)) or (process and _is_gone(process)):
            instance.report_run_failed(run, "The process of this run is gone: it was killed, or its server.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            failed.append(run.run_id)
    return failed


def _boot() -> str:
    return _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else "-"


def _is_gone(process: str) -> bool:
    """Whether a process was on this machine and is no more; of other machines nothing is known from here."""
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
            sys.stderr.write(f"Run {run_id} was gone and is marked as failed.\n")
