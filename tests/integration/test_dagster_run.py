"""What the assets make of what the steps report: planted reports in, Dagster's events and our result out."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import dagster as dg
import orjson
import pytest

from ion_pipeline.catalog import Drift, known_catalog
from ion_pipeline.definitions import build_definitions
from ion_pipeline.defs.entities import count_check, schema_check
from ion_pipeline.defs.jobs import make_schedules
from ion_pipeline.defs.resources import Pipeline
from ion_pipeline.defs.run import BlockingCheckError, run_refresh
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.extract import EntityResult
from ion_pipeline.pipeline.dbt import prepared_manifest
from ion_pipeline.pipeline.dbt.report import BuildError, BuildReport, NodeResult
from ion_pipeline.pipeline.reconcile import EntityDrift, ReconcileReport
from ion_pipeline.pipeline.steps import ExtractReport
from ion_pipeline.pipeline.target import NotSentError
from ion_pipeline.publish import PublishReport, TableEntry
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse import AppliedLoad, LoadReport, TableChange

pytestmark = pytest.mark.slow

LOAD_ID = "01JZ0000000000000000000000"
ENTITIES = ("part_inventories", "parts", "labels", "issues", "runs")
MODELS = ("limit_functions", "stg_ion__parts", "parts", "part_inventories", "abom_hierarchy", "abom_where_used")


@dataclass(frozen=True)
class Planted(Pipeline):
    """Steps that report what they are told to, and keep in mind that they were called."""

    settings: Any = None
    manifest: dict[str, Any] = field(default_factory=dict)
    results: dict[str, EntityResult] = field(default_factory=dict)
    dbt: dict[str, str] = field(default_factory=dict)
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
        changes = tuple(TableChange(name, 3, 2, 1, 4, 30) for name in tables)
        return LoadReport((AppliedLoad(LOAD_ID, changes, (), 0.5),))

    def build(self, names: Sequence[str] | None = None) -> BuildReport:
        self._called("build", names)
        nodes = [
            NodeResult(name, self.dbt.get(name, "pass" if name.startswith("test.") else "success"), "said dbt", 0.25)
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
        return PublishReport(Path("/data/published/ion.duckdb"), Path("/data/published/parquet"), (entry,), 7, 0.1)

    def _called(self, step: str, argument: Any) -> None:
        self.calls.append((step, argument))
        if step in self.stops_at:
            raise self.stops_at[step]

    def _was_called(self, step: str) -> bool:
        return step in [name for name, _ in self.calls]

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


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, parsed: Callable[[Path], None]) -> Settings:
    """A few entities and models are enough: each event that Dagster records takes its time."""
    folder = tmp_path_factory.mktemp("graph")
    parsed(folder)
    settings = load_settings(data_dir=folder, entities=ENTITIES)
    manifest = prepared_manifest(settings)
    manifest.write_bytes(orjson.dumps(smaller(orjson.loads(manifest.read_bytes()))))
    return settings


@pytest.fixture(scope="module")
def manifest(settings: Settings) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(prepared_manifest(settings).read_bytes())
    assert len(document["nodes"]) < 30
    return document


@pytest.fixture
def planted(manifest: dict[str, Any]) -> Planted:
    return Planted(manifest=manifest)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """Where a run is recorded, to look into it afterwards."""
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as ephemeral:
        yield ephemeral


def steps(planted: Planted) -> list[str]:
    return [name for name, _ in planted.calls]


def is_made(instance: dg.DagsterInstance, *path: str) -> bool:
    return instance.get_latest_materialization_event(dg.AssetKey(path)) is not None


def checks_of(instance: dg.DagsterInstance, *path: str) -> dict[str, dg.AssetCheckEvaluation]:
    run = instance.get_runs(limit=1)[0]
    events = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION).records
    found = [record.event_log_entry.dagster_event.asset_check_evaluation_data for record in events]
    return {check.check_name: check for check in found if check.asset_key == dg.AssetKey(path)}


def test_refresh_makes_every_asset_in_four_operations(settings: Settings, planted: Planted) -> None:
    definitions = build_definitions(settings, pipeline=planted)
    result = run_refresh(definitions)
    assert steps(planted) == ["extract", "load", "build", "publish"]
    assert sorted(planted.calls[0][1]) == sorted(ENTITIES)
    assert planted.calls[2][1] is None
    entities = len(ENTITIES)
    assert (result.load_id, result.entities, result.rows, result.requests) == (LOAD_ID, entities, 3 * entities, 91)
    assert result.models == sum(name.split(".")[0] in {"model", "seed"} for name in planted.manifest["nodes"])
    assert result.up_to_date == 0
    assert result.checks == len(definitions.resolve_asset_graph().asset_check_keys)
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
    assert steps(planted) == ["reconcile", "extract", "load", "build", "publish"]
    [observed] = instance.fetch_observations(dg.AssetKey(["ion", "parts"]), limit=1).records
    assert observed.asset_observation
    assert observed.asset_observation.metadata["rows_drifted"].value == 2


def test_each_asset_says_what_was_done(settings: Settings, planted: Planted, instance: dg.DagsterInstance) -> None:
    result = replace(read("parts"), tables={"parts": 3, "part_attributes": 8}, bytes=77, seconds=0.5)
    run_refresh(build_definitions(settings, pipeline=replace(planted, results={"parts": result})), instance=instance)

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
    }
    assert metadata("genealogy", "abom_hierarchy")["seconds"] == 0.25
    published = metadata("published", "ion")
    assert (published["rows"], published["tables"]) == (12, {"genealogy.abom_hierarchy": 12})


@pytest.mark.parametrize("status", ["forbidden", "absent"])
def test_unread_entity_stops_nothing_and_is_named(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance, status: Any
) -> None:
    unread = EntityResult(entity="labels", status=status)
    result = run_refresh(
        build_definitions(settings, pipeline=replace(planted, results={"labels": unread})), instance=instance
    )
    assert steps(planted) == ["extract", "load", "build", "publish"]
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
        run_refresh(build_definitions(settings, pipeline=replace(planted, results={"runs": short})))
    assert steps(planted) == ["extract"]


def test_drift_is_a_warning(settings: Settings, planted: Planted) -> None:
    drifted = replace(read("parts"), drift=Drift(missing=("Part.leadTime",), new=("Part.colour",)))
    result = run_refresh(build_definitions(settings, pipeline=replace(planted, results={"parts": drifted})))
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
        run_refresh(build_definitions(settings, pipeline=replace(planted, dbt={name: "fail"})), instance=instance)
    assert steps(planted) == ["extract", "load", "build"]
    check = checks_of(instance, "genealogy", "abom_hierarchy")[manifest["nodes"][name]["name"]]
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert is_made(instance, "genealogy", "abom_hierarchy")
    assert not is_made(instance, "published", "ion")


def test_dbt_warning_is_a_warning(settings: Settings, planted: Planted, manifest: dict[str, Any]) -> None:
    name = next(name for name in manifest["nodes"] if name.startswith("test."))
    result = run_refresh(build_definitions(settings, pipeline=replace(planted, dbt={name: "warn"})))
    assert [warning.split(": ")[1] for warning in result.warnings] == [manifest["nodes"][name]["name"]]
    assert result.published


def test_what_is_published_and_not_sent_is_made_and_fails_the_run(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance
) -> None:
    @dataclass(frozen=True)
    class Away(Planted):
        def publish(self) -> PublishReport:
            raise NotSentError("not sent", report=super().publish())

    away = Away(manifest=planted.manifest, trouble="The server is away.\x1b[2J")
    with pytest.raises(NotSentError, match="not sent"):
        run_refresh(build_definitions(settings, pipeline=away), instance=instance)
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
        run_refresh(build_definitions(settings, pipeline=replace(planted, stops_at={step: error})))
    assert raised.value is error
    assert steps(planted) == [*before, step]
    assert capfd.readouterr() == ("", "")


def test_interrupt_stops_the_run(settings: Settings, planted: Planted) -> None:
    @dataclass(frozen=True)
    class Interrupted(Planted):
        def load(self) -> LoadReport:
            self._called("load", None)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)
            raise AssertionError("Ctrl-C was not heard")

    with pytest.raises(KeyboardInterrupt):
        run_refresh(build_definitions(settings, pipeline=Interrupted(manifest=planted.manifest, calls=planted.calls)))
    assert steps(planted) == ["extract", "load"]


def test_part_of_the_graph_reads_only_that_part(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance
) -> None:
    result = run_refresh(
        build_definitions(settings, pipeline=planted), assets=["ion/parts", "ion/runs"], instance=instance
    )
    assert planted.calls == [("extract", ["parts", "runs"])]
    assert result.entities == 2
    assert result.published is None
    assert is_made(instance, "ion", "runs")
    assert not is_made(instance, "ion", "issues")


def test_models_alone_are_built_by_name_with_their_own_tests(settings: Settings, planted: Planted) -> None:
    result = run_refresh(build_definitions(settings, pipeline=planted), assets=["genealogy/abom_where_used"])
    ((step, names),) = planted.calls
    assert step == "build"
    attached = [
        node["name"]
        for node in planted.manifest["nodes"].values()
        if node["resource_type"] == "test" and str(node.get("attached_node")).endswith(".abom_where_used")
    ]
    assert attached
    assert {"abom_where_used", *attached} <= set(names)
    assert result.models == 1
    assert result.checks >= len(attached)


def test_models_that_dbt_left_alone_are_up_to_date_and_stop_nothing(
    settings: Settings, planted: Planted, manifest: dict[str, Any], instance: dg.DagsterInstance
) -> None:
    models = {name for name, node in manifest["nodes"].items() if node["resource_type"] in {"model", "seed"}}
    left = {name for name in manifest["nodes"] if not name.endswith((".abom_where_used", ".abom_hierarchy"))}
    result = run_refresh(
        build_definitions(settings, pipeline=replace(planted, left=frozenset(left))), instance=instance
    )
    assert (result.models, result.up_to_date) == (2, len(models) - 2)
    assert is_made(instance, "genealogy", "abom_hierarchy")
    assert not is_made(instance, "reference", "parts")
    assert is_made(instance, "published", "ion")


def test_raw_without_a_new_load_is_up_to_date(
    settings: Settings, planted: Planted, instance: dg.DagsterInstance
) -> None:
    run_refresh(build_definitions(settings, pipeline=planted), assets=["raw/labels"], instance=instance)
    assert "extract" not in steps(planted)
    assert is_made(instance, "raw", "labels")


def test_run_is_recorded_at_dagster_home(
    settings: Settings, planted: Planted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    result = run_refresh(build_definitions(settings, pipeline=planted), assets=["raw/labels"])
    with dg.DagsterInstance.get() as recorded:
        run = recorded.get_run_by_id(result.run_id)
        assert run
        assert run.is_success
        assert not recorded.telemetry_enabled


@pytest.mark.parametrize(
    ("result", "passed", "severity"),
    [
        (read("parts"), True, dg.AssetCheckSeverity.ERROR),
        (replace(read("parts"), total_count=2), False, dg.AssetCheckSeverity.ERROR),
        (replace(read("parts"), total_count=0, tables={"parts": 0}), True, dg.AssetCheckSeverity.ERROR),
        (replace(read("parts"), total_count=None), True, dg.AssetCheckSeverity.ERROR),
        (EntityResult(entity="parts", status="forbidden"), False, dg.AssetCheckSeverity.WARN),
        (EntityResult(entity="parts", status="absent"), False, dg.AssetCheckSeverity.WARN),
    ],
)
def test_count_check(result: EntityResult, passed: bool, severity: dg.AssetCheckSeverity) -> None:
    check = count_check(result)
    assert (check.passed, check.severity) == (passed, severity)


@pytest.mark.parametrize(
    ("result", "passed"),
    [
        (read("parts"), True),
        (replace(read("parts"), drift=Drift(retyped=("Part.cost: Float -> Int",))), False),
        (replace(read("parts"), drift=Drift(new_values=("Parttypeenum.WISH",))), False),
        (EntityResult(entity="parts", status="forbidden"), True),
        (EntityResult(entity="parts", status="absent"), False),
    ],
)
def test_schema_check(result: EntityResult, passed: bool) -> None:
    check = schema_check(result)
    assert check.passed is passed
    assert check.severity == dg.AssetCheckSeverity.WARN
