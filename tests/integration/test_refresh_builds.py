"""What a refresh builds: exactly what is downstream of what changed, and the warehouse is as if built from nothing."""
# ruff: noqa: S608 -- names of our own

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import httpx
import orjson
import pytest

from ion_pipeline.counting import Count
from ion_pipeline.pipeline import dbt, steps
from ion_pipeline.pipeline.dbt import building
from ion_pipeline.pipeline.dbt import project as dbt_project
from ion_pipeline.pipeline.dbt.report import BuildError, BuildReport
from ion_pipeline.publish import PUBLIC_SCHEMAS
from ion_pipeline.settings import Settings
from tests.integration.conftest import Built, continued, settings_for, settings_of
from tests.integration.support.changing_world import Change, update

pytestmark = pytest.mark.slow

LOAD_LOG = {"_ion_loads", "_ion_load_tables", "_ion_load_delays", "_ion_schema_drift"}

Contents = dict[str, list[str]]


@dataclass
class Tenant:
    """A sandbox that people work in, and what is made of it."""

    api_url: str
    settings: Settings

    def load(self, *changes: Change) -> None:
        """Change the tenant, then read and load."""
        httpx.post(f"{self.api_url}/_sandbox/changes", json=list(changes)).raise_for_status()
        steps.extract(self.settings)
        steps.load(self.settings)

    def refresh(self, *changes: Change) -> BuildReport:
        """Change the tenant, then read, load and build."""
        self.load(*changes)
        return dbt.build_pending(self.settings)

    def execute(self, sql: str) -> None:
        with duckdb.connect(str(self.settings.warehouse_path)) as connection:
            connection.execute(sql)

    def raw(self) -> Contents:
        return contents(self.settings.warehouse_path, ("raw",), "* exclude (_ion_load, _ion_seen_at)")

    def tables(self) -> Contents:
        """What the models have built."""
        return contents(self.settings.warehouse_path, (*PUBLIC_SCHEMAS, "intermediate"))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def first(self, table: str) -> int:
        [(found,)] = self.query(f"select min(id) from raw.{table}")
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
def tenant(tmp_path_factory: pytest.TempPathFactory, demo_warehouse: Built) -> Iterator[Tenant]:
    """The factory, as dbt has built it."""
    data_dir = tmp_path_factory.mktemp("refresh_builds") / "data"
    with continued(demo_warehouse, data_dir) as sandbox:
        yield Tenant(sandbox.api_url, settings_for(sandbox, data_dir))


def expected(
    manifest: dict[str, Any], changed: set[str], recorded: Contents, before: Contents, after: Contents
) -> set[str]:
    """What has to be built: by going up from each node, where the pipeline goes down, and by comparing all rows.

    Args:
        manifest: dbt's.
        changed: The tables of `raw` that loads have changed since the recorded build.
        recorded: All tables when the recorded build had ended.
        before: All tables before this build.
        after: All tables after this build.
    """

    @cache
    def differs(name: str) -> bool:
        if name.startswith("source."):
            source = manifest["sources"][name]
            return source["source_name"] in {"ion", "ion_history", "ion_load_log"} and source["name"] in changed
        if name == "model.ion_warehouse.int_loads__first":  # The first load stays the first.
            return False
        if (table := table_of(name)) in after:
            return recorded.get(table) != after[table]
        return any(differs(parent) for parent in manifest["parent_map"][name])

    def table_of(name: str) -> str:
        node = manifest["nodes"][name]
        return f"{node['schema']}.{node['name']}"

    return {
        name
        for name, node in manifest["nodes"].items()
        if node["resource_type"] in {"model", "test"}
        and node["config"]["materialized"] != "view"
        and (
            any(differs(parent) for parent in manifest["parent_map"][name])
            or recorded.get(table_of(name)) != before.get(table_of(name))
        )
    }


def built(report: BuildReport) -> set[str]:
    return {node.unique_id for node in report.nodes}


