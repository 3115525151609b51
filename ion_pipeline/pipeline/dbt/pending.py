"""Which nodes of dbt's project are downstream of what changed. Knows the manifest's shape, and no model by name."""

from collections.abc import Collection, Mapping
from typing import Any

# Meta of a model that reads the loader's books for something that no later load changes.
_SETTLED = "same_after_any_load"
# Sources of these names are read from `raw` and `raw_history`, or from what is released of them.
_SOURCES_OF_RAW = frozenset({"ion", "ion_history", "ion_books"})


def pending(manifest: Mapping[str, Any], changed: Collection[str]) -> list[str]:
    """The tables to build and the tests to run, by the names that dbt selects by.

    Views show what is in the tables below them, and seeds change with the project only: neither is built again. What
    tests them is run, where something below them changed.

    Args:
        manifest: dbt's `manifest.json`.
        changed: Names of tables of `raw` whose rows, or versions of rows, changed; of other schemas with the schema.
    """
    sources = [
        name
        for name, source in manifest["sources"].items()
        if (source["source_name"] in _SOURCES_OF_RAW and source["name"] in changed)
        or f"{source['schema']}.{source['name']}" in changed
    ]
    nodes = manifest["nodes"]
    below = (nodes[name] for name in _downstream(manifest, sources) if name in nodes)
    return sorted(
        node["name"]
        for node in below
        if node["resource_type"] == "test"
        or (node["resource_type"] == "model" and node["config"]["materialized"] != "view")
    )


def _downstream(manifest: Mapping[str, Any], roots: Collection[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        for child in manifest["child_map"][waiting.pop()]:
            if child in found or _is_settled(manifest, child):
                continue
            found.add(child)
            waiting.append(child)
    return found


def _is_settled(manifest: Mapping[str, Any], name: str) -> bool:
    return bool(manifest["nodes"].get(name, {}).get("config", {}).get("meta", {}).get(_SETTLED))
