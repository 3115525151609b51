"""Builds the models: with dbt, or by re-executing the statements that dbt rendered."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import duckdb
import orjson

from ion_pipeline.counting import OnCount, unheard
from ion_pipeline.files.storage import replace_file
from ion_pipeline.pipeline import entity_tables, export_control
from ion_pipeline.pipeline.dbt import spark
from ion_pipeline.pipeline.dbt.log import logs_build
from ion_pipeline.pipeline.dbt.pending import pending
from ion_pipeline.pipeline.dbt.process import failure_message, prepared_manifest, results_path, run
from ion_pipeline.pipeline.dbt.project import models_digest, work_dir
from ion_pipeline.pipeline.dbt.rendered import load_rendered, rendered_digest, save_rendered
from ion_pipeline.pipeline.dbt.replay import replay
from ion_pipeline.pipeline.dbt.report import FAILED, BuildError, BuildReport
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import BuildRecord, begin_build, built_load, changed_since_build, connect, record_build

IndirectSelection = Literal["eager", "buildable", "cautious", "empty"]


@logs_build
def build(
    settings: Settings,
    *,
    select: Sequence[str] = (),
    indirect_selection: IndirectSelection = "eager",
    on_line: Callable[[str], None] | None = None,
    on_count: OnCount = unheard,
) -> BuildReport:
    """Build and test the models: `dbt build`.

    Args:
        settings: The warehouse, and the limits of memory and threads for dbt.
        select: dbt selectors; empty for all models.
        indirect_selection: dbt's mode of selecting the tests of the selected models: tests that read one of them
            (`eager`), tests that can run after the build (`buildable`), tests that read nothing else (`cautious`), or
            no tests (`empty`).
        on_line: Called with each line of dbt's output.
        on_count: Called when a node begins or ends.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
        BuildError: A model or a test failed. The message names the nodes; the published files are unchanged.
    """
    begun, _ = _begin(settings)
    if settings.engine == "spark":
        return _built_on_spark(settings, begun, on_line, on_count)
    arguments = ["--indirect-selection", indirect_selection, "--select", *select] if select else []
    report = run(settings, ["build", *arguments], on_line=on_line, on_count=on_count)
    if not select:
        _record(settings, begun, rendered=True)
    return report


@logs_build
def build_pending(
    settings: Settings, *, on_line: Callable[[str], None] | None = None, on_count: OnCount = unheard
) -> BuildReport:
    """Build and test what is downstream of the tables that changed since all models were last built.

    If the last build is not known, everything is built. dbt runs if it has not built these models here before; later
    builds re-execute the statements that it rendered. A failed build is not recorded, so the next build includes its
    nodes.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
        BuildError: A model or a test failed. The message names the nodes; the published files are unchanged.
    """
    begun, changed = _begin(settings)
    report = BuildReport((), 0.0)
    if settings.engine == "spark":
        return report if changed == frozenset() else _built_on_spark(settings, begun, on_line, on_count)
    names: list[str] | None = None
    if changed:
        # Never empty: each load also changes the load log, which some models read.
        names = pending(orjson.loads(prepared_manifest(settings).read_bytes()), changed)
    replayed = _replayed(settings, begun.models, names, on_line, on_count) if begun and changed != frozenset() else None
    if replayed:
        report = replayed
    elif changed is None:
        report = run(settings, ["build"], on_line=on_line, on_count=on_count)
    elif names:
        report = run(
            settings, ["build", "--indirect-selection", "empty", "--select", *names], on_line=on_line, on_count=on_count
        )
    _record(settings, begun, rendered=changed is None and not replayed)
    return report


def _built_on_spark(
    settings: Settings,
    begun: BuildRecord | None,
    on_line: Callable[[str], None] | None,
    on_count: OnCount,
) -> BuildReport:
    """Build everything: Spark keeps no tables between builds. The build record is of all models."""
    report = spark.build(settings, on_line=on_line, on_count=on_count)
    _record(settings, begun, rendered=False)
    return report


def _replayed(
    settings: Settings,
    models: str,
    names: Sequence[str] | None,
    on_line: Callable[[str], None] | None,
    on_count: OnCount,
) -> BuildReport | None:
    """Build from the statements that dbt rendered; return None if dbt has not rendered these models.

    Raises:
        BuildError: A model or a test failed.
    """
    rendered = load_rendered(work_dir(settings), rendered_digest(models))
    if rendered is None:
        return None
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        seconds = _replayed_seconds(settings)
        report = replay(connection, rendered, names, on_line=on_line, on_count=on_count, seconds=seconds)
    if any(node.status in FAILED for node in report.nodes):
        remedy = (
            "Run `ion-pipeline build`: it builds all models with dbt, whose log has details. Nothing was published."
        )
        raise BuildError(failure_message(report), remedy=remedy, report=report)
    seconds |= {node.unique_id: round(node.seconds, 4) for node in report.nodes}
    replace_file(
        _seconds_file(settings), orjson.dumps({name: seconds[name] for name in rendered.nodes if name in seconds})
    )
    return report


def _replayed_seconds(settings: Settings) -> dict[str, float]:
    """What each node took when it was last replayed, by unique id; only to say how long a build takes."""
    file = _seconds_file(settings)
    if not file.is_file():
        return {}
    seconds: dict[str, float] = orjson.loads(file.read_bytes())
    return seconds


def _seconds_file(settings: Settings) -> Path:
    return work_dir(settings) / "replayed.json"


def is_built(settings: Settings) -> bool:
    """Whether all models are up to date: no load, setting or model has changed since they were built.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
    """
    if not settings.warehouse_path.is_file():
        return False
    with connect(settings.warehouse_path, resources_of(settings), read_only=True) as connection:
        return changed_since_build(connection, models_digest(settings)) == frozenset()


def _begin(settings: Settings) -> tuple[BuildRecord | None, frozenset[str] | None]:
    """The build record of the build that begins now, and the tables that changed since all models were last built.

    This also waits until no other process has the warehouse open: dbt does not wait, and its message does not name the
    process.
    """
    models = models_digest(settings)
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        begun = begin_build(connection, models)
        export_control.prepare(connection, settings)
        entity_tables.prepare(connection, settings)
        return begun, _changed(connection, settings, models)


def _changed(connection: duckdb.DuckDBPyConnection, settings: Settings, models: str) -> frozenset[str] | None:
    load_id = built_load(connection, models)
    if load_id is None:
        return None
    changed = changed_since_build(connection, models)
    return changed and changed | export_control.changed_sources(connection, settings, load_id)


def _record(settings: Settings, begun: BuildRecord | None, *, rendered: bool) -> None:
    """Write the build record and, if dbt built everything, store the statements that it rendered."""
    if begun is None:
        return
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        record_build(connection, begun)
        if rendered:
            results = orjson.loads(results_path(settings).read_bytes())["results"]
            save_rendered(work_dir(settings), rendered_digest(begun.models), results, connection)
