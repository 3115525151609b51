"""Checks of the genealogy truths planted in the seeded factory, for rows of the three tables from any source.

The factory records the truths when it plants them; they are not derived from its rows.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tests.oracle.world import Row

Truths = dict[str, Any]


def assert_known_tree(truths: Truths, tree: Sequence[Row]) -> None:
    """Assert that the tree of one unit has exactly the rows computed by hand."""
    truth = truths["known_tree"]
    own = {row["path"]: row for row in tree if row["root_part_inventory_id"] == truth["root_part_inventory_id"]}
    found = Counter(
        (
            tuple(row["path_ids"]),
            tuple(own[path[:n]]["reference_designator"] for n in range(1, len(path) + 1)),
            row["depth"],
            row["is_open_requirement"],
            float(row["quantity_installed"]),
            round(float(row["quantity_extended"]), 9),
        )
        for path, row in own.items()
    )
    expected = Counter(
        (
            tuple(row["path_ids"]),
            tuple(row["reference_designators"]),
            row["depth"],
            row["is_open_requirement"],
            row["quantity_installed"],
            row["quantity_extended"],
        )
        for row in truth["rows"]
    )
    assert expected.total() > 5
    assert found == expected


def assert_contaminated_lot(truths: Truths, uses: Sequence[Row]) -> None:
    """Assert that where-used finds exactly the units that contain the bad lot, and the top-level ones among them."""
    truth = truths["contaminated_lot"]
    bad = {truth["part_inventory_id"]}
    for lots, which in ((bad, "_without_splits"), (bad | set(truth["split_part_inventory_ids"]), "")):
        hit = [row for row in uses if row["component_part_inventory_id"] in lots]
        tops = {row["ancestor_part_inventory_id"] for row in hit if row["is_top_level"]}
        assert {row["ancestor_part_inventory_id"] for row in hit} == set(truth[f"affected_unit_ids{which}"])
        assert tops == set(truth[f"affected_top_level_unit_ids{which}"])
    serials = {row["ancestor_serial_number"] for row in hit if row["is_top_level"]}
    assert serials == set(truth["affected_top_level_serials"])


def assert_known_use(truths: Truths, uses: Sequence[Row]) -> None:
    """Assert depth, path count and quantity of one component in one unit."""
    truth = truths["where_used"]
    pair = ("component_part_inventory_id", "ancestor_part_inventory_id")
    (row,) = [row for row in uses if all(row[column] == truth[column] for column in pair)]
    found = {column: row[column] for column in truth}
    assert found | {"quantity_extended": round(float(row["quantity_extended"]), 9)} == truth


def assert_cycles(truths: Truths, edges: Sequence[Row], uses: Sequence[Row]) -> None:
    """Assert the quarantined edges, by unit, and that the unit above the cycle keeps its edge."""
    members = [set(cycle) for cycle in truths["cycles"]["members"]]
    quarantined = [
        {row["parent_part_inventory_id"], row["child_part_inventory_id"]} for row in edges if row["is_quarantined"]
    ]
    assert len(quarantined) == len(truths["cycles"]["quarantined_installation_ids"])
    assert all(any(edge <= cycle for cycle in members) for edge in quarantined)
    # Of all members of the cycle only the lot, installed in the unit above, is installed in a unit outside it.
    into = [row for row in uses if any(row["component_part_inventory_id"] in cycle for cycle in members)]
    above = [row["ancestor_part_inventory_id"] for row in into if row["component_lot_number"] is not None]
    assert above == truths["cycles"]["ancestors_of_the_lot"] == [truths["cycles"]["unit_above"]]
    assert len(into) == len(above)


def assert_shared_requirement(truths: Truths, edges: Sequence[Row]) -> None:
    """Assert that an installation on a requirement of two units appears in both, under one installation id."""
    truth = truths["shared_requirement"]
    parents = truth["parent_part_inventory_ids"]
    found = [row for row in edges if row["parent_part_inventory_id"] in parents]
    assert sorted(row["parent_part_inventory_id"] for row in found) == sorted(parents)
    assert {row["child_part_inventory_id"] for row in found} == {truth["child_part_inventory_id"]}
    assert len({row["abom_installation_id"] for row in found}) == 1


def assert_open_requirement(truths: Truths, tree: Sequence[Row]) -> None:
    """Assert that only the sensor is open on the unit built without it, and nothing on the partly filled unit."""
    for unit, expected in (("open_requirement_unit", ["PLT-SENSOR"]), ("short_unit", [])):
        root = truths["sisters"][unit]
        own = [row for row in tree if row["root_part_inventory_id"] == root]
        assert len(own) > 5
        assert [row["part_number"] for row in own if row["is_open_requirement"]] == expected


def assert_anomalous_installations(truths: Truths, edges: Sequence[Row]) -> None:
    """Assert that a serial installed twice appears twice, and an installation without a requirement not at all."""
    twice = truths["serial_installed_twice"]["part_inventory_id"]
    assert len({row["parent_part_inventory_id"] for row in edges if row["child_part_inventory_id"] == twice}) == 2
    dangling = [row for row in edges if str(row["child_serial_number"]).startswith("PLT-Q-DANGLING")]
    assert dangling == []


def assert_ids_of_generation_2(truths: Truths, edges: Sequence[Row]) -> None:
    """Assert, where generation 2 is used, that installations have ION's own ids."""
    of_id = {row["abom_installation_id"]: row for row in edges if row["abom_generation"] == 2}
    cycles, shared = truths["cycles"], truths["shared_requirement"]
    assert {i for i, row in of_id.items() if row["is_quarantined"]} == set(cycles["quarantined_installation_ids"])
    assert not any(of_id[i]["is_quarantined"] for i in cycles["standing_installation_ids"])
    assert of_id[shared["abom_installation_id"]]["build_requirement_id"] == shared["build_requirement_id"]
    assert set(truths["serial_installed_twice"]["abom_installation_ids"]) <= set(of_id)
    assert not set(truths["installation_without_requirement"]["abom_installation_ids"]) & set(of_id)
