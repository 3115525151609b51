"""The child process that runs dbt: `python -P child.py RESULTS ALIVE ARGUMENTS…`.

ALIVE is the file descriptor of the reading end of a pipe. The pipe reaches its end when the parent process ends, and
this process then ends too. Otherwise dbt would continue its build, and other processes could not open the warehouse.

The result of each node is written to the file RESULTS as JSON. dbt can write such a file itself, but only together with
the manifest of the whole project, twice in each build, which often takes longer than the build itself.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from ion_pipeline.heap import collector_paused

#: Begins a line of output that is for the parent: a node, of how many, begins or ends.
NODE_LINE = "\x1e"
STARTED, FINISHED = "started", "finished"


def end_with_parent(alive: int) -> None:
    """Kill this process when the writing end of a pipe is closed. DuckDB files survive a kill.

    Args:
        alive: File descriptor of the reading end.
    """

    def wait() -> None:
        # Blocks until the kernel closes the writing end, which happens however the parent ends.
        os.read(alive, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _rendered(node: Any) -> dict[str, Any] | None:
    """The file of the executed statement, and the attributes that are needed to execute it again."""
    if node.resource_type not in {"model", "seed", "test"}:
        return None
    return {
        "file": node.build_path,
        "name": node.name,
        "kind": str(node.resource_type),
        "schema": node.schema,
        "parents": list(node.depends_on_nodes),
        "materialized": node.config.materialized,
        **{name: getattr(node.config, name, "") for name in ("severity", "warn_if", "error_if")},
        "meta": dict(node.config.meta),
    }


class _Nodes:
    """Prints a line when a node begins or ends; dbt's own lines name neither in a form that is meant for programs."""

    def __init__(self) -> None:
        self._total = 0

    def __call__(self, event: Any) -> None:
        match event.info.name:
            case "ConcurrencyLine":
                self._total = event.data.node_count
            case "NodeStart":
                self._print(STARTED, event)
            case "NodeFinished":
                self._print(FINISHED, event)

    def _print(self, what: str, event: Any) -> None:
        # In one piece, for dbt's threads print too.
        sys.stdout.write(f"{NODE_LINE}{what} {self._total} {event.data.node_info.unique_id}\n")
        sys.stdout.flush()


def main() -> int:
    """Run dbt and end with the parent; return dbt's exit code."""
    results, alive, *arguments = sys.argv[1:]
    end_with_parent(int(alive))
    return run_dbt(results, arguments)


def run_dbt(results: str, arguments: list[str]) -> int:
    """Run dbt like its command line does, with its output on standard output; return its exit code.

    Args:
        results: File for the result of each node.
        arguments: dbt's arguments.
    """
    # Imported after the watching starts: the imports take a second, in which the parent may end.
    from dbt.artifacts.schemas.run import RunExecutionResult  # noqa: PLC0415
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    # Scanning the project in memory for garbage takes 7 % of a build's time; without it, a build uses 100 MB more.
    with collector_paused():
        outcome = dbtRunner(callbacks=[_Nodes()]).invoke(arguments)
    if outcome.exception:
        sys.stderr.write(f"{outcome.exception}\n")
    if isinstance(outcome.result, RunExecutionResult):
        document = {
            "elapsed_time": outcome.result.elapsed_time,
            "results": [
                {
                    "unique_id": one.node.unique_id,
                    "status": str(one.status),
                    "message": one.message,
                    "execution_time": one.execution_time,
                    "rendered": _rendered(one.node),
                }
                for one in outcome.result.results
            ],
        }
        Path(results).write_text(json.dumps(document), encoding="utf-8")
    return 0 if outcome.success else 1


if __name__ == "__main__":
    sys.exit(main())
