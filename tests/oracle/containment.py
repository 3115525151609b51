"""Which units contain a serial or lot, or something split off it, walked upwards along all installations."""

from dataclasses import dataclass

from tests.oracle.bom import Bom
from tests.oracle.lines import Generation, rows
from tests.oracle.world import World


@dataclass(frozen=True)
class Containing:
    """Units above the pieces of a number: all of them, and those that are installed in no tree."""

    all: set[int]
    top: set[int]

    def __bool__(self) -> bool:
        return bool(self.all)


def containing_units(world: World, generation: Generation) -> dict[tuple[str, str], Containing]:
    """For each part and serial or lot number, the units that contain one of its pieces. The pieces are left out."""
    bom = Bom.of(world, generation)
    above: dict[int, set[int]] = {}
    for line in bom.all_lines:
        if line.child is not None:
            above.setdefault(line.child, set()).add(line.parent)
    splits: dict[int, set[int]] = {}
    named: dict[tuple[str, str], set[int]] = {}
    for row in rows(world, "partInventories"):
        if row["id"] not in bom.units:
            continue
        if (origin := row.get("originPartInventoryId")) is not None:
            splits.setdefault(origin, set()).add(row["id"])
        label = bom.label(row["id"])
        part = label["part_number"] or ("" if label["part_id"] is None else f"part {label['part_id']}")
        for name in (label["serial_number"], label["lot_number"]):
            if name is not None:
                named.setdefault((part, name), set()).add(row["id"])
    found = {}
    for key, heads in named.items():
        pieces = _reached(heads, splits)
        units = _reached(pieces, above) - pieces
        tops = {unit for unit in units if unit not in bom.installed}
        found[key] = Containing(units, tops)
    return found


def _reached(start: set[int], edges: dict[int, set[int]]) -> set[int]:
    reached, waiting = set(start), list(start)
    while waiting:
        for unit in edges.get(waiting.pop(), ()):
            if unit not in reached:
                reached.add(unit)
                waiting.append(unit)
    return reached
