"""Tools for planting situations whose outcome is known, in parts of their own that daily production never touches."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ion_pipeline.sandbox.factory import assembly
from ion_pipeline.sandbox.factory.assembly import Need
from ion_pipeline.sandbox.factory.context import Bom, Factory
from ion_pipeline.sandbox.factory.engineering import finish_revisions, new_bom, new_revision
from ion_pipeline.sandbox.factory.inventory import new_inventory, refresh
from ion_pipeline.sandbox.factory.part_spec import Line, PartSpec, Tracking
from ion_pipeline.sandbox.factory.store import Row


@dataclass
class Planter:
    """Plants rows one after the other, each some minutes later than the one before.

    Attributes:
        clock: Instant of the next row.
        truths: Expected answers, by name of the situation.
    """

    f: Factory
    clock: datetime
    truths: dict[str, Any] = field(default_factory=dict)

    @property
    def by(self) -> int:
        """Who does it all."""
        return self.f.ref.people["operator"][0]

    def tick(self, **step: float) -> datetime:
        """The next instant, five minutes on unless told otherwise."""
        self.clock += timedelta(**step) if step else timedelta(minutes=5, microseconds=137)
        return self.clock

    def part(self, number: str, tracking: Tracking | None, description: str = "", unit: str = "each") -> Row:
        """The next revision of a part number."""
        spec = PartSpec(number, description or f"planted {number}", tracking, 10.0, unit=unit)
        revisions = self.f.design.revisions.setdefault(number, [])
        row = new_revision(self.f.store, self.f.ref, spec, revisions, self.tick(), self.by)
        revisions.append(row)
        finish_revisions(revisions)
        return row

    def bom(self, part: Row, lines: Iterable[Line]) -> Bom:
        """A released mBOM."""
        design = self.f.design
        bom = new_bom(self.f.store, design, part, list(lines), 1, "RELEASED", self.tick(), self.by)
        design.released[part["id"]] = bom
        return bom

    def unit(self, part: Row, serial: str, **more: Any) -> Row:
        """A serial unit."""
        return new_inventory(self.f, part, self.tick(), self.by, serial=serial, **more)

    def lot(self, part: Row, lot: str | None, quantity: float, **more: Any) -> Row:
        """A lot, or an untracked quantity."""
        return new_inventory(self.f, part, self.tick(), self.by, lot=lot, quantity=quantity, **more)

    def needs(self, unit: Row, bom: Bom) -> list[Need]:
        """A unit's requirements out of an mBOM, in the mBOM's order."""
        return assembly.require_bom(self.f, unit, bom, self.tick(), self.by)

    def by_hand(self, unit: Row, part: Row, quantity: float = 1.0, **more: Any) -> Need:
        """A requirement added by hand."""
        return assembly.require(self.f, [unit], part, self.tick(), self.by, quantity=quantity, **more)

    def install(self, need: Need, child: Row, quantity: float = 1.0, place: str | None = None) -> Row:
        """Installs a child, on a designator if one is named."""
        designator = next((row for row in need.row["referenceDesignators"] if row["value"] == place), None)
        return assembly.install(self.f, need, child, quantity, self.tick(), self.by, designator)

    def recompute(self, row: Row, **changes: Any) -> Row:
        """Bends a row into a shape that ION's own rules would not allow."""
        row.update(changes)
        refresh(row, self.f.stock)
        return row


def ids(rows: Iterable[Row]) -> list[int]:
    """Sorted ids."""
    return sorted(row["id"] for row in rows)
