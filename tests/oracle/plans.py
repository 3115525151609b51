"""Planned BOMs (mBOMs), computed the obvious way: content of versions, pairing of lines, and trees.

Instants may be of any comparable type.  The loads of a tenant are a list of (instant, world).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.oracle.designators import places_of
from tests.oracle.lines import rows
from tests.oracle.world import World

Change = tuple[str, int | None, int | None, Any, Any]
"""Class, line before, line after, value before, value after."""


@dataclass(frozen=True)
class PlanLine:
    """One line of an mBOM; ``written`` are its designators as written in ION."""

    item: int
    part: int
    quantity: float
    made_on_assembly: bool
    written: frozenset[str]
    substitutes: frozenset[int]

    @cached_property
    def designators(self) -> frozenset[str]:
        """The places that the designators name."""
        return frozenset(place for text in self.written for place in places_of(text))

    @property
    def content(self) -> tuple[Any, ...]:
        """All fields except the id, in sortable form."""
        return (self.part, self.quantity, self.made_on_assembly, sorted(self.designators), sorted(self.substitutes))


@dataclass(frozen=True)
class Plan:
    """One mBOM version."""

    mbom: int
    part: int
    version: int
    status: str
    created: Any
    updated: Any
    lines: tuple[PlanLine, ...]


def plans(world: World) -> dict[int, Plan]:
    """All versions of a world, without lines marked as deleted."""
    of_mbom: dict[int, list[PlanLine]] = {}
    for row in rows(world, "mbomItems"):
        line = PlanLine(
            row["id"],
            row["partId"],
            row["quantity"],
            bool(row.get("madeOnAssembly")),
            frozenset(d["value"] for d in rows(world, "mbomItemReferenceDesignators") if d["mbomItemId"] == row["id"]),
            frozenset(s["partId"] for s in rows(world, "mbomSubstitutes") if s["mbomItemId"] == row["id"]),
        )
        if not row.get("_deleted"):
            of_mbom.setdefault(row["mbomId"], []).append(line)
    return {
        row["id"]: Plan(
            row["id"],
            row["partId"],
            row["version"],
            row["status"],
            row["_created"],
            row["_updated"],
            tuple(of_mbom.get(row["id"], ())),
        )
        for row in rows(world, "mboms")
    }


def families(world: World) -> dict[int, str]:
    """The family of each part revision, given by its part number."""
    return {row["id"]: row["partNumber"] for row in rows(world, "parts")}


def paired(
    before: Sequence[PlanLine], after: Sequence[PlanLine], family: Mapping[int, str]
) -> Iterator[tuple[PlanLine | None, PlanLine | None]]:
    """Yield each line of both sides once, with its partner on the other side."""
    left, right = list(before), list(after)

    def distance(one: PlanLine, other: PlanLine) -> tuple[Any, ...] | None:
        in_common = len(one.designators & other.designators)
        if one.item != other.item and not in_common:
            return None
        return (
            one.item != other.item,
            one.part != other.part,
            family[one.part] != family[other.part],
            -in_common if one.item != other.item else 0,
        )

    def nearest(one: PlanLine, others: Iterable[PlanLine]) -> PlanLine | None:
        near = [(away, other.item, other) for other in others if (away := distance(one, other)) is not None]
        return min(near, key=lambda entry: entry[:2])[2] if near else None

    mutual = [
        (one, other) for one in left if (other := nearest(one, right)) is not None and nearest(other, left) is one
    ]
    yield from mutual
    left = [line for line in left if all(line is not one for one, _ in mutual)]
    right = [line for line in right if all(line is not other for _, other in mutual)]
    alike: tuple[Callable[[PlanLine], Any], ...] = (
        lambda line: (line.part, line.quantity),
        lambda line: line.part,
        lambda line: family[line.part],
    )
    for key in alike:
        for value in {key(line) for line in left} & {key(line) for line in right}:
            ones, others = (
                sorted((line for line in side if key(line) == value), key=lambda line: (line.quantity, line.item))
                for side in (left, right)
            )
            for one, other in zip(ones, others, strict=False):
                yield one, other
                left.remove(one)
                right.remove(other)
    yield from ((line, None) for line in left)
    yield from ((None, line) for line in right)


def own_changes(before: PlanLine | None, after: PlanLine | None, world: World) -> Iterator[Change]:
    """Yield the changes of the line itself."""
    parts = {row["id"]: row for row in rows(world, "parts")}
    if before is None or after is None:
        line = before or after
        assert line
        word = "added" if before is None else "removed"
        yield (
            word,
            before and before.item,
            after and after.item,
            before and before.quantity,
            after and after.quantity,
        )
        return
    items = (before.item, after.item)
    old, new = parts[before.part], parts[after.part]
    if old["id"] != new["id"]:
        same = old["partNumber"] == new["partNumber"]
        word, field = ("revision_changed", "revision") if same else ("part_replaced", "partNumber")
        yield (word, *items, old[field], new[field])
    if before.quantity != after.quantity:
        yield ("quantity_changed", *items, before.quantity, after.quantity)
    if before.made_on_assembly != after.made_on_assembly:
        yield ("made_on_assembly_changed", *items, before.made_on_assembly, after.made_on_assembly)
    for value in before.designators - after.designators:
        yield ("designator_removed", *items, value, None)
    for value in after.designators - before.designators:
        yield ("designator_added", *items, None, value)
    for part in before.substitutes - after.substitutes:
        yield ("substitute_removed", *items, parts[part]["partNumber"], None)
    for part in after.substitutes - before.substitutes:
        yield ("substitute_added", *items, None, parts[part]["partNumber"])


InForce = Callable[[int], Sequence[PlanLine]]
"""The lines of the plan in force of a part revision; none if it has no plan."""


def tree(lines: Sequence[PlanLine], below: InForce, above: tuple[int, ...] = ()) -> tuple[Any, ...]:
    """Lines with everything below them, in a form that is equal for equal content."""
    return tuple(
        sorted(
            (*line.content, tree(below(line.part), below, (*above, line.part)) if line.part not in above else ())
            for line in lines
        )
    )


def compared(
    before: tuple[Sequence[PlanLine], InForce], after: tuple[Sequence[PlanLine], InForce], world: World
) -> Counter[tuple[Any, ...]]:
    """Changes at every level: (kind, value before, value after, path of lines before, path of lines after)."""
    found: Counter[tuple[Any, ...]] = Counter()
    family = families(world)

    def gone(line: PlanLine, path: tuple[int, ...], side: int) -> None:
        for inner in (before, after)[side][1](line.part):
            one = (inner, None) if side == 0 else (None, inner)
            paths = ((*path, inner.item), ()) if side == 0 else ((), (*path, inner.item))
            record(one[0], one[1], *paths)
            gone(inner, (*path, inner.item), side)

    def record(one: PlanLine | None, other: PlanLine | None, path: tuple[int, ...], new: tuple[int, ...]) -> int:
        changes = [(word, old, now, path, new) for word, _, _, old, now in own_changes(one, other, world)]
        found.update(changes)
        return len(changes)

    def walk(old: Sequence[PlanLine], now: Sequence[PlanLine], path: tuple[int, ...], new: tuple[int, ...]) -> None:
        for one, other in paired(old, now, family):
            paths = ((*path, one.item) if one else (), (*new, other.item) if other else ())
            own = record(one, other, *paths)
            so_far = found.total()
            lines_below = (before[1](one.part) if one else (), after[1](other.part) if other else ())
            if one and other and family[one.part] == family[other.part] and all(lines_below):
                walk(*lines_below, *paths)
            else:
                for side, line in enumerate((one, other)):
                    if line:
                        gone(line, paths[side], side)
            if one and other and not own and found.total() > so_far:
                found["indirect", None, None, *paths] += 1

    walk(before[0], after[0], (), ())
    return found
