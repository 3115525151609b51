"""Issues, defects, scrap and supply in the seeded factory: published tables against what was planted and the oracle."""

from datetime import datetime
from typing import Any

import pytest

from tests.integration.conftest import Built
from tests.integration.support.warehouse import last_day, rows, table
from tests.oracle import defects, issues, supply
from tests.oracle.compare import assert_same
from tests.oracle.production import PERIODS
from tests.oracle.world import World, read_truths, read_world_dir

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def factory(demo_warehouse: Built) -> World:
    return read_world_dir(demo_warehouse.world)


@pytest.fixture(scope="module")
def truths(demo_warehouse: Built) -> dict[str, Any]:
    return read_truths(demo_warehouse.world)


def test_what_was_decided(demo_warehouse: Built, factory: World) -> None:
    expected = [
        {
            "issue_id": issue,
            "disposition": decision.name,
            "disposition_category": decision.category,
            "is_scrap": decision.is_scrap,
            "is_rejected": decision.is_rejected,
        }
        for issue, decision in issues.decisions(factory).items()
    ]
    found = table(demo_warehouse, "quality.issues")
    assert_same(expected, found, key=("issue_id",))
    assert {row["disposition_category"] for row in found} >= {"unmapped", "undispositioned", "scrap", "use_as_is"}


def test_reopened_issue(demo_warehouse: Built, truths: dict[str, Any]) -> None:
    truth = truths["reopened_issue"]
    [issue] = rows(demo_warehouse, "select * from quality.issues where issue_id = ?", truth["issue_id"])
    resolved, reopened = (datetime.fromisoformat(truth[name]) for name in ("resolved_at", "reopened_at"))
    assert (issue["is_open"], issue["resolved_at"], issue["reopened_at"]) == (True, None, reopened)
    assert (issue["reopened_count"], issue["is_from_history"], issue["disposition"]) == (1, False, truth["disposition"])
    units = rows(demo_warehouse, "select * from quality.issue_units where issue_id = ?", truth["issue_id"])
    assert sorted(row["part_inventory_id"] for row in units) == truth["part_inventory_ids"]
    days = {row["day_on"]: row for row in table(demo_warehouse, "quality.issue_backlog_daily")}
    assert days[resolved.date()]["resolved_count"] == 1
    assert days[reopened.date()]["reopened_count"] == 1
    [closed] = rows(
        demo_warehouse,
        "select * from quality.issue_resolution where part_number = 'PLT-ISSUE' and resolved_issue_part_count > 0",
    )
    opened = issue["opened_at"]
    assert closed["month_starts_on"] == resolved.date().replace(day=1)
    assert closed["mean_days_to_close"] == pytest.approx((resolved - opened).total_seconds() / 86400)


def test_backlog(demo_warehouse: Built, factory: World) -> None:
    expected = issues.backlog(factory, last_day(demo_warehouse))
    assert_same(expected, table(demo_warehouse, "quality.issue_backlog_daily"), key=("day_on",))


def test_resolution(demo_warehouse: Built, factory: World) -> None:
    expected = issues.resolution(factory, last_day(demo_warehouse))
    key = ("month_starts_on", "part_number", "disposition_category")
    assert_same(expected, table(demo_warehouse, "quality.issue_resolution"), key=key)


def test_open_issues(demo_warehouse: Built, factory: World) -> None:
    decided = issues.decisions(factory)
    open_issues = {period.issue for period in issues.open_periods(factory) if period.resolved is None}
    expected: dict[str, int] = {}
    for issue in open_issues:
        expected[decided[issue].name or ""] = expected.get(decided[issue].name or "", 0) + 1
    found = table(demo_warehouse, "quality.open_issues_by_disposition")
    assert {row["disposition"]: row["issue_count"] for row in found} == expected
    assert {row["issue_share"] * row["total_issue_count"] for row in found} == set(expected.values())


def test_defect_rates(demo_warehouse: Built, factory: World) -> None:
    expected = defects.defect_rates(factory, "both")
    assert sum(row["dpo"] is not None and row["defect_count"] > 0 for row in expected) >= 4
    assert_same(expected, table(demo_warehouse, "quality.defect_rates"), key=("month_starts_on", "part_number"))


@pytest.mark.parametrize("ending", PERIODS)
def test_pareto(demo_warehouse: Built, factory: World, ending: str) -> None:
    expected = defects.pareto(factory, ending)
    # An issue that names no unit is counted, and has no defects.
    assert {row["part_number"] for row in expected if not row["defect_count"]} == {"no part"}
    assert {row["labels"] for row in expected} > {"no label"}
    found = table(demo_warehouse, f"quality.defect_pareto{ending}")
    assert_same(expected, found, key=(PERIODS[ending], "class_rank"))
    assert sum(row["defect_count"] for row in found) == sum(
        row["quantity_affected"] or 0 for row in table(demo_warehouse, "quality.issue_units")
    )


