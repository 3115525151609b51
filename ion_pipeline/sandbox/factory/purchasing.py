"""Purchasing: orders with lines and approvals, deliveries (complete, late or partial), and receiving inspection."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from ion_pipeline.sandbox.factory.catalogue import PARTS, use_per_product
from ion_pipeline.sandbox.factory.clock import at, iso, next_working_day
from ion_pipeline.sandbox.factory.context import Factory, Task
from ion_pipeline.sandbox.factory.inventory import change, new_inventory, next_lot, next_serial, put_away, split
from ion_pipeline.sandbox.factory.part_spec import PartSpec
from ion_pipeline.sandbox.factory.production import LiveRun, open_run, perform, settle
from ion_pipeline.sandbox.factory.quality import IssueWork, open_issue
from ion_pipeline.sandbox.factory.store import Row

_PRODUCTS_IN_USE = 3
_MARGIN_DAYS = 12
_LOTS_AT_MOST = 4
_REJECTED_CHANCE = 0.3
_WORTH_SPLITTING = 10


@dataclass(frozen=True)
class Need:
    """The stock policy of a bought part: reorder level and order quantity, in pieces."""

    spec: PartSpec
    reorder_at: float
    amount: float


def needs(f: Factory) -> list[Need]:
    """The stock policy of each bought part at the factory's rate."""
    use = use_per_product()
    per_day = f.products_per_day / _PRODUCTS_IN_USE
    found = []
    for spec in PARTS.values():
        if spec.is_made:
            continue
        each = use[spec.number]
        reorder_at = max(2 * each, 0.25 * spec.lot) + each * per_day * (spec.lead_days * 5 / 7 + _MARGIN_DAYS)
        found.append(Need(spec, reorder_at, max(spec.lot, each * per_day * 20)))
    return found


def open_stock(f: Factory, plan: list[Need], when: datetime) -> None:
    """Adds the initial stock, which was received before the records begin; older revisions first."""
    by = f.ref.people["buyer"][0]
    for need in plan:
        revisions = f.design.revisions[need.spec.number]
        for place, part in enumerate(revisions):
            older = place < len(revisions) - 1
            amount = need.spec.lot / 5 if older else need.reorder_at + need.amount / 2
            for row in _pieces(f, need.spec, part, ceil(amount), when, by, received=True):
                _identify(f, need.spec, row)
                put_away(f, need.spec.number, row)


def replenish(f: Factory, plan: list[Need]) -> None:
    """Orders the parts whose stock is below the reorder level, with one order per supplier."""
    baskets: defaultdict[int, list[tuple[PartSpec, float]]] = defaultdict(list)
    for need in plan:
        number = need.spec.number
        if f.stock.pieces[number] + f.stock.on_order[number] < need.reorder_at:
            suppliers = f.ref.supplier_of.get(need.spec.subtype) or f.ref.supplier_of["hardware"]
            baskets[f.rng.choice(suppliers)].append((need.spec, float(ceil(need.amount))))
    for supplier, wanted in baskets.items():
        place_order(f, supplier, wanted, f.moment())


def _pieces(
    f: Factory, spec: PartSpec, part: Row, amount: float, when: datetime, by: int, *, received: bool, **more: Any
) -> list[Row]:
    """Adds inventory rows for an amount: one per serial unit, or lots of a limited size."""
    if spec.tracking == "SERIAL":
        return [new_inventory(f, part, when, by, received=received, **more) for _ in range(ceil(amount))]
    size = max(float(spec.lot * _LOTS_AT_MOST), 1.0)
    rows = []
    while amount > 0:
        rows.append(new_inventory(f, part, when, by, quantity=min(amount, size), received=received, **more))
        amount -= size
    return rows


def _identify(f: Factory, spec: PartSpec, row: Row) -> None:
    if spec.tracking == "SERIAL":
        row["serialNumber"] = next_serial(f, spec.number)
    elif spec.tracking == "LOT" and row["lotNumber"] is None:
        row["lotNumber"] = next_lot(f, spec.number)
    row["identity"] = row["serialNumber"] or row["lotNumber"]
    row["identifiable"] = row["identity"] is not None


