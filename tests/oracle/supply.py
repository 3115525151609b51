"""Deliveries and supplier quality of a world, computed the obvious way."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from tests.oracle.defects import Pieces
from tests.oracle.issues import decisions, instant, units_of_issues
from tests.oracle.world import Row, World


def order_lines(world: World, last_day: date) -> list[Row]:
    """Rows of ``purchase_order_lines``: promised by estimated arrival, no tolerance."""
    received_at = {row["id"]: datetime.fromisoformat(row["receivedAt"]) for row in world["receipts"]}
    orders = {row["id"]: row for row in world["purchaseOrders"]}
    rows = []
    for line in world["purchaseOrderLines"]:
        arrivals = sorted(
            (received_at[item["receiptId"]], item["quantity"])
            for item in world["receiptItems"]
            if item["purchaseOrderLineId"] == line["id"]
        )
        order = orders[line["purchaseOrderId"]]
        total = sum(quantity for _, quantity in arrivals)
        due = _quantity_due(line, total)
        whole, was_whole = (None, False) if due is None or line["quantity"] <= 0 else _whole(arrivals, due)
        more_than_ordered = total > line["quantity"] + 1e-9
        if _holds_no_inventory_quantity(line) and more_than_ordered and whole != arrivals[-1][0]:
            due, whole, was_whole = None, None, False
        dates = [row.get(name) for row in (line, order) for name in ("estimatedArrivalDate", "needDate")]
        promise = next((instant(text) for text in dates if text), None)
        rows.append(
            {
                "purchase_order_line_id": line["id"],
                "supplier_id": order.get("supplierId"),
                "ordered_at": instant(order.get("orderedAt")),
                "created_at": instant(line["_created"]),
                "quantity_due": due,
                "quantity_received": total,
                "promised_on": promise.date() if promise else None,
                "fully_received_at": whole,
                **_judged(line, order, promise.date() if promise else None, (total, due, whole, was_whole), last_day),
            }
        )
    return rows


def _holds_no_inventory_quantity(line: Row) -> bool:
    return line.get("partId") is not None and not line.get("inventoryQuantity")


def _quantity_due(line: Row, total: float) -> float | None:
    """The ordered quantity in the unit of receipts; None where the unit is unclear."""
    ordered, stocked = float(line["quantity"]), float(line.get("inventoryQuantity") or 0.0)
    if line.get("partId") is None or not stocked or stocked == ordered:
        unknown = _holds_no_inventory_quantity(line) and total > ordered + 1e-9 and line["status"] != "RECEIVED"
        return None if unknown else ordered
    if stocked > ordered:
        if abs(total - ordered) > 1e-9:
            return stocked
        return ordered if line["status"] == "RECEIVED" else None
    if total >= ordered - 1e-9:
        return ordered
    return stocked if total < stocked - 1e-9 or line["status"] == "RECEIVED" else None


def _whole(arrivals: list[tuple[datetime, float]], due: float) -> tuple[datetime | None, bool]:
    """The instant since which a line is complete, and whether it ever was."""
    so_far, whole, was_whole = 0.0, None, False
    for when, quantity in arrivals:
        so_far += quantity
        if so_far < due - 1e-9:
            whole = None
        else:
            whole, was_whole = whole or when, True
    return whole, was_whole


def _judged(
    line: Row,
    order: Row,
    promised: date | None,
    came: tuple[float, float | None, datetime | None, bool],
    last_day: date,
) -> Row:
    total, quantity_due, whole, was_whole = came
    ordered = (
        line["status"] not in {"DRAFT", "IN_REVIEW", "REQUESTED", "APPROVED", "CANCELED"}
        and order["status"] != "CANCELED"
    )
    closed = line["status"] == "RECEIVED" or line["isOpen"] is False or order["isOpen"] is False
    due = ordered and line["quantity"] > 0 and promised is not None and promised <= last_day
    reason = None
    if quantity_due is None:
        reason = "unit unclear"
    elif (
        not whole
        and not was_whole
        and (line["status"] == "RECEIVED" or (line.get("receivedQuantity") or 0) >= quantity_due)
    ):
        reason = "received without date"
    elif closed and not whole and (was_whole or total <= 0):
        reason = "nothing left to deliver"
    on_time: bool | None = None
    late: int | None = None
    if ordered and promised and not reason:
        if whole:
            on_time, late = whole.date() <= promised, (whole.date() - promised).days
        elif due:
            late = None if closed else (last_day - promised).days
            on_time = False if last_day > promised else None
    return {
        "is_due": due,
        "is_closed": closed,
        "is_without_promise": ordered and promised is None,
        "is_received_without_date": reason == "received without date",
        "not_judged_because": reason if ordered and promised else None,
        "is_on_time": on_time,
        "days_late": late,
    }


def delivery(world: World, last_day: date) -> list[Row]:
    """Rows of ``supplier_delivery``."""
    cells: defaultdict[tuple[Any, date], list[Row]] = defaultdict(list)
    unpromised: defaultdict[tuple[Any, date], int] = defaultdict(int)
    for line in order_lines(world, last_day):
        if line["is_due"]:
            cells[line["supplier_id"], line["promised_on"].replace(day=1)].append(line)
        elif line["is_without_promise"]:
            ordered = (line["ordered_at"] or line["created_at"]).date()
            cell = line["supplier_id"], ordered.replace(day=1)
            cells[cell] += []
            unpromised[cell] += 1
    rows = []
    for (supplier, month), lines in cells.items():
        late = [line for line in lines if line["is_on_time"] is False]
        days = [line["days_late"] for line in late if line["days_late"] is not None]
        on_time = sum(line["is_on_time"] is True for line in lines)
        rows.append(
            {
                "supplier_id": supplier,
                "month_starts_on": month,
                "lines_due": len(lines),
                "lines_on_time": on_time,
                "lines_late": len(late),
                "lines_without_date": sum(line["is_received_without_date"] for line in lines),
                "lines_in_unclear_units": sum(line["not_judged_because"] == "unit unclear" for line in lines),
                "lines_with_nothing_left": sum(
                    line["not_judged_because"] == "nothing left to deliver" for line in lines
                ),
                "lines_without_promise": unpromised[supplier, month],
                "on_time_rate": on_time / (on_time + len(late)) if on_time + len(late) else None,
                "late_days": sum(days),
                "most_late_days": max(days, default=None),
            }
        )
    return rows


def supplier_quality(world: World) -> list[Row]:
    """Rows of ``supplier_quality``."""
    pieces = Pieces(world)
    lines = {row["id"]: row for row in world["purchaseOrderLines"]}
    supplier_of = {row["id"]: row.get("supplierId") for row in world["purchaseOrders"]}
    received_at = {row["id"]: datetime.fromisoformat(row["receivedAt"]) for row in world["receipts"]}
    items = sorted(world["receiptItems"], key=lambda item: (received_at[item["receiptId"]], item["id"]))
    cells: defaultdict[tuple[Any, str, date], defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    came: defaultdict[int, list[tuple[int, float, tuple[Any, str, date]]]] = defaultdict(list)
    for item in items:
        unit, line = item["partInventoryId"], lines[item["purchaseOrderLineId"]]
        month = received_at[item["receiptId"]].date().replace(day=1)
        cell = supplier_of[line["purchaseOrderId"]], pieces.part[unit], month
        cells[cell]["received"] += max(item["quantity"], 0.0)
        came[unit].append((line["id"], max(item["quantity"], 0.0), cell))
    bad: defaultdict[int, float] = defaultdict(float)
    first_lines: defaultdict[int, set[int | None]] = defaultdict(set)
    for unit, came_as, issue, quantity, counted in _rejected(world, pieces, came):
        if counted == "received":
            assert came_as is not None
            bad[came_as] += quantity
            first_lines[came_as].add(issue.get("purchaseOrderLineId"))
            continue
        named = lines.get(issue.get("purchaseOrderLineId"))
        suppliers = [
            supplier_of[named["purchaseOrderId"]] if named else None,
            pieces.rows[unit].get("supplierId"),
            pieces.rows[came_as].get("supplierId") if came_as is not None else None,
        ]
        supplier = next((supplier for supplier in suppliers if supplier is not None), None)
        month = datetime.fromisoformat(issue["_created"]).date().replace(day=1)
        cells[supplier, pieces.part[unit], month][counted] += quantity
    for unit, total in bad.items():
        left = total
        for _, quantity, cell in sorted(came[unit], key=lambda one: one[0] not in first_lines[unit]):
            cells[cell]["rejected"] += min(left, quantity)
            left -= min(left, quantity)
    return [
        {
            "supplier_id": cell[0],
            "part_number": cell[1],
            "month_starts_on": cell[2],
            "quantity_received": sums["received"],
            "quantity_rejected": sums["rejected"],
            "quantity_rejected_not_received": sums["not received"],
            "quantity_rejected_in_use": sums["in use"],
            "ppm": sums["rejected"] / sums["received"] * 1e6 if sums["received"] else None,
        }
        for cell, sums in cells.items()
    ]


def _rejected(
    world: World, pieces: Pieces, came: Mapping[int, list[tuple[int, float, tuple[Any, str, date]]]]
) -> Iterator[tuple[int, int | None, Row, float, str]]:
    """Each unit under a rejecting issue: the inventory received, the issue, its pieces, and how it counts.

    It assumes that no lot is partly rejected again by another issue.
    """
    decided, used = decisions(world), first_uses(world)
    issues = {row["id"]: row for row in world["issues"]}
    named: defaultdict[int, list[int]] = defaultdict(list)
    for issue, unit in units_of_issues(world):
        if decided[issue].is_rejected:
            named[issue].append(unit)
    by_unit: defaultdict[int, list[tuple[bool, datetime, int]]] = defaultdict(list)
    for issue, units in named.items():
        opened = datetime.fromisoformat(issues[issue]["_created"])
        for unit in units:
            came_as = _came_as(unit, pieces, came)
            its_lines = {line for line, _, _ in came[came_as]} if came_as is not None else set()
            counts = came_as is not None and (
                issues[issue].get("purchaseOrderLineId") in its_lines or unit not in used or opened < used[unit]
            )
            by_unit[unit].append((not counts, opened, issue))
    for unit, found in by_unit.items():
        is_left_out, opened, issue = min(found)
        came_as = _came_as(unit, pieces, came)
        counted = "not received" if came_as is None else "in use" if is_left_out else "received"
        yield unit, came_as, issues[issue], pieces.affected(named[issue], opened)[unit], counted


def _came_as(unit: int, pieces: Pieces, came: Mapping[int, object]) -> int | None:
    at: int | None = unit
    while at is not None and at not in came:
        at = pieces.rows[at].get("originPartInventoryId")
    return at


def first_uses(world: World) -> dict[int, datetime]:
    """When each unit was first installed in another one."""
    found: dict[int, datetime] = {}
    for row in world["abomInstallations"]:
        when = datetime.fromisoformat(row["_created"])
        found[row["partInventoryId"]] = min(when, found.get(row["partInventoryId"], when))
    return found
