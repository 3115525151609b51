"""The integrity tests of quality, supply and ops: content with the demo, and each notices a mart that was spoilt."""

import shutil
from collections.abc import Iterator

import duckdb
import pytest

from tests.integration.conftest import Built

pytestmark = pytest.mark.slow

SPOILT = [
    ("update quality.issues set is_open = not is_open where issue_id = 1", "issue_times_from_rows"),
    ("update quality.issues set reopened_count = 2 where reopened_count = 1", "issue_times_from_rows"),
    ("delete from quality.issues where issue_id = 3", "issue_times_from_rows"),
    ("delete from quality.issue_backlog_daily", "issue_times_from_rows"),
    ("delete from quality.open_issues_by_disposition where disposition = ''", "issue_times_from_rows"),
    ("update quality.issue_backlog_daily set open_count = open_count + 1", "issue_backlog_day_by_day"),
    ("update quality.issue_backlog_daily set open_count_8_to_30_days = 99 where day_on = '2026-02-20'",
     "issue_backlog_day_by_day"),
    ("delete from quality.issue_backlog_daily", "issue_backlog_day_by_day"),
    ("update quality.defect_rates set defect_count = defect_count * 2 where defect_count > 0", "defects_from_rows"),
    ("update quality.defect_rates set touch_hours = touch_hours + 1 where touch_hours > 0", "defects_from_rows"),
    ("delete from quality.defect_pareto_by_week where part_number = 'PLT-SHOW'", "defects_from_rows"),
    ("delete from quality.issue_units where issue_id = 2", "defects_from_rows"),
    ("update quality.defect_rates set quantity_attempted = quantity_attempted - 1 where quantity_attempted > 0",
     "units_tried_from_rows"),
    ("delete from quality.defect_rates where part_number = 'PLT-RTY'", "units_tried_from_rows"),
    ("update intermediate.int_quality__unit_attempts set quantity = quantity + 1", "unit_counts_agree"),
    ("update intermediate.int_inventories__worked_pieces set quantity = quantity + 1", "unit_counts_agree"),
    ("update quality.scrapped_units set quantity_scrapped = 2 where recorded_in = 'issue'", "scrap_from_rows"),
    ("update quality.scrap set quantity_scrapped = 16 where part_number = 'PLT-CAST'", "scrap_from_rows"),
    ("delete from quality.scrap", "scrap_from_rows"),
    ("update supply.purchase_order_lines set fully_received_at = null where purchase_order_line_id = 13",
     "receipts_from_rows"),
    ("delete from supply.purchase_order_lines where purchase_order_line_id = 1", "receipts_from_rows"),
    ("update quality.supplier_quality set quantity_rejected = 1000", "receipts_from_rows"),
    ("delete from quality.supplier_quality", "receipts_from_rows"),
    ("delete from supply.supplier_delivery where lines_late > 0", "receipts_from_rows"),
    ("update supply.supplier_delivery set lines_on_time = 0", "receipts_from_rows"),
    ("update quality.supplier_quality set quantity_rejected_not_received = 0", "receipts_from_rows"),
    ("update supply.supplier_delivery set lines_without_promise = lines_without_promise + 1", "receipts_from_rows"),
    ("update supply.purchase_orders set status = 'RECEIVED' where purchase_order_id = 4", "purchase_orders_from_rows"),
    ("update supply.purchase_orders set lines_complete = lines_complete + 1 where purchase_order_id = 13",
     "purchase_orders_from_rows"),
    ("update supply.purchase_orders set fee_amount = null where fee_amount > 0", "purchase_orders_from_rows"),
    ("update supply.purchase_orders set approvals_pending = 0", "purchase_orders_from_rows"),
    ("delete from supply.purchase_orders", "purchase_orders_from_rows"),
    ("update supply.kit_items set quantity_picked = quantity_picked + 1 where quantity_picked > 0", "kits_from_rows"),
    ("update supply.kits set items_short = 0 where items_short > 0", "kits_from_rows"),
    ("update supply.kits set is_late = false where is_late", "kits_from_rows"),
    ("delete from supply.kits", "kits_from_rows"),
    ("update supply.inventory_health set quantity_available = 1 where part_number = 'PLT-STOCK'",
     "inventory_from_rows"),
    ("delete from supply.inventory_health where quantity_in_stock = 0", "inventory_from_rows"),
    ("update supply.inventory_valuation set quantity = quantity + 1 where is_current", "inventory_from_rows"),
    ("delete from supply.inventory_valuation", "inventory_from_rows"),
    ("update supply.inventory_valuation set to_on = from_on - 1 where part_number = 'PLT-STOCK'",
     "inventory_from_rows"),
    ("update supply.dock_to_stock set inspection_count = 0, inspected_at = null", "dock_to_stock_from_rows"),
    ("update supply.dock_to_stock set availability_from = 'not yet'", "dock_to_stock_from_rows"),
    ("delete from supply.dock_to_stock", "dock_to_stock_from_rows"),
    ("update supply.plans set items_complete = items_complete + 1 where plan_id = 1", "plans_from_rows"),
    ("delete from supply.plans where plan_id = 2", "plans_from_rows"),
    ("delete from supply.plan_items where plan_item_id = 3", "plans_from_rows"),
    ("delete from supply.plan_item_allocations where parent_plan_item_id = 1", "plans_from_rows"),
    ("update quality.first_pass_yield_by_week set quantity_issue_first = 0 where quantity_issue_first > 0",
     "published_counts_agree"),
    ("update quality.first_pass_yield set units_attempted = units_attempted + 1 where units_attempted > 0",
     "published_counts_agree"),
    ("update quality.control_chart_points set numerator = numerator + 1 where chart_type = 'p' and point_number = 1",
     "published_counts_agree"),
    ("update quality.defect_pareto set defect_count = defect_count + 1 where class_rank = 1", "published_counts_agree"),
    ("update quality.defect_pareto_by_month set issue_part_count = issue_part_count + 1", "published_counts_agree"),
    ("update quality.step_redline_rates set redlines = redlines + 1 where redlines > 0", "published_counts_agree"),
    ("update quality.first_pass_yield set quantity_redlined_first = 0", "step_attempts_add_up"),
    ("update quality.defect_rates set issue_part_count = issue_part_count + 1 where issue_part_count > 0",
     "published_counts_agree"),
    ("update quality.issues set quantity_affected = quantity_affected + 1", "published_counts_agree"),
    ("update quality.scrap set quantity_scrapped = quantity_scrapped + 1", "published_counts_agree"),
    ("update quality.redline_rates set redlines = redlines + 1 where runs_redlined > 0", "published_counts_agree"),
    ("update quality.process_capability set measurement_count = measurement_count + 1", "published_counts_agree"),
    ("update production.runs set touch_hours = touch_hours + 1", "published_counts_agree"),
    ("delete from production.run_history", "published_counts_agree"),
    ("update quality.step_attempts set not_first_pass_because = null where outcome = 'FAILED'", "step_attempts_add_up"),
    ("delete from quality.step_attempts where run_step_id in (select min(run_step_id) from quality.step_attempts)",
     "step_attempts_add_up"),
    ("delete from quality.issue_links where link_type = 'fixed_by'", "issue_links_from_rows"),
    ("update quality.issue_links set link_type = 'fixed_by' where linked_type = 'part_inventory'",
     "issue_links_from_rows"),
    ("insert into quality.further_actions (further_action_id, issue_count, open_issue_count, is_export_controlled) "
     "values (1, 0, 0, false)", "further_actions_from_rows"),
    ("insert into quality.holds (part_inventory_id, issue_id, hold_rule, is_permanent, is_export_controlled) "
     "values (1, 1, 'PERMANENTLY_UNAVAILABLE', true, false)", "holds_from_rows"),
    ("delete from reference.role_members where member_type = 'team'", "reference_rows"),
    ("delete from reference.team_members where is_supervisor", "reference_rows"),
    ("delete from quality.redlines where redline_id = 2", "approvals_from_rows"),
    ("update quality.redlines set is_approved = true where redline_id = 2", "approvals_from_rows"),
    ("update quality.approval_requests set answered_at = now() where approval_kind = 'mbom' and verdict is not null",
     "approvals_from_rows"),
    ("update quality.approvals set approval_kind = 'mbom' where approval_kind = 'redline'", "approvals_from_rows"),
    ("update ops.row_counts set staging_count = 0 where entity = 'parts'", "rows_in_raw_and_staging"),
    ("delete from ops.row_counts", "rows_in_raw_and_staging"),
]  # fmt: skip


@pytest.fixture(scope="module")
def copy(demo_warehouse: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("spoilt") / "warehouse.duckdb"
    shutil.copy(demo_warehouse.warehouse, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def compiled(built: Built, name: str) -> str:
    folder = built.data_dir / "dbt" / "target" / "compiled" / "ion_warehouse" / "tests" / "integrity"
    return (folder / f"{name}.sql").read_text("utf-8")


@pytest.mark.parametrize(("spoil", "noticed_by"), SPOILT)
def test_a_spoilt_mart_is_noticed(
    demo_warehouse: Built, copy: duckdb.DuckDBPyConnection, spoil: str, noticed_by: str
) -> None:
    sql = compiled(demo_warehouse, noticed_by)
    assert copy.execute(sql).fetchall() == []
    copy.execute("begin")
    try:
        copy.execute(spoil)
        assert copy.execute(sql).fetchall() != []
    finally:
        copy.execute("rollback")


def test_dispositions_that_no_seed_knows_are_listed(demo_warehouse: Built, copy: duckdb.DuckDBPyConnection) -> None:
    found = copy.execute(compiled(demo_warehouse, "disposition_categories_unmapped")).fetchall()
    assert found == [("Send to Museum 🏛", 1)]