def new_order(f: Factory, supplier: int, when: datetime, by: int, status: str, **more: object) -> Row:
    """Creates a purchase order without lines."""
    return f.store.add(
        "purchaseOrders", when, by, supplierId=supplier, status=status, currencyId=f.ref.currencies["USD"], paid=False,
        shipToLocationId=f.ref.locations["Plant 1"]["id"], billToLocationId=f.ref.locations["Plant 2"]["id"],
        assignedToId=by, isOpen=status not in ("RECEIVED", "CANCELED"), editable=str(status == "DRAFT").lower(),
        approved=status in ("APPROVED", "ORDERED", "RECEIVED"), cost=0.0, estimatedCost=0.0, estimatedTotalCost=0.0,
        orderedAt=iso(when) if status in ("ORDERED", "RECEIVED") else None, **more,
    )  # fmt: skip


def new_order_line(
    f: Factory, order: Row, part: Row, quantity: float, when: datetime, by: int, *, promised: datetime, **more: object
) -> Row:
    """Adds a line to an order and updates its sums; `promised` is the estimated arrival, the need date a week later."""
    cost = (part.get("cost") or 0.0) * quantity
    line = f.store.add(
        "purchaseOrderLines", when, by, purchaseOrderId=order["id"], partId=part["id"], quantity=float(quantity),
        status=order["status"], cost=part.get("cost"), estimatedCost=cost, paid=False, receivedQuantity=0.0,
        isOpen=order["isOpen"], estimatedArrivalDate=iso(promised), needDate=iso(promised + timedelta(days=7)),
        position=f.stock.lines[order["id"]], description=part["description"], inventoryQuantity=0.0,
        editable=order["editable"], partInventories=[], **more,
    )  # fmt: skip
    f.stock.lines[order["id"]] += 1
    f.stock.open_lines[order["id"]] += 1
    order["estimatedCost"] = round(order["estimatedCost"] + cost, 2)
    order["estimatedTotalCost"] = order["cost"] = order["estimatedCost"]
    order["estimatedArrivalDate"] = max(order.get("estimatedArrivalDate") or "", iso(promised))
    order["estimatedArrival"] = order["estimatedArrivalDate"]
    order["needDate"] = max(order.get("needDate") or "", line["needDate"])
    return line


def place_order(f: Factory, supplier: int, wanted: list[tuple[PartSpec, float]], when: datetime) -> Row:
    """Orders parts with an immediate approval, and adds their deliveries to the agenda."""
    by, reviewer = f.someone("buyer"), f.someone("planner")
    order = new_order(f, supplier, when, by, "ORDERED")
    f.store.add("purchaseOrderApprovalRequests", when, by, purchaseOrderId=order["id"], reviewerId=reviewer,
                status="APPROVED")  # fmt: skip
    f.store.add("purchaseOrderApprovals", when, reviewer, purchaseOrderId=order["id"], reviewerId=reviewer,
                status="APPROVED", depth=0, resolved=True, comment="")  # fmt: skip
    if f.rng.random() < 0.3:
        f.store.add("purchaseOrderFees", when, by, purchaseOrderId=order["id"], name="Freight",
                    value=round(f.rng.uniform(10, 400), 2), type="CURRENCY")  # fmt: skip
    for spec, amount in wanted:
        part = f.design.part(spec.number)
        promised = at(next_working_day(f.day, ceil(spec.lead_days * 5 / 7)), 12)
        line = new_order_line(f, order, part, amount, when, by, promised=promised)
        rows = _pieces(f, spec, part, amount, when, by, received=False, supplierId=supplier,
                       estimatedArrival=iso(promised))  # fmt: skip
        line["partInventories"] = [{"id": row["id"]} for row in rows]
        line["inventoryQuantity"] = float(amount)
        f.stock.on_order[spec.number] += amount
        delay = f.rng.choice((0, 0, 0, -1, -2, -1, 0, 3, 8))
        day = max(next_working_day(f.day), promised.date() + timedelta(days=delay))
        if day.weekday() >= 5:
            day = next_working_day(day)
        f.agenda[day].append(Delivery(order, line, spec, rows))
    return order


