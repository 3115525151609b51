"""What the assets make of what the steps report: planted reports in, Dagster's events and our result out."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ion_pipeline.catalog import Drift
from ion_pipeline.definitions import build_definitions
from ion_pipeline.defs.home import prepare_dagster_home
from ion_pipeline.defs.jobs import make_jobs, make_schedules
from ion_pipeline.defs.run import run_refresh
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.extract import EntityResult
from ion_pipeline.pipeline.dbt.report import BuildError, ChangedCount
from ion_pipeline.pipeline.read_checks import BlockingCheckError
from ion_pipeline.pipeline.target import NotSentError
from ion_pipeline.publish import PublishReport
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse import LoadReport
from tests.integration.support.planted import (
    ENTITIES,
    LOAD_ID,
    Planted,
    called,
    planted_manifest,
    planted_settings,
    read,
)
from tests.integration.support.selected_assets import make_assets

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, parsed: Callable[[Path], None]) -> Settings:
    """A few entities and models are enough: each event that Dagster records takes its time."""
    folder = tmp_path_factory.mktemp("graph")
    parsed(folder)
    return planted_settings(folder)


@pytest.fixture(scope="module")
def manifest(settings: Settings) -> dict[str, Any]:
    return planted_manifest(settings)


@pytest.fixture
def planted(settings: Settings, manifest: dict[str, Any]) -> Planted:
    return Planted(settings=lambda: settings, manifest=manifest)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Where a run is recorded, to look into it afterwards."""
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as ephemeral:
        yield ephemeral


def is_made(instance: dg.DagsterInstance, *path: str) -> bool:
    return instance.get_latest_materialization_event(dg.AssetKey(path)) is not None


def checks_of(instance: dg.DagsterInstance, *path: str) -> dict[str, dg.AssetCheckEvaluation]:
    run = instance.get_runs(limit=1)[0]
    events = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    found = [record.event_log_entry.dagster_event.asset_check_evaluation_data for record in events]
    return {check.check_name: check for check in found if check.asset_key == dg.AssetKey(path)}


def test_refresh_makes_every_asset_in_four_operations(settings: Settings, planted: Planted) -> None:
    result = run_refresh(settings, planted)
    assert called(planted) == ["extract", "load", "build", "publish"]
    assert sorted(planted.calls[0][1]) == sorted(ENTITIES)
    assert planted.calls[2][1] is None
    entities = len(ENTITIES)
    assert (result.load_id, result.entities, result.rows, result.requests) == (LOAD_ID, entities, 3 * entities, 91)
    assert result.models == sum(name.split(".")[0] in {"model", "seed"} for name in planted.manifest["nodes"])
    assert result.up_to_date == 0
    assert result.checks == len(build_definitions(settings).resolve_asset_graph().asset_check_keys)
    assert result.warnings == ()
    assert result.published == Path("/data/published/ion.duckdb")
    assert list(result.seconds) == ["extract", "load", "build", "publish"]


def test_a_full_refresh_reads_everything(settings: Settings, planted: Planted, instance: dg.DagsterInstance) -> None:
    definitions = build_definitions(settings, pipeline=planted)
    for job in ("refresh", "full_refresh"):
        assert definitions.resolve_job_def(job).execute_in_process(instance=instance).success
    assert planted.read_in_full == [False, True]


@pytest.mark.parametrize(
    ("overrides", "schedules"),
    [
        (
            {"environment": "embedded", "schedules_on": True},
            {
                "refresh_schedule": ("0 * * * *", "UTC", "STOPPED"),
                "reconcile_schedule": ("30 2 * * *", "UTC", "STOPPED"),
            },
        ),
        (
            {
                "environment": "custom",
                "schedules_on": True,
                "refresh_cron": "*/15 6-22 * * *",
                "reconcile_cron": "",
                "full_refresh_cron": "0 3 * * 0",
                "schedule_time_zone": "Europe/Berlin",
            },
            {
                "refresh_schedule": ("*/15 6-22 * * *", "Europe/Berlin", "RUNNING"),
                "full_refresh_schedule": ("0 3 * * 0", "Europe/Berlin", "RUNNING"),
            },
        ),
        ({"environment": "custom", "refresh_cron": "", "reconcile_cron": ""}, {}),
    ],
)
def test_schedules_are_as_set(overrides: dict[str, Any], schedules: dict[str, tuple[str, str, str]]) -> None:
    made = make_schedules(load_settings(tenant=False, **overrides))
    assert {
        one.name: (one.cron_schedule, one.execution_timezone, one.default_status.value) for one in made
    } == schedules


