"""Extract, load and publish, each as one call. How ION is read is in `extraction`; the step between, dbt, is in `dbt`."""

from dataclasses import replace
from pathlib import Path

from ion_pipeline import publish as publishing
from ion_pipeline import warehouse
from ion_pipeline.lake import Lake
from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.extraction import ExtractReport, extract
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.pipeline.read_mode import ReadMode
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.pipeline.target import check_target, send
from ion_pipeline.publish import PublishError, PublishReport
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import LoadReport

__all__ = ["ExtractReport", "ReadMode", "extract", "load", "publish"]


def load(settings: Settings, *, reporter: Reporter | None = None) -> LoadReport:
    """Apply every load of the lake that the warehouse does not have yet.

    Raises:
        IonPipelineError: See `warehouse.load`; the load in question was rolled back.
    """
    with (reporter or NullReporter()).phase("Loading the warehouse"):
        return warehouse.load(
            Lake(settings.lake_dir),
            settings.warehouse_path,
            data_catalog(settings.data_dir).tables.values(),
            resources=resources_of(settings),
        )


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
    reporter, target = reporter or NullReporter(), to or settings.publish_to
    check_target(settings, to=to, reporter=reporter)
    with reporter.phase("Publishing"):
        report = publishing.publish(
            settings.warehouse_path,
            settings.published_dir,
            storage_version=settings.publish_storage_version,
            sql_files=analyst_macros(),
            keep=settings.publish_keep,
            export_controlled=_export_controlled(settings),
            resources=resources_of(settings),
        )
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
        return publishing.INCLUDED
    if not dbt.is_built(settings):
        raise PublishError(
            "Rows under export control are to be left out (ION_PUBLISH_EXPORT_CONTROLLED=false), and not all models "
            "have been built without them since the last load.",
            remedy="Run `ion-pipeline build` for all models, then publish again; the files before are untouched.",
        )
    with warehouse.connect(settings.warehouse_path, resources_of(settings), read_only=True) as connection:
        return f"left out as of {warehouse.left_out_since(connection) or 'the first load'}"