def test_scrap(demo_warehouse: Built, factory: World) -> None:
    assert_same(defects.scrap(factory), table(demo_warehouse, "quality.scrap"), key=("month_starts_on", "part_id"))
    expected = [
        {"part_inventory_id": unit, "quantity_scrapped": quantity, "recorded_in": source}
        for unit, (quantity, source) in defects.scrapped(factory).items()
    ]
    assert {row["recorded_in"] for row in expected} == {"inventory", "inventory and issue", "issue"}
    assert_same(expected, table(demo_warehouse, "quality.scrapped_units"), key=("part_inventory_id",))


def test_planted_scrap_counts_each_piece_once(demo_warehouse: Built, truths: dict[str, Any]) -> None:
    truth = truths["scrap"]
    found = rows(demo_warehouse, "select * from quality.scrapped_units where part_number = ?", truth["part_number"])
    assert sum(row["quantity_scrapped"] for row in found) == truth["quantity_scrapped"]
    assert sorted(row["part_inventory_id"] for row in found) == truth["part_inventory_ids"]
    assert {row["issue_id"] for row in found} == {None, truth["issue_id"]}
    months = rows(demo_warehouse, "select * from quality.scrap where part_number = ?", truth["part_number"])
    assert sum(row["quantity_scrapped"] for row in months) == truth["quantity_scrapped"]


def test_supplier_quality(demo_warehouse: Built, factory: World, truths: dict[str, Any]) -> None:
    found = table(demo_warehouse, "quality.supplier_quality")
    assert_same(supply.supplier_quality(factory), found, key=("supplier_id", "part_number", "month_starts_on"))
    truth = truths["supplier_ppm"]
    [planted] = [
        row
        for row in found
        if row["supplier_name"] == truth["supplier"] and f"{row['month_starts_on']:%Y-%m}" == truth["receipt_month"]
    ]
    assert planted["part_number"] == truth["part_number"]
    assert planted["quantity_received"] == truth["quantity_received"]
    assert planted["quantity_rejected"] == truth["quantity_rejected"]
    assert planted["ppm"] == truth["ppm"]
    # What was made here and rejected was never received: it is in no ratio and is counted separately.
    not_received = {row["part_number"] for row in found if row["quantity_rejected_not_received"]}
    assert not_received == {"PLT-CAST", "PLT-SHOW"}
    assert all(row["supplier_id"] is None for row in found if row["part_number"] in not_received)


def test_lines_and_delivery(demo_warehouse: Built, factory: World) -> None:
    today = last_day(demo_warehouse)
    lines = supply.order_lines(factory, today)
    assert {row["is_on_time"] for row in lines} == {True, False, None}
    assert_same(lines, table(demo_warehouse, "supply.purchase_order_lines"), key=("purchase_order_line_id",))
    found = table(demo_warehouse, "supply.supplier_delivery")
    assert_same(supply.delivery(factory, today), found, key=("supplier_id", "month_starts_on"))


def test_planted_lines(demo_warehouse: Built, truths: dict[str, Any]) -> None:
    lines = {row["purchase_order_line_id"]: row for row in table(demo_warehouse, "supply.purchase_order_lines")}
    late, early, partial = (truths[name] for name in ("late_line", "on_time_line", "partial_receipt"))
    line = lines[late["purchase_order_line_id"]]
    assert (line["is_on_time"], line["days_late"]) == (False, late["days_late"])
    assert (line["purchase_order_id"], line["supplier_id"]) == (late["purchase_order_id"], late["supplier_id"])
    assert line["promised_at"] == datetime.fromisoformat(late["promised"])
    line = lines[early["purchase_order_line_id"]]
    assert (line["is_on_time"], line["days_late"]) == (True, early["days_late"])
    line = lines[partial["purchase_order_line_id"]]
    assert (line["is_on_time"], line["fully_received_at"]) == (partial["is_on_time"], None)
    assert line["quantity_ordered"] == partial["quantity_ordered"]
    assert line["quantity_received"] == partial["quantity_received"]
    receipts = rows(
        demo_warehouse,
        "select receipt_id from supply.receipts where purchase_order_line_id = ? order by 1",
        partial["purchase_order_line_id"],
    )
    assert [row["receipt_id"] for row in receipts] == partial["receipt_ids"]