def test_a_reconcile_compares_then_refreshes_and_says_what_had_drifted(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance
) -> None:
    definitions = build_definitions(settings, pipeline=planted)
    assert definitions.resolve_job_def("reconcile").execute_in_process(instance=instance).success
    assert called(planted) == ["reconcile", "extract", "load", "build", "publish"]
    [observed] = instance.fetch_observations(dg.AssetKey(["ion", "parts"]), limit=1).records
    assert observed.asset_observation
    assert observed.asset_observation.metadata["rows_drifted"].value == 2


def test_each_asset_says_what_was_done(settings: Settings, planted: Planted, instance: dg.DagsterInstance) -> None:
    result = replace(read("parts"), tables={"parts": 3, "part_attributes": 8}, bytes=77, seconds=0.5)
    nodes = planted.manifest["nodes"].items()
    warns = next(name for name, node in nodes if (node.get("attached_node") or "").endswith(".abom_hierarchy"))
    changed = {"model.ion_warehouse.abom_hierarchy": ChangedCount(added=3, removed=1)}
    settings.report_path.touch()
    pipeline = replace(planted, results={"parts": result}, dbt={warns: "warn"}, changed=changed)
    run_refresh(settings, pipeline, instance=instance)

    def metadata(*path: str) -> dict[str, Any]:
        event = instance.get_latest_materialization_event(dg.AssetKey(path))
        assert event
        assert event.asset_materialization
        return {name: value.value for name, value in event.asset_materialization.metadata.items()}

    parts = metadata("ion", "parts")
    assert parts["dagster/row_count"] == 3
    assert parts["tables"] == {"parts": 3, "part_attributes": 8}
    assert (parts["pages"], parts["requests"], parts["bytes"], parts["seconds"]) == (1, 1, 77, 0.5)
    assert (parts["strategy"], parts["paging"], parts["load_id"]) == ("full", "keyset", LOAD_ID)
    assert metadata("raw", "parts") == {
        "dagster/row_count": 30,
        "rows_read": 3,
        "rows_inserted": 2,
        "rows_updated": 1,
        "rows_deleted": 4,
        "rows_changed": 7,
        "seconds": 0.125,
    }
    checks = checks_of(instance, "genealogy", "abom_hierarchy")
    assert len(checks) > 1
    assert metadata("genealogy", "abom_hierarchy") == {
        "dagster/row_count": 12,
        "rows_added": 3,
        "rows_removed": 1,
        "seconds": 0.25,
        "checks": len(checks),
        "checks_not_passed": 1,
    }
    # A number that is not known is not said to be 0.
    assert metadata("reference", "parts")["rows_changed"].startswith("Not known.")
    published = metadata("published", "ion")
    assert published["tables_changed"] == 1
    assert published["data_dictionary"] == "/data/published/data_dictionary.md"
    assert published["report"] == str(settings.report_path)
    assert (published["rows"], published["tables"]) == (12, {"genealogy.abom_hierarchy": 12})


def test_a_check_that_says_the_same_again_has_no_event(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance
) -> None:
    unchanged = {name: replace(read(name), status="unchanged", tables={}, expected=3) for name in ENTITIES}
    drifted = replace(unchanged["parts"], drift=Drift(new=("Part.colour",)))
    recorded = []
    for parts in (unchanged["parts"], unchanged["parts"], drifted, drifted, unchanged["parts"], read("parts")):
        result = run_refresh(settings, replace(planted, results={**unchanged, "parts": parts}), instance=instance)
        assert result.checks > 3 * len(ENTITIES)
        recorded.append({name: check.passed for name, check in checks_of(instance, "ion", "parts").items()})
        assert bool(checks_of(instance, "ion", "runs")) == (len(recorded) == 1)
    every, schema = {"count_matches_ion", "schema_matches_catalog", "clock_is_believed"}, "schema_matches_catalog"
    passed = dict.fromkeys(every, True)
    assert recorded == [passed, {}, {schema: False}, {schema: False}, {schema: True}, passed]


