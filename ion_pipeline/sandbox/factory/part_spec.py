"""What a part number and a line of its bill of material say, as data."""

from dataclasses import dataclass
from typing import Literal

Tracking = Literal["SERIAL", "LOT"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a bill of material.

    Attributes:
        part: Part number.
        quantity: Per one piece of the parent; 0 = trace only.
        designators: Places; as many as the quantity, or none.
        substitutes: Part numbers that may be used instead.
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
        lines: Bill of material; a part with lines is made, one without is bought.
        procedure: How it is made (a key of the procedures), empty for bought parts.
        lot: Pieces made or bought at a time.
        revisions: How many revisions there were at the start.
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
        """Whether the factory makes it itself."""
        return bool(self.lines)
