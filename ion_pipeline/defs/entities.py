"""ION's entities as assets: one operation reads all selected entities, with one client and into one load."""

from collections.abc import Iterator, Sequence

import dagster as dg

from ion_pipeline.catalog.catalog import Entity
from ion_pipeline.defs.events import as_results, read_check_event
from ion_pipeline.defs.metadata import NOTHING_NEW, entity_metadata
from ion_pipeline.defs.names import EXTRACT, ION, ION_API, entity_key
from ion_pipeline.defs.outcome import output_without_materialization
from ion_pipeline.pipeline.pipeline import Pipeline
from ion_pipeline.pipeline.read_checks import CLOCK_CHECK, COUNT_CHECK, SCHEMA_CHECK, read_checks


def entity_assets(entities: Sequence[Entity], freshness: dg.FreshnessPolicy | None = None) -> dg.AssetsDefinition:
    """One asset for each entity, and its three checks.

    Args:
        entities: The entities to read.
        freshness: When an asset counts as stale.
    """

    @dg.multi_asset(
        name=f"{EXTRACT}_assets",
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
        report = pipeline.extract(names)
        for result in report.entities:
            key = entity_key(result.entity)
            if key in context.selected_asset_keys:
                if result.status == "read":
                    yield dg.MaterializeResult(asset_key=key, metadata=entity_metadata(report, result))
                else:
                    if result.entity not in report.unread:
                        context.log_event(dg.AssetMaterialization(key, description=NOTHING_NEW))
                    yield output_without_materialization(context, key)
            found = map(read_check_event, read_checks(report, result))
            yield from as_results(event for event in found if event.asset_check_key in checks)

    return extract


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
