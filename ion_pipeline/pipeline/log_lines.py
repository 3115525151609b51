"""What is logged about a refresh: a line for each entity read, read of ION, load applied and publish.

The keys are those of docs/operations.md ("Logs"); the numbers are those of the steps' reports.
"""

from collections.abc import Iterable

from ion_pipeline.extract import EntityResult
from ion_pipeline.logs import log_done
from ion_pipeline.pipeline.read_mode import ExtractReport
from ion_pipeline.publish import PublishReport
from ion_pipeline.warehouse import LoadReport


def log_read(report: ExtractReport) -> None:
    """Log the entities that were read, and the read as a whole, also where nothing was new."""
    log_entities(report.load_id, report.entities)
    log_done(
        "ion_read",
        load_id=report.load_id,
        entities=len(report.rows_by_entity),
        rows=report.rows,
        requests=report.requests,
        bytes=report.bytes,
        seconds=report.seconds,
    )


def log_entities(load_id: str | None, results: Iterable[EntityResult]) -> None:
    """Log the entities that were read into a load."""
    for result in results:
        if result.status == "read":
            log_done(
                "entity_read",
                entity=result.entity,
                mode=result.strategy,
                rows=result.rows,
                deleted=result.deleted,
                requests=result.requests,
                seconds=result.seconds,
                load_id=load_id,
            )


def log_loads(report: LoadReport) -> None:
    """Log the loads that were applied to the warehouse."""
    for load in report.loads:
        log_done(
            "load_applied",
            load_id=load.load_id,
            tables=len(load.tables),
            rows=sum(change.rows_read for change in load.tables),
            inserted=sum(change.rows_inserted for change in load.tables),
            updated=sum(change.rows_updated for change in load.tables),
            deleted=sum(change.rows_deleted for change in load.tables),
            seconds=load.seconds,
        )


def log_publish(report: PublishReport) -> None:
    """Log what was published."""
    log_done(
        "published",
        version=report.publish_id,
        tables=len(report.tables),
        rows=sum(table.rows for table in report.tables),
        bytes=report.bytes,
        seconds=report.seconds,
    )
