"""A world's as-built record, indexed: lines by parent unit, cycles, and display labels.

It has the rules of a single line (quantity per piece, quarantined edges), but no traversal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle.lines import Generation, Line, lines, number, rows
from tests.oracle.world import Row, World


@dataclass(frozen=True)
class Bom:
    """A world's as-built record, indexed."""

    units: dict[int, Row]
    parts: dict[int, Row]
    all_lines: list[Line]
    by_parent: dict[int, list[Line]]
    kept: dict[int, list[Line]]
    cycles: set[tuple[int, int]]
    installed: set[int | None]

    @classmethod
    def of(cls, world: World, generation: Generation) -> "Bom":
        found = lines(world, generation)
        edges: dict[int, set[int]] = {}
        for line in found:
            if line.child is not None:
                edges.setdefault(line.parent, set()).add(line.child)
        cycles = quarantined(edges)
        by_parent: dict[int, list[Line]] = {}
        kept: dict[int, list[Line]] = {}
        for line in found:
            by_parent.setdefault(line.parent, []).append(line)
            if (line.parent, line.child) not in cycles:
                kept.setdefault(line.parent, []).append(line)
        return cls(
            units={row["id"]: row for row in rows(world, "partInventories")},
            parts={row["id"]: row for row in rows(world, "parts")},
            all_lines=found,
            by_parent=by_parent,
            kept=kept,
            cycles=cycles,
            installed={line.child for below in kept.values() for line in below},
        )

    def label(self, unit_id: int | None, part_id: int | None = None) -> Row:
        """Return the display columns of a unit, or of a part where there is no unit."""
        unit: Row = {"partId": part_id} if unit_id is None else self.units[unit_id]
        part = self.parts.get(unit["partId"], {})
        return {
            "part_id": unit["partId"],
            "part_number": part.get("partNumber"),
            "part_revision": part.get("revision"),
            "part_description": part.get("description"),
            "serial_number": unit.get("serialNumber"),
            "lot_number": unit.get("lotNumber"),
            "tracking_type": unit.get("trackingType") or part.get("trackingType"),
        }

    def lines_of(self, unit_id: int) -> list[Line]:
        """Return all lines of a unit, quarantined ones included."""
        return self.by_parent.get(unit_id, [])

    def family(self, part_id: int | None) -> str | None:
        """Return the part number of the first revision in the chain that a part belongs to."""
        part = self.parts.get(part_id)
        while part is not None and part.get("revisedFromId") in self.parts:
            part = self.parts[part["revisedFromId"]]
        return None if part is None else part["partNumber"]

    def per_piece(self, line: Line) -> Fraction | None:
        """Return the quantity of the line's child per piece of its parent; None where it is unknown."""
        if line.quantity is None or self.label(line.parent)["tracking_type"] != "LOT":
            return line.quantity
        held = number(self.units[line.parent].get("quantity"))
        return line.quantity / held if held else None


def quarantined(edges: Mapping[int, set[int]]) -> set[tuple[int, int]]:
    """Return the edges inside a strongly connected component, self loops included.

    An edge is on a cycle if and only if its end leads back to its start.
    """
    return {
        (parent, child)
        for child, reached in ((child, _reachable(edges, child)) for child in set().union(*edges.values()))
        for parent in reached
        if child in edges.get(parent, ())
    }


def _reachable(edges: Mapping[int, set[int]], start: int) -> set[int]:
    reached, waiting = {start}, [start]
    while waiting:
        new = edges.get(waiting.pop(), set()) - reached
        reached |= new
        waiting.extend(new)
    return reached
