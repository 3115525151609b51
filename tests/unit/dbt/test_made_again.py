"""Which differences count as changes when requirements are created and deleted."""

import copy
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from tests.oracle.builder import WorldBuilder
from tests.oracle.random_histories import FIRST_LOAD
from tests.oracle.world import Row, World
from tests.unit.dbt.loaded import Loaded


def _items() -> tuple[World, dict[str, int]]:
    """Generation 1: an installed pump and an open seal, each on a child item of the top unit's item."""
    builder = WorldBuilder()
    part = builder.part()
    top, pump = builder.unit(part), builder.unit(part)
    common = {"expectedQuantityPer": 1.0, "quantity": 1.0}
    own = builder.add("abomItems", partInventoryId=top, partId=part, quantity=1.0)
    items = {
        "pump": builder.add("abomItems", partInventoryId=pump, partId=part, **common),
        "seal": builder.add("abomItems", partInventoryId=None, partId=part, **common),
    }
    for item in items.values():
        builder.add("aBomEdges", parentAbomItemId=own, childAbomItemId=item)
    return builder.world | {"mbomSubstitutes": []}, items


def _changes(path: Path, before: World, edit: Callable[[World], None]) -> list[Row]:
    after = copy.deepcopy(before)
    edit(after)
    loads = [(FIRST_LOAD, before), (FIRST_LOAD + timedelta(days=1), after)]
    return Loaded(path / "warehouse.duckdb", loads).rows("from genealogy.abom_version_changes order by change")


def _make_again(world: World, item: int, **fields: object) -> None:
    """Delete an item and its edge, and re-create both under other ids."""
    [old] = [row for row in world["abomItems"] if row["id"] == item]
    [edge] = [row for row in world["aBomEdges"] if row["childAbomItemId"] == item]
    world["abomItems"].remove(old)
    world["aBomEdges"].remove(edge)
    world["abomItems"].append({**old, "id": 1000 + item, **fields})
    world["aBomEdges"].append({**edge, "id": 1000 + edge["id"], "childAbomItemId": 1000 + item})


def test_items_deleted_and_recreated_unchanged_are_no_change(tmp_path: Path) -> None:
    world, items = _items()

    def edit(world: World) -> None:
        for item in items.values():
            _make_again(world, item)

    assert _changes(tmp_path, world, edit) == []


def test_an_item_recreated_for_another_planned_line_moved(tmp_path: Path) -> None:
    world, items = _items()
    [row] = _changes(tmp_path, world, lambda world: _make_again(world, items["pump"], originMbomItemId=7))
    assert (row["change"], row["requirement_after"]) == ("moved", "gone")


def _requirements() -> tuple[World, dict[str, tuple[int, int]]]:
    """Generation 2: pumps on requirements that will be open, shared and gone; name to (requirement, installation)."""
    builder = WorldBuilder()
    part = builder.part()
    top = builder.unit(part)
    found = {}
    for name in ("open", "filled", "gone"):
        requirement = builder.requirement([top], part, per_unit=2.0)
        found[name] = requirement, builder.install(requirement, builder.unit(part))
        if name == "filled":
            builder.install(requirement, builder.unit(part))
    return builder.world | {"mbomSubstitutes": []}, found


def test_uninstalling_leaves_the_requirement_open_or_filled_or_deletes_it(tmp_path: Path) -> None:
    world, lines = _requirements()

    def edit(world: World) -> None:
        gone = {installation for _, installation in lines.values()}
        world["abomInstallations"] = [row for row in world["abomInstallations"] if row["id"] not in gone]
        world["buildRequirements"] = [row for row in world["buildRequirements"] if row["id"] != lines["gone"][0]]

    found = _changes(tmp_path, world, edit)
    assert {row["change"] for row in found} == {"uninstalled"}
    assert {row["build_requirement_id_before"]: row["requirement_after"] for row in found} == {
        requirement: name for name, (requirement, _) in lines.items()
    }


def test_another_spelling_of_a_designator_starts_no_version(tmp_path: Path) -> None:
    builder = WorldBuilder()
    part = builder.part()
    top, unit = builder.unit(part), builder.unit(part)
    builder.install(builder.requirement([top], part, per_unit=1.0, designators=["R1-R2"]), unit, designator="R1-R2")
    world = builder.world | {"mbomSubstitutes": []}

    def edit(world: World) -> None:
        world["buildRequirements"][0]["referenceDesignators"][0]["value"] = " r2, R1"

    assert _changes(tmp_path, world, edit) == []
