"""The as-built record, generation 2: requirements of units, and their installations."""

from dataclasses import dataclass
from datetime import datetime

from ion_pipeline.sandbox.factory.clock import iso
from ion_pipeline.sandbox.factory.context import Bom, BomLine, Factory
from ion_pipeline.sandbox.factory.inventory import change
from ion_pipeline.sandbox.factory.store import Row


@dataclass(slots=True)
class Need:
    """A requirement that may still get installations.

    Attributes:
        row: The buildRequirements row.
        line: The mBOM line that it comes from; None if it was added by hand.
        wanted: Pieces still to install, for all parent units together.
        free: Designators that are not used yet.
    """

    row: Row
    line: BomLine | None
    wanted: float
    free: list[Row]


def require(
    f: Factory,
    parents: list[Row],
    part: Row,
    when: datetime,
    by: int,
    *,
    line: BomLine | None = None,
    quantity: float = 1.0,
    fixed: float | None = None,
    designators: tuple[str, ...] = (),
    made_on_assembly: bool = False,
) -> Need:
    """Adds a requirement to units.

    `quantity` is per piece of the parent unit: a lot of 20 needs 20 times as much. `fixed` replaces it: the quantity of
    the requirement as a whole, however many units share it.
    """
    row = f.store.add(
        "buildRequirements", when, by, partId=part["id"], originMbomItemId=line.item["id"] if line else None,
        madeOnAssembly=made_on_assembly, quantityPerParentPartInventory=None if fixed is not None else quantity,
        fixedQuantityPerBuildRequirement=fixed, partInventories=[{"id": parent["id"]} for parent in parents],
    )  # fmt: skip
    row["referenceDesignators"] = [
        {
            "id": f.store.next_id("BuildRequirementReferenceDesignator"), "_created": iso(when), "_updated": iso(when),
            "_etag": f.store.etag(), "buildRequirementId": row["id"], "value": value,
        }
        for value in designators
    ]  # fmt: skip
    pieces = sum(parent["quantity"] for parent in parents)
    wanted = fixed if fixed is not None else round(quantity * pieces, 9)
    return Need(row, line, wanted, list(row["referenceDesignators"]))


def require_bom(f: Factory, unit: Row, bom: Bom, when: datetime, by: int) -> list[Need]:
    """Adds the requirements of an mBOM version to a unit: one for each line that is not deleted."""
    return [
        require(
            f,
            [unit],
            line.part,
            when,
            by,
            line=line,
            quantity=line.item["quantity"],
            designators=tuple(row["value"] for row in line.designators),
            made_on_assembly=line.item["madeOnAssembly"],
        )
        for line in bom.lines
        if not line.item["_deleted"]
    ]


def install(
    f: Factory, need: Need, child: Row, quantity: float, when: datetime, by: int, designator: Row | None = None
) -> Row:
    """Installs pieces of a unit or lot for a requirement."""
    row = f.store.add(
        "abomInstallations", when, by, buildRequirementId=need.row["id"], partInventoryId=child["id"],
        quantity=quantity, buildRequirementReferenceDesignatorId=designator["id"] if designator else None,
    )  # fmt: skip
    need.wanted = round(need.wanted - quantity, 9)
    change(f, child, when, by, quantityInstalled=round(child["quantityInstalled"] + quantity, 9))
    return row


def fill(f: Factory, need: Need, child: Row, quantity: float, when: datetime, by: int) -> None:
    """Installs pieces, with one row per piece as long as the requirement has free designators."""
    while need.free and quantity >= 1:
        install(f, need, child, 1.0, when, by, need.free.pop(0))
        quantity = round(quantity - 1.0, 9)
    if quantity > 0:
        install(f, need, child, quantity, when, by)


def uninstall(f: Factory, installation: Row, child: Row, when: datetime, by: int) -> None:
    """Removes a child: the installation's row is deleted, and the child is back in stock."""
    f.store.delete("abomInstallations", installation)
    change(f, child, when, by, quantityInstalled=round(child["quantityInstalled"] - installation["quantity"], 9))
