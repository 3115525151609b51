"""The oracle compared with numbers computed by hand on tiny worlds.

Units are numbered in the order in which they are added; ``put`` gives installation and requirement the same number.
"""

from fractions import Fraction

import pytest

from tests.oracle import genealogy
from tests.oracle.builder import WorldBuilder
from tests.oracle.generation_1 import add_generation_1
from tests.oracle.lines import Generation
from tests.oracle.world import Row

F = Fraction


def tree(builder: WorldBuilder, root: int, generation: Generation = 2) -> dict[tuple[str, ...], Row]:
    rows = genealogy.hierarchy(builder.world, generation)
    return {row["path"]: row for row in rows if row["root_part_inventory_id"] == root}


def extended(builder: WorldBuilder, root: int, generation: Generation = 2) -> dict[str, Fraction | None]:
    return {"/".join(path): row["quantity_extended"] for path, row in tree(builder, root, generation).items()}


def uses(builder: WorldBuilder, generation: Generation = 2) -> dict[tuple[int, int], tuple[object, ...]]:
    """(component, ancestor) -> (min depth, paths, extended quantity, top level)."""
    return {
        (row["component_part_inventory_id"], row["ancestor_part_inventory_id"]): (
            row["min_depth"],
            row["path_count"],
            row["quantity_extended"],
            row["is_top_level"],
        )
        for row in genealogy.where_used(builder.world, generation)
    }


def test_a_lot_sub_assembly_shared_by_two_branches() -> None:
    """Car 1 holds gearboxes 2 and 3; from harness lot 4 (10 pieces) they take 2 and 3; the lot holds 50 of wire lot 5.

    One piece of the lot holds 50 / 10 = 5 of wire.  In the car: 2 + 3 = 5 harnesses, so 2*5 + 3*5 = 25 of wire.
    """
    b = WorldBuilder()
    serial, lot = b.part(), b.part("LOT")
    car, box_a, box_b = (b.unit(serial) for _ in range(3))
    harness, wire = b.unit(lot, 10), b.unit(lot, 1000)
    b.put(car, box_a)
    b.put(car, box_b)
    b.put(box_a, harness, 2)
    b.put(box_b, harness, 3)
    b.put(harness, wire, 50)

    assert extended(b, car) == {
        "": 1,
        "i1": 1,
        "i2": 1,
        "i1/i3": 2,
        "i2/i4": 3,
        "i1/i3/i5": 10,
        "i2/i4/i5": 15,
    }
    assert extended(b, harness) == {"": 1, "i5": 5}  # the lot as root: quantities per piece of the lot
    assert extended(b, wire) == {"": 1}
    assert uses(b) == {
        (box_a, car): (1, 1, 1, True),
        (box_b, car): (1, 1, 1, True),
        (harness, car): (2, 2, 5, True),
        (wire, car): (3, 2, 25, True),
        (harness, box_a): (1, 1, 2, False),
        (wire, box_a): (2, 1, 10, False),
        (harness, box_b): (1, 1, 3, False),
        (wire, box_b): (2, 1, 15, False),
        (wire, harness): (1, 1, 5, False),
    }


def test_columns_of_a_tree() -> None:
    b = WorldBuilder()
    frame, bolt = b.part(), b.part("LOT")
    top, bolts = b.unit(frame), b.unit(bolt, 8)
    requirement = b.requirement([top], bolt, per_unit=4, designators=["A", "B"], made_on_assembly=True)
    b.install(requirement, bolts, 1, "B")
    b.requirement([top], frame, per_unit=2)

    root, installed, missing = tree(b, top)[()], tree(b, top)["i1",], tree(b, top)["r2",]

    assert [row["depth"] for row in (root, installed, missing)] == [0, 1, 1]
    assert [row["path_ids"] for row in (root, installed, missing)] == [(1,), (1, 2), (1,)]
    assert [row["part_inventory_id"] for row in (root, installed, missing)] == [1, 2, None]
    assert [row["parent_part_inventory_id"] for row in (root, installed, missing)] == [None, 1, 1]
    assert [row["part_number"] for row in (root, installed, missing)] == ["P-1", "P-2", "P-1"]
    assert [row["serial_number"] for row in (root, installed, missing)] == ["S1", None, None]
    assert [row["lot_number"] for row in (root, installed, missing)] == [None, "L2", None]
    assert [row["reference_designator"] for row in (root, installed, missing)] == [None, "B", None]
    assert [row["quantity_required"] for row in (root, installed, missing)] == [None, 4, 2]
    assert [row["is_made_on_assembly"] for row in (root, installed, missing)] == [False, True, False]
    assert [row["abom_installation_id"] for row in (root, installed, missing)] == [None, 1, None]


