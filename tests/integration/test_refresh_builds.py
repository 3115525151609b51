"""What a refresh builds: exactly what is downstream of what changed, and the warehouse is as if built from nothing."""
# ruff: noqa: S608 -- names of our own

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import httpx
import orjson
import pytest

from ion_pipeline.pipeline import dbt, steps
from ion_pipeline.pipeline.dbt.report import BuildError, BuildReport
from ion_pipeline.publish import PUBLIC_SCHEMAS
from ion_pipeline.sandbox.process import running_sandbox
from ion_pipeline.settings import Settings
from tests.integration.changing_world import Change, update
from tests.integration.conftest import settings_for

pytestmark = pytest.mark.slow

SCALE = 0.05
BOOKS = {"_ion_loads", "_ion_load_tables", "_ion_schema_drift"}
POISON = "Fails on purpose"

Contents = dict[str, list[str]]


@dataclass
class Tenant:
    """A sandbox that people work in, and what is made of it."""

    api_url: str
    settings: Settings
    project: Path

    def refresh(self, *changes: Change) -> BuildReport:
        """Change the tenant, then read, load and build."""
        if changes:
            httpx.post(f"{self.api_url}/_sandbox/changes", json=list(changes)).raise_for_status()
        steps.extract(self.settings)
        steps.load(self.settings)
        return dbt.build_pending(self.settings)

    def raw(self) -> Contents:
        return contents(self.settings.warehouse_path, ("raw",), "* exclude (_ion_load, _ion_seen_at)")

    def first(self, table: str) -> int:
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            [(found,)] = connection.execute(f"select min(id) from raw.{table}").fetchall()
        return int(found)

    @property
    def manifest(self) -> dict[str, Any]:
        document: dict[str, Any] = orjson.loads(dbt.prepared_manifest(self.settings).read_bytes())
        return document


