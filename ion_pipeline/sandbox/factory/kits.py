"""Kits: the parts that are picked for a run, from request to delivery."""

from datetime import datetime

from ion_pipeline.sandbox.factory.context import Factory
from ion_pipeline.sandbox.factory.inventory import change
from ion_pipeline.sandbox.factory.store import Row

#: mBOM item, pieces wanted, inventory row, pieces issued from it.
Issued = tuple[Row, float, Row, float]


def new_kit(f: Factory, status: str, when: datetime, by: int, run: Row | None = None) -> Row:
    """Creates a kit without items."""
    done = status in ("COMPLETED", "DELIVERED")
    return f.store.add(
        "partKits", when, by, status=status, runId=run["id"] if run else None, assignedToId=by, fulfilled=done,
        percentFulfilled=100 if done else 0, percentKitted=100 if done else 0, locationId=f.ref.shelves[0],
        deliveryLocationId=f.ref.workcenters[0], labels=[{"id": f.ref.labels["urgent"]}] if run else [],
    )  # fmt: skip


def add_item(
    f: Factory, kit: Row, part: Row, wanted: float, picked: list[tuple[Row, float]], when: datetime, by: int,
    origin: Row | None = None,
) -> Row:  # fmt: skip
    """Adds a line to a kit; `picked` has inventory rows with issued quantities, `origin` is the line's mBOM item."""
    got = round(sum(amount for _, amount in picked), 9)
    return f.store.add(
        "partKitItems", when, by, partKitId=kit["id"], partId=part["id"], quantity=wanted, fulfilled=got >= wanted,
        quantityFulfilled=got, quantityUnfulfilled=round(max(wanted - got, 0.0), 9),
        originMbomItemId=origin["id"] if origin else None,
        partInventories=[{"id": row["id"], "issuedQuantity": amount} for row, amount in picked],
    )  # fmt: skip


def hold_for_kit(f: Factory, row: Row, amount: float, when: datetime, by: int) -> None:
    """Reserves inventory for a kit that is not used up yet."""
    change(
        f, row, when, by, quantityKitted=row["quantityKitted"] + amount, quantityIssued=row["quantityIssued"] + amount
    )


def kit_for_job(f: Factory, run: Row, lines: list[Issued], when: datetime, by: int) -> None:
    """Adds the kit of a job that has already used its parts: it is completed and used up."""
    kit = new_kit(f, "COMPLETED", when, by, run)
    for item, wanted, row, amount in lines:
        f.store.touch(row, when, by, quantityIssued=round(row["quantityIssued"] + amount, 9))
        add_item(f, kit, {"id": row["partId"]}, wanted, [(row, amount)], when, by, item)
