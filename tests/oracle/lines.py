"""As-built lines: the common form of both generations of ION's as-built BOM.

A line means "this unit has that unit installed" or "this unit still needs that part".  In the oracle, only this module
knows the two generations (vendor manual: aBOM).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Literal

from tests.oracle.world import Row, World

Generation = Literal[1, 2, "both"]


@dataclass(frozen=True)
class Line:
    """One line of a unit's as-built record; ``child`` is None where the requirement is still open."""

    generation: int
    parent: int
    child: int | None
    requirement: int
    installation: int | None
    part: int | None
    origin: int | None
    designator: str | None
    quantity: Fraction | None
    required: Fraction | None
    made_on_assembly: bool
    installed_at: datetime | None
    installed_by: int | None


def lines(world: World, generation: Generation) -> list[Line]:
    """Return all lines of a world from one generation, or from ``both``.

    With ``both``, only generation 2 is used for a parent unit that has any requirement of generation 2.
    """
    if generation == 1:
        return list(_generation_1(world))
    if generation == 2:
        return list(_generation_2(world))
    told_by_2 = {link["id"] for row in rows(world, "buildRequirements") for link in row.get("partInventories") or ()}
    older = [line for line in _generation_1(world) if line.parent not in told_by_2]
    return [*_generation_2(world), *older]


def rows(world: World, name: str) -> list[Row]:
    """Rows of one root connection; none for an entity that the world does not contain."""
    return world.get(name, [])


def _generation_2(world: World) -> Iterator[Line]:
    units = {row["id"] for row in rows(world, "partInventories")}
    installed: dict[int | None, list[Row]] = {}
    for row in rows(world, "abomInstallations"):
        installed.setdefault(row.get("buildRequirementId"), []).append(row)
    for requirement in rows(world, "buildRequirements"):
        required = _first_number(
            requirement.get("quantityPerParentPartInventory"), requirement.get("fixedQuantityPerBuildRequirement")
        )
        designators = {d["id"]: d["value"] for d in requirement.get("referenceDesignators") or ()}
        parents = {link["id"] for link in requirement.get("partInventories") or ()} & units
        fillings = installed.get(requirement["id"], [])
        for parent in parents:
            common: dict[str, Any] = {
                "generation": 2,
                "parent": parent,
                "requirement": requirement["id"],
                "part": requirement.get("partId"),
                "origin": requirement.get("originMbomItemId"),
                "required": required,
                "made_on_assembly": bool(requirement.get("madeOnAssembly")),
            }
            if not fillings and required is not None and required > 0:
                yield _open(common)
            for row in fillings:
                if row.get("partInventoryId") in units:
                    designator = designators.get(row.get("buildRequirementReferenceDesignatorId"))
                    yield _filled(common, row, designator)


def _generation_1(world: World) -> Iterator[Line]:
    units = {row["id"] for row in rows(world, "partInventories")}
    items = {row["id"]: row for row in rows(world, "abomItems")}
    planned = {row["id"]: row for row in rows(world, "mbomItems")}
    # A lot installed in several places owns several items: each has the same children, which count once.
    held = {
        (items[edge["parentAbomItemId"]].get("partInventoryId"), edge["childAbomItemId"])
        for edge in rows(world, "aBomEdges")
        if edge["parentAbomItemId"] in items and edge["childAbomItemId"] in items
    }
    for parent, item_id in held:
        if parent not in units:
            continue
        item = items[item_id]
        required = _first_number(item.get("expectedQuantityPer"), item.get("expectedFixedQuantity"))
        common: dict[str, Any] = {
            "generation": 1,
            "parent": parent,
            "requirement": item_id,
            "part": item.get("partId"),
            "origin": item.get("originMbomItemId"),
            "required": required,
            "made_on_assembly": bool(planned.get(item.get("originMbomItemId"), {}).get("madeOnAssembly")),
        }
        if item.get("partInventoryId") in units:
            yield _filled(common, item, (item.get("referenceDesignator") or {}).get("value"))
        elif item.get("partInventoryId") is None and required is not None and required > 0:
            yield _open(common)


def _open(common: dict[str, Any]) -> Line:
    return Line(
        **common,
        child=None,
        installation=None,
        designator=None,
        quantity=Fraction(0),
        installed_at=None,
        installed_by=None,
    )


def _filled(common: dict[str, Any], row: Row, designator: str | None) -> Line:
    return Line(
        **common,
        child=row["partInventoryId"],
        installation=row["id"],
        designator=designator,
        quantity=number(row.get("quantity")),
        installed_at=_instant(row.get("_created")),
        installed_by=row.get("createdById"),
    )


def number(value: float | None) -> Fraction | None:
    """Return the exact value of a number; None stays None."""
    return None if value is None else Fraction(value)


def _first_number(*values: float | None) -> Fraction | None:
    return next((Fraction(value) for value in values if value is not None), None)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)
