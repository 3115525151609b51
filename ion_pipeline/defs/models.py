"""The dbt project as assets: lineage, checks and results come from dbt; no model is named here.

`pipeline.dbt` runs dbt, as on the command line. dagster-dbt's resource is not used: it loads a second dbt into this
process, takes its environment from this process only and writes every line to standard output.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject, dbt_assets

from ion_pipeline.defs.events import as_results, model_key, node_events
from ion_pipeline.defs.names import BUILD, DUCKDB_WRITER
from ion_pipeline.defs.outcome import output_without_materialization
from ion_pipeline.pipeline.dbt.report import BuildError
from ion_pipeline.pipeline.pipeline import Pipeline

_UNIQUE_ID = "dagster_dbt/unique_id"


class Translator(DagsterDbtTranslator):
    """Names assets: a model is `<schema>/<name>` in the group of its schema, a source names its asset in `meta`."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`<schema>/<name>` as in the warehouse; for a source the key in its `meta.dagster.asset_key`."""
        if dbt_resource_props["resource_type"] == "source":
            return super().get_asset_key(dbt_resource_props)
        return model_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The schema: staging, intermediate, or the mart's."""
        return str(dbt_resource_props["schema"])

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """The check of a test, as in dagster-dbt, which drops a test of several nodes: here its first model gets it."""
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
    """Assets for every model and seed, and checks for every test of a model, a seed or a source.

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
        name=f"{BUILD}_assets",
        pool=DUCKDB_WRITER,
    )
    def build(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult | dg.DagsterEvent]:
        models, tests = _selected_models(context), _selected_tests(context)
        try:
            report = pipeline.build(_names(context))
        except BuildError as error:
            yield from as_results(node_events(error.report.nodes, models, tests))
            raise
        yield from as_results(node_events(report.nodes, models, tests))
        built = {node.unique_id for node in report.nodes}
        for unique_id, key in models.items():
            if unique_id not in built:
                yield output_without_materialization(context, key)

    return build


def _names(context: dg.AssetExecutionContext) -> list[str] | None:
    """The selected models and tests by the names that dbt's selection uses; None if all are selected."""
    if not context.is_subset:
        return None
    return [_dbt_name(unique_id) for unique_id in [*_selected_models(context), *_selected_tests(context)]]


def _dbt_name(unique_id: str) -> str:
    """The name for dbt's selection, from `model.<project>.<name>` or `test.<project>.<name>.<hash>`."""
    return unique_id.split(".")[2]


def _selected_models(context: dg.AssetExecutionContext) -> dict[str, dg.AssetKey]:
    specs = context.assets_def.specs
    return {spec.metadata[_UNIQUE_ID]: spec.key for spec in specs if spec.key in context.selected_asset_keys}


def _selected_tests(context: dg.AssetExecutionContext) -> dict[str, dg.AssetCheckKey]:
    specs: Iterable[dg.AssetCheckSpec] = context.assets_def.check_specs
    return {spec.metadata[_UNIQUE_ID]: spec.key for spec in specs if spec.key in context.selected_asset_check_keys}
