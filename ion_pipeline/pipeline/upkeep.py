"""Care of what has been read already: make the warehouse anew from the lake. Asks nothing of ION."""

from ion_pipeline import warehouse
from ion_pipeline.extract import known_catalog
from ion_pipeline.lake import Lake
from ion_pipeline.pipeline.progress import Reporter, Silence
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import LoadReport, Resources

_RAW = "raw"


def rebuild(settings: Settings, *, reporter: Reporter | None = None) -> LoadReport:
    """Make `raw` and `raw_history` anew from the lake, in one transaction; dbt's schemas stay as they are.

    Args:
        settings: Which data directory.
        reporter: Hears the rows of the loads go by.

    Raises:
        IonPipelineError: See `warehouse.rebuild`; the warehouse is as it was.
    """
    reporter = reporter or Silence()
    lake = Lake(settings.lake_dir)
    with reporter.phase("Rebuilding the warehouse"):
        reporter.started(_RAW, sum(table.rows + table.tombstones for load in lake.loads() for table in load.tables))
        report = warehouse.rebuild(
            lake,
            settings.warehouse_path,
            known_catalog().tables.values(),
            resources=Resources(memory_limit=settings.duckdb_memory_limit, threads=settings.duckdb_threads),
            progress=lambda step: reporter.advanced(_RAW, step.rows),
        )
        reporter.finished(_RAW)
    return report