def contents(warehouse: Path, schemas: tuple[str, ...], columns: str = "*") -> Contents:
    """Every table of the schemas but the loader's own, its rows in no order of their own."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() "
            "where schema_name in $schemas and not starts_with(table_name, '_ion')",
            {"schemas": schemas},
        ).fetchall()
        rows = {f"{schema}.{table}": f'select {columns} from {schema}."{table}"' for schema, table in tables}
        return {name: sorted(map(repr, connection.execute(sql).fetchall())) for name, sql in rows.items()}


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory, parsed: Callable[[Path], None]) -> Iterator[Tenant]:
    """A small factory; the project has a test more, which a tenant can make fail."""
    folder = tmp_path_factory.mktemp("refresh_builds")
    project = folder / "dbt_project"
    shutil.copytree(dbt.project_dir(), project, ignore=shutil.ignore_patterns("target", "logs"))
    (project / "tests" / "planted.sql").write_text(
        f"select * from {{{{ ref('suppliers') }}}} where supplier_name = '{POISON}'\n"
    )
    parsed(folder / "data")
    with pytest.MonkeyPatch.context() as patch, running_sandbox(scale=SCALE) as sandbox:
        patch.setattr(dbt, "project_dir", lambda: project)
        yield Tenant(sandbox.api_url, settings_for(sandbox, folder / "data"), project)


def expected(manifest: dict[str, Any], changed: set[str]) -> set[str]:
    """What reads a changed table, directly or not: by going up from each node, where the pipeline goes down."""

    @cache
    def is_changed(name: str) -> bool:
        if name.startswith("source."):
            source = manifest["sources"][name]
            return source["source_name"] in {"ion", "ion_history", "ion_books"} and source["name"] in changed
        if name == "model.ion_warehouse.int_loads__first":  # The first load stays the first.
            return False
        return any(is_changed(parent) for parent in manifest["parent_map"][name])

    return {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in {"model", "test"} and node["config"]["materialized"] != "view" and is_changed(name)
    }


def built(report: BuildReport) -> set[str]:
    return {node.unique_id for node in report.nodes}


def outcomes(report: BuildReport) -> dict[str, tuple[str, str]]:
    """Status and message of each node; dbt says of a model and a seed what the database says."""
    return {
        node.unique_id: (node.status, node.message if node.unique_id.startswith("test.") else "")
        for node in report.nodes
        if not node.unique_id.startswith("exposure.")
    }


def started(*arguments: object, **options: object) -> BuildReport:
    raise AssertionError(f"dbt is started: {arguments}")


def differing(before: Contents, after: Contents) -> set[str]:
    assert before.keys() == after.keys()
    assert len(before) > 100
    return {name.removeprefix("raw.") for name in after if before[name] != after[name]}


def test_a_refresh_builds_what_is_downstream_of_what_changed(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is known: everything.
    everything = tenant.refresh()
    assert {name for name in built(everything) if not name.startswith(("test.", "exposure."))} == {
        name for name, node in tenant.manifest["nodes"].items() if node["resource_type"] in {"model", "seed"}
    }
    assert tenant.refresh().nodes == ()

    # All of it again, by what dbt rendered: the same tables, the same results of tests. dbt is not started any more.
    run = dbt.run
    monkeypatch.setattr(dbt, "run", started)
    with duckdb.connect(str(tenant.settings.warehouse_path)) as connection:
        connection.execute("drop table raw._ion_build")
    schemas = (*PUBLIC_SCHEMAS, "intermediate", "seeds")
    by_dbt = contents(tenant.settings.warehouse_path, schemas)
    again = dbt.build_pending(tenant.settings)
    assert outcomes(again) == outcomes(everything)
    assert {"pass", "warn"} <= {status for name, (status, _) in outcomes(again).items() if name.startswith("test.")}
    assert len([name for name, rows in by_dbt.items() if rows]) > 60
    assert contents(tenant.settings.warehouse_path, schemas) == by_dbt

    # One row of one entity.
    before = tenant.raw()
    supplier, label = tenant.first("suppliers"), tenant.first("labels")
    report = tenant.refresh(update("suppliers", supplier, touch=True, name="Of another name"))
    assert (changed := differing(before, tenant.raw())) == {"suppliers"}
    assert built(report) == expected(tenant.manifest, changed | BOOKS)
    assert 0 < report.count("model") < everything.count("model") / 4

    # A test fails half way: what was to be built then is built next time, with what has changed since.
    before = tenant.raw()
    with pytest.raises(BuildError, match="planted"):
        tenant.refresh(
            update("suppliers", supplier, touch=True, name=POISON), update("labels", label, touch=True, value="New")
        )
    location = tenant.first("locations")
    report = tenant.refresh(
        update("suppliers", supplier, touch=True, name="Well again"),
        update("locations", location, touch=True, name="Shelf"),
    )
    assert (changed := differing(before, tenant.raw())) == {"suppliers", "labels", "locations"}
    assert built(report) == expected(tenant.manifest, changed | BOOKS)

    # All of it is as if dbt built it from nothing.
    monkeypatch.setattr(dbt, "run", run)
    fresh = tenant.settings.model_copy(update={"data_dir": tmp_path})
    shutil.copy(tenant.settings.warehouse_path, fresh.warehouse_path)
    shutil.copytree(tenant.settings.data_dir / "dbt", tmp_path / "dbt")
    with duckdb.connect(str(fresh.warehouse_path)) as connection:
        for schema in (*PUBLIC_SCHEMAS, "staging", "intermediate", "seeds"):
            connection.execute(f"drop schema {schema} cascade")
    dbt.run(fresh, ["build", "--exclude-resource-type", "test", "unit_test"])
    schemas = (*PUBLIC_SCHEMAS, "intermediate")
    kept, wanted = contents(tenant.settings.warehouse_path, schemas), contents(fresh.warehouse_path, schemas)
    assert len([name for name, rows in wanted.items() if rows]) > 60
    assert kept.keys() == wanted.keys()
    assert [name for name in wanted if kept[name] != wanted[name]] == []

    # What the note says holds no longer: everything, once more.
    asked = commands(monkeypatch)
    seed = next(tenant.project.glob("seeds/*.csv"))
    seed.write_text(seed.read_text() + "\n")
    dbt.build_pending(tenant.settings)
    dbt.build_pending(tenant.settings)
    assert asked == [["build"]]


def commands(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What dbt is asked for from now on, without running it."""
    asked: list[list[str]] = []

    def run(
        settings: Settings,
        arguments: list[str],
        *,
        on_line: Callable[[str], None] | None = None,
    ) -> BuildReport:
        asked.append(arguments)
        dbt.results_path(settings).write_text('{"elapsed_time": 0, "results": []}')
        return BuildReport((), 0.0)

    monkeypatch.setattr(dbt, "run", run)
    return asked
