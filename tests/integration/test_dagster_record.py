"""A refresh without Dagster, recorded in Dagster afterwards: what its pages then show."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from ion_pipeline.definitions import build_definitions
from ion_pipeline.defs import record
from ion_pipeline.pipeline import dbt
from tests.integration.conftest import Built, settings_of

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as ephemeral:
        yield ephemeral


def test_every_asset_of_the_graph_is_recorded_once(
    demo_warehouse: Built,
    instance: dg.DagsterInstance,
    tmp_path: Path,
    parsed: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The warehouse of the tests may be as old as the run of the tests.
    monkeypatch.setattr(record, "RECENT", timedelta(days=1))
    parsed(tmp_path)
    graph = build_definitions(settings_of(tmp_path, included=False)).resolve_asset_graph()
    settings = settings_of(demo_warehouse.data_dir, included=False)
    assert record.record_refresh(instance, settings) == len(graph.materializable_asset_keys) > 400
    assert set(instance.get_asset_keys()) == set(graph.materializable_asset_keys)
    event = instance.get_latest_materialization_event(dg.AssetKey(["quality", "issues"]))
    assert event
    assert event.asset_materialization
    with duckdb.connect(str(demo_warehouse.warehouse), read_only=True) as warehouse:
        [(issues,)] = warehouse.execute("select count(*) from quality.issues").fetchall()
    assert issues > 5
    assert event.asset_materialization.metadata["dagster/row_count"].value == issues
    metadata = event.asset_materialization.metadata
    results = {node.unique_id: node for node in dbt.read_results(dbt.results_path(settings)).nodes}
    assert metadata["seconds"].value == results["model.ion_warehouse.issues"].seconds > 0
    assert metadata["checks"].value > 1
    # The first build has a disposition that no seed knows.
    assert metadata["checks_not_passed"].value == 1
    assert str(metadata["rows_changed"].value).startswith("Not known.")
    event = instance.get_latest_materialization_event(dg.AssetKey(["published", "ion"]))
    assert event
    assert event.asset_materialization
    assert event.asset_materialization.metadata["path"].value == str(demo_warehouse.published)
    assert "report" not in event.asset_materialization.metadata
    assert record.record_refresh(instance, settings) == 0


def test_an_older_refresh_is_not_recorded_as_a_new_one(
    demo_warehouse: Built, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "RECENT", timedelta(0))
    assert record.record_refresh(instance, settings_of(demo_warehouse.data_dir, included=False)) == 0
    assert instance.get_asset_keys() == []


def test_nothing_is_recorded_before_the_first_load(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    assert record.record_refresh(instance, settings_of(tmp_path, included=False)) == 0
