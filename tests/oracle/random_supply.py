"""Random supply: orders, receipts, kits, plans, versions of plans, runs and costs, added to random as-built worlds.

Situations that break sums are common: several units and currencies, part revisions, missing parts, costs and dates,
statuses that nobody knows, cancelled orders, cycles of plans, and quantities that ION does not have.
"""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.oracle.builder import WorldBuilder
from tests.oracle.random_worlds import ID_RANGE, random_world
from tests.oracle.world import World

_DAY = datetime(2026, 5, 4, 8, tzinfo=UTC)
_ADDED = (
    "unitsOfMeasurement", "currencies", "purchaseOrders", "purchaseOrderLines", "receipts", "receiptItems", "partKits",
    "partKitItems", "plans", "planInputs", "planItems", "procedures", "partProcedures", "runs", "runSteps",
    "mbomSubstitutes", "partAttributes", "planItemAllocations",
)  # fmt: skip
_STATUSES = {
    "inventory": ("AVAILABLE",) * 6 + ("UNAVAILABLE", "WIP", "KITTED", "INSTALLED", "SCRAPPED", "ON_ORDER"),
    "line": ("DRAFT", "ORDERED", "ORDERED", "ORDERED", "CANCELED", "RECEIVED", "SHIPPED"),
    "order": ("ORDERED", "ORDERED", "ORDERED", "CANCELED", "RECEIVED"),
    "run": ("TODO", "IN_PROGRESS", "COMPLETE", "CANCELED", "PARTIAL_COMPLETE", "HOLD", None, "PAUSED"),
    "kit": ("REQUESTED", "IN_PROGRESS", "CANCELED", "COMPLETED"),
    "plan": ("DRAFT", "IN_PROGRESS", "SCHEDULED", "COMPLETE"),
    "item": ("DRAFT", "SCHEDULED", "COMPLETE", None),
    "mbom": ("DRAFT", "RELEASED", "RELEASED", "ARCHIVED"),
}


def random_supply_world(seed: int, n: int) -> World:
    """Return ``n`` random worlds with supply in one, each in its own range of ids; equal arguments, equal results."""
    merged: World = {}
    for place in range(n):
        rng = random.Random(f"supply/{seed}/{place}")
        builder = WorldBuilder(1 + place * ID_RANGE)
        builder.world = random_world(rng, builder.first_id)
        builder.world |= {name: [] for name in _ADDED}
        _Supply(rng, builder).add()
        for name, rows in builder.world.items():
            if name != "users" or not place:
                merged.setdefault(name, []).extend(rows)
    return merged


