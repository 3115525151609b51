"""Orders, kits, stock and plans in the seeded factory: published tables against what was planted and the oracle."""

from typing import Any

import pytest

from tests.integration.conftest import Built
from tests.integration.support.warehouse import last_day, rows, table
from tests.oracle import dock, kits, production_plans, purchasing, stock
from tests.oracle.compare import assert_same
from tests.oracle.world import World, read_truths, read_world_dir

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def factory(demo_warehouse: Built) -> World:
    return read_world_dir(demo_warehouse.world)


@pytest.fixture(scope="module")
def truths(demo_warehouse: Built) -> dict[str, Any]:
    return read_truths(demo_warehouse.world)


def test_orders(demo_warehouse: Built, factory: World) -> None:
    expected = purchasing.orders(factory, last_day(demo_warehouse))
    assert_same(expected, table(demo_warehouse, "supply.purchase_orders"), key=("purchase_order_id",))
    for column in ("lines_partly_received", "lines_not_received", "lines_overdue", "fee_percentage", "fee_amount"):
        assert any(row[column] for row in expected), column


def test_planted_orders(demo_warehouse: Built, truths: dict[str, Any]) -> None:
    line = truths["partial_receipt"]["purchase_order_line_id"]
    [order] = rows(
        demo_warehouse,
        "select orders.* from supply.purchase_orders as orders join supply.purchase_order_lines as lines "
        "on orders.purchase_order_id = lines.purchase_order_id where lines.purchase_order_line_id = ?",
        line,
    )
    assert (order["status"], order["lines_partly_received"], order["currency"]) == ("ORDERED", 1, "USD")
    assert order["cost_received_share"] == 50 / 80


def test_kits(demo_warehouse: Built, factory: World) -> None:
    expected = kits.items(factory)
    found = table(demo_warehouse, "supply.kit_items")
    assert_same(expected, found, key=("part_kit_item_id",))
    assert {(row["is_short"], row["is_kit_open"]) for row in expected} == {
        (True, True), (True, False), (False, True), (False, False),
    }  # fmt: skip
    runs = {row["run_id"]: row for row in table(demo_warehouse, "production.runs")}
    expected = kits.kits(factory, runs)
    assert {row["is_late"] for row in expected} >= {True, False}
    assert_same(expected, table(demo_warehouse, "supply.kits"), key=("part_kit_id",))


def test_planted_kit(demo_warehouse: Built) -> None:
    found = rows(
        demo_warehouse,
        "select items.* from supply.kit_items as items join supply.kits as kits using (part_kit_id) "
        "where kits.status = 'IN_PROGRESS' and items.part_number = 'PLT-KITTED'",
    )
    wanted = ("quantity_wanted", "quantity_picked", "quantity_short", "quantity_short_of_stock", "inventory_count")
    assert [tuple(row[name] for name in wanted) for row in found] == [(5.0, 2.0, 3.0, 0.0, 1)]


def test_inventory_health(demo_warehouse: Built, factory: World) -> None:
    found = table(demo_warehouse, "supply.inventory_health")
    expected = stock.health(factory, found[0]["as_of_at"], last_day(demo_warehouse))
    for column in ("quantity_unavailable", "quantity_in_work", "quantity_reserved", "quantity_outstanding"):
        assert any(row[column] for row in expected), column
    assert_same(expected, found, key=("part_id",))


def test_inventory_valuation(demo_warehouse: Built, factory: World, truths: dict[str, Any]) -> None:
    expected = stock.valuation(factory, last_day(demo_warehouse), last_day(demo_warehouse))
    assert {row["cost_basis"] for row in expected} == {"purchase price", "standard cost"}
    found = table(demo_warehouse, "supply.inventory_valuation")
    assert_same(expected, found, key=("part_id", "cost_basis", "currency"))
    # Four deliveries, two single lots and one delivered in part; what was rejected is still here. Ten dollars a piece.
    [row] = [row for row in found if row["part_number"] == truths["supplier_ppm"]["part_number"]]
    quantity = truths["supplier_ppm"]["quantity_received"] + 50 + 50 + truths["partial_receipt"]["quantity_received"]
    assert (row["quantity"], row["stock_value"], row["currency"]) == (quantity, 10 * quantity, "USD")


def test_dock_to_stock(demo_warehouse: Built, factory: World, truths: dict[str, Any]) -> None:
    runs = {row["run_id"]: row for row in table(demo_warehouse, "production.runs")}
    found = table(demo_warehouse, "supply.dock_to_stock")
    assert_same(dock.dock_to_stock(factory, runs), found, key=("receipt_item_id",))
    # Each delivery of the planted supplier is inspected from an hour after its receipt on, in two steps.
    lines = truths["supplier_ppm"]["purchase_order_line_ids"]
    inspected = [row for row in found if row["purchase_order_line_id"] in lines]
    hours = [(row["inspection_count"], row["hours_to_inspected"]) for row in inspected]
    assert hours == [(1, 1 + 36 / 60)] * len(lines)


def test_plans(demo_warehouse: Built, factory: World) -> None:
    found = table(demo_warehouse, "supply.plan_items")
    expected = production_plans.items(factory, found[0]["as_of_at"])
    for column in ("quantity_allocated", "run_count", "order_line_count", "due_at", "forecast_slip_days"):
        assert any(row[column] for row in expected), column
    assert_same(expected, found, key=("plan_item_id",))
    expected = production_plans.plans(factory, found[0]["as_of_at"])
    assert {row["items_complete_share"] for row in expected} == {0.0, 1.0}
    assert_same(expected, table(demo_warehouse, "supply.plans"), key=("plan_id",))
    found = table(demo_warehouse, "supply.plan_item_allocations")
    key = ("parent_plan_item_id", "child_plan_item_id")
    assert_same(production_plans.allocations(factory), found, key=key)
