"""A supplier of known quality, an order that was late, one that was early, and one that was delivered in parts."""

from datetime import UTC, datetime, timedelta

from ion_pipeline.sandbox.factory.inventory import split
from ion_pipeline.sandbox.factory.planter import Planter
from ion_pipeline.sandbox.factory.purchasing import close_order, inspect, new_order, new_order_line, receive
from ion_pipeline.sandbox.factory.quality import advance, open_issue
from ion_pipeline.sandbox.factory.store import Row

SUPPLIER = "PLT Precision Castings"
#: Pieces received in each delivery of the month, and how many of them were returned.
_DELIVERIES = ((1000.0, 0.0), (1200.0, 25.0), (800.0, 0.0), (1000.0, 12.0))
_MONTH = datetime(2026, 3, 2, 9, tzinfo=UTC)
_DAYS_LATE = 6


def plant_supply(p: Planter) -> None:
    """Plants `supplier_ppm`, `late_line` and `on_time_line`."""
    f = p.f
    supplier = f.store.add("suppliers", p.tick(), f.ref.admin, name=SUPPLIER, description="planted", address="",
                           contactName="Planted", email="plt@supplier.example", phoneNumber=None)  # fmt: skip
    part = p.part("PLT-PURCHASED", "LOT")
    lines = _known_quality(p, supplier, part)
    received = sum(amount for amount, _ in _DELIVERIES)
    rejected = sum(bad for _, bad in _DELIVERIES)
    p.truths["supplier_ppm"] = {
        "supplier_id": supplier["id"], "supplier": SUPPLIER, "part_number": "PLT-PURCHASED", "receipt_month": "2026-03",
        "purchase_order_line_ids": lines, "quantity_received": received, "quantity_rejected": rejected,
        "ppm": rejected / received * 1e6,
    }  # fmt: skip
    late = _one_line(p, supplier, part, datetime(2026, 4, 6, 9, tzinfo=UTC), days=_DAYS_LATE)
    p.truths["late_line"] = {
        "purchase_order_line_id": late["id"], "purchase_order_id": late["purchaseOrderId"],
        "supplier_id": supplier["id"], "promised": late["estimatedArrivalDate"], "days_late": _DAYS_LATE,
    }  # fmt: skip
    early = _one_line(p, supplier, part, datetime(2026, 4, 13, 9, tzinfo=UTC), days=-1)
    p.truths["on_time_line"] = {"purchase_order_line_id": early["id"], "days_late": -1}
    _in_parts(p, supplier, part)


def _known_quality(p: Planter, supplier: Row, part: Row) -> list[int]:
    f, by = p.f, p.f.ref.people["buyer"][0]
    lines = []
    for number, (amount, bad) in enumerate(_DELIVERIES):
        when = _MONTH + timedelta(days=6 * number)
        order = new_order(f, supplier["id"], when - timedelta(days=30), by, "ORDERED")
        line = new_order_line(f, order, part, amount, when - timedelta(days=30), by, promised=when)
        p.clock = when - timedelta(hours=1)
        lot = p.lot(part, f"PLT-REC-{number}", amount, received=False, supplierId=supplier["id"])
        line["partInventories"] = [{"id": lot["id"]}]
        receive(f, line, [lot], when, by)
        close_order(f, order, when, by)
        run = inspect(f, lot, when + timedelta(hours=1))
        if bad:
            held = split(f, lot, bad, when + timedelta(hours=2), by, unavailable=True)
            issue = open_issue(f, f"PLT {bad:g} pieces out of drawing", [held], when + timedelta(hours=2), by,
                               line=line, step=run.steps[-1].row, disposition="Return to vendor",
                               from_split=True)  # fmt: skip
            for hours in (5, 6, 7):
                advance(f, issue, when + timedelta(hours=hours))
        lines.append(line["id"])
    return lines


def _one_line(p: Planter, supplier: Row, part: Row, promised: datetime, *, days: int) -> Row:
    """An order with one line that is fully received `days` days after the promised date."""
    f, by = p.f, p.f.ref.people["buyer"][0]
    ordered = promised - timedelta(days=21)
    order = new_order(f, supplier["id"], ordered, by, "ORDERED")
    line = new_order_line(f, order, part, 50.0, ordered, by, promised=promised)
    p.clock = ordered
    lot = p.lot(part, f"PLT-ONE-{line['id']}", 50.0, received=False, supplierId=supplier["id"])
    line["partInventories"] = [{"id": lot["id"]}]
    arrived = promised + timedelta(days=days)
    receive(f, line, [lot], arrived, by)
    close_order(f, order, arrived, by)
    return line


def _in_parts(p: Planter, supplier: Row, part: Row) -> None:
    """Two receipts of 30 and 20 on a line of 80; the rest is not delivered yet."""
    f, by = p.f, p.f.ref.people["buyer"][0]
    promised = datetime(2026, 5, 4, 9, tzinfo=UTC)
    order = new_order(f, supplier["id"], promised - timedelta(days=21), by, "ORDERED")
    line = new_order_line(f, order, part, 80.0, promised - timedelta(days=21), by, promised=promised)
    p.clock = promised - timedelta(days=21)
    rest = p.lot(part, "PLT-PARTS", 80.0, received=False, supplierId=supplier["id"])
    line["partInventories"] = [{"id": rest["id"]}]
    receipts = []
    for place, amount in enumerate((30.0, 20.0)):
        when = promised + timedelta(days=place)
        piece = split(f, rest, amount, when, by, received=False)
        line["partInventories"].append({"id": piece["id"]})
        receipts.append(receive(f, line, [piece], when, by)["id"])
    p.truths["partial_receipt"] = {
        "purchase_order_line_id": line["id"], "receipt_ids": receipts, "quantity_ordered": 80.0,
        "quantity_received": 50.0, "is_on_time": False,
    }  # fmt: skip
