"""The integrity tests of measurements, capability and charts: content with the demo, and each notices a spoilt mart."""

import shutil
from collections.abc import Iterator

import duckdb
import pytest

from tests.integration.conftest import Built

pytestmark = pytest.mark.slow

SPOILT = {
    "measurements_from_rows": (
        "delete from quality.measurements where field_type = 'BOOLEAN'",
        "delete from quality.measurements",
        "update quality.measurements set value_number = value_number + 1e-9 where value_number is not null",
        "update quality.measurements set is_passed = true where not is_passed",
        "update quality.measurements set is_within_limits = not is_within_limits where is_lower_inclusive",
        "update quality.measurements set lower_limit = lower_limit + 0.001 where lower_limit is not null",
        "update quality.measurements set measured_at = measured_at + interval 1 second",
        "update quality.measurements set other_limits = null where other_limits like 'unmapped%'",
        "update quality.measurements set is_cancelled = not is_cancelled",
    ),
    "process_capability_from_results": (
        "delete from quality.process_capability",
        "delete from quality.process_capability where cp is null and cpk is not null",
        "update quality.process_capability set cp = cpk where upper_limit is null and cpk is not null",
        "update quality.process_capability set sigma_overall = sigma_within where measurement_count > 2",
        "update quality.process_capability set is_small_sample = not is_small_sample where measurement_count >= 25",
        "update quality.process_capability set not_applicable_count = not_applicable_count + 1 "
        "where measurement_count > 24",
    ),
    "control_charts_from_results": (
        "delete from quality.control_chart_points where chart_type = 'individuals'",
        "delete from quality.control_chart_points where chart_type = 'moving_range'",
        "update quality.control_chart_points set rules_broken = [] where chart_type = 'individuals'",
        "update quality.control_chart_points set rules_broken = list_append(rules_broken, 'nelson_7') "
        "where chart_type = 'individuals'",
        "update quality.control_chart_points set centre = centre * 1.000001 where chart_type = 'individuals'",
        "update quality.control_chart_points set upper_control_limit = null "
        "where chart_type = 'individuals' and sigma is not null",
        "update quality.control_chart_points set point_number = point_number + 1 where chart_type = 'individuals'",
    ),
    "control_charts_of_days": (
        "delete from quality.control_chart_points where chart_type = 'u'",
        "update quality.control_chart_points set run_steps_failed = run_steps_failed + 1",
        "update quality.control_chart_points set run_steps_ended = issues_found where chart_type = 'u'",
        "update quality.control_chart_points set chart_value = chart_value + 0.01 where chart_type = 'u'",
        "update quality.control_chart_points set upper_control_limit = upper_control_limit + 0.01 "
        "where chart_type = 'p'",
        "update quality.control_chart_points set lower_control_limit = -1 "
        "where chart_type = 'u' and lower_control_limit = 0",
        "update quality.control_chart_points set production_on = production_on + 1 where chart_type = 'p'",
    ),
}


@pytest.fixture(scope="module")
def copy(demo_warehouse: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy to spoil; compiled tests name their database, so the file keeps its name."""
    path = tmp_path_factory.mktemp("spoilt") / "warehouse.duckdb"
    shutil.copy(demo_warehouse.warehouse, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def compiled(built: Built, name: str) -> str:
    folder = built.data_dir / "dbt" / "target" / "compiled" / "ion_warehouse" / "tests" / "integrity"
    return (folder / f"{name}.sql").read_text("utf-8")


@pytest.mark.parametrize(
    ("noticed_by", "spoil"), [(name, spoil) for name, spoils in SPOILT.items() for spoil in spoils]
)
def test_a_spoilt_mart_is_noticed(
    demo_warehouse: Built, copy: duckdb.DuckDBPyConnection, noticed_by: str, spoil: str
) -> None:
    sql = compiled(demo_warehouse, noticed_by)
    assert copy.execute(sql).fetchall() == []
    copy.execute("begin")
    try:
        [(changed,)] = copy.execute(spoil).fetchall()
        assert changed > 0, "nothing to spoil, so nothing is shown"
        assert copy.execute(sql).fetchall() != []
    finally:
        copy.execute("rollback")


def test_functions_that_no_seed_knows_are_listed_and_shown(
    demo_warehouse: Built, copy: duckdb.DuckDBPyConnection
) -> None:
    [(_, function, count)] = copy.execute(compiled(demo_warehouse, "limit_functions_unmapped")).fetchall()
    shown = copy.execute(
        "select count(*) from quality.measurements where starts_with(other_limits, 'unmapped: ' || ?)", [function]
    ).fetchone()
    kept = copy.execute(
        """select count(*) from raw.run_step_field_validations as validations
        inner join raw.validation_functions as functions on validations.function_id = functions.id
        inner join quality.measurements on validations.run_step_field_id = measurements.run_step_field_id
        where functions.function_name = ?""",
        [function],
    ).fetchone()
    assert function == "is golden-sample-like"
    assert shown == kept
    assert 0 < shown[0] <= count
