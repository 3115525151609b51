"""Changes between the lines of one unit at two instants, computed line by line from the definitions.

Lines before are matched with lines after, rule by rule, in ascending order of installation id.  An unmatched line was
added or removed.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.oracle.bom import Bom
from tests.oracle.designators import key_of
from tests.oracle.lines import Line
from tests.oracle.world import Row

if TYPE_CHECKING:
    from collections.abc import Callable

Pair = tuple[Line, Line]


@dataclass(frozen=True)
class Compared:
    """Rows of changes, and the pairs of lines that did not change."""

    changed: list[Row]
    unchanged: list[Pair]


def compare_lines(before: Bom, after: Bom, unit: int) -> Compared:
    """Compare a unit's lines before and after, quarantined ones included."""
    old = sorted(before.lines_of(unit), key=_order)
    new = sorted(after.lines_of(unit), key=_order)
    were_filled = {_place(line) for line in old if line.child is not None}
    are_filled = {_place(line) for line in new if line.child is not None}
    there = ({_place(line) for line in old}, {_place(line) for line in new})
    left = dict.fromkeys(there[1], "open") | dict.fromkeys(are_filled, "filled")
    pairs = _matched(old, new, before, after, there)
    rows = [
        _row(kind, before, after, one, other)
        | {"requirement_after": left.get(_place(one), "gone") if kind == "moved" else None}
        for kind, one, other in pairs
        if kind != "unchanged"
    ]
    for line in old:
        if line.child is not None:
            row = _row("uninstalled", before, after, line, None)
            rows.append(row | {"requirement_after": left.get(_place(line), "gone")})
        elif _place(line) not in are_filled:
            rows.append(_row("requirement_removed", before, after, line, None))
    for line in new:
        if line.child is not None:
            rows.append(_row("installed", before, after, None, line))
        elif _place(line) not in were_filled:
            rows.append(_row("requirement_added", before, after, None, line))
    return Compared(rows, [(left, right) for kind, left, right in pairs if kind == "unchanged"])


def row_of(change: str, before: Bom, after: Bom, pair: Pair) -> Row:
    """Return the row for a pair of lines."""
    return _row(change, before, after, *pair)


def _matched(
    old: list[Line], new: list[Line], before: Bom, after: Bom, there: tuple[set[tuple[int, int]], set[tuple[int, int]]]
) -> list[tuple[str, Line, Line]]:
    """Match lines and remove them from both lists."""

    def family(line: Line, bom: Bom) -> str | None:
        return bom.family(bom.units[line.child]["partId"] if line.child is not None else line.part)

    def needed(line: Line) -> int | None:
        return line.part if line.child is None else None

    def same(left: Line, right: Line) -> bool:
        return (key_of(left.designator), left.child, needed(left)) == (
            key_of(right.designator),
            right.child,
            needed(right),
        )

    def both_filled(left: Line, right: Line) -> bool:
        return left.child is not None and right.child is not None

    def one_requirement(left: Line, right: Line) -> bool:
        return _place(left) == _place(right)

    def one_place(left: Line, right: Line) -> bool:
        return one_requirement(left, right) and key_of(left.designator) == key_of(right.designator)

    def one_family(left: Line, right: Line) -> bool:
        return family(left, before) == family(right, after)

    def made_again(left: Line, right: Line) -> bool:
        needs = [(line.generation, line.origin, line.part) for line in (left, right)]
        return needs[0] == needs[1] and _place(left) not in there[1] and _place(right) not in there[0]

    rules: list[tuple[str, Callable[[Line, Line], bool]]] = [
        ("kept", lambda a, b: a.installation == b.installation and one_requirement(a, b) and same(a, b)),
        ("kept", lambda a, b: one_requirement(a, b) and same(a, b)),
        ("kept", lambda a, b: a.generation != b.generation and same(a, b)),
        ("kept", lambda a, b: made_again(a, b) and same(a, b)),
        ("replaced", lambda a, b: both_filled(a, b) and one_place(a, b) and one_family(a, b)),
        ("replaced", lambda a, b: both_filled(a, b) and one_place(a, b)),
        ("moved", lambda a, b: both_filled(a, b) and one_requirement(a, b) and a.child == b.child),
        ("moved", lambda a, b: both_filled(a, b) and a.child == b.child),
        ("replaced", lambda a, b: both_filled(a, b) and one_requirement(a, b) and one_family(a, b)),
        ("replaced", lambda a, b: both_filled(a, b) and one_requirement(a, b)),
    ]  # fmt: skip
    found = []
    for kind, rule in rules:
        for left in list(old):
            right = next((line for line in new if rule(left, line)), None)
            if right is not None:
                old.remove(left)
                new.remove(right)
                found.append((_kept(left, right) if kind == "kept" else kind, left, right))
    return found


def _kept(left: Line, right: Line) -> str:
    same = (left.quantity, left.required) == (right.quantity, right.required)
    return "unchanged" if same else "quantity_changed"


def _place(line: Line) -> tuple[int, int]:
    """The requirement with its generation, because the ids of the two generations are independent."""
    return (line.generation, line.requirement)


def _order(line: Line) -> tuple[int, int]:
    return (-1 if line.installation is None else line.installation, line.requirement)


def _row(change: str, before: Bom, after: Bom, left: Line | None, right: Line | None) -> Row:
    return {
        "change": change,
        "requirement_after": None,
        **_side("before", before, left),
        **_side("after", after, right),
    }


def _side(suffix: str, bom: Bom, line: Line | None) -> Row:
    label = {} if line is None else bom.label(line.child, line.part)
    return {
        f"build_requirement_id_{suffix}": line and line.requirement,
        f"abom_installation_id_{suffix}": line and line.installation,
        f"part_inventory_id_{suffix}": line and line.child,
        f"reference_designator_{suffix}": line and line.designator,
        f"quantity_{suffix}": line and line.quantity,
        f"quantity_required_{suffix}": line and line.required,
        **{
            f"{name}_{suffix}": label.get(name)
            for name in ("part_id", "part_number", "part_revision", "serial_number", "lot_number")
        },
    }
