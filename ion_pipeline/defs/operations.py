"""The operations of the jobs: each calls one step of the pipeline, and records the assets that it has changed.

The jobs are made of operations, not of assets. Of an asset job, Dagster writes an event for each asset and each check
before it starts; those thousand events alone cost more than a refresh with few changes. Assets that somebody selects in
Dagster are made by the operations of `entities`, `raw`, `models` and `published`.
"""

from collections.abc import Iterator, Set

import dagster as dg
import orjson

from ion_pipeline.defs.events import Event, assets_of, checks_of, node_events, read_check_event
from ion_pipeline.defs.metadata import NOTHING_NEW, entity_metadata, published_metadata, table_metadata
from ion_pipeline.defs.names import (
    BUILD,
    DUCKDB_WRITER,
    EXTRACT,
    ION_API,
    LOAD,
    PUBLISH,
    PUBLISHED_KEY,
    READ,
    READ_ENTITIES,
    entity_key,
    raw_key,
)
from ion_pipeline.pipeline.dbt import prepared_manifest
from ion_pipeline.pipeline.dbt.report import BuildError
from ion_pipeline.pipeline.pipeline import Pipeline
from ion_pipeline.pipeline.read_checks import all_read_checks, stop_at_blocking
from ion_pipeline.pipeline.reconcile import ReconcileReport
from ion_pipeline.pipeline.refresh import selected_entities
from ion_pipeline.pipeline.steps import ExtractReport
from ion_pipeline.pipeline.target import NotSentError
from ion_pipeline.plain import visible
from ion_pipeline.warehouse import load_log

#: What a step reports, as an output of its operation.
REPORT = "report"
# An operation without this output has nothing to do for those after it, and Dagster skips them.
_CHANGES = "changes"
_REPORTS = {REPORT: dg.Out(dg.Any), _CHANGES: dg.Out(dg.Nothing, is_required=False)}
_AFTER_CHANGES = {_CHANGES: dg.In(dg.Nothing)}

_Yielded = Event | dg.AssetObservation | dg.Output[object]


@dg.op(name=EXTRACT, pool=ION_API, out=_REPORTS)
def extract(context: dg.OpExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> Iterator[_Yielded]:
    """Read what is new in ION: all that is selected, or what a tag of the run names."""
    named = context.run.tags.get(READ_ENTITIES)
    names = [name.strip() for name in named.split(",")] if named else selected_entities(pipeline.settings())
    if trouble := pipeline.target_trouble():
        context.log.warning("%s", visible(trouble))
        yield dg.AssetObservation(PUBLISHED_KEY, description=visible(trouble))
    how = context.run.tags.get(READ)
    if how == "reconcile":
        yield from _drift(context, pipeline.reconcile(names))
    report = pipeline.extract(names, full=how == "full")
    is_idle = report.load_id is None and pipeline.is_published_current()
    made = list(_materializations(report, is_idle=is_idle))
    yield from made
    yield from _checks(report, {one.asset_key for one in made}, context.instance)
    yield dg.Output(report, REPORT)
    stop_at_blocking(all_read_checks(report))
    if not is_idle:
        yield dg.Output(None, _CHANGES)


@dg.op(name=LOAD, pool=DUCKDB_WRITER, ins=_AFTER_CHANGES, out={_CHANGES: dg.Out(dg.Nothing)})
def load(pipeline: dg.ResourceParam[Pipeline]) -> Iterator[_Yielded]:
    """Apply the loads that the warehouse does not have yet."""
    report = pipeline.load()
    for name, change in report.tables.items():
        yield dg.AssetMaterialization(raw_key(name), metadata=table_metadata(change))
    if report.loads:
        for name in load_log.TABLES:
            yield dg.AssetMaterialization(raw_key(name), metadata={"new_loads": len(report.loads)})
    yield dg.Output(None, _CHANGES)


@dg.op(name=BUILD, pool=DUCKDB_WRITER, ins=_AFTER_CHANGES, out=_REPORTS)
def build(pipeline: dg.ResourceParam[Pipeline]) -> Iterator[_Yielded]:
    """Build and test the models downstream of what has changed."""
    manifest = orjson.loads(prepared_manifest(pipeline.settings()).read_bytes())
    models, tests = assets_of(manifest), checks_of(manifest)
    try:
        report = pipeline.build()
    except BuildError as error:
        yield from node_events(error.report.nodes, models, tests)
        raise
    yield from node_events(report.nodes, models, tests)
    yield dg.Output(report, REPORT)
    yield dg.Output(None, _CHANGES)


@dg.op(name=PUBLISH, pool=DUCKDB_WRITER, ins=_AFTER_CHANGES, out={REPORT: dg.Out(dg.Any)})
def publish(pipeline: dg.ResourceParam[Pipeline]) -> Iterator[_Yielded]:
    """Write the files that readers open."""
    try:
        report = pipeline.publish()
    except NotSentError as error:
        # The files are published: that is recorded, and the run fails nevertheless.
        yield dg.AssetMaterialization(PUBLISHED_KEY, metadata=published_metadata(error.report, pipeline.settings()))
        raise
    yield dg.AssetMaterialization(PUBLISHED_KEY, metadata=published_metadata(report, pipeline.settings()))
    yield dg.Output(report, REPORT)


class Unkept(dg.IOManager):
    """Keeps no report: no operation reads that of another, and a run in this process has them in its result.

    Dagster refuses to retry a run from its failed operation where outputs are kept in memory.
    """

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Keep nothing."""

    def load_input(self, context: dg.InputContext) -> object:
        """Nothing is kept, so nothing can be loaded.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(f"{context.name} is not kept.")


@dg.graph
def steps() -> None:
    """From ION to the published file."""
    _, changes = extract()
    _, built = build(load(changes))
    publish(built)


def _drift(context: dg.OpExecutionContext, found: ReconcileReport) -> Iterator[dg.AssetObservation]:
    """How many rows differed from ION's: of each entity, and in the run's log if there were any."""
    for entity in found.entities:
        counts = {"rows": entity.rows, "rows_drifted": entity.drifted}
        yield dg.AssetObservation(entity_key(entity.entity), metadata=counts)
    if found.drifted:
        context.log.warning(
            "%d of %d rows had changes that ION did not report; load %s repairs them.",
            found.drifted,
            found.rows,
            found.load_id,
        )


def _materializations(report: ExtractReport, *, is_idle: bool) -> Iterator[dg.AssetMaterialization]:
    """What was read; if nothing is new, what is up to date: that renews its freshness."""
    for result in report.entities:
        key = entity_key(result.entity)
        if result.status == "read":
            yield dg.AssetMaterialization(key, metadata=entity_metadata(report, result))
        elif is_idle and result.entity not in report.unread:
            yield dg.AssetMaterialization(key, description=NOTHING_NEW)
    if is_idle:
        yield dg.AssetMaterialization(PUBLISHED_KEY, description=NOTHING_NEW)


def _checks(report: ExtractReport, made: Set[dg.AssetKey], instance: dg.DagsterInstance) -> Iterator[Event]:
    """The checks of what has a materialization; of the rest those that do not pass, or whose last result is another.

    Dagster shows no result of a check that is older than the last materialization.
    """
    checks = [read_check_event(check) for check in all_read_checks(report)]
    recorded = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [check.asset_check_key for check in checks]
    )
    passed = {key for key, record in recorded.items() if record.status.value == "SUCCEEDED"}
    for check in checks:
        if check.asset_key in made or not check.passed or check.asset_check_key not in passed:
            yield check
