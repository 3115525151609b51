"""Finds the nodes of the dbt project that are downstream of changed tables, from dbt's manifest."""

from collections.abc import Collection, Mapping
from typing import Any

# The `meta` key of a model that reads the load log, but whose result no later load changes.
_UNAFFECTED_BY_LOADS = "same_after_any_load"
# Sources with these names are read from `raw` and `raw_history`, or from the views without controlled rows.
_SOURCES_OF_RAW = frozenset({"ion", "ion_history", "ion_load_log"})


def pending(manifest: Mapping[str, Any], changed: Collection[str]) -> list[str]:
    """The tables to build and the tests to run, as names for dbt's node selection.

    Views and seeds are not built again: a view reads its upstream tables, and a seed changes only with the project.
    Their tests run if something upstream changed.

    Args:
        manifest: dbt's `manifest.json`.
        changed: Names of the tables of `raw` whose rows or row versions changed, and `schema.name` of other tables.
    """
    sources = [
        name
        for name, source in manifest["sources"].items()
        if (source["source_name"] in _SOURCES_OF_RAW and source["name"] in changed)
        or f"{source['schema']}.{source['name']}" in changed
    ]
    nodes = manifest["nodes"]
    downstream = (nodes[name] for name in _downstream(manifest, sources) if name in nodes)
    return sorted(
        node["name"]
        for node in downstream
        if node["resource_type"] == "test"
        or (node["resource_type"] == "model" and node["config"]["materialized"] != "view")
    )


def _downstream(manifest: Mapping[str, Any], roots: Collection[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        for child in manifest["child_map"][waiting.pop()]:
            if child in found or _is_unaffected(manifest, child):
                continue
            found.add(child)
            waiting.append(child)
    return found


def _is_unaffected(manifest: Mapping[str, Any], name: str) -> bool:
    return bool(manifest["nodes"].get(name, {}).get("config", {}).get("meta", {}).get(_UNAFFECTED_BY_LOADS))
