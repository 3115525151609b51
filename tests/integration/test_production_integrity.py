"""The integrity tests of production and yields notice a spoilt mart, and an empty one."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.slow

EVENTS = "part_inventory_events_from_rows"


@pytest.fixture(scope="module")
def copy(demo_warehouse: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy to spoil; compiled tests name their database, so the file keeps its name."""
    return Path(shutil.copy(demo_warehouse.warehouse, tmp_path_factory.mktemp("spoilt") / "warehouse.duckdb"))


@pytest.mark.parametrize(
    ("spoil", "noticed_by"),
    [
        ("update production.runs set touch_hours = touch_hours + 0.001 where run_id = 67", "production_runs_from_raw"),
        ("update production.runs set redline_count = 7 where run_id = 50", "production_runs_from_raw"),
        ("update production.runs set elapsed_hours = null where run_id = 65", "production_runs_from_raw"),
        ("update production.runs set steps_done = steps_done + 1 where run_id = 58", "production_runs_from_raw"),
        ("delete from production.runs", "production_runs_from_raw"),
        ("delete from production.run_steps where run_step_id = 111", "production_rows"),
        ("delete from production.open_runs where run_id = 58", "production_rows"),
        ("update production.open_runs set current_run_step_id = null where run_id = 58", "production_rows"),
        ("update production.run_history set recency = 2 where run_id = 67", "production_rows"),
        ("delete from production.serialized_units", "production_rows"),
        ("delete from production.inventory_by_location where location_id is null", "production_rows"),
        ("delete from production.build_status where open_run_ids = []", "build_status_from_rows"),
        ("delete from production.build_status where open_run_ids <> []", "build_status_from_rows"),
        ("update production.build_status set steps_done = steps_done + 1", "build_status_from_rows"),
        (
            "update production.build_status set requirements_filled = requirements_total where short_part_ids <> []",
            "build_status_from_rows",
        ),
        (
            "delete from production.part_inventory_events where event_type = 'split_from'",
            EVENTS,
        ),
        (
            "delete from production.part_inventory_events where event_type = 'received'",
            EVENTS,
        ),
        (
            "update production.part_inventory_events set event_type = 'removed' where event_type = 'installed'",
            EVENTS,
        ),
        ("delete from production.step_dependencies where dependency = 'parent'", "step_dependencies_from_rows"),
        (
            "update production.step_dependencies set is_available = not is_available where status = 'TODO'",
            "step_dependencies_from_rows",
        ),
        ("delete from production.materials_used where run_step_from = 'time'", "materials_used_from_rows"),
        ("update production.materials_used set run_id = run_id + 1", "materials_used_from_rows"),
        ("delete from production.tools where use_count > 0", "tools_from_rows"),
        ("delete from production.tool_usage where was_overdue is null", "tools_from_rows"),
        ("delete from production.step_results where field_type = 'TOOL'", "step_results_from_rows"),
        ("delete from production.step_results where datagrid_row_id is not null", "step_results_from_rows"),
        ("update production.step_results set recorded_at = null", "step_results_from_rows"),
        ("update quality.measurements set limit_version = 'none' where is_passed", "step_results_from_rows"),
        ("delete from quality.measurements where field_type = 'BOOLEAN'", "step_results_from_rows"),
        (
            "update quality.first_pass_yield set quantity_passed_first = quantity_passed_first - 1 "
            "where procedure_id = 18",
            "first_pass_yield_from_raw",
        ),
        ("delete from quality.first_pass_yield", "first_pass_yield_from_raw"),
        ("delete from quality.first_pass_yield_by_week where procedure_id = 18", "yields_agree"),
        (
            "update quality.rolled_throughput_yield_by_month set rolled_throughput_yield = 0.649 "
            "where procedure_id = 18",
            "yields_agree",
        ),
        (
            "update quality.first_pass_yield_by_month set month_starts_on = month_starts_on + interval 1 month "
            "where procedure_id = 18",
            "yields_agree",
        ),
        ("delete from quality.step_redline_rates where run_steps_redlined > 0", "yields_agree"),
        ("delete from quality.redline_rates where procedure_id = 18", "yields_agree"),
        (
            "update quality.redline_rates_by_week set runs_started = runs_started + 1 where procedure_id = 18",
            "yields_agree",
        ),
    ],
)
def test_a_spoilt_mart_is_noticed(demo_warehouse: Any, copy: Path, spoil: str, noticed_by: str) -> None:
    compiled = demo_warehouse.data_dir / "dbt/target/compiled/ion_warehouse/tests/integrity" / f"{noticed_by}.sql"
    test_sql = compiled.read_text("utf-8")
    with duckdb.connect(str(copy)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("begin")
        assert connection.execute(test_sql).fetchall() == []
        [(changed,)] = connection.execute(spoil).fetchall()
        assert changed > 0
        assert connection.execute(test_sql).fetchall() != []
        connection.execute("rollback")
