"""Builds the models: with dbt, or by re-executing the statements that dbt rendered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import duckdb
import orjson

from ion_pipeline.counting import OnCount, unheard
from ion_pipeline.errors import SettingsError
from ion_pipeline.pipeline import entity_tables, export_control, further_actions
from ion_pipeline.pipeline.dbt import spark
from ion_pipeline.pipeline.dbt.changed_rows import Since
from ion_pipeline.pipeline.dbt.log import logs_build
from ion_pipeline.pipeline.dbt.pending import Pending, pending
from ion_pipeline.pipeline.dbt.process import failure_message, prepared_manifest, results_path, run
from ion_pipeline.pipeline.dbt.project import models_digest, work_dir
from ion_pipeline.pipeline.dbt.rendered import load_rendered, rendered_digest, save_rendered
from ion_pipeline.pipeline.dbt.replay import LastBuild, replay
from ion_pipeline.pipeline.dbt.report import BUILT, FAILED, BuildError, BuildReport
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.publish import PUBLIC_SCHEMAS, published_load
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import (
    BuildRecord,
    BuiltNode,
    begin_build,
    built_load,
    built_nodes,
    changed_since_build,
    connect,
    fingerprint,
    first_versions_after,
    note_published,
    record_build,
)

#: The schemas of the models and seeds. A name is that of one table in all of them.
SCHEMAS = (*PUBLIC_SCHEMAS, "intermediate", "seeds", "staging")
_ROWS = "select table_name, estimated_size from duckdb_tables() where list_contains($schemas::varchar[], schema_name)"

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
        SettingsError: Nothing is selected.
    """
    # This also waits until no other process has the warehouse open: dbt does not, and its message does not name it.
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        begun, _ = _begin(connection, settings)
    if settings.engine == "spark":
        return _built_on_spark(settings, begun, on_line, on_count)
    arguments = ["--indirect-selection", indirect_selection, "--select", *select] if select else []
    report = run(settings, ["build", *arguments], on_line=on_line, on_count=on_count)
    if select and not report.nodes:
        raise SettingsError(
            f"No model, seed or test has the name {' or '.join(select)}.",
            remedy="A model has the name of its table (docs/data-dictionary.md). Nothing was built.",
        )
    if begun and not select:
        _record_rendered(settings, begun)
    return _with_rows(settings, report)


@logs_build
def build_named(
    settings: Settings,
    names: Sequence[str],
    *,
    on_line: Callable[[str], None] | None = None,
    on_count: OnCount = unheard,
) -> BuildReport:
    """Build these models and run these tests, and nothing else; dbt runs only if it has not rendered them here before.

    The build is not recorded: nodes that read what it builds are part of the next build of everything that changed.

    Args:
        settings: The warehouse, and the limits of memory and threads.
        names: Names of models, seeds and tests.
        on_line: Called with each line of output.
        on_count: Called when a node begins or ends.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
        BuildError: A model or a test failed. The message names the nodes; the published files are unchanged.
    """
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        begun, _ = _begin(connection, settings)
        if begun and settings.engine == "duckdb":
            rendered = load_rendered(work_dir(settings), rendered_digest(begun.models))
            if rendered:
                seconds = _seconds(built_nodes(connection))
                return _checked(
                    replay(connection, rendered, {*names}, on_line=on_line, on_count=on_count, seconds=seconds)
                )
    if settings.engine == "spark":
        return _built_on_spark(settings, begun, on_line, on_count)
    arguments = ["build", "--indirect-selection", "empty", "--select", *names]
    return _with_rows(settings, run(settings, arguments, on_line=on_line, on_count=on_count))


@logs_build
def build_pending(
    settings: Settings, *, on_line: Callable[[str], None] | None = None, on_count: OnCount = unheard
) -> BuildReport:
    """Build and test what is downstream of the tables that changed since all models were last built.

    If the last build is not known, everything is built. dbt runs if it has not built these models here before; later
    builds re-execute the statements that it rendered, except those whose inputs have the same rows as in the last
    build. A failed build is not recorded, so the next build includes its nodes.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
        BuildError: A model or a test failed. The message names the nodes; the published files are unchanged.
    """
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        begun, changed = _begin(connection, settings)
        if changed == frozenset():
            return BuildReport((), 0.0)
        if settings.engine == "duckdb":
            waiting = pending(orjson.loads(prepared_manifest(settings).read_bytes()), changed) if changed else None
            if begun:
                replayed = _replayed(connection, settings, begun, waiting, on_line=on_line, on_count=on_count)
                if replayed:
                    return replayed
    if settings.engine == "spark":
        return _built_on_spark(settings, begun, on_line, on_count)
    # Never without names: each load also changes the load log, which some models read.
    selection = ["--indirect-selection", "empty", "--select", *waiting.names] if waiting else []
    report = run(settings, ["build", *selection], on_line=on_line, on_count=on_count)
    if begun and waiting:
        _record(settings, begun)
    elif begun:
        _record_rendered(settings, begun)
    return _with_rows(settings, report)


def _built_on_spark(
    settings: Settings,
    begun: BuildRecord | None,
    on_line: Callable[[str], None] | None,
    on_count: OnCount,
) -> BuildReport:
    """Build everything: Spark keeps no tables between builds. The build record is of all models."""
    report = spark.build(settings, on_line=on_line, on_count=on_count)
    if begun:
        _record(settings, begun)
    return _with_rows(settings, report)


