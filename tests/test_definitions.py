"""The Dagster graph as it is loaded: without network, credentials or a prepared file, and as the snapshot has it.

A renamed asset, a lost dependency or a schedule that is on shows as a difference from the snapshot. When it is meant:
`pytest tests/test_definitions.py --snapshot-update`.
"""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import orjson
import pytest
import yaml
from syrupy.assertion import SnapshotAssertion

from ion_pipeline.catalog.catalog import known_catalog
from ion_pipeline.definitions import build_definitions, defs
from ion_pipeline.defs.events import assets_of, checks_of
from ion_pipeline.defs.home import prepare_dagster_home
from ion_pipeline.errors import SettingsError
from ion_pipeline.settings import load_settings
from tests.integration.conftest import once, parsed, shared_folder

__all__ = ["once", "parsed", "shared_folder"]

REPOSITORY = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory, parsed: Callable[[Path], None]) -> Path:
    data_dir = tmp_path_factory.mktemp("definitions") / "data"
    parsed(data_dir)
    return data_dir


@pytest.fixture(scope="module")
def loaded(data_dir: Path) -> dg.Definitions:
    """The definitions, loaded where nothing is but the parsed project: no settings, no data, no socket."""

    def refuse(*_: object) -> None:
        raise AssertionError("loading the definitions opened a connection")

    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("ION_") and not name.startswith("ION_TEST_")]:
            patch.delenv(name)
        patch.chdir(data_dir.parent)
        patch.setenv("ION_DATA_DIR", str(data_dir))
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        assert [path.name for path in data_dir.iterdir()] == ["dbt"]
        return defs()


def asset_graph(definitions: dg.Definitions) -> dict[dg.AssetKey, set[dg.AssetKey]]:
    """Every asset with what it depends on."""
    graph = definitions.resolve_asset_graph()
    return {key: set(graph.get(key).parent_keys) for key in graph.get_all_asset_keys()}


def describe(definitions: dg.Definitions) -> Iterator[str]:
    """The graph as lines of text. dbt's tests are left out: they are described where they are written."""
    for operation in definitions.assets or ():
        assert isinstance(operation, dg.AssetsDefinition)
        subset = "any" if operation.can_subset else "no"
        yield f"operation {operation.op.name}: pool {operation.op.pool}, {subset} subset"
        checks = [spec for spec in operation.check_specs if "dagster_dbt/unique_id" not in (spec.metadata or {})]
        for spec in sorted(operation.specs, key=lambda spec: spec.key):
            parents = ", ".join(sorted(dep.asset_key.to_user_string() for dep in spec.deps))
            own = ", ".join(
                check.name + (" (blocking)" if check.blocking else "")
                for check in checks
                if check.asset_key == spec.key
            )
            yield (
                f"  {spec.key.to_user_string()} [{spec.group_name}]"
                + (f" <- {parents}" if parents else "")
                + (f", checks {own}" if own else "")
            )
    for job in sorted(definitions.resolve_all_job_defs(), key=lambda job: job.name):
        if not job.name.startswith("__"):
            yield f"job {job.name}: {job.executor_def.name}"
    for schedule in definitions.schedules or ():
        assert isinstance(schedule, dg.ScheduleDefinition)
        when = f"{schedule.cron_schedule} {schedule.execution_timezone}"
        yield f"schedule {schedule.name}: {schedule.job_name}, {when}, {schedule.default_status.value}"
    for sensor in definitions.sensors or ():
        assert isinstance(sensor, dg.SensorDefinition)
        jobs = ", ".join(target.job_name for target in sensor.targets) or "no job"
        yield f"sensor {sensor.name}: {jobs}, {sensor.default_status.value}"


def test_graph_is_as_the_snapshot_has_it(loaded: dg.Definitions, snapshot: SnapshotAssertion) -> None:
    assert "\n".join(describe(loaded)) + "\n" == snapshot


def test_every_selected_entity_and_its_tables_are_assets(loaded: dg.Definitions) -> None:
    keys = set(asset_graph(loaded))
    catalog = known_catalog()
    selected = set(catalog.default_selection)
    assert {key.path[1] for key in keys if key.path[0] == "ion"} == selected
    assert {key.path[1] for key in keys if key.path[0] == "raw"} == {
        *(table.name for table in catalog.tables.values() if table.entity in selected),
        "_ion_loads",
        "_ion_load_delays",
        "_ion_load_tables",
        "_ion_schema_drift",
    }


