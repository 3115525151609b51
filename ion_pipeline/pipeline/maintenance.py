"""Care of what has been read already: the warehouse anew from the lake, and the lake made smaller. Asks ION nothing."""

from collections.abc import Callable, Sequence

from ion_pipeline import warehouse
from ion_pipeline.lake import Lake, LoadManifest
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import CompactReport, LoadProgress, LoadReport

_ROWS = "rows of the lake"
_SCRATCH = "compacting"


def rebuild(settings: Settings, *, reporter: Reporter | None = None) -> LoadReport:
    """Make `raw` and `raw_history` anew from the lake, in one transaction; dbt's schemas stay as they are.

    Args:
        settings: Which data directory.
        reporter: Hears the rows of the loads go by.

    Raises:
        IonPipelineError: See `warehouse.rebuild`; the warehouse is as it was.
    """
    lake, reporter = Lake(settings.lake_dir), reporter or NullReporter()
    with reporter.phase("Rebuilding the warehouse"):
        return warehouse.rebuild(
            lake,
            settings.warehouse_path,
            data_catalog(settings.data_dir).tables.values(),
            resources=resources_of(settings),
            progress=_rows(lake.loads(), reporter),
        )


def compact(settings: Settings, *, keep: int, dry_run: bool = False, reporter: Reporter | None = None) -> CompactReport:
    """Fold all loads of the lake but the latest; what a rebuild gives stays the same.

    Args:
        settings: Which data directory.
        keep: So many loads stay as they are.
        dry_run: Only find out what it would save.
        reporter: Hears the rows of the loads go by.

    Raises:
        IonPipelineError: See `warehouse.compact`; the lake is as it was.
    """
    lake, reporter = Lake(settings.lake_dir), reporter or NullReporter()
    with reporter.phase("Compacting the lake"):
        loads = lake.loads()
        return warehouse.compact(
            lake,
            settings.data_dir / _SCRATCH,
            data_catalog(settings.data_dir).tables.values(),
            keep=keep,
            dry_run=dry_run,
            resources=resources_of(settings),
            progress=_rows(loads[: max(len(loads) - keep, 0)], reporter),
        )


def _rows(loads: Sequence[LoadManifest], reporter: Reporter) -> Callable[[LoadProgress], None]:
    reporter.started(_ROWS, sum(table.rows + table.tombstones for load in loads for table in load.tables))
    return lambda step: reporter.advanced(_ROWS, step.rows)
