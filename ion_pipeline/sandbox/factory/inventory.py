"""Inventory: units and lots, the columns that ION computes, and splitting, merging, scrapping and picking."""

from datetime import datetime
from typing import Any

from ion_pipeline.sandbox.factory.context import Factory, Stock
from ion_pipeline.sandbox.factory.store import Row


def new_inventory(
    f: Factory,
    part: Row,
    when: datetime,
    by: int,
    *,
    quantity: float = 1.0,
    serial: str | None = None,
    lot: str | None = None,
    received: bool = True,
    origin: Row | None = None,
    **more: Any,
) -> Row:
    """Creates a part inventory; `more` overrides or adds columns."""
    fields: dict[str, Any] = {
        "partId": part["id"],
        "quantity": quantity,
        "quantityScrapped": 0.0,
        "serialNumber": serial,
        "lotNumber": lot,
        "locationId": f.rng.choice(f.ref.shelves) if received else None,
        "originPartInventoryId": origin["id"] if origin else None,
        "unitOfMeasureId": part.get("unitOfMeasureId"),
        "trackingType": part.get("trackingType"),
        "cost": part.get("cost"),
        "estimatedTotalCost": (part.get("cost") or 0.0) * quantity,
        "quantityInstalled": 0.0,
        "quantityKitted": 0.0,
        "quantityIssued": 0.0,
        "received": received,
        "unavailable": False,
        "identifiable": serial is not None or lot is not None,
        "identity": serial or lot,
    }
    fields.update(more)
    row = f.store.add("partInventories", when, by, **fields)
    refresh(row, f.stock)
    return row


def refresh(row: Row, stock: Stock) -> None:
    """Sets the columns that ION computes from others (vendor manual: inventory status and quantities are computed)."""
    quantity, installed, kitted = row["quantity"], row["quantityInstalled"], row["quantityKitted"]
    row["installed"] = 0 < quantity <= installed
    row["kitted"] = 0 < quantity <= kitted
    if not row["received"]:
        status = "ON_ORDER"
    elif row["quantityScrapped"] > 0 and quantity <= 0:
        status = "SCRAPPED"
    elif row["installed"]:
        status = "INSTALLED"
    elif row["kitted"]:
        status = "KITTED"
    elif row["id"] in stock.wip:
        status = "WIP"
    elif row["unavailable"]:
        status = "UNAVAILABLE"
    else:
        status = "AVAILABLE"
    row["status"] = status
    free = status in ("AVAILABLE", "INSTALLED", "KITTED")
    row["quantityAvailable"] = max(quantity - installed - kitted, 0.0) if free else 0.0


def change(f: Factory, row: Row, when: datetime, by: int, /, **changes: Any) -> None:
    """Changes an inventory row and recomputes its computed columns."""
    f.store.touch(row, when, by, **changes)
    refresh(row, f.stock)


def put_away(f: Factory, number: str, row: Row) -> None:
    """Makes a row available for production."""
    f.stock.on_hand[number].append(row)
    f.stock.pieces[number] += row["quantityAvailable"]


def take(f: Factory, number: str, wanted: float) -> list[tuple[Row, float]]:
    """Picks stock of a part number, oldest first; the caller must install or kit it immediately.

    Returns:
        Rows and the quantity picked of each; in total at most `wanted`, less if there is not enough.
    """
    queue = f.stock.on_hand[number]
    taken: list[tuple[Row, float]] = []
    while queue and wanted > 1e-9:
        row = queue[0]
        free = row["quantityAvailable"]
        if row["status"] != "AVAILABLE" or free <= 1e-9:
            queue.popleft()
            continue
        amount = min(free, wanted)
        taken.append((row, amount))
        wanted = round(wanted - amount, 9)
        f.stock.pieces[number] -= amount
        if amount < free:
            break
        queue.popleft()
    return taken


def split(f: Factory, row: Row, amount: float, when: datetime, by: int, **more: Any) -> Row:
    """Splits an amount off a lot: the lot shrinks, and a new row with the same lot number points at it."""
    change(f, row, when, by, quantity=round(row["quantity"] - amount, 9))
    part = {"id": row["partId"], "trackingType": row["trackingType"], "cost": row["cost"],
            "unitOfMeasureId": row["unitOfMeasureId"]}  # fmt: skip
    kept = {"supplierId": row.get("supplierId"), "locationId": row.get("locationId")}
    return new_inventory(
        f, part, when, by, quantity=amount, lot=row["lotNumber"], origin=row, **{**kept, **more}
    )  # fmt: skip


def merge(f: Factory, rows: list[Row], when: datetime, by: int) -> Row:
    """Merges unused rows of one part: they are deleted, and a new row has their sum (ion-api: merging deletes)."""
    first = rows[0]
    part = {"id": first["partId"], "trackingType": first["trackingType"], "cost": first["cost"],
            "unitOfMeasureId": first["unitOfMeasureId"]}  # fmt: skip
    total = round(sum(row["quantity"] for row in rows), 9)
    for row in rows:
        f.store.delete("partInventories", row)
    return new_inventory(f, part, when, by, quantity=total, lot=first["lotNumber"], supplierId=first.get("supplierId"))


def scrap(f: Factory, row: Row, amount: float, when: datetime, by: int) -> None:
    """Scraps pieces, which reduces the remaining quantity."""
    change(f, row, when, by, quantity=round(row["quantity"] - amount, 9),
           quantityScrapped=round(row["quantityScrapped"] + amount, 9))  # fmt: skip


def next_serial(f: Factory, number: str) -> str:
    """The next serial number of a part number, unique across its revisions."""
    f.stock.serials[number] += 1
    return f"{number}-{f.stock.serials[number]:05d}"


def next_lot(f: Factory, number: str) -> str:
    """The next lot number of a part number."""
    f.stock.serials[number] += 1
    return f"L{number}-{f.stock.serials[number]:04d}"
