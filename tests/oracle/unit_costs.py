"""What each unit costs by what is installed in it, what was worked on it and what was paid for it, the obvious way."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from tests.oracle.bom import Bom
from tests.oracle.genealogy import where_used
from tests.oracle.lines import Generation, rows
from tests.oracle.world import Row, World

Prices = dict[str, float]
"""Cost per piece, by currency."""


def piece_prices(world: World, due: Mapping[int, Row]) -> dict[int, tuple[Prices, bool]]:
    """What was paid per piece of each inventory that was received or split off one, and whether all of it is known."""
    lines = {row["id"]: row for row in rows(world, "purchaseOrderLines")}
    orders = {row["id"]: row for row in rows(world, "purchaseOrders")}
    names = {row["id"]: row["type"] for row in rows(world, "currencies")}
    items: defaultdict[int, list[Row]] = defaultdict(list)
    for item in rows(world, "receiptItems"):
        if item.get("partInventoryId") is not None:
            items[item["partInventoryId"]].append(item)
    received: dict[int, tuple[Prices, bool]] = {}
    for unit, booked in items.items():
        came = [item for item in booked if item["quantity"] > 0]
        if not came:
            continue
        its = booked if sum(item["quantity"] for item in booked) > 0 else came
        total = sum(item["quantity"] for item in its)
        paid, kept = defaultdict[str, float](float), defaultdict[str | None, float](float)
        for item in its:
            line = lines.get(item.get("purchaseOrderLineId"))
            currency = line and names.get(orders[line["purchaseOrderId"]].get("currencyId"))
            wanted = line and due[line["id"]]["quantity_due"]
            if line and currency and line.get("cost") is not None and wanted:
                paid[currency] += item["quantity"] * line["cost"] * line["quantity"] / wanted
                kept[currency] += item["quantity"]
            else:
                kept[None] += item["quantity"]
        known = not kept.pop(None, 0)
        received[unit] = {currency: paid[currency] / total for currency, left in kept.items() if left}, known
    origin = {row["id"]: row.get("originPartInventoryId") for row in rows(world, "partInventories")}
    found = {}
    for unit in origin:
        at, seen = unit, {unit}
        while at not in received and origin.get(at) is not None and origin[at] not in seen:
            at = origin[at]
            seen.add(at)
        if at in received:
            found[unit] = received[at]
    return found


def labor(world: World, rate: float, currency: str) -> dict[int, tuple[float | None, int, int]]:
    """Of each unit with sessions: cost per piece, sessions with a cost, and sessions without one."""
    unit_of = {row["id"]: row.get("partInventoryId") for row in rows(world, "runs")}
    units = {row["id"]: row for row in rows(world, "partInventories")}
    tracking = {row["id"]: row.get("trackingType") for row in rows(world, "parts")}
    hours: defaultdict[int, list[float | None]] = defaultdict(list)
    for step in rows(world, "runSteps"):
        unit = unit_of.get(step["runId"])
        if unit in units:
            for one in step.get("sessions") or ():
                begin, end = one.get("checkIn"), one.get("checkOut")
                worked = (datetime.fromisoformat(end) - datetime.fromisoformat(begin)) if begin and end else None
                hours[unit].append(None if worked is None else worked.total_seconds() / 3600)
    found: dict[int, tuple[float | None, int, int]] = {}
    for unit, its in hours.items():
        row = units[unit]
        is_serial = (row.get("trackingType") or tracking.get(row.get("partId"))) == "SERIAL"
        pieces = 1.0 if is_serial else row["quantity"]
        known = [one for one in its if one is not None]
        if not pieces or not known:
            found[unit] = None, 0, len(its)
        else:
            found[unit] = sum(known) * rate / pieces, len(known), len(its) - len(known)
    return found


def unit_costs(
    world: World, due: Mapping[int, Row], generation: Generation, rate: float, rate_currency: str
) -> list[Row]:
    """Rows of ``unit_costs``."""
    bom = Bom.of(world, generation)
    bought, worked = piece_prices(world, due), labor(world, rate, rate_currency)
    inside: defaultdict[int, dict[int, float | None]] = defaultdict(dict)
    for use in where_used(world, generation):
        quantity = use["quantity_extended"]
        inside[use["ancestor_part_inventory_id"]][use["component_part_inventory_id"]] = (
            None if quantity is None else float(quantity)
        )
    parts = {row["id"]: row for row in rows(world, "parts")}

    def is_gap(unit: int) -> bool:
        if unit in bought:
            return not bought[unit][1]
        makes = parts.get(bom.units[unit].get("partId"), {}).get("sourcingStrategy") == "MAKE"
        return not inside.get(unit) and not (makes and worked.get(unit, (None, 0, 0))[1] > 0)

    found: list[Row] = []
    for unit, row in bom.units.items():
        below = inside.get(unit, {})
        cells: defaultdict[str, dict[str, float]] = defaultdict(dict)
        for one, quantity in {unit: 1.0, **below}.items():
            if quantity is None:
                continue
            prefix = "" if one == unit else "component_"
            costs = [("purchase_cost", name, price) for name, price in bought.get(one, ({}, True))[0].items()]
            if (each := worked.get(one, (None, 0, 0))[0]) is not None:
                costs.append(("labor_cost", rate_currency, each))
            for kind, name, price in costs:
                cell = cells[name]
                cell[prefix + kind] = cell.get(prefix + kind, 0.0) + quantity * price
        everything = {unit: 1.0, **below}
        missing = sum(quantity is None or (quantity != 0 and is_gap(one)) for one, quantity in everything.items())
        open_sessions = sum(worked.get(one, (None, 0, 0))[2] for one in everything)
        standard = parts.get(row.get("partId"), {}).get("cost")
        for name in sorted(cells) or [None]:
            cell = cells[name] if name else {}
            total = sum(cell.values()) if cell else None
            complete = name is not None and missing == 0 and open_sessions == 0
            comparable = complete and len(cells) == 1 and name == rate_currency and standard is not None
            found.append(
                {
                    "part_inventory_id": unit,
                    "currency": name,
                    **{
                        column: cell.get(column)
                        for column in ("purchase_cost", "labor_cost", "component_purchase_cost", "component_labor_cost")
                    },
                    "total_cost": total,
                    "currency_count": len(cells),
                    "component_count": len(below),
                    "units_without_cost": missing,
                    "sessions_without_cost": open_sessions,
                    "is_complete": complete,
                    "standard_cost": standard,
                    "is_compared": comparable,
                    "difference": total - standard if comparable and total is not None else None,
                }
            )
    return found
