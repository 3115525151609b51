"""What today's ION records and earlier versions could not: added to a finished world of the factory.

Supplier parts, further actions, dispositions that hold inventory, an order in another unit than its inventory, and
steps nested five levels deep. Rows that the world has already keep their ids and all their facts.
"""

from datetime import date, datetime, timedelta
from typing import Any

from ion_pipeline.sandbox.factory.clock import at, iso
from ion_pipeline.sandbox.factory.store import Row
from ion_pipeline.sandbox.world import World

#: Steps nest up to five levels (ION's manual).
DEPTH = 5
#: Pieces in a box of the supplier.
PER_BOX = 100
_DAY = date(2026, 6, 29)
_SUPPLIER_PARTS = 12
_ON_RESOLUTION = ("RELEASED_ON_RESOLUTION", False)
_DISPOSITIONS = {
    "Scrap": ("PERMANENTLY_UNAVAILABLE", False),
    "Scrap (old form)": ("PERMANENTLY_UNAVAILABLE", False),
    "Use as is": ("AVAILABLE", True),
}
_ACTIONS = ("IN_PROGRESS", "IN_REVIEW", "RESOLVED", "CANCELED")


def add_today(world: World) -> None:
    """Adds today's facts to a world of the factory, and their expected answers to its truths under `today`."""
    adding = _Adding(world)
    for row in world.tables["issueDispositionTypes"]:
        row["inventoryAvailability"], row["autoResolve"] = _DISPOSITIONS.get(row["title"], _ON_RESOLUTION)
    box = adding.row("unitsOfMeasurement", type="box of 100")
    world.truths["today"] = {
        "supplier_parts": [row["id"] for row in _supplier_parts(adding, box)],
        "further_actions": [row["id"] for row in _further_actions(adding)],
        "line_in_boxes": _order_in_boxes(adding, box)["id"],
        "deep_run_steps": _deep_run(adding),
    }
    world.truths["rows"] = {root: len(rows) for root, rows in world.tables.items()}


class _Adding:
    """Adds rows with the next ids, as users of ION would on one day."""

    def __init__(self, world: World) -> None:
        self.tables = world.tables
        rows = [row for table in self.tables.values() for row in table]
        self._entity = int(max(row.get("entityId") or 0 for row in rows))
        self._ids = {
            root: max((row["id"] for row in table if isinstance(row.get("id"), int)), default=0)
            for root, table in self.tables.items()
        }
        self._session = max(
            int(session["id"]) for step in self.tables["runSteps"] for session in step.get("sessions") or ()
        )
        self._when = at(_DAY)
        self.by = next(row["id"] for row in self.tables["users"] if not row["deactivated"])

    def tick(self) -> datetime:
        """The next instant at which something is written."""
        self._when += timedelta(minutes=1)
        return self._when

    def row(self, root: str, *, has_entity: bool = False, **fields: Any) -> Row:
        """Adds a row; `has_entity` gives it a handle for comments and files."""
        self._ids[root] = self._ids.get(root, 0) + 1
        moment = iso(self.tick())
        row: Row = {"id": self._ids[root], "_created": moment, "_updated": moment, "_etag": f"{root}-today-{moment}"}
        if root not in ("supplierParts", "furtherActions"):
            row |= {"createdById": self.by, "updatedById": self.by}
        if has_entity:
            self._entity += 1
            row["entityId"] = self._entity
        row |= fields
        self.tables.setdefault(root, []).append(row)
        return row

    def session(self, step: Row, minutes: int) -> Row:
        """A finished session on a step."""
        self._session += 1
        begin = self.tick()
        return {
            "id": str(self._session), "runStepId": step["id"], "Created": iso(begin), "createdById": self.by,
            "checkIn": iso(begin), "checkOut": iso(begin + timedelta(minutes=minutes)), "duration": 60.0 * minutes,
            "eventType": "CHECK_OUT", "isValidGrouping": True, "_etag": f"session-{self._session:x}",
        }  # fmt: skip


def _supplier_parts(adding: _Adding, box: Row) -> list[Row]:
    supplier_of = {order["id"]: order["supplierId"] for order in adding.tables["purchaseOrders"]}
    bought = dict.fromkeys(
        (supplier_of[line["purchaseOrderId"]], line["partId"])
        for line in adding.tables["purchaseOrderLines"]
        if line["partId"] and supplier_of.get(line["purchaseOrderId"])
    )
    return [
        adding.row(
            "supplierParts", supplierId=supplier, partId=part, supplierPartNumber=f"S{supplier}-{part:05d}",
            unitOfMeasureId=box["id"] if place % 2 else None, conversionFactor=float(PER_BOX if place % 2 else 1),
        )
        for place, (supplier, part) in enumerate(list(bought)[:_SUPPLIER_PARTS])
    ]  # fmt: skip


