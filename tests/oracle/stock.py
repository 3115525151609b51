"""Stock, its age and its value in a world, computed the obvious way."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any

from tests.oracle.kits import items
from tests.oracle.supply import order_lines
from tests.oracle.world import Row, World


def in_stock(unit: Row) -> float:
    """What is here and not installed."""
    if unit["status"] in ("ON_ORDER", "SCRAPPED"):
        return 0.0
    return max(unit["quantity"] - unit["quantityInstalled"], 0.0)


class Purchases:
    """When and at what price each inventory was received: itself, or the lot that it was split from."""

    def __init__(self, world: World) -> None:
        self.units = {row["id"]: row for row in world["partInventories"]}
        orders = {row["id"]: row for row in world["purchaseOrders"]}
        self._currencies = {row["id"]: row["type"] for row in world["currencies"]}
        self._lines = {row["id"]: row for row in world["purchaseOrderLines"]}
        self._order_of = {key: orders[line["purchaseOrderId"]] for key, line in self._lines.items()}
        received_at = {row["id"]: row["receivedAt"] for row in world["receipts"]}
        self.items: defaultdict[int, list[tuple[datetime, Row]]] = defaultdict(list)
        for item in world["receiptItems"]:
            when = datetime.fromisoformat(received_at[item["receiptId"]])
            self.items[item["partInventoryId"]].append((when, item))

    def came_as(self, unit: int | None) -> int | None:
        while unit is not None and unit not in self.items:
            unit = self.units[unit].get("originPartInventoryId") if unit in self.units else None
        return unit

    def received(self, unit: Row) -> datetime:
        came = self.came_as(unit["id"])
        return min(when for when, _ in self.items[came]) if came else datetime.fromisoformat(unit["_created"])

    def price(self, unit: Row) -> tuple[float, str] | None:
        """Price per piece and currency; a lot of the factory comes in one line, whose inventory is in its unit."""
        came = self.came_as(unit["id"])
        if came is None:
            return None
        [line] = {item["purchaseOrderLineId"] for _, item in self.items[came]}
        return self._lines[line]["cost"], self._currencies[self._order_of[line]["currencyId"]]


def health(world: World, as_of: datetime, last_day: date) -> list[Row]:
    """Rows of ``inventory_health``; all inventory of the factory is in the unit of its part."""
    purchases = Purchases(world)
    units: defaultdict[int, list[Row]] = defaultdict(list)
    for unit in world["partInventories"]:
        units[unit["partId"]].append(unit)
    wanted: defaultdict[int, float] = defaultdict(float)
    parts_of = {row["id"]: row["partId"] for row in world["partKitItems"]}
    for item in items(world):
        wanted[parts_of[item["part_kit_item_id"]]] += item["quantity_short"] if item["is_kit_open"] else 0.0
    lines: defaultdict[int | None, list[Row]] = defaultdict(list)
    raw = {row["id"]: row for row in world["purchaseOrderLines"]}
    for line in order_lines(world, last_day):
        row = raw[line["purchase_order_line_id"]]
        ordered = row["status"] in ("ORDERED", "PARTIALLY_RECEIVED", "RECEIVED")
        if ordered and not line["is_closed"] and line["fully_received_at"] is None:
            lines[row.get("partId")].append(line)
    reserved: defaultdict[int, float] = defaultdict(float)
    for row in world["planReservations"]:
        reserved[purchases.units[row["partInventoryId"]]["partId"]] += row["quantity"]
    found = []
    for part in world["parts"]:
        its, open_lines = units[part["id"]], lines[part["id"]]
        ages = [
            ((as_of - purchases.received(unit)).total_seconds() / 86400, in_stock(unit))
            for unit in its
            if in_stock(unit)
        ]
        total = sum(quantity for _, quantity in ages)
        available = sum(unit["quantityAvailable"] for unit in its)
        found.append(
            {
                "part_id": part["id"],
                "inventory_count": len(ages),
                "inventories_in_other_units": 0,
                "quantity_in_stock": total,
                "quantity_available": available,
                "quantity_unavailable": _sum(its, "UNAVAILABLE"),
                "quantity_in_work": _sum(its, "WIP"),
                "quantity_on_order": _sum(its, "ON_ORDER"),
                "quantity_kitted": sum(unit["quantityKitted"] for unit in its),
                "quantity_installed": sum(unit["quantityInstalled"] for unit in its),
                "quantity_reserved": reserved[part["id"]],
                "order_lines_open": len(open_lines),
                "quantity_outstanding": sum(
                    max(line["quantity_due"] - line["quantity_received"], 0) for line in open_lines
                ),
                "next_promised_on": min((line["promised_on"] for line in open_lines), default=None),
                "quantity_wanted_by_kits": wanted[part["id"]],
                "quantity_short_for_kits": max(wanted[part["id"]] - available, 0.0),
                "oldest_age_days": max((age for age, _ in ages), default=None),
                "mean_age_days": sum(age * quantity for age, quantity in ages) / total if total else None,
                "standard_value": total * part["cost"] if its and part["cost"] is not None else None,
            }
        )
    return found


def valuation(world: World, first_day: date, last_day: date) -> list[Row]:
    """Rows of ``inventory_valuation`` after one load."""
    purchases = Purchases(world)
    costs = {row["id"]: row["cost"] for row in world["parts"]}
    cells: defaultdict[tuple[Any, ...], list[tuple[float, float | None]]] = defaultdict(list)
    for unit in world["partInventories"]:
        if quantity := in_stock(unit):
            price = purchases.price(unit)
            basis = ("purchase price", price[1]) if price else ("standard cost", None)
            cells[unit["partId"], *basis].append((quantity, price[0] if price else costs[unit["partId"]]))
    return [
        {
            "part_id": part,
            "cost_basis": basis,
            "currency": currency,
            "from_on": first_day,
            "to_on": last_day,
            "is_current": True,
            "quantity": sum(quantity for quantity, _ in held),
            "stock_value": sum(quantity * cost for quantity, cost in held if cost is not None),
            "quantity_without_cost": sum(quantity for quantity, cost in held if cost is None),
        }
        for (part, basis, currency), held in cells.items()
    ]


def _sum(units: list[Row], status: str) -> float:
    return sum(unit["quantity"] for unit in units if unit["status"] == status)
