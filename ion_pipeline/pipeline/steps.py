"""Load and publish, each as one call. Reading ION is in `extraction`, the step between, dbt, in `dbt`."""

from dataclasses import replace

from ion_pipeline import warehouse
from ion_pipeline.lake import Lake
from ion_pipeline.pipeline.adopting import data_catalog
from ion_pipeline.pipeline.extraction import ExtractReport, ReadMode, extract
from ion_pipeline.pipeline.progress import Reporter, Silence
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import LoadReport, PublishReport, Resources, SendReport

__all__ = ["ExtractReport", "ReadMode", "extract", "load", "publish"]


def load(settings: Settings, *, reporter: Reporter | None = None) -> LoadReport:
    """Apply every load of the lake that the warehouse does not have yet.

    Raises:
        IonPipelineError: See `warehouse.load`; the load in question was rolled back.
    """
    with (reporter or Silence()).phase("Loading the warehouse"):
        return warehouse.load(
            Lake(settings.lake_dir),
            settings.warehouse_path,
            data_catalog(settings.data_dir).tables.values(),
            resources=_resources(settings),
        )


def publish(settings: Settings, *, to: str | None = None, reporter: Reporter | None = None) -> PublishReport:
    """Copy the public schemas to where analysts read.

    Args:
        settings: Which data directory.
        to: A URI to send the publish to as well; by default that of the settings, if any.
        reporter: Hears how it goes.

    Raises:
        IonPipelineError: See `warehouse.publish`, `warehouse.send` and `warehouse.send_to_postgres`; what was published
            before stays.
    """
    reporter, target = reporter or Silence(), to or settings.publish_to
    if target:
        warehouse.check_target(target)
    with reporter.phase("Publishing"):
        report = warehouse.publish(
            settings.warehouse_path,
            settings.published_dir,
            storage_version=settings.publish_storage_version,
            keep=settings.publish_keep,
            resources=_resources(settings),
        )
    if not target:
        return report
    with reporter.phase("Sending what was published"):
        return replace(report, sent=_send(settings, target))


def _send(settings: Settings, target: str) -> SendReport:
    if target.startswith(("postgresql://", "postgres://")):
        return warehouse.send_to_postgres(settings.published_dir, target, resources=_resources(settings))
    return warehouse.send(settings.published_dir, target, keep=settings.publish_keep)


def _resources(settings: Settings) -> Resources:
    return Resources(memory_limit=settings.duckdb_memory_limit, threads=settings.duckdb_threads)
