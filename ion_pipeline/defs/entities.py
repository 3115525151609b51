"""ION's entities as assets: one operation reads all selected entities, with one client and into one load."""

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
from ion_pipeline.defs.outcome import output_without_materialization
from ion_pipeline.extract.results import EntityResult
from ion_pipeline.pipeline.pipeline import Pipeline
from ion_pipeline.pipeline.read_checks import CLOCK_CHECK, COUNT_CHECK, SCHEMA_CHECK, ReadCheck, drift_of, read_checks
from ion_pipeline.pipeline.reconcile import ReconcileReport
from ion_pipeline.pipeline.steps import ExtractReport
from ion_pipeline.plain import visible


def entity_assets(entities: Sequence[Entity], freshness: dg.FreshnessPolicy | None = None) -> dg.AssetsDefinition:
    """One asset for each entity, and its three checks.

    Args:
        entities: The entities to read.
        freshness: When an asset counts as stale.
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
        # If no entity has an output, Dagster skips everything downstream.
        is_idle = report.load_id is None and pipeline.is_published_current()
        if is_idle:
            _note_nothing_new(context, report)
        for result in report.entities:
            key = entity_key(result.entity)
            if key in context.selected_asset_keys:
                if result.status == "read":
                    yield dg.MaterializeResult(asset_key=key, metadata=_metadata(report, result))
                elif not is_idle:
                    yield output_without_materialization(context, key)
            for check in read_checks(report, result):
                if dg.AssetCheckKey(key, check.name) in checks:
                    yield _check_result(check)

    return extract


def _publishes(context: dg.AssetExecutionContext) -> bool:
    """Whether this run ends with a publish."""
    selected = context.run.asset_selection  # Empty, or None, if the whole job runs.
    return not selected or PUBLISHED_KEY in selected


def _note_drift(context: dg.AssetExecutionContext, found: ReconcileReport) -> None:
    """Record how many rows differed from ION's: for each entity, and in the run's log if there were any."""
    for entity in found.entities:
        counts = {"rows": entity.rows, "rows_drifted": entity.drifted}
        context.log_event(dg.AssetObservation(entity_key(entity.entity), metadata=counts))
    if found.drifted:
        context.log.warning(
            "%d of %d rows had changes that ION did not report; load %s repairs them.",
            found.drifted,
            found.rows,
            found.load_id,
        )


def _note_nothing_new(context: dg.AssetExecutionContext, report: ExtractReport) -> None:
    """Record that the assets are up to date, without outputs: it renews their freshness and starts no build."""
    found = [result for result in report.entities if result.entity not in report.unread]
    keys = [entity_key(result.entity) for result in found]
    for key in [*(key for key in keys if key in context.selected_asset_keys), PUBLISHED_KEY]:
        context.log_event(dg.AssetMaterialization(key, description="Nothing new in ION."))


def _check_result(check: ReadCheck) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=entity_key(check.entity),
        check_name=check.name,
        passed=check.passed,
        severity=dg.AssetCheckSeverity.ERROR if check.blocks else dg.AssetCheckSeverity.WARN,
        description=check.description or None,
    )


def _spec(entity: Entity, freshness: dg.FreshnessPolicy | None) -> dg.AssetSpec:
    return dg.AssetSpec(
        entity_key(entity.name),
        description=f"ION's `{entity.root_field}` ({entity.node_type}) as Parquet in the lake, with the lists in it.",
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
        description="The tenant's fields and enums are those of the catalog; `--adopt` adds new ones to the catalog.",
    )
    yield dg.AssetCheckSpec(
        CLOCK_CHECK, asset=entity_key(entity), description="ION's clock, this machine's and the watermarks agree."
    )


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
        "drift": dg.MetadataValue.json(drift_of(result)),
        LOAD_ID: dg.MetadataValue.text(report.load_id or ""),
        LOAD_REQUESTS: dg.MetadataValue.int(report.requests),
        LOAD_ROWS: dg.MetadataValue.int(sum(sum(entity.tables.values()) for entity in report.entities)),
    }
    if result.watermark:
        metadata["watermark"] = dg.MetadataValue.timestamp(result.watermark)
    return metadata