@dataclass
class Delivery(Task):
    """The open delivery of an order line."""

    order: Row
    line: Row
    spec: PartSpec
    rows: list[Row] = field(default_factory=list)

    def run(self, factory: Factory) -> None:
        """Receives all of it or, with a probability of one in six, only a part."""
        f, when, by = factory, factory.moment(), factory.someone("buyer")
        rows = self.rows
        if f.rng.random() < 1 / 6 and (len(rows) > 1 or rows[0]["quantity"] >= 2):
            rows = self._part(f, when, by)
        arrived = {row["id"] for row in rows}
        self.rows = [row for row in self.rows if row["id"] not in arrived]
        receive(f, self.line, rows, when, by)
        for row in rows:
            f.stock.on_order[self.spec.number] -= row["quantity"]
            _identify(f, self.spec, row)
        if self.spec.tracking == "LOT" and f.rng.random() < 0.15:
            run = inspect(f, rows[0], when)
            _reject_some(f, self.line, rows[0], run, when + timedelta(hours=1))
        for row in rows:
            put_away(f, self.spec.number, row)
        if self.rows:
            f.agenda[next_working_day(f.day, f.rng.randrange(2, 9))].append(self)
        else:
            close_order(f, self.order, when, by)

    def _part(self, f: Factory, when: datetime, by: int) -> list[Row]:
        if len(self.rows) > 1:
            return self.rows[: len(self.rows) // 2]
        whole = self.rows[0]
        part = split(f, whole, float(int(whole["quantity"] / 2)), when, by, received=False,
                     supplierId=whole.get("supplierId"))  # fmt: skip
        self.line["partInventories"].append({"id": part["id"]})
        self.rows = [whole, part]
        return [part]


def receive(f: Factory, line: Row, rows: list[Row], when: datetime, by: int) -> Row:
    """Receives inventory for an order line with a receipt."""
    receipt = f.store.add("receipts", when, by, receivedAt=iso(when), receivedById=by)
    for row in rows:
        change(f, row, when, by, received=True, locationId=f.rng.choice(f.ref.shelves))
        f.store.add("receiptItems", when, by, receiptId=receipt["id"], partInventoryId=row["id"],
                    purchaseOrderLineId=line["id"], quantity=row["quantity"])  # fmt: skip
    total = round(line["receivedQuantity"] + sum(row["quantity"] for row in rows), 9)
    full = total >= line["quantity"]
    f.store.touch(line, when, by, receivedQuantity=total, status="RECEIVED" if full else line["status"],
                  isOpen=not full)  # fmt: skip
    return receipt


def close_order(f: Factory, order: Row, when: datetime, by: int) -> None:
    """Counts a received line; if all lines of the order are received, sets the order to RECEIVED."""
    f.stock.open_lines[order["id"]] -= 1
    if not f.stock.open_lines[order["id"]]:
        f.store.touch(order, when, by, status="RECEIVED", isOpen=False)


def inspect(f: Factory, row: Row, when: datetime) -> LiveRun:
    """Inspects received inventory with a run of its own."""
    by = f.someone("inspector")
    run = open_run(f, f.design.procedures["receive"], row, when, by, title=f"Inspect {row['identity']}")
    for place, step in enumerate(run.steps):
        begin = when + timedelta(minutes=20 * place + 1)
        perform(f, step, begin, begin + timedelta(minutes=15), by)
    settle(f, run, when + timedelta(minutes=20 * len(run.steps)), by)
    return run


def _reject_some(f: Factory, line: Row, row: Row, run: LiveRun, when: datetime) -> None:
    """With a probability of three in ten, splits off a part of the lot, holds it and returns it."""
    if f.rng.random() >= _REJECTED_CHANCE or row["quantity"] < _WORTH_SPLITTING:
        return
    by = f.someone("inspector")
    amount = float(max(int(row["quantity"] * f.rng.uniform(0.02, 0.1)), 1))
    bad = split(f, row, amount, when, by, unavailable=True)
    issue = open_issue(f, f"{amount:g} pieces out of drawing", [bad], when, by, line=line, step=run.steps[-1].row,
                       from_split=True)  # fmt: skip
    f.agenda[next_working_day(f.day)].append(IssueWork(issue, "Return to vendor"))