def _further_actions(adding: _Adding) -> list[Row]:
    issues = adding.tables["issues"]
    approvers = [row["id"] for row in adding.tables["users"] if not row["deactivated"]]
    return [
        adding.row(
            "furtherActions", title=f"Find the cause of {issues[place]['title']}", status=status,
            problemStatement="The same defect came back.", analysisNotes=None if place == 0 else "Five times why.",
            resolution="The fixture was replaced." if status == "RESOLVED" else None, assignedToId=adding.by,
            issues=[{"id": issues[place]["id"]}, {"id": issues[place + 1]["id"]}],
            approvers=[{"id": user} for user in approvers[: 0 if status == "IN_PROGRESS" else 2]],
        )
        for place, status in enumerate(_ACTIONS)
    ]  # fmt: skip


def _order_in_boxes(adding: _Adding, box: Row) -> Row:
    """An order of two boxes, whose inventory is on order in pieces."""
    tables = adding.tables
    part = next(row for row in tables["parts"] if row.get("trackingType") is None and row.get("cost"))
    currency = next(row["id"] for row in tables["currencies"] if row["type"] == "USD")
    cost, arrival = 2 * PER_BOX * part["cost"], iso(at(_DAY + timedelta(days=21), 12))
    order = adding.row(
        "purchaseOrders", has_entity=True, supplierId=tables["suppliers"][0]["id"], status="ORDERED", isOpen=True,
        currencyId=currency, paid=False, approved=True, editable="false", orderedAt=iso(adding.tick()), cost=cost,
        estimatedCost=cost, estimatedTotalCost=cost, estimatedArrivalDate=arrival, needDate=arrival,
    )  # fmt: skip
    pieces = adding.row(
        "partInventories", has_entity=True, partId=part["id"], quantity=2.0 * PER_BOX, quantityScrapped=0.0,
        quantityInstalled=0.0, quantityKitted=0.0, quantityIssued=0.0, quantityAvailable=0.0, status="ON_ORDER",
        received=False, installed=False, kitted=False, unavailable=False, identifiable=False,
        supplierId=order["supplierId"], unitOfMeasureId=part.get("unitOfMeasureId"),
    )  # fmt: skip
    return adding.row(
        "purchaseOrderLines", has_entity=True, purchaseOrderId=order["id"], partId=part["id"], status="ORDERED",
        quantity=2.0, unitOfMeasureId=box["id"], inventoryQuantity=2.0 * PER_BOX, receivedQuantity=0.0, paid=False,
        cost=PER_BOX * part["cost"], estimatedCost=cost, isOpen=True, editable="false", position=0,
        estimatedArrivalDate=arrival, needDate=arrival, partInventories=[{"id": pieces["id"]}],
    )  # fmt: skip


def _deep_run(adding: _Adding) -> list[int]:
    """A finished run of steps that are nested as deep as ION allows; returns its steps, the outermost first."""
    procedure = adding.row(
        "procedures", has_entity=True, title="Nested five deep", version=1, status="RELEASED", type="BUILD",
        isLatestVersion=True, isLatestReleasedVersion=True, exportControlled=False, editable="false",
        family="Nested five deep", labels=[],
    )  # fmt: skip
    procedure["familyId"] = procedure["id"]
    run = adding.row(
        "runs", has_entity=True, title="Nested five deep", procedureId=procedure["id"], status="COMPLETE",
        percentComplete=100, isOpen=False, archived=False, batched=False, exportControlled=False,
    )  # fmt: skip
    parent = run_parent = None
    found = []
    for level in range(1, DEPTH + 1):
        step = adding.row(
            "steps", has_entity=True, procedureId=procedure["id"], title=f"Level {level}", version=1, type="CONTENT",
            position=0, parentId=parent, upstreamStepIds=[], downstreamStepIds=[], displayPdf=False, leadTime=3600,
            isLatestVersion=True, isStandardStep=False, isDerivedStep=False, approved=True, editable=False,
        )  # fmt: skip
        step["familyId"] = step["id"]
        run_step = adding.row(
            "runSteps", has_entity=True, runId=run["id"], title=f"Level {level}", type="CONTENT", status="COMPLETE",
            position=0, originStepId=step["id"], parentId=run_parent, upstreamStepIds=[], downstreamStepIds=[],
            displayPdf=False, isStandardStep=False, batched=False, leadTime=3600, completedById=adding.by,
            startedById=adding.by, startTime=iso(adding.tick()), endTime=iso(adding.tick()),
        )  # fmt: skip
        run_step["sessions"] = [adding.session(run_step, level)]
        parent, run_parent = step["id"], run_step["id"]
        found.append(run_step["id"])
    return found
