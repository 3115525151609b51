"""What today's ION computes from other rows.

That is the status of inventory and of purchase orders, and the link of units to their build requirements.

ION's manual gives an older and a newer order of the rules for the status of inventory. A world holds the status by the
older one. Here a status that follows from the row's facts by the older rules is replaced by that of the newer rules;
any other status is the world's own, and stays. A computed value changes without the row's `_updated` and `_etag`.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from ion_pipeline.sandbox.store import Row, Store, Table

_CLOSED_RUNS = frozenset({"COMPLETE", "CANCELED", "PARTIAL_COMPLETE"})
_LINK = "PartInventoryBuildRequirement"
#: Deprecated on lines; the status of the order means it.
_ORDER_STATUS = {"REQUESTED": "IN_REVIEW", "APPROVED": "APPROVED"}


@dataclass(frozen=True)
class Facts:
    """The facts of a unit or lot from which its status follows.

    Attributes:
        in_work: It has an open run.
        unavailable: Its location is unavailable, or it was marked as unavailable.
        held: An issue with a disposition that withholds its inventory names it.
    """

    quantity: float
    installed: float
    kitted: float
    scrapped: float
    received: bool
    in_work: bool
    unavailable: bool
    held: bool

    def older_status(self) -> str:
        """The status by the older manual; a quality hold is unknown to it."""
        rules = (
            (not self.received, "ON_ORDER"),
            (self.scrapped > 0 and self.quantity <= 0, "SCRAPPED"),
            (0 < self.quantity <= self.installed, "INSTALLED"),
            (0 < self.quantity <= self.kitted, "KITTED"),
            (self.in_work, "WIP"),
            (self.unavailable, "UNAVAILABLE"),
        )
        return next((status for holds, status in rules if holds), "AVAILABLE")

    def newer_status(self) -> str:
        """The status by the newer manual. Of a row that was scrapped as a whole, the sandbox keeps no quantity."""
        rules = (
            (self.quantity <= 0 and self.installed > 0, "INSTALLED"),
            (self.scrapped > 0 and self.quantity <= self.scrapped, "SCRAPPED"),
            (self.quantity <= 0, "UNAVAILABLE"),
            (self.quantity <= self.installed, "INSTALLED"),
            (self.in_work, "WIP"),
            (self.quantity <= self.kitted, "KITTED"),
            (not self.received, "ON_ORDER"),
            (self.unavailable or self.held, "UNAVAILABLE"),
        )
        return next((status for holds, status in rules if holds), "AVAILABLE")


@dataclass
class Computed:
    """Keeps the computed values of a store of today's ION; `refresh` is to be called after each change."""

    store: Store
    #: The status computed last, by id, of the rows whose status is computed; not of those that have the world's own.
    _units: dict[int, str] = field(default_factory=dict)
    _orders: dict[int, str] = field(default_factory=dict)
    #: The quantity available, by id, of units that have none because of a quality hold.
    _withheld: dict[int, Any] = field(default_factory=dict)

    def begin(self) -> None:
        """Find out which rows have a computed status, and compute everything."""
        facts = self._facts()
        units = _reader(self.store.tables["PartInventory"], "id", "status")
        self._units = {key: status for key, status in units if status == facts[key].older_status()}
        orders = _reader(self.store.tables["PurchaseOrder"], "id", "status")
        self._orders = {key: status for key, status in orders if status is not None}
        self.refresh()

    def refresh(self) -> None:
        """Compute everything again."""
        self._inventory()
        self._purchasing()
        self._links()

    def _inventory(self) -> None:
        units, facts = self.store.tables["PartInventory"], self._facts()
        for key, now, free in _reader(units, "id", "status", "quantityAvailable"):
            if self._units.get(key) != now:
                self._units.pop(key, None)
                continue
            self._units[key] = status = facts[key].newer_status()
            values: dict[str, Any] = {"status": status}
            if facts[key].held and status == "UNAVAILABLE":
                self._withheld.setdefault(key, free)
                values["quantityAvailable"] = 0.0
            elif key in self._withheld:
                values["quantityAvailable"] = self._withheld.pop(key)
            _set(units, key, values)

    def _facts(self) -> dict[int, Facts]:
        tables = self.store.tables
        in_work = {
            unit
            for unit, status in _reader(tables["Run"], "partInventoryId", "status")
            if status is not None and status not in _CLOSED_RUNS
        }
        closed = {key for key, available in _reader(tables["Location"], "id", "available") if available is False}
        held = self._held()
        columns = (
            "id", "quantity", "quantityInstalled", "quantityKitted", "quantityScrapped", "received", "unavailable",
            "locationId",
        )  # fmt: skip
        return {
            key: Facts(
                quantity=quantity or 0.0,
                installed=installed or 0.0,
                kitted=kitted or 0.0,
                scrapped=scrapped or 0.0,
                received=received is not False,
                in_work=key in in_work,
                unavailable=unavailable is True or place in closed,
                held=key in held,
            )
            for key, quantity, installed, kitted, scrapped, received, unavailable, place in _reader(
                tables["PartInventory"], *columns
            )
        }

    def _held(self) -> set[int]:
        """Units that an issue holds: until it is resolved or permanently, as its disposition says."""
        tables = self.store.tables
        behaviour = dict(_reader(tables["IssueDispositionType"], "id", "inventoryAvailability"))
        holding = {
            key
            for key, disposition, status in _reader(tables["Issue"], "id", "issueDispositionTypeId", "status")
            if behaviour.get(disposition) == "PERMANENTLY_UNAVAILABLE"
            or (behaviour.get(disposition) == "RELEASED_ON_RESOLUTION" and status != "RESOLVED")
        }
        links = _reader(tables["IssuePartInventory"], "issueId", "partInventoryId")
        return {unit for issue, unit in links if issue in holding}

    def _purchasing(self) -> None:
        lines, orders = self.store.tables["PurchaseOrderLine"], self.store.tables["PurchaseOrder"]
        of_order: defaultdict[int, list[tuple[str, float, float]]] = defaultdict(list)
        columns = ("id", "purchaseOrderId", "status", "quantity", "receivedQuantity")
        for key, order, status, quantity, received in _reader(lines, *columns):
            now = "DRAFT" if status in _ORDER_STATUS else status
            if now != status:
                _set(lines, key, {"status": now})
            of_order[order].append((now, quantity or 0.0, received or 0.0))
        for key, status in _reader(orders, "id", "status"):
            if self._orders.get(key) != status:
                self._orders.pop(key, None)
            elif of_order[key]:
                self._orders[key] = _order_status(_ORDER_STATUS.get(status, status), of_order[key])
                _set(orders, key, {"status": self._orders[key]})

    def _links(self) -> None:
        links = self.store.tables[_LINK]
        wanted = {
            (unit, requirement)
            for requirement, units in self.store.links.get(("BuildRequirement", "partInventories"), {}).items()
            for unit in units
            if requirement in self.store.tables["BuildRequirement"].rows
        }
        for key in links.rows.keys() - wanted:
            links.remove(key)
        for unit, requirement in sorted(wanted - links.rows.keys()):
            row: Row = [None] * len(links.node.slots)
            row[links.node.slots["partInventoryId"]], row[links.node.slots["buildRequirementId"]] = unit, requirement
            links.put(row)


def _order_status(status: str, lines: list[tuple[str, float, float]]) -> str:
    """The status of an order from its lines; while nothing is ordered it is the order's own."""
    counting = [(state, quantity, received) for state, quantity, received in lines if state != "CANCELED"]
    if not counting:
        return "CANCELED"
    if all(state == "RECEIVED" for state, _, _ in counting):
        return "RECEIVED"
    if any(state == "RECEIVED" or received > 0 for state, _, received in counting):
        return "PARTIALLY_RECEIVED"
    if any(state == "ORDERED" for state, _, _ in counting):
        return "ORDERED"
    return status


def _reader(table: Table, *columns: str) -> list[tuple[Any, ...]]:
    """The values of some columns of all rows, also of those that are withheld."""
    slots = [table.node.slots[name] for name in columns]
    return [tuple(row[slot] for slot in slots) for row in (*table.rows.values(), *table.withheld.values())]


def _set(table: Table, key: Any, values: dict[str, Any]) -> None:
    """Set computed columns, without a trace in the row's system fields."""
    row = table.stored(key)
    if any(row[table.node.slots[name]] != value for name, value in values.items()):
        changed = list(row)
        for name, value in values.items():
            changed[table.node.slots[name]] = value
        table.put(changed)
