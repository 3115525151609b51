"""The job `refresh` for real, in this process: from a sandbox to the published file."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from pydantic import SecretStr

from ion_pipeline.catalog import known_catalog
from ion_pipeline.client import AuthError
from ion_pipeline.definitions import build_definitions
from ion_pipeline.defs.run import RefreshResult, run_refresh
from ion_pipeline.pipeline.pipeline import Pipeline, real_pipeline
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.steps import ReadMode
from ion_pipeline.sandbox.server import SandboxAddress, SandboxOptions, build_app
from ion_pipeline.settings import Settings
from tests.integration.conftest import settings_for
from tests.integration.support.changing_world import served, serving
from tests.integration.support.selected_assets import make_assets
from tests.oracle.world import read_world_dir

ONE_ENTITY = ("ion/parts", "raw/parts")

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Refreshed:
    """One refresh of everything, and where it was recorded."""

    settings: Settings
    pipeline: Pipeline
    definitions: dg.Definitions
    instance: dg.DagsterInstance
    result: RefreshResult
    made: dict[dg.AssetKey, dg.AssetMaterialization]

    def metadata(self, *path: str) -> dict[str, Any]:
        """What the first refresh said of an asset."""
        return {name: value.value for name, value in self.made[dg.AssetKey(path)].metadata.items()}

    def latest(self, *path: str) -> dict[str, Any]:
        event = self.instance.get_latest_materialization_event(dg.AssetKey(path))
        assert event, path
        assert event.asset_materialization
        return {name: value.value for name, value in event.asset_materialization.metadata.items()}

    @property
    def models(self) -> list[dg.AssetKey]:
        graph = self.definitions.resolve_asset_graph()
        return [key for key in graph.get_all_asset_keys() if key.path[0] not in {"ion", "raw", "published"}]

    def query(self, sql: str) -> Any:
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            row = connection.execute(sql).fetchone()
            assert row
            return row[0]


@pytest.fixture(scope="module")
def sandbox(demo_world: Path) -> Iterator[SandboxAddress]:
    with served(demo_world, "full") as address:
        yield address


@pytest.fixture(scope="module")
def refreshed(
    tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxAddress, rendered: Callable[[Path], None]
) -> Iterator[Refreshed]:
    settings = settings_for(sandbox, tmp_path_factory.mktemp("refreshed"))
    rendered(settings.data_dir)
    pipeline = real_pipeline(settings, NullReporter())
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        result = run_refresh(settings, pipeline, instance=instance)
        records = instance.get_records_for_run(result.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION).records
        made = [record.event_log_entry.asset_materialization for record in records]
        definitions = build_definitions(settings, pipeline=pipeline)
        yield Refreshed(settings, pipeline, definitions, instance, result, {one.asset_key: one for one in made if one})


def key(asset: str) -> dg.AssetKey:
    return dg.AssetKey.from_user_string(asset)


def digests(folder: Path) -> dict[str, str]:
    """Every file of the lake, the warehouse and what is published, by content."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name.endswith((".duckdb", ".parquet", ".json"))
    }


def test_every_asset_is_made_and_every_check_passes(refreshed: Refreshed) -> None:
    graph = refreshed.definitions.resolve_asset_graph()
    assert refreshed.made.keys() == set(graph.get_all_asset_keys())
    assert refreshed.result.checks == len(graph.asset_check_keys)
    # The factory has a disposition and a limit function that no seed knows.
    assert sorted(warning.split(": ")[1] for warning in refreshed.result.warnings) == [
        "disposition_categories_unmapped",
        "limit_functions_unmapped",
    ]
    assert refreshed.result.entities == len(known_catalog().default_selection)


def test_metadata_is_what_the_sandbox_has(refreshed: Refreshed, demo_world: Path) -> None:
    catalog, world = known_catalog(), read_world_dir(demo_world)
    rows = {name: len(world.get(catalog.entities[name].root_field, ())) for name in catalog.default_selection}
    assert sum(rows.values()) > 1000
    assert {name: refreshed.metadata("ion", name)["dagster/row_count"] for name in rows} == rows
    assert {name: refreshed.metadata("raw", name)["dagster/row_count"] for name in rows} == rows
    counts = ", ".join(f"'{name}': (select count(*) from raw.{name})" for name in rows)  # noqa: S608 -- names of the catalog
    assert refreshed.query(f"select {{{counts}}}") == rows


def test_metadata_says_how_it_was_read(refreshed: Refreshed) -> None:
    parts = refreshed.metadata("ion", "parts")
    assert (parts["strategy"], parts["paging"]) == ("full", "keyset")
    assert parts["pages"] >= 1
    assert parts["requests"] >= parts["pages"]
    assert parts["bytes"] > 0
    assert parts["seconds"] > 0
    assert parts["watermark"]
    assert parts["drift"] == {"missing": [], "new": [], "retyped": [], "new values": []}
    assert parts["load_id"] == refreshed.result.load_id == refreshed.query("select max(load_id) from raw._ion_loads")
    assert refreshed.metadata("raw", "parts")["rows_inserted"] == parts["dagster/row_count"]
    assert refreshed.result.requests == refreshed.query("select requests from raw._ion_loads")


