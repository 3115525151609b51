"""What a materialization of a model or of the published file says."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from ion_pipeline.defs.names import PATH, ROWS
from ion_pipeline.pipeline.dbt.report import NodeResult
from ion_pipeline.publish.swap import DICTIONARY_MD
from ion_pipeline.settings import Settings

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


def published_paths(database: Path, settings: Settings) -> dict[str, dg.MetadataValue]:
    """The files that readers open, each as a path to copy: browsers do not follow a link from a server to a file.

    Args:
        database: The published file.
        settings: Name the data directory, where the last report is, if one was written.
    """
    report = settings.report_path
    return {
        PATH: dg.MetadataValue.path(str(database.absolute())),
        "data_dictionary": dg.MetadataValue.path(str(database.with_name(DICTIONARY_MD).absolute())),
        **({"report": dg.MetadataValue.path(str(report.absolute()))} if report.is_file() else {}),
    }
