"""dbt in the child process: `python -m ion_pipeline.pipeline.dbt_child RESULTS ARGUMENTS…`.

What came of each node goes to the file RESULTS, as JSON. dbt can write such a file itself, but only together with a
manifest of the whole project, twice in a build, which takes longer than many a build.
"""

import json
import sys
from pathlib import Path

from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner

from ion_pipeline.heap import collector_paused


def main() -> int:
    """Run dbt as its own command line would, with its words on standard output; its exit code."""
    results, *arguments = sys.argv[1:]
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
                }
                for one in outcome.result.results
            ],
        }
        Path(results).write_text(json.dumps(document), encoding="utf-8")
    return 0 if outcome.success else 1


if __name__ == "__main__":
    sys.exit(main())
