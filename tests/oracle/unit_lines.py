"""The lines of a world by which units are compared, and the content of each unit at every level.

A line is everything installed in a unit on one planned line, under one designator and of one part.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property

from tests.oracle.bom import Bom
from tests.oracle.designators import key_of
from tests.oracle.lines import rows
from tests.oracle.world import World


@dataclass(frozen=True)
class Piece:
    """One installation, with the attributes that a comparison uses; ``quantity`` is per piece of the parent."""

    parent: int
    child: int
    requirement: int
    origin: int | None
    mbom: int | None
    required_part: str | None
    designator: str | None
    part: str
    revision: str | None
    quantity: Fraction | None
    substitute: bool


@dataclass
class UnitLine:
    """All installations of one unit that form one line."""

    planned: tuple[str, int]
    place: str | None
    part: str
    pieces: list[Piece] = field(default_factory=list)

    @cached_property
    def quantity(self) -> Fraction | None:
        amounts = [piece.quantity for piece in self.pieces]
        return None if None in amounts else sum((a for a in amounts if a is not None), Fraction(0))

    @property
    def designator(self) -> str | None:
        """The designator as written in ION; the first of several spellings."""
        written = [p.designator for p in self.pieces if p.designator is not None]
        return min(written) if self.place is not None else None

    @property
    def requirement(self) -> int:
        return min(piece.requirement for piece in self.pieces)

    @property
    def mbom(self) -> int | None:
        return self.pieces[0].mbom

    @property
    def required_part(self) -> str | None:
        return min((p.required_part for p in self.pieces if p.required_part is not None), default=None)

    @property
    def revisions(self) -> tuple[str, ...]:
        found = sorted({piece.revision for piece in self.pieces if piece.revision is not None})
        return tuple(dict.fromkeys((found[0], found[-1]))) if found else ()

    @property
    def substitute(self) -> bool:
        return any(piece.substitute for piece in self.pieces)

    @property
    def units(self) -> list[int]:
        return sorted({piece.child for piece in self.pieces})

    @property
    def label(self) -> str:
        return (self.required_part or self.part) + (f" @{self.designator}" if self.designator is not None else "")

    @property
    def key(self) -> str:
        return f"{self.planned[0]}{self.planned[1]}@{self.place or ''}:{self.part}"


class Built:
    """The content of units by lines, and their configurations."""

    def __init__(self, pieces: Iterable[Piece], part_of: Mapping[int, object]) -> None:
        self._part_of = part_of
        self._pieces: dict[int, list[Piece]] = {}
        for piece in pieces:
            self._pieces.setdefault(piece.parent, []).append(piece)
        self._configurations: dict[int, object] = {}

    def pieces(self) -> Iterator[Piece]:
        return itertools.chain.from_iterable(self._pieces.values())

    def has_lines(self, unit: int) -> bool:
        return unit in self._pieces

    def lines(self, unit: int) -> list[UnitLine]:
        found: dict[object, UnitLine] = {}
        for piece in self._pieces.get(unit, ()):
            planned = ("r", piece.requirement) if piece.origin is None else ("m", piece.origin)
            where = key_of(piece.designator)
            line = UnitLine(planned, where, piece.part)
            found.setdefault((planned, where, piece.part), line).pieces.append(piece)
        return list(found.values())

    def configuration(self, unit: int) -> object:
        """The nested content of a unit: equal if and only if the configurations are equal. None for a leaf."""
        if unit not in self._pieces:
            return None
        if unit not in self._configurations:
            amounts: Counter[object] = Counter()
            unknown: set[object] = set()
            for piece in self._pieces[unit]:
                place = (self._part_of[piece.child], key_of(piece.designator), self.configuration(piece.child))
                amounts[place] += piece.quantity or 0
                if piece.quantity is None:
                    unknown.add(place)
            self._configurations[unit] = (
                self._part_of[unit],
                frozenset((place, None if place in unknown else f"{float(n):.9g}") for place, n in amounts.items()),
            )
        return self._configurations[unit]


def built(world: World, bom: Bom) -> Built:
    """Read a world's as-built record for comparing."""
    mbom_of = {row["id"]: row.get("mbomId") for row in rows(world, "mbomItems")}
    number_of = {part: row.get("partNumber") for part, row in bom.parts.items()}
    planned = {row["id"]: row.get("partId") for row in rows(world, "mbomItems")}
    named = {(row["mbomItemId"], row["partId"]) for row in rows(world, "mbomSubstitutes")}
    pieces = []
    for lines in bom.kept.values():
        for line in lines:
            if line.child is None:
                continue
            child = bom.label(line.child)
            required = number_of.get(line.part) if line.part is not None else None
            number = child["part_number"]
            pieces.append(
                Piece(
                    parent=line.parent,
                    child=line.child,
                    requirement=line.requirement,
                    origin=line.origin,
                    mbom=mbom_of.get(line.origin) if line.origin is not None else None,
                    required_part=required,
                    designator=line.designator,
                    # A part that ION withholds from the API key is identified by its id.
                    part=number or (f"part {child['part_id']}" if child["part_id"] is not None else "unit"),
                    revision=child["part_revision"],
                    quantity=bom.per_piece(line),
                    substitute=(line.origin, child["part_id"]) in named
                    and child["part_id"] != planned.get(line.origin),
                )
            )
    return Built(pieces, {unit: row["partId"] for unit, row in bom.units.items()})
