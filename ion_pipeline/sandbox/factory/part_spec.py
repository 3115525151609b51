"""Specifications of part numbers and of lines of their bills of material, as data."""

from dataclasses import dataclass
from typing import Literal

Tracking = Literal["SERIAL", "LOT"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a bill of material.

    Attributes:
        part: Part number.
        quantity: Quantity per piece of the parent; 0 means traceability only.
        designators: Reference designators; as many as the quantity, or none.
        substitutes: Part numbers that may replace it.
    """

    part: str
    quantity: float
    designators: tuple[str, ...] = ()
    substitutes: tuple[str, ...] = ()
    made_on_assembly: bool = False


@dataclass(frozen=True, slots=True)
class PartSpec:
    """A part number.

    Attributes:
        lines: Bill of material; a part with lines is made, a part without is bought.
        procedure: Key of the procedure that makes it; empty for bought parts.
        lot: Pieces that are made or bought at a time.
        revisions: Number of revisions at the start.
        lead_days: Calendar days from order to receipt.
    """

    number: str
    description: str
    tracking: Tracking | None
    cost: float
    lines: tuple[Line, ...] = ()
    procedure: str = ""
    lot: int = 1
    unit: str = "each"
    revisions: int = 1
    lead_days: int = 20
    subtype: str = "hardware"
    export_controlled: bool = False

    @property
    def is_made(self) -> bool:
        """Whether the factory makes the part."""
        return bool(self.lines)
