"""Helpers to plant situations with known outcomes, with parts that the simulated production never uses."""

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
    """Plants rows one after the other, each a few minutes later than the previous one.

    Attributes:
        clock: Instant of the latest row.
        truths: Expected answers, by name of the situation.
    """

    f: Factory
    clock: datetime
    truths: dict[str, Any] = field(default_factory=dict)

    @property
    def by(self) -> int:
        """The user who makes all changes."""
        return self.f.ref.people["operator"][0]

    def tick(self, **step: float) -> datetime:
        """Advances the clock, by default by five minutes, and returns the instant."""
        self.clock += timedelta(**step) if step else timedelta(minutes=5, microseconds=137)
        return self.clock

    def part(self, number: str, tracking: Tracking | None, description: str = "", unit: str = "each") -> Row:
        """Adds the next revision of a part number."""
        spec = PartSpec(number, description or f"planted {number}", tracking, 10.0, unit=unit)
        revisions = self.f.design.revisions.setdefault(number, [])
        row = new_revision(self.f.store, self.f.ref, spec, revisions, self.tick(), self.by)
        revisions.append(row)
        finish_revisions(revisions)
        return row

    def bom(self, part: Row, lines: Iterable[Line]) -> Bom:
        """Adds a released mBOM."""
        design = self.f.design
        bom = new_bom(self.f.store, design, part, list(lines), 1, "RELEASED", self.tick(), self.by)
        design.released[part["id"]] = bom
        return bom

    def unit(self, part: Row, serial: str, **more: Any) -> Row:
        """Adds a unit with a serial number."""
        return new_inventory(self.f, part, self.tick(), self.by, serial=serial, **more)

    def lot(self, part: Row, lot: str | None, quantity: float, **more: Any) -> Row:
        """Adds a lot, or an untracked quantity."""
        return new_inventory(self.f, part, self.tick(), self.by, lot=lot, quantity=quantity, **more)

    def needs(self, unit: Row, bom: Bom) -> list[Need]:
        """Adds a unit's requirements from an mBOM, in the mBOM's order."""
        return assembly.require_bom(self.f, unit, bom, self.tick(), self.by)

    def by_hand(self, unit: Row, part: Row, quantity: float = 1.0, **more: Any) -> Need:
        """Adds a requirement by hand."""
        return assembly.require(self.f, [unit], part, self.tick(), self.by, quantity=quantity, **more)

    def install(self, need: Need, child: Row, quantity: float = 1.0, place: str | None = None) -> Row:
        """Installs a child, on a designator if one is named."""
        designator = next((row for row in need.row["referenceDesignators"] if row["value"] == place), None)
        return assembly.install(self.f, need, child, quantity, self.tick(), self.by, designator)

    def recompute(self, row: Row, **changes: Any) -> Row:
        """Changes a row in a way that ION's rules would not allow, and recomputes it."""
        row.update(changes)
        refresh(row, self.f.stock)
        return row


def ids(rows: Iterable[Row]) -> list[int]:
    """Sorted ids."""
    return sorted(row["id"] for row in rows)
