"""What a materialization says: of an entity, a table, a model or the published file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from ion_pipeline.defs.names import LOAD_ID, PATH, ROWS
from ion_pipeline.extract.results import EntityResult
from ion_pipeline.pipeline.dbt.report import NodeResult
from ion_pipeline.pipeline.read_checks import drift_of
from ion_pipeline.pipeline.steps import ExtractReport
from ion_pipeline.publish import PublishReport
from ion_pipeline.publish.swap import DICTIONARY_MD
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import TableChange

#: The description of a materialization that only renews the time at which an asset was found to be up to date.
NOTHING_NEW = "Nothing new in ION."
_NOT_COUNTED = (
    "Not known. dbt or Spark built the table without a comparison, or it has more than a million rows and was built "
    "from all of them."
)


def entity_metadata(report: ExtractReport, result: EntityResult) -> dict[str, dg.MetadataValue]:
    """How an entity was read, and what the whole read was."""
    metadata: dict[str, dg.MetadataValue] = {
        ROWS: dg.MetadataValue.int(result.rows),
        "tables": dg.MetadataValue.json(dict(result.tables)),
        "strategy": dg.MetadataValue.text(result.strategy),
        "paging": dg.MetadataValue.text(result.paging),
        "pages": dg.MetadataValue.int(result.pages),
        "requests": dg.MetadataValue.int(result.requests),
        "bytes": dg.MetadataValue.int(result.bytes),
        "rows_deleted": dg.MetadataValue.int(result.deleted),
        "unsettled": dg.MetadataValue.int(result.unsettled),
        "seconds": dg.MetadataValue.float(result.seconds),
        "drift": dg.MetadataValue.json(drift_of(result)),
        LOAD_ID: dg.MetadataValue.text(report.load_id or ""),
        "load_requests": dg.MetadataValue.int(report.requests),
        "load_rows": dg.MetadataValue.int(sum(sum(entity.tables.values()) for entity in report.entities)),
    }
    if result.watermark:
        metadata["watermark"] = dg.MetadataValue.timestamp(result.watermark)
    return metadata


def table_metadata(change: TableChange) -> dict[str, float | int]:
    """How many rows of a table a load has changed."""
    return {
        ROWS: change.rows_after,
        "rows_read": change.rows_read,
        "rows_inserted": change.rows_inserted,
        "rows_updated": change.rows_updated,
        "rows_deleted": change.rows_deleted,
        "rows_changed": change.rows_changed,
        "seconds": change.seconds,
    }


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


def published_metadata(report: PublishReport, settings: Settings) -> dict[str, Any]:
    """The files that readers open, their tables and rows, and how many tables are new.

    Args:
        report: What was published.
        settings: Name the data directory.
    """
    tables = {f"{table.schema}.{table.table}": table.rows for table in report.tables}
    return {
        **published_paths(report.database, settings),
        "tables": dg.MetadataValue.json(tables),
        "tables_changed": report.changed,
        "rows": sum(tables.values()),
        "bytes": report.bytes,
        "seconds": report.seconds,
    }


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
