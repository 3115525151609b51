"""From receipt to stock in a world that was loaded once."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from tests.oracle.world import Row, World


def dock_to_stock(world: World, runs: Mapping[int, Row]) -> list[Row]:
    """Rows of ``dock_to_stock``, with the instants of ``production.runs``; no lot of the factory is received twice."""
    types = {row["id"]: row["type"] for row in world["procedures"]}
    received_at = {row["id"]: datetime.fromisoformat(row["receivedAt"]) for row in world["receipts"]}
    status = {row["id"]: row["status"] for row in world["partInventories"]}
    inspections: defaultdict[int, list[Row]] = defaultdict(list)
    for run in world["runs"]:
        if run.get("partInventoryId") is not None and types.get(run["procedureId"]) == "INSPECTION":
            inspections[run["partInventoryId"]].append(run)
    found = []
    for item in world["receiptItems"]:
        unit, received = item["partInventoryId"], received_at[item["receiptId"]]
        its = [runs[run["id"]] for run in inspections[unit] if datetime.fromisoformat(run["_created"]) >= received]
        is_finished = bool(its) and all(run["is_finished"] for run in its)
        ended = max(run["last_completed_at"] for run in its) if is_finished else None
        started = min((run["first_started_at"] for run in its), default=None)
        found.append(
            {
                "receipt_item_id": item["id"],
                "received_at": received,
                "quantity": item["quantity"],
                "inspection_count": len(its),
                "inspections_completed": sum(run["status"] == "COMPLETE" for run in its),
                "inspected_at": ended,
                "hours_to_inspection": (started - received).total_seconds() / 3600 if started else None,
                "hours_to_inspected": (ended - received).total_seconds() / 3600 if ended else None,
                "available_at": None,
                "availability_from": (
                    "before the first load" if status[unit] in ("AVAILABLE", "KITTED", "INSTALLED") else "not yet"
                ),
                "dock_to_stock_hours": None,
            }
        )
    return found
