"""The as-built record over time: versions of units and what changed between them, from one world per load.

Computed load by load; `tests.oracle.changes` defines the changes of a line.
"""

from datetime import datetime
from typing import Any

from tests.oracle.bom import Bom
from tests.oracle.changes import Compared, compare_lines, row_of
from tests.oracle.lines import Generation
from tests.oracle.structure import Structures
from tests.oracle.world import Row, World


class History:
    """The history from the loads of one tenant; `add` the loads in their order."""

    def __init__(self, generation: Generation) -> None:
        self.changes: list[Row] = []
        self._generation: Generation = generation
        self._structures = Structures()
        self._last: Bom | None = None
        self._versions: dict[int, list[Row]] = {}
        self._standing: dict[int, Row] = {}
        self._had_lines: set[int] = set()

    @property
    def versions(self) -> list[Row]:
        """Rows of ``abom_versions``, with ``shape`` and ``shape_now`` in place of the hashes."""
        return [row for unit in sorted(self._had_lines) for row in self._versions[unit]]

    def add(self, at: datetime, world: World) -> None:
        """Add the world that a load at this instant read."""
        now, before = Bom.of(world, self._generation), self._last
        self._last = now
        shapes = self._structures.of(now)
        compared = {unit: compare_lines(before, now, unit) for unit in now.units if unit in self._versions and before}
        own = {unit for unit, found in compared.items() if found.changed}
        for unit in list(self._standing):
            if unit in own or unit not in now.units:
                self._standing.pop(unit)["valid_to"] = at
        for unit in now.units:
            if unit not in self._standing:
                self._begin(unit, at, shapes[unit])
            self._standing[unit]["shape_now"] = shapes[unit]
        if before:
            changed = _and_all_above(now, own | _remade(before, now))
            for unit, found in compared.items():
                self._note(unit, at, found, changed, (before, now))
        self._had_lines |= {line.parent for line in now.all_lines}

    def _begin(self, unit: int, at: datetime, shape: int) -> None:
        versions = self._versions.setdefault(unit, [])
        row = {"part_inventory_id": unit, "version_number": len(versions) + 1, "valid_from": at, "valid_to": None}
        self._standing[unit] = row | {"shape": shape}
        versions.append(self._standing[unit])

    def _note(self, unit: int, at: datetime, found: Compared, changed: set[int], boms: tuple[Bom, Bom]) -> None:
        place: dict[str, Any] = {
            "part_inventory_id": unit,
            "version_number": self._standing[unit]["version_number"],
            "changed_at": at,
        }
        indirect = [row_of("indirect", *boms, pair) for pair in found.unchanged if pair[1].child in changed]
        self.changes += [place | row for row in (*found.changed, *indirect)]


def _remade(before: Bom, now: Bom) -> set[int]:
    """Units whose part revision changed, and lots with content whose number of pieces changed."""
    found = set()
    for unit in before.units.keys() & now.units.keys():
        was, is_ = before.units[unit], now.units[unit]
        pieces = [
            row["quantity"] if bom.label(unit)["tracking_type"] == "LOT" else 1
            for bom, row in ((before, was), (now, is_))
        ]
        if was["partId"] != is_["partId"] or (pieces[0] != pieces[1] and now.lines_of(unit)):
            found.add(unit)
    return found


def _and_all_above(bom: Bom, units: set[int]) -> set[int]:
    """The units and all units that contain them, also through lines on cycles."""
    found = set(units)
    while more := {line.parent for line in bom.all_lines if line.child in found} - found:
        found |= more
    return found
