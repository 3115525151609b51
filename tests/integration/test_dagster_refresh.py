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

from ion_pipeline.catalog import known_catalog
from ion_pipeline.client import AuthError
from ion_pipeline.definitions import build_definitions
from ion_pipeline.defs.run import RefreshResult, run_refresh
from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.pipeline.status import is_published_current
from ion_pipeline.pipeline.steps import ReadMode, publish
from ion_pipeline.sandbox.factory import build_world
from ion_pipeline.sandbox.process import running_sandbox
from ion_pipeline.sandbox.world import World
from ion_pipeline.settings import Settings, load_settings
from tests.integration.conftest import MEMORY, settings_for

SCALE = 0.1
SEED = 7

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Refreshed:
    """One refresh of everything, and where it was recorded."""

    settings: Settings
    definitions: dg.Definitions
    instance: dg.DagsterInstance
    result: RefreshResult

    def metadata(self, *path: str) -> dict[str, Any]:
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
def world() -> World:
    """What the embedded sandbox serves."""
    return build_world(seed=SEED, scale=SCALE)


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory, rendered: Callable[[Path], None]) -> Iterator[Refreshed]:
    settings = load_settings(
        data_dir=tmp_path_factory.mktemp("refreshed"),
        sandbox_scale=SCALE,
        sandbox_seed=SEED,
        duckdb_memory_limit=MEMORY,
    )
    rendered(settings.data_dir)
    definitions = build_definitions(settings, NullReporter())
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        yield Refreshed(settings, definitions, instance, run_refresh(definitions, instance=instance))


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
    events = refreshed.instance.fetch_materializations
    unmade = [key for key in graph.get_all_asset_keys() if not events(key, limit=1).records]
    assert unmade == []
    assert refreshed.result.checks == len(graph.asset_check_keys)
    # The factory has a disposition and a limit function that no seed knows.
    assert sorted(warning.split(": ")[1] for warning in refreshed.result.warnings) == [
        "disposition_categories_unmapped",
        "limit_functions_unmapped",
    ]
    assert refreshed.result.entities == len(known_catalog().default_selection)


def test_metadata_is_what_the_sandbox_has(refreshed: Refreshed, world: World) -> None:
    catalog = known_catalog()
    rows = {name: len(world.tables.get(catalog.entities[name].root_field, ())) for name in catalog.default_selection}
    assert sum(rows.values()) > 1000
    assert {name: refreshed.metadata("ion", name)["dagster/row_count"] for name in rows} == rows
    assert {name: refreshed.metadata("raw", name)["dagster/row_count"] for name in rows} == rows
    assert {name: refreshed.query(f"select count(*) from raw.{name}") for name in rows} == rows  # noqa: S608 -- names of the catalog


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


def test_published_file_is_the_one_named(refreshed: Refreshed) -> None:
    assert refreshed.result.published == refreshed.settings.published_dir / "ion.duckdb"
    tables = refreshed.metadata("published", "ion")["tables"]
    assert tables["genealogy.abom_hierarchy"] == refreshed.query("select count(*) from genealogy.abom_hierarchy") > 0


def test_one_entity_alone_leaves_the_others_as_they_are(refreshed: Refreshed) -> None:
    runs = refreshed.query("select count(*) from raw.runs")
    loads = refreshed.query("select count(*) from raw._ion_loads")
    before = refreshed.metadata("raw", "parts")
    definitions = build_definitions(refreshed.settings, NullReporter(), mode=ReadMode(full=True))
    result = run_refresh(definitions, assets=["ion/parts", "raw/parts"], instance=refreshed.instance)
    assert (result.entities, result.models, result.published) == (1, 0, None)
    after = refreshed.metadata("raw", "parts")
    assert after["dagster/row_count"] == after["rows_read"] == before["rows_read"]
    assert (after["rows_inserted"], after["rows_updated"], after["rows_deleted"]) == (0, 0, 0)
    assert refreshed.metadata("raw", "runs")["rows_inserted"] == runs
    assert refreshed.query("select count(*) from raw.runs") == runs
    assert refreshed.query("select count(*) from raw._ion_loads") == loads + 1


def test_one_mart_alone_is_built_with_its_tests(refreshed: Refreshed) -> None:
    result = run_refresh(refreshed.definitions, assets=["genealogy/abom_where_used"], instance=refreshed.instance)
    assert (result.models, result.entities) == (1, 0)
    assert result.checks > 0


def test_wrong_secret_is_one_message_and_changes_nothing(
    refreshed: Refreshed, capfd: pytest.CaptureFixture[str]
) -> None:
    before = digests(refreshed.settings.data_dir)
    assert any(name.endswith("warehouse.duckdb") for name in before)
    with running_sandbox(scale=SCALE) as sandbox:
        settings = load_settings(
            environment="custom",
            api_url=sandbox.api_url,
            auth_url=sandbox.auth_url,
            client_id=sandbox.client_id,
            client_secret="wrong-on-purpose",
            data_dir=refreshed.settings.data_dir,
        )
        capfd.readouterr()
        with pytest.raises(AuthError) as raised:
            run_refresh(build_definitions(settings, NullReporter()), instance=refreshed.instance)
    assert raised.value.remedy
    assert "wrong-on-purpose" not in str(raised.value)
    assert capfd.readouterr() == ("", "")
    assert digests(refreshed.settings.data_dir) == before


def test_nothing_new_reads_loads_builds_and_publishes_nothing(
    refreshed: Refreshed, caplog: pytest.LogCaptureFixture
) -> None:
    settings = refreshed.settings
    if not is_published_current(settings):  # Another test has added a load.
        publish(settings)
    before = digests(settings.published_dir)
    result = run_refresh(refreshed.definitions, instance=refreshed.instance)
    assert (result.load_id, result.entities, result.models, result.published) == (None, 0, 0, None)
    assert list(result.seconds) == ["extract"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == []
    assert result.checks == 3 * len(known_catalog().default_selection)
    assert result.warnings == ()
    assert digests(settings.published_dir) == before
    # One file is gone: the complete publish that is there gives it back, and nothing is built.
    (settings.published_dir / "ion.duckdb").unlink()
    run_refresh(refreshed.definitions, instance=refreshed.instance)
    assert digests(settings.published_dir) == before
    # The publishes are gone too: then everything after the reading is done, as far as it is needed.
    (settings.published_dir / "ion.duckdb").unlink()
    shutil.rmtree(settings.published_dir / "publishes")
    dbt.build_pending(settings)
    again = run_refresh(refreshed.definitions, instance=refreshed.instance)
    assert (again.load_id, again.entities, again.models) == (None, 0, 0)
    assert again.up_to_date == len(refreshed.models) > 200
    assert again.published


def test_forbidden_entity_is_left_out_and_the_rest_is_loaded(tmp_path: Path, parsed: Callable[[Path], None]) -> None:
    parsed(tmp_path)
    assets = ["ion/labels", "ion/suppliers", "raw/labels", "raw/suppliers"]
    with (
        running_sandbox(scale=SCALE, forbid=("labels",)) as sandbox,
        dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance,
    ):
        definitions = build_definitions(settings_for(sandbox, tmp_path), NullReporter())
        result = run_refresh(definitions, assets=assets, instance=instance)
        made = {name: bool(instance.fetch_materializations(key(name), limit=1).records) for name in assets}
    assert made == {"ion/labels": False, "ion/suppliers": True, "raw/labels": False, "raw/suppliers": True}
    assert any("labels" in warning for warning in result.warnings)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) > 0 from raw.suppliers").fetchone() == (True,)
        assert connection.execute("select count(*) from raw.labels").fetchone() == (0,)
