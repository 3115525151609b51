"""Dagster as it is deployed: a webserver and a daemon, each a process of its own, and what they are asked over HTTP."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

REPOSITORY = Path(__file__).parents[3]
# What the commands `dagster-webserver` and `dagster-daemon` run.
_MODULES = {"webserver": "dagster_webserver", "daemon": "dagster._daemon"}
_LAUNCH = """
mutation($job: String!, $operations: [String!]!, $tags: [ExecutionTag!]!) {
  launchRun(executionParams: {
    selector: {
      repositoryLocationName: "ion_pipeline", repositoryName: "__repository__", jobName: $job,
      solidSelection: $operations
    }
    executionMetadata: { tags: $tags }
  }) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""


@dataclass
class DagsterServer:
    """A running webserver and daemon of one instance.

    Attributes:
        url: Of the webserver.
        processes: By name: `webserver` and `daemon`.
    """

    url: str
    folder: Path
    environment: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]]

    def start(self, name: str, *arguments: str) -> None:
        """Start a process, in a group of its own: what it starts is in that group too."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", _MODULES[name], *arguments, "-w", "workspace.yaml"],
                cwd=REPOSITORY,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")

    def wait_for_the_webserver(self) -> None:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"{self.url}/server_info").raise_for_status()
                return
            assert self.processes["webserver"].poll() is None, self.log("webserver")
            assert time.monotonic() < deadline, self.log("webserver")
            time.sleep(0.2)

    def launch(self, job: str, operations: Sequence[str], tags: Mapping[str, str]) -> str:
        """Put a run of some operations of a job into the queue, as the launchpad of the UI does.

        Returns:
            The run's id.
        """
        of_run = [{"key": key, "value": value} for key, value in tags.items()]
        variables = {"job": job, "operations": list(operations), "tags": of_run}
        answer = httpx.post(f"{self.url}/graphql", json={"query": _LAUNCH, "variables": variables}, timeout=120)
        assert answer.is_success, answer.text
        launched: dict[str, Any] = answer.json()["data"]["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def end(self, name: str, how: signal.Signals) -> None:
        """End a process with everything it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.processes[name].pid, how)
        self.processes[name].wait(timeout=60)


@contextlib.contextmanager
def dagster_server(folder: Path, environment: dict[str, str]) -> Iterator[DagsterServer]:
    """Run both for as long as the block does.

    Args:
        folder: Where their logs go.
        environment: Of both, `DAGSTER_HOME` included.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = DagsterServer(f"http://127.0.0.1:{port}", folder, environment, {})
    try:
        server.start("webserver", "--host", "127.0.0.1", "--port", str(port))
        server.start("daemon", "run")
        server.wait_for_the_webserver()
        yield server
    finally:
        for name in server.processes:
            server.end(name, signal.SIGKILL)
