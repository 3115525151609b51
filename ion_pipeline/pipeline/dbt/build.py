"""Building the models: by dbt, or by executing again what it rendered."""

from collections.abc import Callable, Sequence
from typing import Literal

import duckdb
import orjson

from ion_pipeline.pipeline import export_control
from ion_pipeline.pipeline.dbt.pending import pending
from ion_pipeline.pipeline.dbt.project import models_digest, work_dir
from ion_pipeline.pipeline.dbt.rendered import keep, kept, rendered_digest
from ion_pipeline.pipeline.dbt.replay import replay
from ion_pipeline.pipeline.dbt.report import FAILED, BuildError, BuildReport
from ion_pipeline.pipeline.dbt.run import failure_message, prepared_manifest, results_path, run
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import Built, begin_build, built_load, changed_since_build, connect, note_build

IndirectSelection = Literal["eager", "buildable", "cautious", "empty"]


def build(
    settings: Settings,
    *,
    select: Sequence[str] = (),
    indirect_selection: IndirectSelection = "eager",
    on_line: Callable[[str], None] | None = None,
) -> BuildReport:
    """Build and test the models: `dbt build`.

    Args:
        settings: Which warehouse, and how much memory and threads dbt may use.
        select: dbt selectors; all models when empty.
        indirect_selection: Which tests of what is selected run with it, in dbt's words: those that touch it (`eager`),
            that can run once it is built (`buildable`), that read nothing else (`cautious`), or none (`empty`).
        on_line: Gets each line dbt prints, as it prints it.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
        BuildError: A model or a test failed. Names the nodes; published files are untouched.
    """
    begun, _ = _begin(settings)
    arguments = ["--indirect-selection", indirect_selection, "--select", *select] if select else []
    report = run(settings, ["build", *arguments], on_line=on_line)
    if not select:
        _note(settings, begun, rendered=True)
    return report


def build_pending(settings: Settings, *, on_line: Callable[[str], None] | None = None) -> BuildReport:
    """Build and test what is downstream of what changed since all models were built last; all if that is not known.

    dbt builds where it has not yet built these models here; afterwards the statements that it rendered are executed
    again. A build that failed is not counted: what it should have built is built again, with what has changed since.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
        BuildError: A model or a test failed. Names the nodes; published files are untouched.
    """
    begun, changed = _begin(settings)
    report = BuildReport((), 0.0)
    names: list[str] | None = None
    if changed:
        # Never empty: whatever has changed, the loader has noted a load, and there are models of its notes.
        names = pending(orjson.loads(prepared_manifest(settings).read_bytes()), changed)
    replayed = _replayed(settings, begun.models, names, on_line) if begun and changed != frozenset() else None
    if replayed:
        report = replayed
    elif changed is None:
        report = run(settings, ["build"], on_line=on_line)
    elif names:
        report = run(settings, ["build", "--indirect-selection", "empty", "--select", *names], on_line=on_line)
    _note(settings, begun, rendered=changed is None and not replayed)
    return report


def _replayed(
    settings: Settings, models: str, names: Sequence[str] | None, on_line: Callable[[str], None] | None
) -> BuildReport | None:
    """Build from what dbt rendered; None where it has not rendered these models.

    Raises:
        BuildError: A model or a test failed.
    """
    rendered = kept(work_dir(settings), rendered_digest(models))
    if rendered is None:
        return None
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        report = replay(connection, rendered, names, on_line=on_line)
    if any(node.status in FAILED for node in report.nodes):
        remedy = "`ion-pipeline build` builds all models with dbt, whose log says more; nothing was published."
        raise BuildError(failure_message(report), remedy=remedy, report=report)
    return report


def is_built(settings: Settings) -> bool:
    """Whether all models stand as the last load left them: nothing was loaded, set or changed since.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
    """
    if not settings.warehouse_path.is_file():
        return False
    with connect(settings.warehouse_path, resources_of(settings), read_only=True) as connection:
        return changed_since_build(connection, models_digest(settings)) == frozenset()


def _begin(settings: Settings) -> tuple[Built | None, frozenset[str] | None]:
    """What a build will cover, and what has changed since the last one of all models.

    Waits for the warehouse, too: dbt does not, and says less about who is in the way.
    """
    models = models_digest(settings)
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        begun = begin_build(connection, models)
        export_control.prepare(connection, settings)
        return begun, _changed(connection, settings, models)


def _changed(connection: duckdb.DuckDBPyConnection, settings: Settings, models: str) -> frozenset[str] | None:
    noted = built_load(connection, models)
    if noted is None:
        return None
    changed = changed_since_build(connection, models)
    return changed and changed | export_control.changed_sources(connection, settings, noted)


def _note(settings: Settings, begun: Built | None, *, rendered: bool) -> None:
    """Note what was built and, where dbt built all of it, keep what it rendered."""
    if begun is None:
        return
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        note_build(connection, begun)
        if rendered:
            results = orjson.loads(results_path(settings).read_bytes())["results"]
            keep(work_dir(settings), rendered_digest(begun.models), results, connection)
