"""Load and publish, each as one call. Reading ION is in `extraction`, the step between, dbt, in `dbt`."""

from pathlib import Path

from ion_pipeline import warehouse
from ion_pipeline.extract import known_catalog
from ion_pipeline.lake import Lake
from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.extraction import ExtractReport, ReadMode, extract
from ion_pipeline.pipeline.progress import Reporter, Silence
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import LoadReport, PublishReport, Resources

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
            known_catalog().tables.values(),
            resources=_resources(settings),
        )


def publish(settings: Settings, *, reporter: Reporter | None = None) -> PublishReport:
    """Copy the public schemas to where analysts read.

    Raises:
        IonPipelineError: See `warehouse.publish`; what was published before stays.
    """
    with (reporter or Silence()).phase("Publishing"):
        return warehouse.publish(
            settings.warehouse_path,
            settings.published_dir,
            storage_version=settings.publish_storage_version,
            sql_files=analyst_macros(),
            resources=_resources(settings),
        )


def analyst_macros() -> list[Path]:
    """The files that define the table macros of the published file, always in the same order."""
    return sorted((dbt.project_dir() / "analyst_macros").glob("*.sql"))


def _resources(settings: Settings) -> Resources:
    return Resources(memory_limit=settings.duckdb_memory_limit, threads=settings.duckdb_threads)
