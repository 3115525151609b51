"""Comparison of a unit at one load with itself at another: both states are compared as two units of one record."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tests.oracle.bom import Bom
from tests.oracle.lines import Generation
from tests.oracle.structure import Structures
from tests.oracle.unit_compare import change_columns, compare
from tests.oracle.unit_lines import Built, Piece, built
from tests.oracle.world import Row, World


class Moments:
    """The units of one tenant at each load."""

    def __init__(self, worlds: Sequence[World], generation: Generation) -> None:
        structures = Structures()
        self._boms = [Bom.of(world, generation) for world in worlds]
        self._shapes = [structures.of(bom) for bom in self._boms]
        # A unit that holds something at any time is never a leaf.
        self._held = {line.parent for bom in self._boms for line in bom.all_lines}
        # Plans and substitutes are those of the last load.
        plans = {name: worlds[-1].get(name, []) for name in ("mbomItems", "mbomSubstitutes")}
        self._built = [built(world | plans, bom) for world, bom in zip(worlds, self._boms, strict=True)]

    def changes(self, unit: int, before: int, after: int) -> list[Row]:
        """Rows of ``abom_compare_as_of`` for two loads, given by position."""
        sides = ((before, 0), (after, 1))
        both = _Both(
            (_doubled(piece, side) for place, side in sides for piece in self._built[place].pieces()),
            {_double(u, side): shape for place, side in sides for u, shape in self._shapes[place].items()
             if u in self._held},
        )  # fmt: skip
        label = next(self._boms[place].label(unit) for place in (before, after) if unit in self._boms[place].units)
        return [
            _halved(change_columns(change)) | {"path_text": change.path, "depth": change.depth}
            for change in compare(both, _double(unit, 0), _double(unit, 1), label["part_number"])
        ]


class _Both(Built):
    """Two records in one, with equal configurations where their structures are equal."""

    def __init__(self, pieces: Iterable[Piece], shapes: dict[int, int]) -> None:
        super().__init__(pieces, {})
        self._shapes = shapes

    def configuration(self, unit: int) -> object:
        return self._shapes.get(unit)


def _double(unit: int, side: int) -> int:
    return 2 * unit + side


def _doubled(piece: Piece, side: int) -> Piece:
    return replace(piece, parent=_double(piece.parent, side), child=_double(piece.child, side))


def _halved(row: Row) -> Row:
    units = {name: row[name] and row[name] // 2 for name in ("part_inventory_id_before", "part_inventory_id_after")}
    return row | units
