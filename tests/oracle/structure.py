"""Configurations: the content of a unit as a nested tuple of part revisions, quantities and designators.

Equal tuples get the same number, so that configurations of any depth are compared by number.
"""

from typing import Any

from tests.oracle.bom import Bom
from tests.oracle.designators import key_of


class Structures:
    """Numbers of configurations; equal configurations have the same number at any time and place."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Any, ...], int] = {}

    def of(self, bom: Bom) -> dict[int, int]:
        """Return the number of every unit's configuration."""
        found: dict[int, int] = {}
        for unit in bom.units:
            self._number(bom, unit, found)
        return found

    def _number(self, bom: Bom, unit: int, found: dict[int, int]) -> int:
        if unit not in found:
            lines = []
            for line in bom.kept.get(unit, ()):
                if line.child is None:
                    lines.append(("open", line.part, _plain(line.required), None))
                else:
                    below = self._number(bom, line.child, found)
                    lines.append(("filled", below, _plain(bom.per_piece(line)), key_of(line.designator)))
            shape = (bom.units[unit]["partId"], *sorted(lines, key=repr))
            found[unit] = self._numbers.setdefault(shape, len(self._numbers))
        return found[unit]


def _plain(value: Any) -> float | None:
    """A quantity as stored in a warehouse: the double nearest to the exact value."""
    return None if value is None else float(value)
