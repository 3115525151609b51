"""Plans of production, their items and allocations in a world, computed the obvious way."""

from collections import Counter
from datetime import datetime

from tests.oracle.issues import instant
from tests.oracle.world import Row, World

_DAY = 86400


def items(world: World, as_of: datetime) -> list[Row]:
    """Rows of ``plan_items``."""
    plans = {row["id"]: row["name"] for row in world["plans"]}
    due = {row["id"]: instant(row["dueDate"]) for row in world["planInputs"]}
    plans_of: dict[int, list[int]] = {}
    inputs_of: dict[int, list[datetime]] = {}
    for row in world["planItems"]:
        plans_of[row["id"]] = sorted(plan["id"] for plan in row["plans"])
        inputs_of[row["id"]] = [due[entry["id"]] for entry in row.get("inputs") or ()]  # type: ignore[misc]
    children = Counter(int(row["parentPlanItemId"]) for row in world["planItemAllocations"])
    parents = Counter(int(row["childPlanItemId"]) for row in world["planItemAllocations"])
    given: Counter[int] = Counter()
    for row in world["planItemAllocations"]:
        given[int(row["childPlanItemId"])] += row["quantity"]
    found = []
    for row in world["planItems"]:
        done, ends, forecast = row["status"] == "COMPLETE", instant(row["endTime"]), instant(row["forecastedEndTime"])
        found.append(
            {
                "plan_item_id": row["id"],
                "plan_ids": plans_of[row["id"]],
                "plan_names": sorted(plans[plan] for plan in plans_of[row["id"]]),
                "status": row["status"],
                "part_id": row["partId"],
                "quantity": row["quantity"],
                "planned_end_at": ends,
                "due_at": min(inputs_of[row["id"]], default=None),
                "child_count": children[row["id"]],
                "parent_count": parents[row["id"]],
                "quantity_allocated": float(given[row["id"]]),
                "run_count": len(row.get("runs") or ()),
                "order_line_count": len(row.get("purchaseOrderLines") or ()),
                "inventory_count": len(row.get("partInventories") or ()),
                "issue_count": len(row.get("issues") or ()),
                "is_complete": done,
                "is_late": not done and ends is not None and ends < as_of,
                "forecast_slip_days": None
                if done or not ends or not forecast
                else (forecast - ends).total_seconds() / _DAY,
            }
        )
    return found


def allocations(world: World) -> list[Row]:
    """Rows of ``plan_item_allocations``."""
    rows = {row["id"]: row for row in world["planItems"]}
    found = []
    for row in world["planItemAllocations"]:
        parent, child = rows[int(row["parentPlanItemId"])], rows[int(row["childPlanItemId"])]
        begins, ends = instant(parent["startTime"]), instant(child["forecastedEndTime"] or child["endTime"])
        assert begins is not None
        assert ends is not None
        late = None if child["status"] == "COMPLETE" else (ends - begins).total_seconds() / _DAY
        found.append(
            {
                "parent_plan_item_id": parent["id"],
                "child_plan_item_id": child["id"],
                "quantity": row["quantity"],
                "parent_part_id": parent["partId"],
                "child_part_id": child["partId"],
                "child_end_at": ends,
                "days_after_parent_begins": late,
            }
        )
    return found


def plans(world: World, as_of: datetime) -> list[Row]:
    """Rows of ``plans``."""
    its_items = items(world, as_of)
    reserved = Counter(row["planId"] for row in world["planReservations"])
    found = []
    for plan in world["plans"]:
        its = [item for item in its_items if plan["id"] in item["plan_ids"]]
        demands = [row for row in world["planInputs"] if row["planId"] == plan["id"]]
        waiting = [instant(row["dueDate"]) for row in demands if row["completedQuantity"] < row["quantity"]]
        done = sum(item["is_complete"] for item in its)
        found.append(
            {
                "plan_id": plan["id"],
                "status": plan["status"],
                "input_count": len(demands),
                "inputs_complete": len(demands) - len(waiting),
                "inputs_late": sum(due is not None and due < as_of for due in waiting),
                "next_due_at": min((due for due in waiting if due), default=None),
                "item_count": len(its),
                "items_draft": sum(item["status"] == "DRAFT" for item in its),
                "items_scheduled": sum(item["status"] == "SCHEDULED" for item in its),
                "items_complete": done,
                "items_late": sum(item["is_late"] for item in its),
                "items_complete_share": done / len(its) if its else None,
                "planned_end_at": max((item["planned_end_at"] for item in its), default=None),
                "reservation_count": reserved[plan["id"]],
            }
        )
    return found