def test_lineage_goes_from_ion_to_the_published_file(loaded: dg.Definitions) -> None:
    parents = asset_graph(loaded)

    def ancestors(key: dg.AssetKey) -> set[dg.AssetKey]:
        return parents[key].union(*(ancestors(parent) for parent in parents[key]))

    where_used = ancestors(dg.AssetKey(["genealogy", "abom_where_used"]))
    for table in ("part_inventories", "build_requirement_part_inventories", "abom_installations", "abom_edges"):
        assert dg.AssetKey(["raw", table]) in where_used
    assert dg.AssetKey(["ion", "build_requirements"]) in where_used
    published = ancestors(dg.AssetKey(["published", "ion"]))
    marts = {key for key in parents if key.path[0] in {"genealogy", "ops", "reference"}}
    assert marts
    assert marts <= published


def test_every_asset_can_be_made(loaded: dg.Definitions) -> None:
    """A source that names no asset of ours would show as one that nobody makes."""
    graph = loaded.resolve_asset_graph()
    assert graph.get_all_asset_keys() == graph.executable_asset_keys


def test_every_dbt_test_is_a_check(loaded: dg.Definitions, data_dir: Path) -> None:
    manifest = orjson.loads((data_dir / "dbt" / "target" / "manifest.json").read_bytes())
    tests = [node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    checks = loaded.resolve_asset_graph().asset_check_keys
    assert len(tests) > 20
    assert sorted(check.name for check in checks if check.asset_key.path[0] != "ion") == sorted(tests)


def test_every_check_has_an_entry_in_the_runbooks_and_every_entry_a_check(
    loaded: dg.Definitions, data_dir: Path
) -> None:
    runbooks = (REPOSITORY / "docs" / "runbooks.md").read_text("utf-8")
    manifest = orjson.loads((data_dir / "dbt" / "target" / "manifest.json").read_bytes())
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    kinds = {(node.get("test_metadata") or node)["name"] for node in tests}
    of_entities = {key.name for key in loaded.resolve_asset_graph().asset_check_keys if key.asset_key.path[0] == "ion"}
    assert len(of_entities) == 3
    assert len(kinds) > 20
    of_reading, _, of_dbt = runbooks.partition("## Checks of what was read")[2].partition("## dbt's tests")
    of_dbt = of_dbt.partition("\n## ")[0]
    assert {name for name in of_entities if f"`{name}`" not in of_reading} == set()
    listed = {
        name
        for line in of_dbt.splitlines()
        if line.startswith("|")
        for column in line.split("|")[1:3]
        for name in re.findall(r"`([a-z_]+)`", column)
    }
    questions = {"disposition_categories_unmapped", "limit_functions_unmapped"}
    assert questions <= set(re.findall(r"`([a-z_]+)`", of_dbt))
    assert listed | questions == kinds | ({"raw"} & listed)


def test_jobs_record_the_assets_and_checks_of_the_graph(loaded: dg.Definitions, data_dir: Path) -> None:
    """The operations of the jobs name both by dbt's manifest, and do not load the graph."""
    manifest = orjson.loads((data_dir / "dbt" / "target" / "manifest.json").read_bytes())
    graph = loaded.resolve_asset_graph()
    models = {key for key in graph.get_all_asset_keys() if key.path[0] not in {"ion", "raw", "published"}}
    assert set(assets_of(manifest).values()) == models
    assert {*checks_of(manifest).values()} == {key for key in graph.asset_check_keys if key.asset_key.path[0] != "ion"}


def test_jobs_run_every_step_one_after_the_other(loaded: dg.Definitions) -> None:
    for name in ("refresh", "reconcile", "full_refresh"):
        job = loaded.resolve_job_def(name)
        assert [node.name for node in job.nodes_in_topological_order] == ["extract", "load", "build", "publish"]
        # Dagster writes an event for each asset of a job before it starts.
        assert not job.asset_layer.executable_asset_keys


def test_entities_of_the_settings_are_the_graph(data_dir: Path, loaded: dg.Definitions) -> None:
    definitions = build_definitions(load_settings(data_dir=data_dir, entities="parts,part_inventories"))
    keys = set(asset_graph(definitions))
    assert {key.path[1] for key in keys if key.path[0] == "ion"} == {"parts", "part_inventories"}
    assert dg.AssetKey(["raw", "part_attributes"]) in keys
    assert definitions.resolve_job_def("refresh")


def test_unknown_entity_is_refused_by_name(data_dir: Path) -> None:
    with pytest.raises(SettingsError, match="partz"):
        build_definitions(load_settings(data_dir=data_dir, entities="partz"))


def test_graph_of_a_tenant_without_credentials_can_be_shown_but_not_run(
    data_dir: Path, loaded: dg.Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data_dir.parent)
    monkeypatch.setenv("ION_ENVIRONMENT", "production")
    monkeypatch.setenv("ION_DATA_DIR", str(data_dir))
    definitions = defs()
    assert asset_graph(definitions).keys() == asset_graph(loaded).keys()
    pipeline = (definitions.resources or {})["pipeline"]
    with pytest.raises(SettingsError, match="no credentials"):
        pipeline.extract(["parts"])


def test_home_turns_telemetry_off_and_lets_one_operation_into_a_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(prepare_dagster_home(tmp_path / "home")))
    with dg.DagsterInstance.get() as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.get_concurrency_config().pool_config.default_pool_limit == 1


