"""The steps extract, load and publish, each as one call. The step between load and publish is in `dbt`."""

from dataclasses import replace
from pathlib import Path

from ion_pipeline import publish as publishing
from ion_pipeline import warehouse
from ion_pipeline.pipeline import dbt, export_control
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.entity_tables import published_entities
from ion_pipeline.pipeline.extraction import extract
from ion_pipeline.pipeline.log_lines import log_loads, log_publish
from ion_pipeline.pipeline.open_lake import open_lake
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.pipeline.read_mode import ExtractReport, ReadMode
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.pipeline.target import check_target, send
from ion_pipeline.publish import PublishError, PublishReport
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import LoadReport

__all__ = ["ExtractReport", "ReadMode", "extract", "load", "publish"]


def load(settings: Settings, *, reporter: Reporter | None = None) -> LoadReport:
    """Apply every load of the lake that the warehouse does not have yet.

    Raises:
        IonPipelineError: See `warehouse.load`; the load that failed was rolled back.
    """
    reporter = reporter or NullReporter()
    with reporter.phase("Loading the warehouse"):
        report = warehouse.load(
            open_lake(settings),
            settings.warehouse_path,
            data_catalog(settings.data_dir).tables.values(),
            resources=resources_of(settings),
            on_count=reporter.counted,
        )
    log_loads(report)
    return report


def publish(settings: Settings, *, to: str | None = None, reporter: Reporter | None = None) -> PublishReport:
    """Publish the public schemas, and send the publish to the target if there is one.

    Args:
        settings: The data directory.
        to: URI of the target; by default that of the settings.
        reporter: Receives progress and notes.

    Raises:
        SettingsError: A publish can never be made or be sent to the target; nothing was published.
        NotSentError: The publish succeeded here, but could not be sent.
        IonPipelineError: See `target.check_target` and `publish.publish`; the previous publish is unchanged.
    """
    reporter, target = reporter or NullReporter(), to or settings.publish_to
    check_target(settings, to=to, reporter=reporter)
    with reporter.phase("Publishing"):
        report = publishing.publish(
            settings.warehouse_path,
            settings.published_dir,
            entity_tables=published_entities(settings),
            storage_version=settings.publish_storage_version,
            sql_files=analyst_macros(),
            keep=settings.publish_keep,
            export_controlled=_export_controlled(settings),
            formats=settings.publish_format,
            resources=resources_of(settings),
            on_count=reporter.counted,
        )
    log_publish(report)
    if not target:
        return report
    with reporter.phase("Sending the publish"):
        return replace(report, sent=send(settings, target, report, on_count=reporter.counted))


def analyst_macros() -> list[Path]:
    """The SQL files that define the table macros of the published file, sorted."""
    return sorted((dbt.project_dir() / "analyst_macros").glob("*.sql"))


def _export_controlled(settings: Settings) -> str:
    """The value of `export_controlled` in `latest.json`; the controlled rows have been found, for their flags.

    Raises:
        PublishError: Controlled rows are to be left out, but not all models have been built without them.
    """
    if settings.publish_export_controlled:
        export_control.search(settings)
        return publishing.INCLUDED
    if not dbt.is_built(settings):
        raise PublishError(
            "Rows under export control are to be left out (ION_PUBLISH_EXPORT_CONTROLLED=false), but not all models "
            "have been built without them since the last load.",
            remedy="Run `ion-pipeline build` for all models, then publish again. The published files are unchanged.",
        )
    with warehouse.connect(settings.warehouse_path, resources_of(settings), read_only=True) as connection:
        return f"left out as of {warehouse.left_out_since(connection) or 'the first load'}"
