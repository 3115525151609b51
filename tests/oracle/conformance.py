"""Units compared line by line with the plan that they were started with, computed the obvious way."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from tests.oracle.bom import Bom
from tests.oracle.designators import places_of
from tests.oracle.lines import Generation, Line, number, rows
from tests.oracle.plans import families
from tests.oracle.world import Row, World

_NINTH_DIGIT = Fraction(1, 10**9)


def conformance(world: World, generation: Generation) -> list[Row]:
    """Rows of ``abom_conformance``: one per unit and planned line, or unplanned installation."""
    bom = Bom.of(world, generation)
    found = []
    for unit, requirements in _requirements(world, generation, bom).items():
        lines = [line for line in bom.all_lines if line.parent == unit and line.child is not None]
        found += list(_planned(world, bom, unit, requirements, lines))
        origins = {requirement["id"]: requirement["origin"] for requirement in requirements}
        found += [_unplanned(unit, line) for line in lines if origins[line.requirement] is None]
    return found


def unit_conformance(world: World, generation: Generation) -> list[Row]:
    """Rows of ``unit_conformance``: one per unit that is in no other and has something installed or required.

    ``places`` are left out: they are texts.
    """
    bom = Bom.of(world, generation)
    lines: dict[int, list[Row]] = {}
    for row in conformance(world, generation):
        lines.setdefault(row["part_inventory_id"], []).append(row)
    versions = {row["id"]: row["version"] for row in rows(world, "mboms")}
    found = []
    for root in bom.units:
        if root in bom.installed or not (bom.kept.get(root) or lines.get(root)):
            continue
        members = _members(bom, root)
        compared = {unit: lines[unit] for unit in members if unit in lines}
        findings = {unit: Counter(_finding(line) for line in own) for unit, own in compared.items()}
        total = sum(findings.values(), Counter[str]())
        wrong = {unit: own.total() - sum(own[name] for name in _CONFORM) for unit, own in findings.items()}
        own_versions = [versions[line["mbom_id"]] for line in lines.get(root, ()) if line["mbom_id"] in versions]
        is_cut = any(parent in members for parent, _ in bom.cycles)
        found.append({
            "part_inventory_id": root,
            "mbom_version": max(own_versions, default=None),
            "verdict": "not_conforming" if any(wrong.values())
            else "not_known" if is_cut
            else "conforming" if own_versions
            else "no_plan",
            "unit_count": len(members),
            "compared_unit_count": len(compared),
            "nonconforming_unit_count": sum(count > 0 for count in wrong.values()),
            "line_count": total.total(),
            "nonconforming_line_count": sum(wrong.values()),
            "is_cut_off": is_cut,
            **{f"{name}_count": total[name] for name in sorted(_COUNTED)},
        })  # fmt: skip
    return found


_CONFORM = {"conforming", "conforming_substitute", "conforming_revision"}
_COUNTED = {
    "conforming_substitute", "conforming_revision", "missing", "short", "over", "wrong_part", "unplanned",
    "designator_mismatch",
}  # fmt: skip


def _members(bom: Bom, root: int) -> set[int]:
    members, waiting = {root}, [root]
    while waiting:
        for line in bom.kept.get(waiting.pop(), ()):
            if line.child is not None and line.child not in members:
                members.add(line.child)
                waiting.append(line.child)
    return members


def _finding(line: Row) -> str:
    misplaced = line["status"] in _CONFORM and line["designator_match"] == "mismatch"
    return "designator_mismatch" if misplaced else str(line["status"])


def _requirements(world: World, generation: Generation, bom: Bom) -> dict[int, list[Row]]:
    """Requirements of each unit: id, planned line (null if missing), whether fixed, and all units that share it."""
    planned = {row["id"] for row in rows(world, "mbomItems")}
    found: dict[int, list[Row]] = {}

    def add(parents: set[int], row: Row, per_unit: str, fixed: str) -> None:
        origin = row.get("originMbomItemId")
        requirement = {
            "id": row["id"],
            "origin": origin if origin in planned else None,
            "is_fixed": row.get(per_unit) is None and row.get(fixed) is not None,
            "parents": parents & bom.units.keys(),
        }
        for parent in requirement["parents"]:
            found.setdefault(parent, []).append(requirement)

    newer = set()
    if generation != 1:
        for row in rows(world, "buildRequirements"):
            parents = {link["id"] for link in row.get("partInventories") or ()}
            newer |= parents
            add(parents, row, "quantityPerParentPartInventory", "fixedQuantityPerBuildRequirement")
    if generation != 2:
        items = {row["id"]: row for row in rows(world, "abomItems")}
        parents_of: dict[int, set[int]] = {}
        for edge in rows(world, "aBomEdges"):
            above = items.get(edge["parentAbomItemId"], {}).get("partInventoryId")
            if above is not None and above not in newer:
                parents_of.setdefault(edge["childAbomItemId"], set()).add(above)
        for item, parents in parents_of.items():
            if item in items:
                add(parents, items[item], "expectedQuantityPer", "expectedFixedQuantity")
    return found


def _planned(world: World, bom: Bom, unit: int, requirements: list[Row], lines: list[Line]) -> Iterator[Row]:
    items = {row["id"]: row for row in rows(world, "mbomItems")}
    mboms = {row["id"]: row for row in rows(world, "mboms")}
    required: dict[int, list[Row]] = {}
    for requirement in requirements:
        if requirement["origin"] is not None:
            required.setdefault(requirement["origin"], []).append(requirement)
    newest: dict[int, Row] = {}
    for origin in required:
        if (mbom := mboms.get(items[origin]["mbomId"])) is not None:
            newest[mbom["partId"]] = max(newest.get(mbom["partId"], mbom), mbom, key=lambda row: row["version"])
    of_plan = {
        item
        for item, row in items.items()
        if not row.get("_deleted") and any(row["mbomId"] == mbom["id"] for mbom in newest.values())
    }
    for item in sorted(of_plan | required.keys()):
        own = required.get(item, [])
        pieces: Fraction | None = _pieces(bom, unit)
        if own:
            shares = [sum(_pieces(bom, parent) or 0 for parent in one["parents"]) for one in own]
            pieces = Fraction(1) if all(one["is_fixed"] for one in own) else Fraction(max(shares))
        ids = {one["id"] for one in own}
        on_line = [line for line in lines if line.requirement in ids]
        yield {"part_inventory_id": unit, **_line(world, bom, items[item], pieces, on_line)}


def _pieces(bom: Bom, unit: int) -> Fraction | None:
    return number(bom.units[unit].get("quantity")) if bom.label(unit)["tracking_type"] == "LOT" else Fraction(1)


def _line(world: World, bom: Bom, item: Row, pieces: Fraction | None, lines: list[Line]) -> Row:
    per_piece = Fraction(item["quantity"])
    planned = None if pieces is None else per_piece * pieces
    unknown = any(line.quantity is None for line in lines)
    installed = None if unknown else sum((line.quantity or Fraction(0) for line in lines), Fraction(0))
    named = [row["value"] for row in rows(world, "mbomItemReferenceDesignators") if row["mbomItemId"] == item["id"]]
    places = sorted({place for text in named for place in places_of(text)})
    filled = sorted({place for line in lines if line.designator is not None for place in places_of(line.designator)})
    kinds = [(_relation(world, bom, item, line), line.quantity) for line in lines]
    here = {kind for kind, quantity in kinds if quantity is None or quantity > 0}
    equal = planned is not None and installed is not None and abs(installed - planned) <= abs(planned) * _NINTH_DIGIT
    is_enough = equal or (planned is not None and installed is not None and installed > planned)
    match = _places_agree(places, lines, is_enough) if per_piece else None
    if per_piece == 0:
        status = "conforming"
    elif installed == 0 and not equal:
        status = "missing"
    elif "wrong" in here:
        status = "wrong_part"
    elif not equal:
        is_over = installed is not None and planned is not None and installed > planned
        status = "over" if is_over else "short"
    else:
        status = next((f"conforming_{kind}" for kind in ("substitute", "revision") if kind in here), "")
        status = status or ("designator_mismatch" if match == "mismatch" else "conforming")
    return {
        "line_key": f"m{item['id']}",
        "mbom_id": item["mbomId"],
        "mbom_item_id": item["id"],
        "part_id": item["partId"],
        "status": status,
        "quantity_planned": planned,
        "quantity_installed": installed,
        "quantity_difference": _less(planned, installed, equal),
        "quantity_substitute": _sum(kinds, "substitute"),
        "quantity_other_revision": _sum(kinds, "revision"),
        "quantity_wrong_part": _sum(kinds, "wrong"),
        "designators_planned": places,
        "designators_installed": filled,
        "designator_match": match,
    }


def _places_agree(planned: list[str], lines: list[Line], is_enough: bool) -> str | None:
    """Whether installations are in the planned places; None if nothing is installed."""
    if not lines:
        return None
    named = [places_of(line.designator or "") for line in lines]
    if any(place not in planned for places in named for place in places):
        return "mismatch"
    unused = [place for place in planned if not any(place in places for places in named)]
    if unused and [] in named:
        return "not_recorded"
    return "mismatch" if unused and is_enough else "match"


def _less(planned: Fraction | None, installed: Fraction | None, equal: bool) -> Fraction | None:
    if equal:
        return Fraction(0)
    return None if planned is None or installed is None else installed - planned


def _sum(kinds: list[tuple[str, Fraction | None]], wanted: str) -> Fraction:
    return sum((quantity for kind, quantity in kinds if kind == wanted and quantity is not None), Fraction(0))


def _relation(world: World, bom: Bom, item: Row, line: Line) -> str:
    part = bom.units[line.child or 0]["partId"]
    if part == item["partId"]:
        return "planned"
    if any(row["partId"] == part for row in rows(world, "mbomSubstitutes") if row["mbomItemId"] == item["id"]):
        return "substitute"
    family = families(world)
    return "revision" if family.get(part) == family.get(item["partId"]) is not None else "wrong"


def _unplanned(unit: int, line: Line) -> dict[str, Any]:
    return {
        "part_inventory_id": unit,
        "line_key": f"i{line.installation}",
        "mbom_id": None,
        "mbom_item_id": None,
        "status": "unplanned",
        "quantity_planned": None,
        "quantity_installed": line.quantity,
        "quantity_difference": line.quantity,
        "designators_planned": [],
        "designators_installed": [] if line.designator is None else places_of(line.designator),
        "designator_match": None,
    }