def test_home_keeps_what_somebody_has_changed(tmp_path: Path) -> None:
    config = prepare_dagster_home(tmp_path) / "dagster.yaml"
    config.write_text("telemetry:\n  enabled: true\n", encoding="utf-8")
    prepare_dagster_home(tmp_path)
    assert config.read_text(encoding="utf-8") == "telemetry:\n  enabled: true\n"


def test_home_says_postgres_by_the_name_of_the_variable_and_never_by_its_value(tmp_path: Path) -> None:
    url = "postgresql+psycopg2://keeper@db.example/ion_dagster"
    config = prepare_dagster_home(tmp_path, postgres_url=url) / "dagster.yaml"
    text = config.read_text(encoding="utf-8")
    assert yaml.safe_load(text)["storage"] == {"postgres": {"postgres_url": {"env": "DAGSTER_POSTGRES_URL"}}}
    assert "db.example" not in text
    assert prepare_dagster_home(tmp_path, postgres_url=url) == tmp_path
    assert config.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("postgresql://keeper@db.example/ion_dagster", "psycopg2"),
        ("postgresql+psycopg2://keeper:hush@db.example/ion_dagster", "PGPASSWORD"),
        ("postgresql+psycopg2://keeper@/ion_dagster?host=/run&password=hush", "PGPASSWORD"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_before_anything_is_written(
    tmp_path: Path, url: str, complaint: str
) -> None:
    with pytest.raises(SettingsError, match=complaint) as raised:
        prepare_dagster_home(tmp_path / "home", postgres_url=url)
    assert "hush" not in str(raised.value)
    assert not (tmp_path / "home").exists()


def test_a_home_that_keeps_runs_in_files_is_not_taken_for_one_in_postgres(tmp_path: Path) -> None:
    prepare_dagster_home(tmp_path)
    with pytest.raises(SettingsError, match="keeps runs in files"):
        prepare_dagster_home(tmp_path, postgres_url="postgresql+psycopg2://keeper@db.example/ion_dagster")


def test_dagster_loads_the_workspace_quietly_and_no_schedule_is_on(
    data_dir: Path, tmp_path: Path, loaded: dg.Definitions
) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ION_")}
    listing = subprocess.run(
        [sys.executable, "-m", "dagster", "schedule", "list", "-w", "workspace.yaml"],
        cwd=REPOSITORY,
        env={**environment, "ION_DATA_DIR": str(data_dir), "DAGSTER_HOME": str(prepare_dagster_home(tmp_path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert listing.returncode == 0, listing.stderr
    assert "Schedule: refresh_schedule [STOPPED]" in listing.stdout
    assert "[RUNNING]" not in listing.stdout
    assert "warning" not in (listing.stdout + listing.stderr).lower()