def test_columns_of_an_installation() -> None:
    b = WorldBuilder()
    part = b.part()
    parent, child = b.unit(part), b.unit(part)
    b.put(parent, child)
    (row,) = genealogy.installations(b.world, 2)

    assert (row["abom_generation"], row["abom_installation_id"], row["build_requirement_id"]) == (2, 1, 1)
    assert (row["parent_serial_number"], row["child_serial_number"]) == ("S1", "S2")
    assert (row["installed_by_id"], row["installed_by"]) == (2, "Grâce Hopper")
    assert row["installed_at"].isoformat() == "2026-03-01T08:15:01.123456+00:00"
    assert not row["is_quarantined"]


@pytest.mark.parametrize(
    ("asked", "open_with"),
    [
        ({"per_unit": 4.0}, 4),
        ({"fixed": 2.5}, F("2.5")),
        ({"per_unit": 2.0, "fixed": 3.0}, 2),
        ({"per_unit": 0.0}, None),  # trace only: nothing is missing
        ({"per_unit": 0.0, "fixed": 3.0}, None),
        ({}, None),  # added by hand, no quantity given
    ],
)
@pytest.mark.parametrize("generation", [1, 2, "both"])
def test_open_requirement(asked: dict[str, float], open_with: Fraction | None, generation: Generation) -> None:
    b = WorldBuilder()
    part = b.part()
    top, sub = b.unit(part), b.unit(part)
    b.put(top, sub)
    b.requirement([sub], part, **asked)
    add_generation_1(b)
    found = [row for row in tree(b, top, generation).values() if row["is_open_requirement"]]

    if open_with is None:
        assert found == []
    else:
        (row,) = found
        assert row["quantity_required"] == open_with
        assert (row["quantity_installed"], row["quantity_extended"], row["depth"]) == (0, 0, 2)
        assert (row["part_inventory_id"], row["path_ids"]) == (None, (top, sub))


def test_partly_filled_shows_its_installations_and_no_open_row() -> None:
    b = WorldBuilder()
    lot = b.part("LOT")
    top, screws, other = b.unit(b.part()), b.unit(lot, 100), b.unit(lot, 100)
    requirement = b.requirement([top], lot, per_unit=4)
    b.install(requirement, screws, 1)
    b.install(requirement, other, 2)

    rows = tree(b, top)
    assert extended(b, top) == {"": 1, "i1": 1, "i2": 2}
    assert [rows[path]["quantity_required"] for path in (("i1",), ("i2",))] == [4, 4]


def test_trace_only_installation_of_quantity_0_is_in_the_tree() -> None:
    b = WorldBuilder()
    lot = b.part("LOT")
    top, glue, resin = b.unit(b.part()), b.unit(lot, 10), b.unit(lot, 4)
    b.install(b.requirement([top], lot, per_unit=0), glue, 0)
    b.put(glue, resin, 5)

    # the glue has quantity 0, hence the resin in it as well; one piece of glue holds 5 / 10 of resin
    assert extended(b, top) == {"": 1, "i1": 0, "i1/i2": 0}
    assert uses(b) == {
        (glue, top): (1, 1, 0, True),
        (resin, top): (2, 1, 0, True),
        (resin, glue): (1, 1, F(1, 2), False),
    }


def test_a_requirement_of_two_units_appears_in_each() -> None:
    b = WorldBuilder()
    serial, lot = b.part(), b.part("LOT")
    top, left, right, grease = b.unit(serial), b.unit(serial), b.unit(serial), b.unit(lot, 9)
    b.put(top, left)
    b.put(top, right)
    shared = b.requirement([left, right], lot, per_unit=1)
    b.install(shared, grease, 3)
    b.requirement([left, right], serial, per_unit=1)

    assert extended(b, left) == {"": 1, "i3": 3, "r4": 0}
    assert extended(b, right) == {"": 1, "i3": 3, "r4": 0}
    assert uses(b)[grease, top] == (2, 2, 6, True)  # once through each unit, in full
    assert len(genealogy.installations(b.world, 2)) == 4


def test_lots_divide_and_serials_and_untracked_units_do_not() -> None:
    """4 in a parent: 0.5 per piece of a lot of 8; 4 in a scrapped serial (quantity 0) and in untracked stock of 5."""
    b = WorldBuilder()
    screw = b.unit(b.part("LOT"), 100)
    lot, serial, untracked = b.unit(b.part("LOT"), 8), b.unit(b.part("SERIAL"), 0), b.unit(b.part(None), 5)
    for parent in (lot, serial, untracked):
        b.put(parent, screw, 4)

    assert [uses(b)[screw, parent][2] for parent in (lot, serial, untracked)] == [F(1, 2), 4, 4]


def test_a_lot_of_quantity_0_makes_quantities_of_its_content_unknown() -> None:
    b = WorldBuilder()
    serial, lot = b.part(), b.part("LOT")
    top, empty, bolt, nut = b.unit(serial), b.unit(lot, 0), b.unit(lot, 5), b.unit(lot, 5)
    b.put(top, empty, 2)
    b.put(empty, bolt, 3)
    b.put(bolt, nut, 5)
    b.put(top, bolt, 1)
    b.requirement([bolt], serial, per_unit=1)

    assert extended(b, top) == {
        "": 1,
        "i1": 2,
        "i1/i2": None,
        "i1/i2/i3": None,
        "i1/i2/r5": 0,
        "i4": 1,
        "i4/i3": 1,
        "i4/r5": 0,
    }
    assert uses(b)[bolt, top] == (1, 2, None, True)  # the sum stays unknown although one path is known
    assert uses(b)[nut, bolt] == (1, 1, 1, False)


