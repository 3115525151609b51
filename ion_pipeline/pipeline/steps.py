"""Extract, load and publish, each as one call. How ION is read is in `extraction`, the step between, dbt, in `dbt`."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ion_pipeline import warehouse
from ion_pipeline.extract import EntityResult
from ion_pipeline.lake import Lake
from ion_pipeline.pipeline import dbt, extraction
from ion_pipeline.pipeline.adopting import data_catalog
from ion_pipeline.pipeline.extraction import ExtractReport
from ion_pipeline.pipeline.log_lines import log_loads, log_publish
from ion_pipeline.pipeline.progress import Reporter, Silence
from ion_pipeline.pipeline.read_mode import ReadMode
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.pipeline.target import check_target, send
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import LoadReport, PublishError, PublishReport

__all__ = ["ExtractReport", "ReadMode", "extract", "load", "publish"]


def extract(
    settings: Settings,
    *,
    entities: Sequence[str] = (),
    mode: ReadMode | None = None,
    reporter: Reporter | None = None,
) -> ExtractReport:
    """Read what is new in ION into the lake, and what changed of that while all of it was read.

    Changes to what was read in full cannot go into the same load: they are read by one refresh after it, so that what
    is built next is of one instant. What changes even then is in the report.

    Args:
        settings: Which tenant and which data directory.
        entities: Names of the entities to read; by default those of the settings.
        mode: Changes only, unless told otherwise.
        reporter: Hears how it goes.

    Raises:
        IonPipelineError: See `extraction.extract`; what a load before it brought stays.
    """
    mode = mode or ReadMode()
    report = extraction.extract(settings, entities=entities, mode=mode, reporter=reporter)
    if not any(entity.unsettled for entity in report.entities if entity.strategy == "full"):
        return report
    after = extraction.extract(settings, entities=entities, mode=replace(mode, full=False), reporter=reporter)
    return replace(
        report,
        load_id=after.load_id or report.load_id,
        entities=tuple(_both(*pair) for pair in zip(report.entities, after.entities, strict=True)),
        requests=report.requests + after.requests,
        token_requests=report.token_requests + after.token_requests,
        bytes=report.bytes + after.bytes,
        seconds=report.seconds + after.seconds,
    )


def _both(first: EntityResult, after: EntityResult) -> EntityResult:
    """One result of two reads, the second of which brought what changed during the first."""
    if first.status != "read":
        return after
    if after.status != "read":
        return replace(first, unsettled=after.unsettled)
    tables = dict(after.tables)
    if after.strategy == "incremental":
        tables = {name: first.tables.get(name, 0) + tables.get(name, 0) for name in {**first.tables, **tables}}
    return replace(
        after,
        strategy=first.strategy,
        tables=tables,
        pages=first.pages + after.pages,
        requests=first.requests + after.requests,
        bytes=first.bytes + after.bytes,
        seconds=first.seconds + after.seconds,
    )


def load(settings: Settings, *, reporter: Reporter | None = None) -> LoadReport:
    """Apply every load of the lake that the warehouse does not have yet.

    Raises:
        IonPipelineError: See `warehouse.load`; the load in question was rolled back.
    """
    with (reporter or Silence()).phase("Loading the warehouse"):
        report = warehouse.load(
            Lake(settings.lake_dir),
            settings.warehouse_path,
            data_catalog(settings.data_dir).tables.values(),
            resources=resources_of(settings),
        )
    log_loads(report)
    return report


def publish(settings: Settings, *, to: str | None = None, reporter: Reporter | None = None) -> PublishReport:
    """Copy the public schemas to where analysts read.

    Args:
        settings: Which data directory.
        to: A URI to send the publish to as well; by default that of the settings, if any.
        reporter: Hears how it goes.

    Raises:
        SettingsError: It can never be sent there; nothing was published.
        NotSentError: It is published here, and could not be sent.
        IonPipelineError: See `target.check_target` and `warehouse.publish`; what was published before stays.
    """
    reporter, target = reporter or Silence(), to or settings.publish_to
    check_target(settings, to=to, reporter=reporter)
    with reporter.phase("Publishing"):
        report = warehouse.publish(
            settings.warehouse_path,
            settings.published_dir,
            storage_version=settings.publish_storage_version,
            sql_files=analyst_macros(),
            keep=settings.publish_keep,
            export_controlled=_export_controlled(settings),
            resources=resources_of(settings),
        )
    log_publish(report)
    if not target:
        return report
    with reporter.phase("Sending what was published"):
        return replace(report, sent=send(settings, target, report))


def analyst_macros() -> list[Path]:
    """The files that define the table macros of the published file, always in the same order."""
    return sorted((dbt.project_dir() / "analyst_macros").glob("*.sql"))


def _export_controlled(settings: Settings) -> str:
    """What is said of export control in what is published.

    Raises:
        PublishError: Controlled rows are to be left out, and not all models have been built since without them.
    """
    if settings.publish_export_controlled:
        return warehouse.INCLUDED
    if not dbt.is_built(settings):
        raise PublishError(
            "Rows under export control are to be left out (ION_PUBLISH_EXPORT_CONTROLLED=false), and not all models "
            "have been built without them since the last load.",
            remedy="Run `ion-pipeline build` for all models, then publish again; the files before are untouched.",
        )
    with warehouse.connect(settings.warehouse_path, resources_of(settings), read_only=True) as connection:
        return f"left out as of {warehouse.left_out_since(connection) or 'the first load'}"
