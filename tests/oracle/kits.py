"""Kits and their items of a world, computed the obvious way."""

from collections import defaultdict
from collections.abc import Mapping

from tests.oracle.world import Row, World

_CLOSED = {"DELIVERED", "COMPLETED", "CANCELED"}


def items(world: World) -> list[Row]:
    """Rows of ``kit_items``."""
    kits = {row["id"]: row for row in world["partKits"]}
    units = {row["id"]: row["unitOfMeasureId"] for row in world["parts"]}
    stock: defaultdict[int, float] = defaultdict(float)
    for row in world["partInventories"]:
        if row["status"] != "ON_ORDER" and row["unitOfMeasureId"] in (None, units.get(row["partId"])):
            stock[row["partId"]] += row["quantityAvailable"]
    found = []
    for item in world["partKitItems"]:
        is_open = kits[item["partKitId"]]["status"] not in _CLOSED
        short, free = item["quantityUnfulfilled"], stock[item["partId"]]
        found.append(
            {
                "part_kit_item_id": item["id"],
                "part_kit_id": item["partKitId"],
                "is_kit_open": is_open,
                "quantity_wanted": item["quantity"],
                "quantity_short": short,
                "quantity_picked": sum(one["issuedQuantity"] for one in item["partInventories"]),
                "inventory_count": len(item["partInventories"]),
                "is_short": short > 0,
                "quantity_in_stock": free,
                "quantity_short_of_stock": max(short - free, 0.0) if is_open else None,
            }
        )
    return found


def kits(world: World, runs: Mapping[int, Row]) -> list[Row]:
    """Rows of ``kits``, with the instants of ``production.runs``."""
    of_kit: defaultdict[int, list[Row]] = defaultdict(list)
    for item in items(world):
        of_kit[item["part_kit_id"]].append(item)
    found = []
    for kit in world["partKits"]:
        its, run = of_kit[kit["id"]], runs.get(kit["runId"], {})
        short = sum(item["is_short"] for item in its)
        is_open = kit["status"] not in _CLOSED
        begins = [run[name] for name in ("scheduled_start_at", "first_started_at") if run.get(name)]
        needed = min(begins, default=None)
        is_late = is_open and needed <= run["as_of_at"] if needed else (None if is_open else False)
        found.append(
            {
                "part_kit_id": kit["id"],
                "status": kit["status"],
                "is_open": is_open,
                "item_count": len(its),
                "items_short": short,
                "items_fulfilled": len(its) - short,
                "items_short_of_stock": sum((item["quantity_short_of_stock"] or 0.0) > 0 for item in its),
                "items_fulfilled_share": (len(its) - short) / len(its) if its else None,
                "is_delivered_short": kit["status"] in ("DELIVERED", "COMPLETED") and short > 0,
                "needed_at": needed,
                "is_late": is_late,
                "hours_late": (run["as_of_at"] - needed).total_seconds() / 3600 if needed and is_late else None,
            }
        )
    return found