@pytest.mark.parametrize("status", ["forbidden", "absent"])
def test_unread_entity_stops_nothing_and_is_named(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance, status: Any
) -> None:
    unread = EntityResult(entity="labels", status=status)
    result = run_refresh(settings, replace(planted, results={"labels": unread}), instance=instance)
    assert called(planted) == ["extract", "load", "build", "publish"]
    assert not is_made(instance, "ion", "labels")
    assert not is_made(instance, "raw", "labels")
    assert is_made(instance, "ion", "parts")
    assert is_made(instance, "published", "ion")
    check = checks_of(instance, "ion", "labels")["count_matches_ion"]
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.WARN
    assert any("labels" in warning for warning in result.warnings)


def test_missing_rows_stop_the_refresh_before_anything_is_loaded(settings: Settings, planted: Planted) -> None:
    short = replace(read("runs"), total_count=4)
    with pytest.raises(BlockingCheckError, match="ion/runs: count_matches_ion"):
        run_refresh(settings, replace(planted, results={"runs": short}))
    assert called(planted) == ["extract"]


def test_drift_is_a_warning(settings: Settings, planted: Planted) -> None:
    drifted = replace(read("parts"), drift=Drift(missing=("Part.leadTime",), new=("Part.colour",)))
    result = run_refresh(settings, replace(planted, results={"parts": drifted}))
    assert result.warnings == ("ion/parts: schema_matches_catalog: missing: Part.leadTime; new: Part.colour",)
    assert result.published


def test_failed_dbt_test_fails_its_check_and_nothing_is_published(
    settings: Settings, planted: Planted, manifest: dict[str, Any], instance: dg.DagsterInstance
) -> None:
    name = next(
        name
        for name, node in manifest["nodes"].items()
        if name.startswith("test.") and str(node.get("attached_node")).endswith(".abom_hierarchy")
    )
    with pytest.raises(BuildError, match="a test failed"):
        run_refresh(settings, replace(planted, dbt={name: "fail"}), instance=instance)
    assert called(planted) == ["extract", "load", "build"]
    check = checks_of(instance, "genealogy", "abom_hierarchy")[manifest["nodes"][name]["name"]]
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert is_made(instance, "genealogy", "abom_hierarchy")
    assert not is_made(instance, "published", "ion")


def test_dbt_warning_is_a_warning(settings: Settings, planted: Planted, manifest: dict[str, Any]) -> None:
    name = next(name for name in manifest["nodes"] if name.startswith("test."))
    result = run_refresh(settings, replace(planted, dbt={name: "warn"}))
    assert [warning.split(": ")[1] for warning in result.warnings] == [manifest["nodes"][name]["name"]]
    assert result.published


def test_what_is_published_and_not_sent_is_made_and_fails_the_run(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance
) -> None:
    @dataclass(frozen=True)
    class Away(Planted):
        def publish(self) -> PublishReport:
            raise NotSentError("not sent", report=super().publish())

    away = Away(settings=planted.settings, manifest=planted.manifest, trouble="The server is away.\x1b[2J")
    with pytest.raises(NotSentError, match="not sent"):
        run_refresh(settings, away, instance=instance)
    assert is_made(instance, "published", "ion")
    [record] = instance.fetch_observations(dg.AssetKey(["published", "ion"]), limit=2).records
    assert record.asset_observation
    assert record.asset_observation.description == r"The server is away.\x1b[2J"


@pytest.mark.parametrize(
    ("step", "before"), [("extract", []), ("load", ["extract"]), ("publish", ["extract", "load", "build"])]
)
def test_error_of_a_step_comes_out_as_it_went_in(
    settings: Settings, planted: Planted, capfd: pytest.CaptureFixture[str], step: str, before: list[str]
) -> None:
    error = IonPipelineError("the disk is full", remedy="Make room.")
    with pytest.raises(IonPipelineError) as raised:
        run_refresh(settings, replace(planted, stops_at={step: error}))
    assert raised.value is error
    assert called(planted) == [*before, step]
    assert capfd.readouterr() == ("", "")


_RETRIED = dict[str, Any]()


def retried_job() -> dg.JobDefinition:
    """The job with the steps of the test below; Dagster loads it by this name."""
    return next(job for job in make_jobs(_RETRIED["settings"], _RETRIED["pipeline"]) if job.name == "refresh")


