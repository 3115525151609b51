"""Counts the situations in a world that break genealogies.

The value of a random test depends on the content of its worlds; with these counts a test can assert that content.
"""

from collections import Counter
from collections.abc import Iterator

from tests.oracle.bom import Bom
from tests.oracle.genealogy import hierarchy, where_used
from tests.oracle.lines import Generation, lines, rows
from tests.oracle.world import World


def situations(world: World, generation: Generation) -> Counter[str]:
    """Count each situation in a world, read from one generation or from both."""
    bom = Bom.of(world, generation)
    return Counter(
        name
        for source in (_units(bom), _edges(bom), _trees(world, generation), _requirements(world), _generations(world))
        for name in source
    )


def _units(bom: Bom) -> Iterator[str]:
    on_cycle = {unit for edge in bom.cycles for unit in edge}
    below_cycle = {line.child for unit in on_cycle for line in bom.kept.get(unit, ())} - {None}
    for unit, row in bom.units.items():
        contents = [line for line in bom.kept.get(unit, ()) if line.child is not None]
        tracking = bom.label(unit)["tracking_type"]
        place = "installed" if unit in bom.installed else "root"
        if contents:
            yield f"{tracking or 'untracked'} parent, {place}"
            if not row["quantity"]:
                yield f"{tracking or 'untracked'} parent of quantity 0"
        elif unit not in bom.installed and unit not in bom.kept:
            yield "unit alone"
        if unit in below_cycle - on_cycle:
            yield "unit below a cycle"
            if any(line.child in on_cycle for line in contents):
                yield "unit between two cycles"
        if unit not in on_cycle and any(line.child in on_cycle for line in contents):
            yield "unit above a cycle"
        if unit in on_cycle and any(line.child in on_cycle for line in contents):
            yield "edge from one cycle to another"


def _edges(bom: Bom) -> Iterator[str]:
    pairs = Counter((line.parent, line.child) for line in bom.all_lines)
    for parent, child in bom.cycles:
        yield "self loop" if parent == child else "edge of a cycle"
    if len({line.generation for line in bom.all_lines if (line.parent, line.child) in bom.cycles}) > 1:
        yield "cycles of both generations"
    for line in bom.all_lines:
        if line.child is None:
            yield "open requirement"
            continue
        if pairs[line.parent, line.child] > 1:
            yield "unit installed twice in the same unit"
        if line.required is None:
            yield "installed without a required quantity"
        elif not line.required:
            yield "trace only, installed"
        if line.quantity is None:
            yield "installed quantity unknown"
        elif not line.quantity:
            yield "installed quantity 0"
        elif line.quantity.denominator > 1:
            yield "installed quantity not whole"
        if line.designator:
            yield "designator"
        if line.made_on_assembly:
            yield "made on assembly"


def _trees(world: World, generation: Generation) -> Iterator[str]:
    for row in hierarchy(world, generation):
        if row["depth"] >= 10:
            yield "ten levels deep"
        if row["is_open_requirement"] and row["depth"] > 1:
            yield "open requirement deep in a tree"
    for row in where_used(world, generation):
        if row["path_count"] > 1:
            yield "several paths"
        if row["path_count"] >= 32:
            yield "32 paths"
        if row["quantity_extended"] is None:
            yield "extended quantity unknown"
        if row["is_top_level"] and row["min_depth"] > 2:
            yield "top level far above"


def _requirements(world: World) -> Iterator[str]:
    known = {row["id"] for row in rows(world, "buildRequirements")}
    filled = Counter(row.get("buildRequirementId") for row in rows(world, "abomInstallations"))
    yield from ("installation without requirement" for _ in range(filled[None]))
    yield from ("installation on a missing requirement" for _ in filled.keys() - known - {None})
    for row in rows(world, "buildRequirements"):
        per_unit, fixed = row.get("quantityPerParentPartInventory"), row.get("fixedQuantityPerBuildRequirement")
        state = {0: "unfilled", 1: "filled once"}.get(filled[row["id"]], "filled several times")
        kind = {0: "of no unit", 1: "of one unit"}.get(len(row["partInventories"]), "of several units")
        yield f"requirement {kind}, {state}"
        if per_unit is None and fixed is None:
            yield f"requirement without quantity, {state}"
        elif per_unit is None and fixed:
            yield f"fixed quantity, {state}"
        elif per_unit == 0:
            yield f"trace only, {state}"


def _generations(world: World) -> Iterator[str]:
    first, second = {line.parent for line in lines(world, 1)}, {line.parent for line in lines(world, 2)}
    yield from ("unit in generation 1 only" for _ in first - second)
    yield from ("unit in generation 2 only" for _ in second - first)
    yield from ("unit in both generations" for _ in first & second)
    items = Counter(row.get("partInventoryId") for row in rows(world, "abomItems"))
    yield from ("unit with several items" for unit in first if items[unit] > 1)
    ids = {entity: {row["id"] for row in rows(world, entity)} for entity in ("abomItems", "abomInstallations")}
    yield from ("same id in both generations" for _ in ids["abomItems"] & ids["abomInstallations"])
