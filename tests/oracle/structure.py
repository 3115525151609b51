"""Configurations: what a unit is made of, as a tuple of part revisions, quantities and designators all the way down.

Equal tuples are given one number, so that comparing configurations is comparing numbers however deep they are.
"""

from typing import Any

from tests.oracle.bom import Bom
from tests.oracle.designators import key_of


class Structures:
    """Numbers of configurations; the same configuration has the same number whenever and wherever it occurs."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Any, ...], int] = {}

    def of(self, bom: Bom) -> dict[int, int]:
        """Give the number of every unit's configuration."""
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
    """A quantity as a warehouse holds it: the double nearest to the exact value."""
    return None if value is None else float(value)
