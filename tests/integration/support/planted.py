"""Steps of a refresh that return planted reports and record their calls, over a small part of the dbt project."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ion_pipeline.catalog import known_catalog
from ion_pipeline.extract import EntityResult
from ion_pipeline.pipeline.dbt import prepared_manifest
from ion_pipeline.pipeline.dbt.report import BuildError, BuildReport, ChangedCount, NodeResult
from ion_pipeline.pipeline.pipeline import Pipeline
from ion_pipeline.pipeline.reconcile import EntityDrift, ReconcileReport
from ion_pipeline.pipeline.steps import ExtractReport
from ion_pipeline.publish import PublishReport, TableEntry
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse import AppliedLoad, LoadReport, TableChange

LOAD_ID = "01JZ0000000000000000000000"
ENTITIES = ("part_inventories", "parts", "labels", "issues", "runs")
MODELS = ("limit_functions", "stg_ion__parts", "parts", "part_inventories", "abom_hierarchy", "abom_where_used")


@dataclass(frozen=True)
class Planted(Pipeline):
    """Steps that return the given reports and record their calls."""

    settings: Any = None
    manifest: dict[str, Any] = field(default_factory=dict)
    results: dict[str, EntityResult] = field(default_factory=dict)
    dbt: dict[str, str] = field(default_factory=dict)
    changed: dict[str, ChangedCount] = field(default_factory=dict)
    left: frozenset[str] = frozenset()
    stops_at: dict[str, BaseException] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    read_in_full: list[bool] = field(default_factory=list)
    trouble: str = ""

    def extract(self, entities: Sequence[str], *, full: bool = False) -> ExtractReport:
        self._called("extract", list(entities))
        self.read_in_full.append(full)
        results = tuple(self.results.get(name, read(name)) for name in entities)
        return ExtractReport(LOAD_ID, "1", results, requests=91, token_requests=1, bytes=4096, seconds=1.5)

    def reconcile(self, entities: Sequence[str]) -> ReconcileReport:
        self._called("reconcile", list(entities))
        drift = tuple(EntityDrift(name, 3, 2, 0, 0, 0, 2) for name in entities)
        return ReconcileReport(LOAD_ID, None, False, drift, {}, requests=9, seconds=0.1)

    def target_trouble(self) -> str:
        return self.trouble

    def load(self) -> LoadReport:
        self._called("load", None)
        if not self._was_called("extract"):
            return LoadReport()
        unread = {name for name, result in self.results.items() if result.status != "read"}
        tables = [table.name for table in known_catalog().tables.values() if table.entity not in unread]
        changes = tuple(TableChange(name, 3, 2, 1, 4, 30, 0.125) for name in tables)
        return LoadReport((AppliedLoad(LOAD_ID, changes, (), 0.5),))

    def build(self, names: Sequence[str] | None = None) -> BuildReport:
        self._called("build", names)
        nodes = [
            NodeResult(
                name,
                self._status(name),
                "said dbt",
                0.25,
                rows=None if name.startswith("test.") else 12,
                changed=self.changed.get(name),
            )
            for name in self._in_order()
            if name not in self.left and (names is None or name.split(".")[2] in names)
        ]
        report = BuildReport(tuple(nodes), 2.0)
        if any(node.status == "fail" for node in nodes):
            raise BuildError("a test failed", report=report)
        return report

    def publish(self) -> PublishReport:
        self._called("publish", None)
        entry = TableEntry("genealogy", "abom_hierarchy", "", 12, ())
        return PublishReport(
            Path("/data/published/ion.duckdb"), Path("/data/published/parquet"), (entry,), 7, 0.1, changed=1
        )

    def _called(self, step: str, argument: Any) -> None:
        self.calls.append((step, argument))
        if step in self.stops_at:
            raise self.stops_at[step]

    def _was_called(self, step: str) -> bool:
        return step in [name for name, _ in self.calls]

    def _status(self, name: str) -> str:
        return self.dbt.get(name, "pass" if name.startswith("test.") else "success")

    def _in_order(self) -> list[str]:
        """Every model and test, parents first, as dbt runs them."""
        done: dict[str, None] = {}

        def visit(name: str) -> None:
            if name in done or not name.startswith(("model.", "seed.", "test.")):
                return
            for parent in self.manifest["parent_map"][name]:
                visit(parent)
            done[name] = None

        for name in self.manifest["nodes"]:
            visit(name)
        return list(done)


def read(entity: str) -> EntityResult:
    return EntityResult(
        entity=entity, status="read", paging="keyset", tables={entity: 3}, pages=1, requests=1, total_count=3
    )


def smaller(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with `MODELS` and what tests these alone; what is between two of them is an edge."""
    kept = {name for name, node in manifest["nodes"].items() if node["name"] in MODELS}

    def parents(name: str) -> set[str]:
        above = (
            {parent} if parent in kept or parent in manifest["sources"] else parents(parent)
            for parent in manifest["parent_map"][name]
        )
        return set().union(*above)

    nodes = {}
    for name, node in manifest["nodes"].items():
        reads = manifest["parent_map"][name]
        if name in kept or (name.startswith("test.") and kept.issuperset(reads)):
            nodes[name] = {**node, "depends_on": {**node["depends_on"], "nodes": sorted(parents(name))}}
    parent_map = {name: node["depends_on"]["nodes"] for name, node in nodes.items()}
    child_map: dict[str, list[str]] = {name: [] for name in (*nodes, *manifest["sources"])}
    for name, above in parent_map.items():
        for parent in above:
            child_map[parent].append(name)
    parent_map |= {name: [] for name in manifest["sources"]}
    empty = {name: {} for name in ("exposures", "unit_tests")}
    return {**manifest, "nodes": nodes, "parent_map": parent_map, "child_map": child_map, **empty}


def planted_settings(folder: Path) -> Settings:
    """Settings of a folder with a parsed project, of which a few entities and models are kept."""
    settings = load_settings(data_dir=folder, entities=ENTITIES)
    manifest = prepared_manifest(settings)
    manifest.write_bytes(orjson.dumps(smaller(orjson.loads(manifest.read_bytes()))))
    return settings


def planted_manifest(settings: Settings) -> dict[str, Any]:
    """dbt's manifest of those models."""
    document: dict[str, Any] = orjson.loads(prepared_manifest(settings).read_bytes())
    assert 0 < len(document["nodes"]) < 30
    return document


def called(planted: Planted) -> list[str]:
    """The steps that were called, in order."""
    return [name for name, _ in planted.calls]
