"""A refresh without Dagster calls the same steps as the job `refresh`, and says the same of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ion_pipeline.catalog import Drift
from ion_pipeline.defs.run import run_refresh
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.extract import EntityResult
from ion_pipeline.pipeline.dbt.report import BuildError
from ion_pipeline.pipeline.read_checks import BlockingCheckError
from ion_pipeline.pipeline.refresh import RefreshResult, refresh
from ion_pipeline.pipeline.steps import ExtractReport
from ion_pipeline.pipeline.target import NotSentError
from ion_pipeline.publish import PublishReport
from ion_pipeline.settings import Settings
from tests.integration.support.planted import Planted, called, planted_manifest, planted_settings, read

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, parsed: Callable[[Path], None]) -> Settings:
    folder = tmp_path_factory.mktemp("steps")
    parsed(folder)
    return planted_settings(folder)


@pytest.fixture(scope="module")
def manifest(settings: Settings) -> dict[str, Any]:
    return planted_manifest(settings)


def by_dagster(settings: Settings, pipeline: Planted) -> RefreshResult:
    return run_refresh(settings, replace(pipeline, settings=lambda: settings))


@dataclass(frozen=True)
class Idle(Planted):
    """Nothing is new in ION."""

    is_current: bool = True

    def extract(self, entities: Any, *, full: bool = False) -> ExtractReport:
        report = super().extract(entities, full=full)
        results = tuple(replace(one, status="unchanged", tables={}, expected=3) for one in report.entities)
        return replace(report, load_id=None, entities=results)

    def is_published_current(self) -> bool:
        return self.is_current


def test_the_same_steps_and_the_same_result(settings: Settings, manifest: dict[str, Any]) -> None:
    tests = [name for name in manifest["nodes"] if name.startswith("test.")]
    drifted = replace(read("parts"), drift=Drift(new=("Part.colour\x1b",)))
    absent = {"labels": EntityResult(entity="labels", status="absent")}
    unread = {"labels": EntityResult(entity="labels", status="forbidden"), "parts": drifted}
    left = frozenset(name for name in manifest["nodes"] if not name.endswith(".abom_where_used"))
    assert len(tests) > 3
    for planted in (
        Planted(manifest=manifest),
        Planted(manifest=manifest, results=unread, dbt=dict.fromkeys(tests, "warn")),
        Planted(manifest=manifest, results=absent, left=left),
        Idle(manifest=manifest),
        Idle(manifest=manifest, is_current=False),
    ):
        other = replace(planted, calls=[], read_in_full=[])
        expected, found = by_dagster(settings, other), refresh(settings, planted)
        assert planted.calls == other.calls
        assert list(found.seconds) == list(expected.seconds)
        assert found == replace(expected, run_id=None, seconds=found.seconds)
        assert bool(found.published) == (not isinstance(planted, Idle) or not planted.is_current)


def test_results_of_checks_belong_to_the_last_materialization(settings: Settings, manifest: dict[str, Any]) -> None:
    """Dagster shows none that are older."""
    idle = Idle(settings=lambda: settings, manifest=manifest)
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance:
        for _ in range(2):
            run = run_refresh(settings, idle, instance=instance).run_id
            event = instance.get_latest_materialization_event(dg.AssetKey(["ion", "parts"]))
            assert event
            assert event.run_id == run
            key = dg.AssetCheckKey(dg.AssetKey(["ion", "parts"]), "count_matches_ion")
            record = instance.get_latest_asset_check_evaluation_record(key)
            assert record
            assert record.run_id == run


def test_it_stops_at_the_same_step(settings: Settings, manifest: dict[str, Any]) -> None:
    test = next(name for name in manifest["nodes"] if name.startswith("test."))
    short = {"runs": replace(read("runs"), total_count=4)}
    cases: list[tuple[dict[str, Any], type[IonPipelineError], str, list[str]]] = [
        ({"results": short}, BlockingCheckError, "ion/runs: count_matches_ion", ["extract"]),
        ({"dbt": {test: "fail"}}, BuildError, "a test failed", ["extract", "load", "build"]),
        ({"stops_at": {"load": IonPipelineError("the disk is full")}}, IonPipelineError, "full", ["extract", "load"]),
    ]
    for planted, error, said, steps in cases:
        for run in (refresh, by_dagster):
            pipeline = Planted(manifest=manifest, **planted)
            with pytest.raises(error, match=said):
                run(settings, pipeline)
            assert called(pipeline) == steps


def test_what_is_published_and_not_sent_fails_the_refresh(settings: Settings, manifest: dict[str, Any]) -> None:
    @dataclass(frozen=True)
    class Away(Planted):
        def publish(self) -> PublishReport:
            raise NotSentError("not sent", report=super().publish())

    with pytest.raises(NotSentError, match="not sent"):
        refresh(settings, Away(manifest=manifest))