def _replayed(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    begun: BuildRecord,
    waiting: Pending | None,
    *,
    on_line: Callable[[str], None] | None,
    on_count: OnCount,
) -> BuildReport | None:
    """Build from the statements that dbt rendered, and record it; return None if dbt has not rendered these models.

    Raises:
        BuildError: A model or a test failed.
    """
    rendered = load_rendered(work_dir(settings), rendered_digest(begun.models))
    if rendered is None:
        return None
    before = built_nodes(connection)
    since = _since(connection, settings, begun.models, waiting, before) if waiting else None
    last = LastBuild(before, waiting.downstream, waiting.readers, since) if waiting else None
    names = waiting.names if waiting else None
    report = _checked(
        replay(connection, rendered, names, last=last, on_line=on_line, on_count=on_count, seconds=_seconds(before))
    )
    results = {
        node.unique_id: BuiltNode(
            node.status,
            node.fingerprint,
            node.seconds,
            node.built_at or before.get(node.unique_id, BuiltNode("")).built_at,
        )
        for node in report.nodes
    }
    record_build(connection, begun, {**(before if waiting else {}), **results})
    return report


def _since(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    models: str,
    waiting: Pending,
    before: Mapping[str, BuiltNode],
) -> Since | None:
    """What is new since the last build; None if rows changed in a way that row versions do not show."""
    load_id = built_load(connection, models)
    valid_from = first_versions_after(connection, load_id) if load_id else None
    if load_id is None or valid_from is None:
        return None
    # The views without controlled rows gain and lose rows when others of them become controlled.
    if not settings.publish_export_controlled and export_control.changed_sources(connection, settings, load_id):
        return None
    latest, now = timedelta(hours=settings.full_build_hours), datetime.now(UTC)
    due = {name for name, node in before.items() if node.built_at is None or not abs(now - node.built_at) < latest}
    return Since(load_id, valid_from, waiting.sources, due)


def _seconds(built: Mapping[str, BuiltNode]) -> dict[str, float]:
    return {name: node.seconds for name, node in built.items() if node.seconds is not None}


def _checked(report: BuildReport) -> BuildReport:
    """The report of a replay in which nothing failed.

    Raises:
        BuildError: A model or a test failed.
    """
    if any(node.status in FAILED for node in report.nodes):
        remedy = (
            "Run `ion-pipeline build`: it builds all models with dbt, whose log has details. Nothing was published."
        )
        raise BuildError(failure_message(report), remedy=remedy, report=report)
    return report


def _with_rows(settings: Settings, report: BuildReport) -> BuildReport:
    """The report of dbt or Spark with the rows of the tables that were built; DuckDB knows them without counting."""
    if not report.nodes:
        return report
    with connect(settings.warehouse_path, resources_of(settings), read_only=True) as connection:
        rows = dict(connection.execute(_ROWS, {"schemas": SCHEMAS}).fetchall())
    nodes = (
        replace(node, rows=rows.get(node.unique_id.split(".")[2])) if node.status in BUILT else node
        for node in report.nodes
    )
    return replace(report, nodes=tuple(nodes))


def is_built(settings: Settings) -> bool:
    """Whether all models are up to date: no load, setting or model has changed since they were built.

    Raises:
        WarehouseBusyError: Another process has the warehouse open.
    """
    if not settings.warehouse_path.is_file():
        return False
    with connect(settings.warehouse_path, resources_of(settings), read_only=True) as connection:
        return changed_since_build(connection, models_digest(settings)) == frozenset()


def _begin(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> tuple[BuildRecord | None, frozenset[str] | None]:
    """The build record of the build that begins now, and the tables that changed since all models were last built."""
    models = models_digest(settings)
    begun = begin_build(connection, models)
    export_control.prepare(connection, settings)  # It adds what an older load log lacks.
    # Here, and not by the publish, which only reads the warehouse: the tables then say it of all earlier publishes.
    if begun and (published := published_load(settings.published_dir)):
        note_published(connection, *published)
    entity_tables.prepare(connection, settings)
    further_actions.prepare(connection, settings)
    return begun, _changed(connection, settings, models)


def _changed(connection: duckdb.DuckDBPyConnection, settings: Settings, models: str) -> frozenset[str] | None:
    load_id = built_load(connection, models)
    if load_id is None:
        return None
    changed = changed_since_build(connection, models)
    changed = changed and changed | export_control.changed_sources(connection, settings, load_id)
    return changed and changed | further_actions.changed_sources(settings, changed)


def _record(settings: Settings, begun: BuildRecord) -> None:
    """Write the build record. The results of the nodes are not known, so the next build executes all that it needs."""
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        record_build(connection, begun)


def _record_rendered(settings: Settings, begun: BuildRecord) -> None:
    """Write the build record after dbt has built everything, and store the statements that it rendered."""
    results = orjson.loads(results_path(settings).read_bytes())["results"]
    digest = rendered_digest(begun.models)
    with connect(settings.warehouse_path, resources_of(settings)) as connection:
        save_rendered(work_dir(settings), digest, results, connection)
        rendered = load_rendered(work_dir(settings), digest)
        rows = {
            node.unique_id: fingerprint(connection, node.schema, node.name)
            for node in (rendered.nodes.values() if rendered else ())
            if node.kind == "model" and not node.is_view
        }
        now = datetime.now(UTC)
        found = {
            one["unique_id"]: BuiltNode(one["status"], rows.get(one["unique_id"]), built_at=now) for one in results
        }
        record_build(connection, begun, found)