class _Supply:
    """Adds rows of each kind to one world."""

    def __init__(self, rng: random.Random, builder: WorldBuilder) -> None:
        self.rng = rng
        self.builder = builder
        self.world = builder.world
        self.shown = [row["id"] for row in self.world["parts"]]

    def add(self) -> None:
        self._parts()
        self._plans_of_parts()
        self._inventories()
        self._orders()
        self._work()

    def part(self) -> int | None:
        """A part; rarely none, or one that the key may not see."""
        return self.rng.choice((None, 9999 + self.builder.first_id)) if self.rng.random() < 0.08 else self.any_part()

    def any_part(self) -> int:
        return int(self.rng.choice(self.shown))

    def when(self) -> str | None:
        """An instant; sometimes none."""
        return None if self.rng.random() < 0.2 else (_DAY + timedelta(days=self.rng.randint(-9, 40))).isoformat()

    def amount(self) -> float:
        return self.rng.choice((1.0, 2.0, 3.0, 5.0, 0.5, 10.0, 0.0))

    def _parts(self) -> None:
        units = [self.builder.add("unitsOfMeasurement", type=name) for name in ("each", "kg")]
        for name in ("USD", "EUR"):
            self.builder.add("currencies", type=name)
        for row in list(self.world["parts"]):
            row |= {
                "unitOfMeasureId": self.rng.choice((units[0], units[0], units[0], units[1], None)),
                "cost": self.rng.choice((None, 0.0, 2.5, 10.0)),
                "sourcingStrategy": self.rng.choice(("MAKE", "BUY", None)),
            }
            for revision in "BC"[: self.rng.choice((0, 0, 1, 2))]:
                made = self.builder.add(
                    "parts",
                    **{name: value for name, value in row.items() if name not in ("id", "entityId", "revision")},
                    revision=revision,
                    revisedFromId=row["id"],
                    entityId=row["id"],
                )
                self.shown.append(made)
                self.world["parts"][-1]["unitOfMeasureId"] = self.rng.choice((row["unitOfMeasureId"], units[1]))
            if self.rng.random() < 0.3:
                self.world["partAttributes"].append(
                    {"partId": row["id"], "key": "Notable assembly", "type": "STRING", "value": f"NA-{row['id']}"}
                )

    def _inventories(self) -> None:
        for _ in range(self.rng.randint(4, 12)):
            self.builder.unit(self.any_part(), self.amount())
        units = [row["id"] for row in self.world["unitsOfMeasurement"]]
        for row in self.world["partInventories"]:
            row |= {
                "status": self.rng.choice(_STATUSES["inventory"]),
                "unitOfMeasureId": self.rng.choice((None, None, None, *units)),
                "quantityInstalled": self.rng.choice((0.0, 0.0, 1.0, None)),
                "quantityAvailable": self.rng.choice((row["quantity"], row["quantity"], 0.0, None)),
            }
            if self.rng.random() < 0.1:
                row["partId"] = self.part()
            if self.rng.random() < 0.2:
                row["originPartInventoryId"] = self.rng.choice(self.world["partInventories"])["id"]

    def _plans_of_parts(self) -> None:
        for part in self.shown:
            for version in range(self.rng.choice((0, 1, 1, 2))):
                status = self.rng.choice(_STATUSES["mbom"])
                mbom = self.builder.add("mboms", partId=part, version=version + 2, status=status, entityId=float(part))
                for _ in range(self.rng.randint(0, 3)):
                    self._line(part, mbom)

    def _line(self, part: int, mbom: int) -> None:
        deeper = [one for one in self.shown if one > part]
        item = self.builder.add(
            "mbomItems",
            mbomId=mbom,
            partId=self.rng.choice(deeper) if deeper and self.rng.random() < 0.93 else self.any_part(),
            quantity=self.rng.choice((1.0, 2.0, 4.0, 0.5, 0.0)),
            madeOnAssembly=self.rng.random() < 0.2,
            _deleted=self.rng.random() < 0.1,
        )
        for _ in range(self.rng.choice((0, 1, 2, 3))):
            substitute = self.any_part()
            self.builder.add("mbomSubstitutes", mbomItemId=item, partId=substitute)
            self.builder.unit(substitute, self.amount())

    def _orders(self) -> None:
        currencies = [row["id"] for row in self.world["currencies"]]
        for _ in range(self.rng.randint(1, 4)):
            order = self.builder.add(
                "purchaseOrders",
                status=self.rng.choice(_STATUSES["order"]),
                currencyId=self.rng.choice((*currencies, currencies[0], None)),
                isOpen=True,
                orderedAt=self.when(),
                needDate=self.when(),
                estimatedArrivalDate=self.when(),
            )
            for _ in range(self.rng.randint(1, 3)):
                self._order_line(order)

    def _order_line(self, order: int) -> None:
        quantity = self.amount()
        line = self.builder.add(
            "purchaseOrderLines",
            purchaseOrderId=order,
            partId=self.part(),
            status=self.rng.choice(_STATUSES["line"]),
            quantity=quantity,
            inventoryQuantity=self.rng.choice((quantity, quantity, quantity * 100, 0.0, None)),
            cost=self.rng.choice((None, 0.0, 4.0, 30.0)),
            isOpen=True,
            needDate=self.when(),
            estimatedArrivalDate=self.when(),
        )
        units = [row for row in self.world["partInventories"] if row["partId"] is not None]
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            receipt = self.builder.add("receipts", receivedAt=(_DAY + timedelta(hours=line % 200)).isoformat())
            self.builder.add(
                "receiptItems",
                receiptId=receipt,
                purchaseOrderLineId=self.rng.choice((line, line, line, None)),
                partInventoryId=self.rng.choice(units)["id"],
                quantity=self.rng.choice((quantity, quantity / 2, 1.0)),
            )

    def _work(self) -> None:
        pick, rng = self.builder.add, self.rng
        for number in range(rng.randint(0, 4)):
            family = pick("procedures", title=f"Procedure {number}", version=1, status="RELEASED", familyId=0)
            self.world["procedures"][-1]["familyId"] = family
            versions = [family]
            versions += [
                pick("procedures", title="Newer", version=version + 2, status="DRAFT", familyId=family)
                for version in range(rng.choice((0, 1, 2)))
            ]
            for part in rng.sample(self.shown, min(2, len(self.shown))):
                for procedure in rng.sample(versions, rng.randint(1, len(versions))):
                    pick("partProcedures", partId=str(part), procedureId=str(procedure), status="APPROVED")
        for _ in range(rng.randint(1, 6)):
            self._run()
        for _ in range(rng.randint(0, 3)):
            run = rng.choice(self.world["runs"])["id"]
            kit = pick("partKits", status=rng.choice(_STATUSES["kit"]), runId=rng.choice((run, None)))
            for _ in range(rng.randint(1, 3)):
                wanted = self.amount()
                got = rng.choice((0.0, wanted, wanted / 2, None))
                pick("partKitItems", partKitId=kit, partId=self.part(), quantity=wanted, quantityFulfilled=got)
        for _ in range(rng.randint(0, 3)):
            plan = pick("plans", name="Plan", status=rng.choice(_STATUSES["plan"]))
            for _ in range(rng.randint(1, 3)):
                wanted = rng.randint(1, 6)
                done = rng.choice((0, wanted, 1))
                pick("planInputs", planId=plan, partId=self.part(), quantity=wanted, completedQuantity=done,
                     dueDate=(_DAY + timedelta(days=wanted)).isoformat())  # fmt: skip
        for _ in range(rng.randint(0, 5)):
            pick(
                "planItems",
                name="Item",
                partId=self.part(),
                quantity=rng.choice((1.0, 2.0, 10.0, None)),
                status=rng.choice(_STATUSES["item"]),
                startTime=self.when(),
                endTime=self.when(),
                runs=[{"id": row["id"]} for row in rng.sample(self.world["runs"], rng.choice((0, 0, 0, 1)))],
            )
        for child in self.world["planItems"]:
            parent = rng.choice(self.world["planItems"])
            if rng.random() < 0.3 and parent is not child:
                self.world["planItemAllocations"].append(
                    {"childPlanItemId": str(child["id"]), "parentPlanItemId": str(parent["id"]), "quantity": 1.0}
                )

    def _run(self) -> None:
        unit: dict[str, Any] = self.rng.choice((*self.world["partInventories"], {"id": None, "partId": None}))
        run = self.builder.add(
            "runs",
            title="Run",
            status=self.rng.choice(_STATUSES["run"]),
            partInventoryId=unit["id"],
            partId=self.rng.choice((unit["partId"], unit["partId"], self.part())),
            quantity=self.rng.choice((1, 3, None)),
            dueDate=self.when(),
            scheduledStart=self.when() if self.rng.random() < 0.3 else None,
            archived=False,
        )
        for _ in range(self.rng.randint(0, 2)):
            step = self.builder.add("runSteps", runId=run, title="Step", status="COMPLETE")
            self.world["runSteps"][-1]["sessions"] = [
                {
                    "id": f"{step}-{number}",
                    "checkIn": _DAY.isoformat(),
                    "checkOut": self.rng.choice((None, (_DAY + timedelta(minutes=30)).isoformat())),
                }
                for number in range(self.rng.randint(0, 2))
            ]
