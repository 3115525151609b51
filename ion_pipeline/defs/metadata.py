"""What a materialization of a model says."""

from collections.abc import Sequence

from ion_pipeline.defs.names import ROWS
from ion_pipeline.pipeline.dbt.report import NodeResult

_NOT_COUNTED = (
    "Not known. dbt or Spark built the table without a comparison, or it has more than a million rows and was built "
    "from all of them."
)


def model_metadata(node: NodeResult, passed: Sequence[bool]) -> dict[str, float | int | str]:
    """What a build knows of a model: its rows and how they changed, unless it is a view; seconds, and checks.

    Args:
        node: The result of the model.
        passed: Whether each of its checks passed in this build.
    """
    found: dict[str, float | int | str] = {
        "seconds": node.seconds,
        "checks": len(passed),
        "checks_not_passed": passed.count(False),
    }
    if node.rows is None:
        return found
    if node.changed is None:
        return {ROWS: node.rows, "rows_changed": _NOT_COUNTED, **found}
    return {ROWS: node.rows, "rows_added": node.changed.added, "rows_removed": node.changed.removed, **found}