def test_cycles_lose_their_inner_edges_only() -> None:
    """Top 1 → 2 ⇄ 3 → 4 → 5 ⇄ 6 → 7, and 8 contains itself and 9."""
    b = WorldBuilder()
    part = b.part()
    for _ in range(9):
        b.unit(part)
    for parent, child in ((1, 2), (2, 3), (3, 2), (3, 4), (4, 5), (5, 6), (6, 5), (6, 7), (8, 8), (8, 9)):
        b.put(parent, child)

    rows = genealogy.installations(b.world, 2)
    inner = {(r["parent_part_inventory_id"], r["child_part_inventory_id"]) for r in rows if r["is_quarantined"]}
    assert inner == {(2, 3), (3, 2), (5, 6), (6, 5), (8, 8)}
    assert {pair: use[0] for pair, use in uses(b).items()} == {
        (2, 1): 1,  # a unit above a cycle keeps its edge into it
        (4, 3): 1,
        (5, 4): 1,  # nodes between two cycles keep theirs
        (5, 3): 2,
        (7, 6): 1,
        (9, 8): 1,
    }
    # 3, 6 and 8 are held only by members of their own cycle. Without its edges nothing holds them, so they are
    # top-level, and a recall of their content still finds them.
    assert {pair for pair, use in uses(b).items() if use[3]} == {(2, 1), (4, 3), (5, 3), (7, 6), (9, 8)}
    assert extended(b, 1) == {"": 1, "i1": 1}
    assert extended(b, 8) == {"": 1, "i10": 1}


def test_generation_2_wins_per_parent_unit() -> None:
    """Top 1 has requirements of generation 2; sub-assembly 2 was built before and is only in generation 1."""
    b = WorldBuilder()
    part = b.part()
    top, sub, bolt, gone = (b.unit(part) for _ in range(4))
    b.put(top, sub)
    item_top = b.add("abomItems", partInventoryId=top, partId=part, quantity=1.0)
    item_sub = b.add("abomItems", partInventoryId=sub, partId=part, quantity=1.0, expectedQuantityPer=1.0)
    item_bolt = b.add("abomItems", partInventoryId=bolt, partId=part, quantity=2.0, expectedQuantityPer=2.0)
    item_gone = b.add("abomItems", partInventoryId=gone, partId=part, quantity=1.0, expectedQuantityPer=1.0)
    for parent, child in ((item_top, item_sub), (item_top, item_gone), (item_sub, item_bolt)):
        b.add("aBomEdges", parentAbomItemId=parent, childAbomItemId=child)

    assert extended(b, top, 2) == {"": 1, "i1": 1}
    assert extended(b, top, 1) == {"": 1, "i2": 1, "i2/i3": 2, "i4": 1}
    assert extended(b, top, "both") == {"": 1, "i1": 1, "i1/i3": 2}
    generations = [row["abom_generation"] for row in genealogy.installations(b.world, "both")]
    assert sorted(generations) == [1, 2]


def test_a_lot_with_two_items_of_generation_1_holds_its_contents_once() -> None:
    """A lot installed in two places owns two items; both have the wire as a child, which counts once."""
    b = WorldBuilder()
    serial, lot = b.part(), b.part("LOT")
    left, right, harness, wire = b.unit(serial), b.unit(serial), b.unit(lot, 10), b.unit(lot, 100)
    b.put(left, harness, 2)
    b.put(right, harness, 3)
    b.put(harness, wire, 50)
    add_generation_1(b)

    assert len(b.world["abomItems"]) == 5  # 3 installations, 2 tops
    assert len(b.world["aBomEdges"]) == 4  # one under each top, and the wire under each of the lot's items
    assert [list(extended(b, unit, 1).values()) for unit in (left, right, harness)] == [[1, 2, 10], [1, 3, 15], [1, 5]]


@pytest.mark.parametrize("generation", [1, 2, "both"])
def test_installations_without_a_valid_requirement_or_unit_are_in_no_tree(generation: Generation) -> None:
    b = WorldBuilder()
    part = b.part()
    unit, stray = b.unit(part), b.unit(part)
    b.install(None, stray)  # an installation without requirement
    b.install(b.requirement([], part, per_unit=1), stray)  # a requirement of no unit
    b.install(b.requirement([99], part, per_unit=1), stray)  # a parent unit that does not exist
    b.install(b.requirement([unit], part, per_unit=1), 99)  # a child unit that does not exist: not open either
    add_generation_1(b)

    assert genealogy.installations(b.world, generation) == []
    assert genealogy.where_used(b.world, generation) == []
    assert [row["root_part_inventory_id"] for row in genealogy.hierarchy(b.world, generation)] == [unit, stray]
