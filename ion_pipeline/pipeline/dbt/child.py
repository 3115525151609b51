"""dbt in the child process: `python -m ion_pipeline.pipeline.dbt.child RESULTS ALIVE ARGUMENTS…`.

ALIVE is the number of a descriptor, the reading end of a pipe: at its end the parent is gone, and so is dbt. Without it
dbt would go on writing for as long as its build takes, and keep everybody else out of the warehouse.

What came of each node goes to the file RESULTS, as JSON. dbt can write such a file itself, but only together with a
manifest of the whole project, twice in a build, which takes longer than many a build.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from ion_pipeline.heap import collector_paused


def end_with_parent(alive: int) -> None:
    """End this process at once when nobody holds the other end of a pipe any more; DuckDB is safe against that.

    Args:
        alive: Descriptor of the reading end.
    """

    def wait() -> None:
        # Blocks until the kernel closes the other end, which it does at whatever ends the parent.
        os.read(alive, 1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _rendered(node: Any) -> dict[str, Any] | None:
    """Where the statement is that was executed, and what is to be known to execute it again."""
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
    }


def main() -> int:
    """Run dbt as its own command line would, with its words on standard output; its exit code."""
    results, alive, *arguments = sys.argv[1:]
    end_with_parent(int(alive))
    # They take a second, in which the parent may go.
    from dbt.artifacts.schemas.run import RunExecutionResult  # noqa: PLC0415
    from dbt.cli.main import dbtRunner  # noqa: PLC0415

    # The project in memory is most of what the collector would look through: 7 % of a build, for 100 MB.
    with collector_paused():
        outcome = dbtRunner().invoke(arguments)
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