def test_a_retry_begins_with_the_step_that_failed(
    settings: Settings, planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(prepare_dagster_home(tmp_path)))
    pipeline = replace(planted, stops_at={"build": IonPipelineError("the disk is full")})
    _RETRIED.update(settings=settings, pipeline=pipeline)
    job, quiet = dg.reconstructable(retried_job), {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance:
        with dg.execute_job(job, instance=instance, run_config=quiet) as failed:
            assert not failed.success
        assert called(pipeline) == ["extract", "load", "build"]
        del pipeline.stops_at["build"]
        again = dg.ReexecutionOptions.from_failure(failed.run_id, instance)
        with dg.execute_job(job, instance=instance, run_config=quiet, reexecution_options=again) as retried:
            assert retried.success
    assert called(pipeline) == ["extract", "load", "build", "build", "publish"]


def test_interrupt_stops_the_run(settings: Settings, planted: Planted) -> None:
    @dataclass(frozen=True)
    class Interrupted(Planted):
        def load(self) -> LoadReport:
            self._called("load", None)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
            raise AssertionError("Ctrl-C was not heard")

    with pytest.raises(KeyboardInterrupt):
        run_refresh(settings, Interrupted(settings=planted.settings, manifest=planted.manifest, calls=planted.calls))
    assert called(planted) == ["extract", "load"]


def test_part_of_the_graph_reads_only_that_part(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance
) -> None:
    make_assets(settings, planted, ["ion/parts", "ion/runs"], instance)
    assert planted.calls == [("extract", ["parts", "runs"])]
    assert is_made(instance, "ion", "parts")
    assert is_made(instance, "ion", "runs")
    assert not is_made(instance, "ion", "issues")


def test_a_tag_names_the_entities_that_are_read(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance
) -> None:
    job = build_definitions(settings, pipeline=planted).resolve_job_def("refresh")
    assert job.execute_in_process(instance=instance, tags={"ion/entities": "parts, runs"}).success
    assert planted.calls[0] == ("extract", ["parts", "runs"])
    assert called(planted) == ["extract", "load", "build", "publish"]
    assert is_made(instance, "ion", "runs")
    assert not is_made(instance, "ion", "issues")


def test_models_alone_are_built_by_name_with_their_own_tests(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance
) -> None:
    result = make_assets(settings, planted, ["genealogy/abom_where_used"], instance)
    ((step, names),) = planted.calls
    assert step == "build"
    attached = [
        node["name"]
        for node in planted.manifest["nodes"].values()
        if node["resource_type"] == "test" and str(node.get("attached_node")).endswith(".abom_where_used")
    ]
    assert attached
    assert {"abom_where_used", *attached} <= set(names)
    made = [event.asset_key for event in result.get_asset_materialization_events()]
    assert made == [dg.AssetKey(["genealogy", "abom_where_used"])]
    assert {*attached} <= {check.check_name for check in result.get_asset_check_evaluations()}


def test_models_that_dbt_left_alone_are_up_to_date_and_stop_nothing(
    settings: Settings, planted: Planted, manifest: dict[str, Any], instance: dg.DagsterInstance
) -> None:
    models = {name for name, node in manifest["nodes"].items() if node["resource_type"] in {"model", "seed"}}
    left = {name for name in manifest["nodes"] if not name.endswith((".abom_where_used", ".abom_hierarchy"))}
    result = run_refresh(settings, replace(planted, left=frozenset(left)), instance=instance)
    assert (result.models, result.up_to_date) == (2, len(models) - 2)
    assert is_made(instance, "genealogy", "abom_hierarchy")
    assert not is_made(instance, "reference", "parts")
    assert is_made(instance, "published", "ion")


def test_raw_without_a_new_load_is_up_to_date(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance
) -> None:
    make_assets(settings, planted, ["raw/labels"], instance)
    assert "extract" not in called(planted)
    assert is_made(instance, "raw", "labels")


def test_run_is_recorded_at_dagster_home(
    settings: Settings, planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    result = run_refresh(settings, planted)
    with dg.DagsterInstance.get() as recorded:
        assert result.run_id
        run = recorded.get_run_by_id(result.run_id)
        assert run
        assert run.is_success
        assert not recorded.telemetry_enabled
