"""The dbt project as assets: lineage, checks and results are dbt's own; no model is known by name.

dbt is run by `pipeline.dbt`, as the command line runs it, rather than by dagster-dbt's resource: that one loads a
second dbt into this process, takes its environment from this process alone and writes every line to standard output.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets

from ion_pipeline.defs.names import BUILD, DUCKDB_WRITER
from ion_pipeline.defs.outcome import left_alone
from ion_pipeline.defs.resources import Pipeline
from ion_pipeline.pipeline.dbt.report import BuildError, NodeResult
from ion_pipeline.plain import visible

_UNIQUE_ID = "dagster_dbt/unique_id"
_BUILT = frozenset({"success", "no-op"})
_TESTED = frozenset({"pass", "warn", "fail", "error", "runtime error"})


class Translator(DagsterDbtTranslator):
    """Models are `<schema>/<name>` in the group of their schema; sources name their asset in `meta`."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`<schema>/<name>` as in the warehouse; for a source what its `meta.dagster.asset_key` says."""
        if dbt_resource_props["resource_type"] == "source":
            return super().get_asset_key(dbt_resource_props)
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["alias"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The schema: staging, intermediate, or the mart's."""
        return str(dbt_resource_props["schema"])

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """As dagster-dbt has it; a test over several nodes, which it has no place for, goes to the first model."""
        test = manifest["nodes"][unique_id]
        parents = sorted(test["depends_on"]["nodes"], key=lambda parent: parent.startswith("source."))
        if test.get("attached_node") or len(parents) == 1:
            return super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        keys = [self.get_asset_spec(manifest, parent, project).key for parent in parents]
        if asset_spec.key != keys[0]:
            return None
        return dg.AssetCheckSpec(
            test["name"],
            asset=asset_spec.key,
            description=test["description"] or None,
            additional_deps=keys[1:],
            blocking=test["config"]["severity"].lower() == "error",
            metadata={_UNIQUE_ID: unique_id},
        )


def model_assets(manifest: Path) -> dg.AssetsDefinition:
    """Every model and seed, and every test that belongs to one or to a source of one.

    Args:
        manifest: dbt's `manifest.json`.
    """

    @dbt_assets(
        manifest=manifest,
        dagster_dbt_translator=Translator(
            DagsterDbtTranslatorSettings(
                enable_source_tests_as_checks=True,
                # `raw.<table>` and `raw_history.<table>` are filled in one transaction: one asset, two dbt sources.
                enable_duplicate_source_asset_keys=True,
            )
        ),
        name=BUILD,
        pool=DUCKDB_WRITER,
    )
    def build(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult | dg.DagsterEvent]:
        try:
            report = pipeline.build(_names(context))
        except BuildError as error:
            yield from _events(context, error.report.nodes)
            raise
        yield from _events(context, report.nodes)
        done = {node.unique_id for node in report.nodes}
        for unique_id, key in _selected_models(context).items():
            if unique_id not in done:
                yield left_alone(context, key)

    return build


def _names(context: dg.AssetExecutionContext) -> list[str] | None:
    """What is selected, by the names that dbt selects by; None when all of it is."""
    if not context.is_subset:
        return None
    return [_dbt_name(unique_id) for unique_id in [*_selected_models(context), *_selected_tests(context)]]


def _dbt_name(unique_id: str) -> str:
    """The name dbt selects by, from `model.<project>.<name>` or `test.<project>.<name>.<hash>`."""
    return unique_id.split(".")[2]


def _selected_models(context: dg.AssetExecutionContext) -> dict[str, dg.AssetKey]:
    specs = context.assets_def.specs
    return {spec.metadata[_UNIQUE_ID]: spec.key for spec in specs if spec.key in context.selected_asset_keys}


def _selected_tests(context: dg.AssetExecutionContext) -> dict[str, dg.AssetCheckSpec]:
    specs: Iterable[dg.AssetCheckSpec] = context.assets_def.check_specs
    return {spec.metadata[_UNIQUE_ID]: spec for spec in specs if spec.key in context.selected_asset_check_keys}


def _events(
    context: dg.AssetExecutionContext, nodes: Iterable[NodeResult]
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """What dbt did, as Dagster's events, in dbt's order; unit tests have no place in the graph."""
    models, tests = _selected_models(context), _selected_tests(context)
    for node in nodes:
        if node.unique_id in models and node.status in _BUILT:
            yield dg.MaterializeResult(asset_key=models[node.unique_id], metadata={"seconds": node.seconds})
        elif node.unique_id in tests and node.status in _TESTED:
            yield _check_result(tests[node.unique_id], node)


def _check_result(spec: dg.AssetCheckSpec, node: NodeResult) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=node.status == "pass",
        severity=dg.AssetCheckSeverity.WARN if node.status == "warn" else dg.AssetCheckSeverity.ERROR,
        # A database's words about a value may hold the value.
        description=visible(node.message) or None,
        metadata={"seconds": node.seconds},
    )
