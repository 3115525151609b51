"""What the steps report, as Dagster's events: of the checks of a read, and of dbt's models and tests.

Operations of a job record events. Operations of assets return results, which say the same.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

from ion_pipeline.defs.metadata import model_metadata
from ion_pipeline.defs.names import entity_key
from ion_pipeline.pipeline.dbt.report import BUILT, TESTED, NodeResult, tested_node
from ion_pipeline.pipeline.read_checks import ReadCheck
from ion_pipeline.plain import visible

Event = dg.AssetMaterialization | dg.AssetCheckEvaluation


def read_check_event(check: ReadCheck) -> dg.AssetCheckEvaluation:
    """The evaluation of a check of an entity."""
    return dg.AssetCheckEvaluation(
        asset_key=entity_key(check.entity),
        check_name=check.name,
        passed=check.passed,
        metadata={},
        severity=dg.AssetCheckSeverity.ERROR if check.blocks else dg.AssetCheckSeverity.WARN,
        description=check.description or None,
    )


def node_events(
    nodes: Iterable[NodeResult], models: Mapping[str, dg.AssetKey], tests: Mapping[str, dg.AssetCheckKey]
) -> Iterator[Event]:
    """The events of dbt's nodes, in dbt's order.

    Args:
        nodes: What dbt did. Nodes that are not named by the other arguments, such as unit tests, are left out.
        models: The asset of each model and seed, by dbt's unique id.
        tests: The check of each test, by dbt's unique id.
    """
    nodes, passed = tuple(nodes), dict[dg.AssetKey, list[bool]]()
    for node in nodes:
        if node.unique_id in tests and node.status in TESTED:
            passed.setdefault(tests[node.unique_id].asset_key, []).append(node.status == "pass")
    for node in nodes:
        if node.unique_id in models and node.status in BUILT:
            key = models[node.unique_id]
            yield dg.AssetMaterialization(key, metadata=model_metadata(node, passed.get(key, [])))
        elif node.unique_id in tests and node.status in TESTED:
            yield _test_event(tests[node.unique_id], node)


def as_results(events: Iterable[Event]) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """The same as results, for an operation of assets."""
    for event in events:
        if isinstance(event, dg.AssetMaterialization):
            yield dg.MaterializeResult(asset_key=event.asset_key, metadata=event.metadata)
        else:
            yield dg.AssetCheckResult(
                asset_key=event.asset_key,
                check_name=event.check_name,
                passed=event.passed,
                metadata=event.metadata,
                severity=event.severity,
                description=event.description,
            )


def assets_of(manifest: Mapping[str, Any]) -> dict[str, dg.AssetKey]:
    """The asset of each model and seed, by dbt's unique id."""
    nodes = manifest["nodes"].items()
    return {name: model_key(node) for name, node in nodes if node["resource_type"] in {"model", "seed"}}


def checks_of(manifest: Mapping[str, Any]) -> dict[str, dg.AssetCheckKey]:
    """The check of each test, by dbt's unique id: of its model, the first of its models, or its source."""
    return {
        name: dg.AssetCheckKey(_tested_asset(manifest, tested_node(manifest, name)), node["name"])
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "test"
    }


def model_key(node: Mapping[str, Any]) -> dg.AssetKey:
    """The asset of a model or seed: `<schema>/<name>` as in the warehouse."""
    return dg.AssetKey([node["schema"], node["alias"]])


def _tested_asset(manifest: Mapping[str, Any], name: str) -> dg.AssetKey:
    if name in manifest["sources"]:
        return dg.AssetKey(manifest["sources"][name]["meta"]["dagster"]["asset_key"])
    return model_key(manifest["nodes"][name])


def _test_event(check: dg.AssetCheckKey, node: NodeResult) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        asset_key=check.asset_key,
        check_name=check.name,
        passed=node.status == "pass",
        severity=dg.AssetCheckSeverity.WARN if node.status == "warn" else dg.AssetCheckSeverity.ERROR,
        # A database's error text may contain a value, and that may contain control characters.
        description=visible(node.message) or None,
        metadata={"seconds": node.seconds},
    )
