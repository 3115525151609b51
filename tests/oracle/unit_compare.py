"""Comparison of two units, computed the obvious way: corresponding lines and kinds of difference, level by level."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle.bom import Bom
from tests.oracle.unit_lines import Built, UnitLine
from tests.oracle.world import Row

# Keys in which two lines may agree, best first. A line without a designator agrees in `place` but not in `name`.
AGREEMENTS = (
    ("planned", "place", "part"),
    ("planned", "place"),
    ("planned", "part", "amount"),
    ("planned", "part"),
    ("name", "part"),
    ("name",),
    ("required", "part", "amount"),
    ("required", "part"),
    ("required",),
    ("part", "amount"),
    ("part",),
)


@dataclass(frozen=True)
class Change:
    """One line that differs; a side is None where the line does not exist."""

    change: str
    before: UnitLine | None
    after: UnitLine | None
    path: str
    depth: int
    below: bool


def matched(before: list[UnitLine], after: list[UnitLine]) -> list[tuple[UnitLine | None, UnitLine | None]]:
    """Return each line with its partner on the other side, or None."""
    pairs: list[tuple[UnitLine | None, UnitLine | None]] = []
    left, right = list(before), list(after)
    for agreement in AGREEMENTS:
        groups: dict[object, tuple[list[UnitLine], list[UnitLine]]] = {}
        for side, lines in enumerate((left, right)):
            for line in lines:
                key = _agreed(line, agreement)
                if key is not None:
                    groups.setdefault(key, ([], []))[side].append(line)
        for ours, theirs in groups.values():
            for pair in zip(sorted(ours, key=_order), sorted(theirs, key=_order), strict=False):
                pairs.append(pair)
                left.remove(pair[0])
                right.remove(pair[1])
    return [*pairs, *((line, None) for line in left), *((None, line) for line in right)]


def named(before: UnitLine | None, after: UnitLine | None) -> str | None:
    """Return the kind of difference between two partners; None where the line itself is equal."""
    if before is None or after is None:
        return "installed" if before is None else "missing"
    if before.part != after.part:
        return "substitute" if before.substitute or after.substitute else "replaced"
    differences = {
        "other_revision": before.revisions != after.revisions,
        "moved": not _same_line(before, after),
        "designator_changed": before.place != after.place,
        "quantity_changed": _differ(before.quantity, after.quantity),
    }
    return next((name for name, differs in differences.items() if differs), None)


def compare(built: Built, a: int, b: int, path: str, depth: int = 1) -> Iterator[Change]:
    """Yield all differences between two units, at every level."""
    if a == b or built.configuration(a) == built.configuration(b):
        return
    for before, after in matched(built.lines(a), built.lines(b)):
        change = named(before, after)
        line = after or before
        assert line is not None
        below = differs_below(built, before, after)
        here = f"{path} > {line.label}"
        if change is not None:
            yield Change(change, before, after, here, depth, below)
        if below and before is not None and after is not None:
            for one, other in _opposite(built, before, after):
                yield from compare(built, one, other, here, depth + 1)


def differs_below(built: Built, before: UnitLine | None, after: UnitLine | None) -> bool:
    """Whether the units on two lines of one part have different configurations."""
    if before is None or after is None or before.part != after.part:
        return False
    return {built.configuration(u) for u in before.units} != {built.configuration(u) for u in after.units}


def unit_changes(bom: Bom, built: Built) -> list[Row]:
    """Rows of ``abom_unit_changes``: each serial compared with the last one of its part number built before it."""
    of_part: dict[str, list[int]] = {}
    for unit in sorted(bom.units, key=lambda unit: (bom.units[unit]["_created"], unit)):
        label = bom.label(unit)
        if label["tracking_type"] == "SERIAL" and label["part_number"] is not None and built.has_lines(unit):
            of_part.setdefault(label["part_number"], []).append(unit)
    found = []
    for units in of_part.values():
        for previous, unit in itertools.pairwise(units):
            if built.configuration(previous) == built.configuration(unit):
                continue
            for before, after in matched(built.lines(previous), built.lines(unit)):
                change, below = named(before, after), differs_below(built, before, after)
                if change is not None or below:
                    found.append(_row(unit, previous, Change(change or "indirect", before, after, "", 1, below)))
    return found


def _row(unit: int, previous: int, change: Change) -> Row:
    before, after = change.before, change.after
    return {
        "part_inventory_id": unit,
        "previous_part_inventory_id": previous,
        "changed_line_key": f"{before.key if before else ''} > {after.key if after else ''}",
        **change_columns(change),
        "is_changed_below": change.below,
    }


def change_columns(change: Change) -> Row:
    """The columns of a changed line that the oracle computes."""
    found: Row = {"change": change.change}
    for side, line in (("before", change.before), ("after", change.after)):
        units = line.units if line else []
        found |= {
            f"part_number_{side}": line.part if line else None,
            f"part_revision_{side}": " … ".join(line.revisions) or None if line else None,
            f"part_inventory_id_{side}": units[0] if len(units) == 1 else None,
            f"quantity_{side}": line.quantity if line else Fraction(0),
            f"reference_designator_{side}": line.designator if line else None,
            f"build_requirement_id_{side}": line.requirement if line else None,
        }
    return found


def _agreed(line: UnitLine, agreement: tuple[str, ...]) -> object:
    values = {
        "planned": line.planned,
        "place": line.place or "",
        "name": line.place,
        "part": line.part,
        "required": None if line.required_part is None else (line.planned[0], line.required_part),
        "amount": None if line.quantity is None else f"{float(line.quantity):.9g}",
    }
    key = tuple(values[name] for name in agreement)
    return None if None in key else (agreement, key)


def _order(line: UnitLine) -> tuple[object, ...]:
    amount = (1, 0) if line.quantity is None else (0, -float(line.quantity))
    name = (1, "") if line.place is None else (0, line.place)
    return (amount, name, line.requirement, line.part)


def _same_line(before: UnitLine, after: UnitLine) -> bool:
    if before.planned == after.planned or (before.place is not None and before.place == after.place):
        return True
    if before.required_part != after.required_part:
        return False
    if before.mbom is None or after.mbom is None:
        return before.mbom is after.mbom
    return before.mbom != after.mbom


def _differ(before: Fraction | None, after: Fraction | None) -> bool:
    if before is None or after is None:
        return before is not after
    return abs(before - after) > Fraction(1, 10**9) * abs(before)


def _opposite(built: Built, before: UnitLine, after: UnitLine) -> Iterator[tuple[int, int]]:
    """Pair the units of two lines: equal configurations are left out, and the last unit of the shorter side repeats."""
    sides = []
    for line, other in ((before, after), (after, before)):
        theirs = {built.configuration(unit) for unit in other.units}
        one_of_each: dict[object, int] = {}
        for unit in line.units:
            one_of_each.setdefault(built.configuration(unit), unit)
        unlike = [unit for configuration, unit in one_of_each.items() if configuration not in theirs]
        sides.append(sorted(unlike) or [min(one_of_each.values())])
    ours, theirs_ = sides
    for place in range(max(len(ours), len(theirs_))):
        yield ours[min(place, len(ours) - 1)], theirs_[min(place, len(theirs_) - 1)]