def outcomes(results: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Status and message of each node; dbt says of a model and a seed what the database says."""
    return {
        name: (status, message if name.startswith("test.") else "")
        for name, (status, message) in results.items()
        if not name.startswith("exposure.")
    }


def started(*arguments: object, **options: object) -> BuildReport:
    raise AssertionError(f"dbt is started: {arguments}")


def published(tenant: Tenant) -> tuple[str, datetime]:
    """Publish; return the last load and the time in what readers of the files see."""
    steps.publish(tenant.settings)
    document = orjson.loads((tenant.settings.published_dir / "latest.json").read_bytes())
    return document["load_id"], datetime.fromisoformat(document["published_at"])


def assert_one_delay(tenant: Tenant, entity: str, load_id: str, published_at: datetime) -> None:
    """One change has a known delay: the time from ION's date of the change to the publish."""
    [(changed_at,)] = tenant.query(f"select _updated from raw_history.{entity} where _ion_load = '{load_id}'")
    figures = "delayed_change_count, delay_median_seconds, delay_p99_seconds, delay_max_seconds"
    known = "where delayed_change_count is not null"
    [found] = tenant.query(f"select {figures}, load_id, published_at from ops.loads {known}")
    # ION's time in HTTP is in whole seconds.
    delay = pytest.approx((published_at - changed_at).total_seconds(), abs=2)
    assert found == (1, delay, delay, delay, load_id, published_at)
    assert tenant.query(f"select {figures}, entity from ops.freshness {known}") == [(*found[:4], entity)]


def differing(before: Contents, after: Contents) -> set[str]:
    assert before.keys() == after.keys()
    assert len(before) > 100
    return {name.removeprefix("raw.") for name in after if before[name] != after[name]}


def test_what_dbt_rendered_builds_what_dbt_has_built(
    demo_warehouse: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(demo_warehouse.data_dir / "dbt", tmp_path / "dbt")
    shutil.copy(demo_warehouse.warehouse, tmp_path)
    settings = settings_of(tmp_path, included=True)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("drop table raw._ion_build")
    results = orjson.loads(dbt.results_path(settings).read_bytes())["results"]
    by_dbt = {one["unique_id"]: (one["status"], one["message"] or "") for one in results}
    monkeypatch.setattr(building, "run", started)
    counts = list[Count]()
    report = dbt.build_pending(settings, on_count=counts.append)
    assert (counts[-1].done, counts[-1].total) == (len(report.nodes), len(report.nodes))
    again = {node.unique_id: (node.status, node.message) for node in report.nodes}
    assert outcomes(again) == outcomes(by_dbt)
    assert {"pass", "warn"} <= {status for name, (status, _) in again.items() if name.startswith("test.")}
    schemas = (*PUBLIC_SCHEMAS, "intermediate", "seeds")
    wanted = contents(demo_warehouse.warehouse, schemas)
    assert len([name for name, rows in wanted.items() if rows]) > 60
    assert contents(settings.warehouse_path, schemas) == wanted


@pytest.mark.exhaustive
def test_a_refresh_builds_what_is_downstream_of_what_changed(
    tenant: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing was known: dbt has built everything.
    results = orjson.loads(dbt.results_path(tenant.settings).read_bytes())["results"]
    everything = {one["unique_id"] for one in results if not one["unique_id"].startswith(("test.", "exposure."))}
    assert everything == {
        name for name, node in tenant.manifest["nodes"].items() if node["resource_type"] in {"model", "seed"}
    }
    monkeypatch.setattr(building, "run", started)
    assert tenant.refresh().nodes == ()

    # One row of one entity.
    before, recorded = tenant.raw(), tenant.tables()
    supplier, label = tenant.first("suppliers"), tenant.first("labels")
    report = tenant.refresh(update("suppliers", supplier, touch=True, name="Of another name"))
    changed = differing(before, tenant.raw())
    assert changed == {"suppliers"}
    needed = expected(tenant.manifest, changed | LOAD_LOG, recorded, recorded, tenant.tables())
    # Warnings are repeated.
    assert {node for node in report.nodes if node.unique_id not in needed} <= set(report.warnings)
    assert built(report) >= needed
    assert 0 < report.count("model") < len(everything) / 6
    renamed_in, published_at = published(tenant)

    # A model fails: what was to be built then is built next time, with what has changed since.
    before, recorded = tenant.raw(), tenant.tables()
    tenant.load(
        update("suppliers", supplier, touch=True, name="Twice"), update("labels", label, touch=True, value="New")
    )
    tenant.execute("insert into raw.suppliers from raw.suppliers where name = 'Twice'")
    with pytest.raises(BuildError, match="suppliers"):
        dbt.build_pending(tenant.settings)
    tenant.execute(
        "delete from raw.suppliers where rowid = (select max(rowid) from raw.suppliers where name = 'Twice')"
    )
    location, failed = tenant.first("locations"), tenant.tables()
    report = tenant.refresh(
        update("suppliers", supplier, touch=True, name="Well again"),
        update("locations", location, touch=True, name="Shelf"),
    )
    changed = differing(before, tenant.raw())
    assert changed == {"suppliers", "labels", "locations"}
    needed = expected(tenant.manifest, changed | LOAD_LOG, recorded, failed, tenant.tables())
    assert {node for node in report.nodes if node.unique_id not in needed} <= set(report.warnings)
    assert built(report) >= needed

    # Since the publish it is known how long a reader had to wait for that name.
    assert_one_delay(tenant, "suppliers", renamed_in, published_at)

    # All of it is as if built from nothing.
    fresh = tenant.settings.model_copy(update={"data_dir": tmp_path})
    shutil.copy(tenant.settings.warehouse_path, fresh.warehouse_path)
    shutil.copytree(tenant.settings.data_dir / "dbt", tmp_path / "dbt")
    with duckdb.connect(str(fresh.warehouse_path)) as connection:
        for schema in (*PUBLIC_SCHEMAS, "staging", "intermediate", "seeds"):
            connection.execute(f"drop schema {schema} cascade")
        connection.execute("drop table raw._ion_build")
    dbt.build_pending(fresh)
    schemas = (*PUBLIC_SCHEMAS, "intermediate")
    kept, wanted = contents(tenant.settings.warehouse_path, schemas), contents(fresh.warehouse_path, schemas)
    assert len([name for name, rows in wanted.items() if rows]) > 60
    assert kept.keys() == wanted.keys()
    assert [name for name in wanted if kept[name] != wanted[name]] == []

    # What the note says holds no longer: everything, by dbt.
    project = tmp_path / "dbt_project"
    shutil.copytree(dbt.project_dir(), project, ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr(dbt_project, "project_dir", lambda: project)
    asked = commands(monkeypatch)
    seed = next(project.glob("seeds/*.csv"))
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
        **options: object,
    ) -> BuildReport:
        asked.append(arguments)
        dbt.results_path(settings).write_text('{"elapsed_time": 0, "results": []}')
        return BuildReport((), 0.0)

    monkeypatch.setattr(building, "run", run)
    return asked
