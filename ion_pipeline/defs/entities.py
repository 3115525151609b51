"""ION's entities as assets: one operation reads all that are selected, with one client and into one load."""

from collections.abc import Iterator, Sequence

import dagster as dg

from ion_pipeline.catalog.catalog import Entity
from ion_pipeline.defs.names import (
    EXTRACT,
    ION,
    ION_API,
    LOAD_ID,
    LOAD_REQUESTS,
    LOAD_ROWS,
    PUBLISHED_KEY,
    READ,
    ROWS,
    entity_key,
)
from ion_pipeline.defs.outcome import left_alone
from ion_pipeline.defs.resources import Pipeline
from ion_pipeline.extract.results import EntityResult
from ion_pipeline.pipeline.reconcile import ReconcileReport
from ion_pipeline.pipeline.steps import ExtractReport
from ion_pipeline.plain import visible

COUNT_CHECK = "count_matches_ion"
SCHEMA_CHECK = "schema_matches_catalog"
CLOCK_CHECK = "clock_is_believed"
_WHY_UNREAD = {
    "forbidden": "ION does not let this API key read {entity}; it was left out.",
    "absent": "This tenant's schema has no {entity}; it was left out.",
}


def entity_assets(entities: Sequence[Entity], freshness: dg.FreshnessPolicy | None = None) -> dg.AssetsDefinition:
    """One asset for each entity, and its three checks.

    Args:
        entities: What is read.
        freshness: When what was read counts as stale.
    """

    @dg.multi_asset(
        name=EXTRACT,
        specs=[_spec(entity, freshness) for entity in entities],
        check_specs=[check for entity in entities for check in _check_specs(entity.name)],
        can_subset=True,
        pool=ION_API,
    )
    def extract(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult | dg.DagsterEvent]:
        checks = context.selected_asset_check_keys
        asked_for = context.selected_asset_keys | {check.asset_key for check in checks}
        names = [entity.name for entity in entities if entity_key(entity.name) in asked_for]
        if trouble := _publishes(context) and pipeline.target_trouble():
            context.log.warning("%s", visible(trouble))
            context.log_event(dg.AssetObservation(PUBLISHED_KEY, description=visible(trouble)))
        how = context.run.tags.get(READ)
        if how == "reconcile":
            _note_drift(context, pipeline.reconcile(names))
        report = pipeline.extract(names, full=how == "full")
        # Without an output of any entity, Dagster skips everything downstream.
        is_idle = report.load_id is None and pipeline.is_published_current()
        if is_idle:
            _note_nothing_new(context, report)
        for result in report.entities:
            key = entity_key(result.entity)
            if key in context.selected_asset_keys:
                if result.status == "read":
                    yield dg.MaterializeResult(asset_key=key, metadata=_metadata(report, result))
                elif not is_idle:
                    yield left_alone(context, key)
            for check in (count_check(result), schema_check(result), clock_check(result, report.clock_doubts)):
                if dg.AssetCheckKey(key, str(check.check_name)) in checks:
                    yield check

    return extract


def _publishes(context: dg.AssetExecutionContext) -> bool:
    """Whether this run ends with a publish."""
    selected = context.run.asset_selection  # Empty, or none, where all of it is run.
    return not selected or PUBLISHED_KEY in selected


def _note_drift(context: dg.AssetExecutionContext, found: ReconcileReport) -> None:
    """Record how many rows had drifted without a sign: by entity, and in the run's log where there were any."""
    for entity in found.entities:
        counts = {"rows": entity.rows, "rows_drifted": entity.drifted}
        context.log_event(dg.AssetObservation(entity_key(entity.entity), metadata=counts))
    if found.drifted:
        context.log.warning(
            "%d of %d rows had drifted silently; load %s repairs.", found.drifted, found.rows, found.load_id
        )


def _note_nothing_new(context: dg.AssetExecutionContext, report: ExtractReport) -> None:
    """Record that what is there is up to date, without outputs: freshness is about that, and nothing is to be built."""
    found = [result for result in report.entities if result.status not in _WHY_UNREAD]
    keys = [entity_key(result.entity) for result in found]
    for key in [*(key for key in keys if key in context.selected_asset_keys), PUBLISHED_KEY]:
        context.log_event(dg.AssetMaterialization(key, description="Nothing new in ION."))