def test_each_model_says_its_rows(refreshed: Refreshed) -> None:
    said = {asset: refreshed.metadata(*asset.path) for asset in refreshed.models}
    rows = {".".join(asset.path): one["dagster/row_count"] for asset, one in said.items() if "dagster/row_count" in one}
    assert len(rows) > 150
    assert sum(rows.values()) > 10_000
    counts = ", ".join(f"'{name}': (select count(*) from {name})" for name in rows)  # noqa: S608 -- names of models
    assert refreshed.query(f"select {{{counts}}}") == rows
    views = set(refreshed.query("select list(schema_name || '.' || view_name) from duckdb_views() where not internal"))
    assert {".".join(asset.path) for asset in said} - rows.keys() <= views
    assert views.isdisjoint(rows)
    assert sum(one["checks"] for one in said.values()) > 200
    assert sum(one["checks_not_passed"] for one in said.values()) == len(refreshed.result.warnings)


def test_published_file_is_the_one_named(refreshed: Refreshed) -> None:
    assert refreshed.result.published == refreshed.settings.published_dir / "ion.duckdb"
    tables = refreshed.metadata("published", "ion")["tables"]
    assert tables["genealogy.abom_hierarchy"] == refreshed.query("select count(*) from genealogy.abom_hierarchy") > 0


def test_nothing_new_reads_loads_builds_and_publishes_nothing(
    refreshed: Refreshed, caplog: pytest.LogCaptureFixture
) -> None:
    settings = refreshed.settings
    before = digests(settings.published_dir)
    # One file is gone: the complete publish that is there gives it back.
    (settings.published_dir / "ion.duckdb").unlink()
    result = run_refresh(refreshed.settings, refreshed.pipeline, instance=refreshed.instance)
    assert (result.load_id, result.entities, result.models, result.published) == (None, 0, 0, None)
    assert list(result.seconds) == ["extract"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []
    assert result.checks == 3 * len(known_catalog().default_selection)
    assert result.warnings == ()
    assert digests(settings.published_dir) == before
    # The publishes are gone too: then everything after the reading is done, as far as it is needed.
    (settings.published_dir / "ion.duckdb").unlink()
    shutil.rmtree(settings.published_dir / "publishes")
    again = run_refresh(refreshed.settings, refreshed.pipeline, instance=refreshed.instance)
    assert (again.load_id, again.entities, again.models) == (None, 0, 0)
    assert again.up_to_date == len(refreshed.models) > 200
    assert again.published


def test_one_entity_alone_leaves_the_others_as_they_are(refreshed: Refreshed) -> None:
    runs = refreshed.query("select count(*) from raw.runs")
    loads = refreshed.query("select count(*) from raw._ion_loads")
    before, of_runs = refreshed.metadata("raw", "parts"), refreshed.latest("raw", "runs")
    pipeline = real_pipeline(refreshed.settings, NullReporter(), ReadMode(full=True))
    result = make_assets(refreshed.settings, pipeline, ONE_ENTITY, refreshed.instance)
    assert {event.asset_key for event in result.get_asset_materialization_events()} == set(map(key, ONE_ENTITY))
    after = refreshed.latest("raw", "parts")
    assert after["dagster/row_count"] == after["rows_read"] == before["rows_read"]
    assert (after["rows_inserted"], after["rows_updated"], after["rows_deleted"]) == (0, 0, 0)
    assert refreshed.latest("raw", "runs") == of_runs
    assert refreshed.query("select count(*) from raw.runs") == runs
    assert refreshed.query("select count(*) from raw._ion_loads") == loads + 1


def test_one_mart_alone_is_built_with_its_tests(refreshed: Refreshed) -> None:
    result = make_assets(refreshed.settings, refreshed.pipeline, ["genealogy/abom_where_used"], refreshed.instance)
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [
        key("genealogy/abom_where_used")
    ]
    assert result.get_asset_check_evaluations()


def test_wrong_secret_is_one_message_and_changes_nothing(
    refreshed: Refreshed, capfd: pytest.CaptureFixture[str]
) -> None:
    before = digests(refreshed.settings.data_dir)
    assert any(name.endswith("warehouse.duckdb") for name in before)
    settings = refreshed.settings.model_copy(update={"client_secret": SecretStr("wrong-on-purpose")})
    capfd.readouterr()
    with pytest.raises(AuthError) as raised:
        run_refresh(settings, real_pipeline(settings, NullReporter()), instance=refreshed.instance)
    assert raised.value.remedy
    assert "wrong-on-purpose" not in str(raised.value)
    assert capfd.readouterr() == ("", "")
    assert digests(refreshed.settings.data_dir) == before


def test_forbidden_entity_is_left_out_and_the_rest_is_loaded(
    tmp_path: Path, demo_world: Path, parsed: Callable[[Path], None]
) -> None:
    parsed(tmp_path)
    assets = ["ion/labels", "ion/suppliers", "raw/labels", "raw/suppliers"]
    app = build_app(SandboxOptions(world=demo_world, forbid=("labels",)), "a secret").asgi
    with (
        serving(app) as sandbox,
        dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance,
    ):
        settings = settings_for(sandbox, tmp_path)
        result = make_assets(settings, real_pipeline(settings, NullReporter()), assets, instance)
        made = {name: bool(instance.fetch_materializations(key(name), limit=1).records) for name in assets}
    assert made == {"ion/labels": False, "ion/suppliers": True, "raw/labels": False, "raw/suppliers": True}
    failed = [check.asset_key for check in result.get_asset_check_evaluations() if not check.passed]
    assert failed == [key("ion/labels")]
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) > 0 from raw.suppliers").fetchone() == (True,)
        assert connection.execute("select count(*) from raw.labels").fetchone() == (0,)
