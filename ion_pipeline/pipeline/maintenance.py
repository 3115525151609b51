"""Maintenance of a data directory, without requests to ION: rebuild the warehouse from the lake, compact the lake."""

from ion_pipeline import warehouse
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.log_lines import log_loads
from ion_pipeline.pipeline.open_lake import open_lake
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import CompactReport, LoadReport

_SCRATCH = "compacting"


def rebuild(settings: Settings, *, reporter: Reporter | None = None) -> LoadReport:
    """Rebuild `raw` and `raw_history` from the lake, in one transaction; dbt's schemas stay unchanged.

    Args:
        settings: The data directory.
        reporter: Receives the number of rows.

    Raises:
        IonPipelineError: See `warehouse.rebuild`; the warehouse is unchanged.
    """
    lake, reporter = open_lake(settings), reporter or NullReporter()
    with reporter.phase("Rebuilding the warehouse"):
        report = warehouse.rebuild(
            lake,
            settings.warehouse_path,
            data_catalog(settings.data_dir).tables.values(),
            resources=resources_of(settings),
            on_count=reporter.counted,
        )
    log_loads(report)
    return report


def compact(settings: Settings, *, keep: int, dry_run: bool = False, reporter: Reporter | None = None) -> CompactReport:
    """Compact all loads of the lake except the latest into a snapshot; the result of a rebuild does not change.

    Args:
        settings: The data directory.
        keep: Number of latest loads to leave as they are.
        dry_run: Only determine how much space compacting saves.
        reporter: Receives the number of rows.

    Raises:
        IonPipelineError: See `warehouse.compact`; the lake is unchanged.
    """
    lake, reporter = open_lake(settings), reporter or NullReporter()
    with reporter.phase("Compacting the lake"):
        return warehouse.compact(
            lake,
            settings.data_dir / _SCRATCH,
            data_catalog(settings.data_dir).tables.values(),
            keep=keep,
            dry_run=dry_run,
            resources=resources_of(settings),
            on_count=reporter.counted,
        )
