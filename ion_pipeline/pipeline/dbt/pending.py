"""Finds the nodes of the dbt project that are downstream of changed tables, from dbt's manifest."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# The `meta` key of a model that reads the load log, but whose result no later load changes.
_UNAFFECTED_BY_LOADS = "same_after_any_load"
# Sources with these names are read from `raw` and `raw_history`, or from the views without controlled rows.
_HISTORY = "ion_history"
_LOADED = frozenset({"ion", _HISTORY})
_SOURCES_OF_RAW = _LOADED | {"ion_load_log"}


@dataclass(frozen=True, slots=True)
class Source:
    """A table of `raw` or `raw_history` of which loads changed rows.

    Attributes:
        relation: Its quoted name in dbt's statements.
        table: The name of the table.
        is_history: Whether it is in `raw_history`.
    """

    relation: str
    table: str
    is_history: bool


@dataclass(frozen=True, slots=True)
class Pending:
    """The nodes downstream of changed tables.

    Attributes:
        names: The tables to build and the tests to run, as names for dbt's node selection.
        downstream: dbt's unique ids of all of them, and of the views between them.
        readers: Those of `downstream` that read a changed table themselves.
        sources: The changed tables that each of `readers` reads; None if one of them is not filled by loads alone.
    """

    names: tuple[str, ...]
    downstream: frozenset[str]
    readers: frozenset[str]
    sources: Mapping[str, tuple[Source, ...] | None]


def pending(manifest: Mapping[str, Any], changed: Collection[str]) -> Pending:
    """The nodes downstream of changed tables.

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
    downstream = _downstream(manifest, sources)
    names = sorted(
        node["name"]
        for node in (nodes[name] for name in downstream if name in nodes)
        if node["resource_type"] == "test"
        or (node["resource_type"] == "model" and node["config"]["materialized"] != "view")
    )
    readers = {source: _children(manifest, [source]) for source in sources}
    read = {
        reader: _sources(manifest["sources"][source] for source in sources if reader in readers[source])
        for reader in frozenset[str]().union(*readers.values())
    }
    return Pending(tuple(names), downstream, frozenset(read), read)


def _sources(found: Iterable[Mapping[str, Any]]) -> tuple[Source, ...] | None:
    sources = list(found)
    if any(source["source_name"] not in _LOADED for source in sources):
        return None
    return tuple(
        Source(source["relation_name"], source["name"], source["source_name"] == _HISTORY) for source in sources
    )


def _downstream(manifest: Mapping[str, Any], roots: Collection[str]) -> frozenset[str]:
    found: set[str] = set()
    waiting = frozenset(roots)
    while waiting:
        waiting = _children(manifest, waiting) - found
        found |= waiting
    return frozenset(found)


def _children(manifest: Mapping[str, Any], nodes: Collection[str]) -> frozenset[str]:
    children = manifest["child_map"]
    return frozenset(child for node in nodes for child in children[node] if not _is_unaffected(manifest, child))


def _is_unaffected(manifest: Mapping[str, Any], name: str) -> bool:
    return bool(manifest["nodes"].get(name, {}).get("config", {}).get("meta", {}).get(_UNAFFECTED_BY_LOADS))
