"""Purchase orders of a world, computed the obvious way."""

from collections import defaultdict
from datetime import date
from typing import Any

from tests.oracle.issues import instant
from tests.oracle.supply import order_lines
from tests.oracle.world import Row, World

_BEFORE_ORDER = {"DRAFT", "IN_REVIEW", "REQUESTED", "APPROVED"}


def orders(world: World, last_day: date) -> list[Row]:
    """Rows of ``purchase_orders``."""
    raw = {row["id"]: row for row in world["purchaseOrderLines"]}
    users = {row["id"]: row["name"] for row in world["users"]}
    of_order: defaultdict[int, list[Row]] = defaultdict(list)
    for line in order_lines(world, last_day):
        row = raw[line["purchase_order_line_id"]]
        of_order[row["purchaseOrderId"]].append(line | _state(row, line) | {"status": row["status"]})
    return [
        _order(row, of_order[row["id"]], _of(world, "purchaseOrderFees", row), users)
        | _approvals(_of(world, "purchaseOrderApprovalRequests", row), users)
        for row in world["purchaseOrders"]
    ]


def _of(world: World, root: str, order: Row) -> list[Row]:
    return [row for row in world[root] if row["purchaseOrderId"] == order["id"]]


def _state(row: Row, line: Row) -> Row:
    """In which state of receipt a line is, and which share of it came."""
    total, due = line["quantity_received"], line["quantity_due"]
    complete = line["fully_received_at"] is not None or row["status"] == "RECEIVED"
    expected = row["status"] not in _BEFORE_ORDER | {"CANCELED"} and row["quantity"] > 0
    if complete:
        state, share = "complete", 1.0
    else:
        state = "closed" if line["is_closed"] else "part" if total > 0 else "none"
        share = 0.0 if total <= 0 else None if due is None else min(total / due, 1.0)
    return {"state": state if expected else None, "share": share, "cost": row["estimatedCost"]}


def _order(row: Row, lines: list[Row], fees: list[Row], users: dict[int, str]) -> Row:
    states = [line["state"] for line in lines]
    expected = [line for line in lines if line["state"]]
    valued = [line for line in expected if line["cost"] is not None and line["share"] is not None]
    costs = [line["cost"] for line in expected if line["cost"] is not None]
    received = sum(line["cost"] * line["share"] for line in valued) if valued else None
    waiting = [line for line in expected if line["state"] in ("part", "none")]
    return {
        "purchase_order_id": row["id"],
        "status": row["status"],
        "is_status_computed_here": False,
        "supplier_id": row["supplierId"],
        "assigned_to": users.get(row["assignedToId"]),
        "estimated_total_cost": row["estimatedTotalCost"],
        "lines_estimated_cost": _sum([line["cost"] for line in lines if line["status"] != "CANCELED"]),
        "fee_count": len(fees),
        "fee_amount": _sum([fee["value"] for fee in fees if fee["type"] == "CURRENCY"]),
        "fee_percentage": _sum([fee["value"] for fee in fees if fee["type"] == "PERCENTAGE"]),
        "line_count": len(lines),
        "lines_not_ordered": sum(line["status"] in _BEFORE_ORDER for line in lines),
        "lines_ordered": sum(line["status"] in ("ORDERED", "PARTIALLY_RECEIVED") for line in lines),
        "lines_received": sum(line["status"] == "RECEIVED" for line in lines),
        "lines_cancelled": sum(line["status"] == "CANCELED" for line in lines),
        "lines_expected": len(expected),
        "lines_complete": states.count("complete"),
        "lines_partly_received": states.count("part"),
        "lines_not_received": states.count("none"),
        "lines_closed_short": states.count("closed"),
        "lines_overdue": sum(line["is_on_time"] is False for line in waiting),
        "lines_without_value": len(expected) - len(valued),
        "lines_complete_share": states.count("complete") / len(expected) if expected else None,
        "cost_expected": _sum(costs),
        "cost_received": received,
        "cost_received_share": received / sum(costs) if received is not None and valued == expected else None,
        "next_promised_on": min((line["promised_on"] for line in waiting if line["promised_on"]), default=None),
    }


def _approvals(requests: list[Row], users: dict[int, str]) -> Row:
    pending = [row for row in requests if row["status"] in (None, "PENDING")]
    return {
        "approvals_requested": len(requests),
        "approvals_given": sum(row["status"] == "APPROVED" for row in requests),
        "approvals_pending": len(pending),
        "approvals_rejected": sum(row["status"] == "REJECTED" for row in requests),
        "approval_waiting_since_at": min((instant(row["_created"]) for row in pending), default=None),
        "approval_waiting_for": sorted({users[row["reviewerId"]] for row in pending}),
    }


def _sum(values: list[Any]) -> float | None:
    return float(sum(values)) if values else None