def count_check(result: EntityResult) -> dg.AssetCheckResult:
    """Did as many rows come as ION counts? An unread entity is a warning: the others are still worth having."""
    unread = _WHY_UNREAD.get(result.status)
    if unread:
        passed, severity = False, dg.AssetCheckSeverity.WARN
        description = unread.format(entity=result.entity)
    elif result.total_count is None:
        passed, severity = True, dg.AssetCheckSeverity.ERROR
        description = "Read inside another entity, where ION gives no count."
    elif result.unsettled:
        passed, severity = False, dg.AssetCheckSeverity.WARN
        description = f"{result.unsettled} rows changed again while it was read; the next refresh brings them."
    elif result.expected is not None:
        passed, severity = result.expected == result.total_count, dg.AssetCheckSeverity.ERROR
        description = f"{result.expected} rows with the changes, {result.total_count} counted by ION."
    else:
        passed, severity = result.rows == result.total_count, dg.AssetCheckSeverity.ERROR
        description = f"{result.rows} rows read, {result.total_count} counted by ION."
    return dg.AssetCheckResult(
        asset_key=entity_key(result.entity),
        check_name=COUNT_CHECK,
        passed=passed,
        severity=severity,
        description=description,
    )


def schema_check(result: EntityResult) -> dg.AssetCheckResult:
    """Is the tenant's type as the catalog has it? What is missing reads as null, so a difference is a warning."""
    drift = result.drift
    parts = _drift(result)
    return dg.AssetCheckResult(
        asset_key=entity_key(result.entity),
        check_name=SCHEMA_CHECK,
        passed=not drift and result.status != "absent",
        severity=dg.AssetCheckSeverity.WARN,
        description=visible("; ".join(f"{name}: {', '.join(fields)}" for name, fields in parts.items() if fields))
        or None,
    )


def clock_check(result: EntityResult, doubts: Sequence[str]) -> dg.AssetCheckResult:
    """Do the clocks agree that say from when on changes are asked for? The earliest is believed: a warning."""
    return dg.AssetCheckResult(
        asset_key=entity_key(result.entity),
        check_name=CLOCK_CHECK,
        passed=not doubts,
        severity=dg.AssetCheckSeverity.WARN,
        description=visible(" ".join(doubts)) or None,
    )


def _spec(entity: Entity, freshness: dg.FreshnessPolicy | None) -> dg.AssetSpec:
    return dg.AssetSpec(
        entity_key(entity.name),
        description=f"ION's `{entity.root_field}` ({entity.node_type}) as Parquet in the lake, with the lists inside.",
        group_name=ION,
        kinds={"graphql", "parquet"},
        freshness_policy=freshness,
        skippable=True,
    )


def _check_specs(entity: str) -> Iterator[dg.AssetCheckSpec]:
    yield dg.AssetCheckSpec(
        COUNT_CHECK, asset=entity_key(entity), blocking=True, description="As many rows as ION counts."
    )
    yield dg.AssetCheckSpec(
        SCHEMA_CHECK,
        asset=entity_key(entity),
        description="The tenant's fields and enums are those of the catalog; `--adopt` takes up what is new.",
    )
    yield dg.AssetCheckSpec(
        CLOCK_CHECK, asset=entity_key(entity), description="ION's clock, this machine's and the watermarks agree."
    )


def _drift(result: EntityResult) -> dict[str, tuple[str, ...]]:
    drift = result.drift
    return {"missing": drift.missing, "new": drift.new, "retyped": drift.retyped, "new values": drift.new_values}


def _metadata(report: ExtractReport, result: EntityResult) -> dict[str, dg.MetadataValue]:
    metadata: dict[str, dg.MetadataValue] = {
        ROWS: dg.MetadataValue.int(result.rows),
        "tables": dg.MetadataValue.json(dict(result.tables)),
        "strategy": dg.MetadataValue.text(result.strategy),
        "paging": dg.MetadataValue.text(result.paging),
        "pages": dg.MetadataValue.int(result.pages),
        "requests": dg.MetadataValue.int(result.requests),
        "bytes": dg.MetadataValue.int(result.bytes),
        "rows_deleted": dg.MetadataValue.int(result.deleted),
        "unsettled": dg.MetadataValue.int(result.unsettled),
        "seconds": dg.MetadataValue.float(result.seconds),
        "drift": dg.MetadataValue.json(_drift(result)),
        LOAD_ID: dg.MetadataValue.text(report.load_id or ""),
        LOAD_REQUESTS: dg.MetadataValue.int(report.requests),
        LOAD_ROWS: dg.MetadataValue.int(sum(sum(entity.tables.values()) for entity in report.entities)),
    }
    if result.watermark:
        metadata["watermark"] = dg.MetadataValue.timestamp(result.watermark)
    return metadata
