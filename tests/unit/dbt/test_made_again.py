"""Which differences count as changes when requirements are created and deleted.

Each case is a world of its own with one edit between two loads. All cases are in one warehouse, because the models take
as long for one as for all.
"""

import copy
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.oracle.builder import WorldBuilder
from tests.oracle.random_histories import FIRST_LOAD
from tests.oracle.random_worlds import ID_RANGE
from tests.oracle.world import Row, World
from tests.unit.dbt.loaded import Loaded

Edit = Callable[[World], None]
# Fills a world; gives the edit of it, and the changes that this is.
Case = Callable[[WorldBuilder], tuple[Edit, list[Row]]]


def _items(builder: WorldBuilder) -> dict[str, int]:
    """Generation 1: an installed pump and an open seal, each on a child item of the top unit's item."""
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
    return items


def _make_again(world: World, item: int, **fields: object) -> None:
    """Delete an item and its edge, and re-create both under other ids."""
    [old] = [row for row in world["abomItems"] if row["id"] == item]
    [edge] = [row for row in world["aBomEdges"] if row["childAbomItemId"] == item]
    world["abomItems"].remove(old)
    world["aBomEdges"].remove(edge)
    world["abomItems"].append({**old, "id": 1000 + item, **fields})
    world["aBomEdges"].append({**edge, "id": 1000 + edge["id"], "childAbomItemId": 1000 + item})


def items_deleted_and_recreated_unchanged_are_no_change(builder: WorldBuilder) -> tuple[Edit, list[Row]]:
    items = _items(builder)

    def edit(world: World) -> None:
        for item in items.values():
            _make_again(world, item)

    return edit, []


def an_item_recreated_for_another_planned_line_moved(builder: WorldBuilder) -> tuple[Edit, list[Row]]:
    items = _items(builder)
    moved = {"change": "moved", "build_requirement_id_before": items["pump"], "requirement_after": "gone"}
    return lambda world: _make_again(world, items["pump"], originMbomItemId=7), [moved]


def uninstalling_leaves_the_requirement_open_or_filled_or_deletes_it(builder: WorldBuilder) -> tuple[Edit, list[Row]]:
    part = builder.part()
    top = builder.unit(part)
    requirements = {name: builder.requirement([top], part, per_unit=2.0) for name in ("open", "filled", "gone")}
    uninstalled = {builder.install(requirement, builder.unit(part)) for requirement in requirements.values()}
    builder.install(requirements["filled"], builder.unit(part))

    def edit(world: World) -> None:
        world["abomInstallations"] = [row for row in world["abomInstallations"] if row["id"] not in uninstalled]
        world["buildRequirements"] = [row for row in world["buildRequirements"] if row["id"] != requirements["gone"]]

    return edit, [
        {"change": "uninstalled", "build_requirement_id_before": requirement, "requirement_after": name}
        for name, requirement in requirements.items()
    ]


def another_spelling_of_a_designator_starts_no_version(builder: WorldBuilder) -> tuple[Edit, list[Row]]:
    part = builder.part()
    top, unit = builder.unit(part), builder.unit(part)
    builder.install(builder.requirement([top], part, per_unit=1.0, designators=["R1-R2"]), unit, designator="R1-R2")

    def edit(world: World) -> None:
        world["buildRequirements"][0]["referenceDesignators"][0]["value"] = " r2, R1"

    return edit, []


CASES: tuple[Case, ...] = (
    items_deleted_and_recreated_unchanged_are_no_change,
    an_item_recreated_for_another_planned_line_moved,
    uninstalling_leaves_the_requirement_open_or_filled_or_deletes_it,
    another_spelling_of_a_designator_starts_no_version,
)


@pytest.fixture(scope="module")
def found_and_expected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[list[Row], list[Row]]]:
    """For each case, the changes that the models find and those that they should find."""
    before: World = {}
    after: World = {}
    expected = []
    for place, case in enumerate(CASES):
        builder = WorldBuilder(first_id=1 + place * ID_RANGE)
        edit, changes = case(builder)
        expected.append(changes)
        edited = copy.deepcopy(builder.world)
        edit(edited)
        for merged, world in ((before, builder.world), (after, edited)):
            for name, rows in world.items():
                # Users have the same ids in each world.
                merged.setdefault(name, []).extend(rows if name != "users" or not place else [])
    before["mbomSubstitutes"] = after["mbomSubstitutes"] = []
    loaded = Loaded(
        tmp_path_factory.mktemp("loads") / "warehouse.duckdb",
        [(FIRST_LOAD, before), (FIRST_LOAD + timedelta(days=1), after)],
    )
    found: list[list[Row]] = [[] for _ in CASES]
    for row in loaded.rows("from genealogy.abom_version_changes order by build_requirement_id_before"):
        found[row["part_inventory_id"] // ID_RANGE].append(row)
    return list(zip(found, expected, strict=True))


@pytest.mark.parametrize("place", range(len(CASES)), ids=[case.__name__ for case in CASES])
def test_changes_of_a_case(place: int, found_and_expected: list[tuple[list[Row], list[Row]]]) -> None:
    found, expected = found_and_expected[place]
    columns = ("change", "build_requirement_id_before", "requirement_after")
    assert [{name: row[name] for name in columns} for row in found] == expected
