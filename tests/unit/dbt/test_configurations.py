"""Which units have equal configurations."""

from typing import Any

import pytest

from tests.unit.dbt.models import Models

DEPTH = 256
INPUTS = {
    "int_abom__tree_lines": (
        "parent_part_inventory_id bigint, part_inventory_id bigint, part_id bigint, designator_key varchar, "
        "quantity_per_piece double, is_open_requirement boolean"
    ),
    "int_abom__units": (
        "part_inventory_id bigint, part_id bigint, part_number varchar, part_revision varchar, serial_number varchar, "
        "lot_number varchar, is_export_controlled boolean"
    ),
    "int_abom__assembly_paths": "root_part_inventory_id bigint, depth integer",
}


def chain(first: int, length: int, bolts: float) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the lines of nested units, bolts in the last, and the depth of each tree up to the maximum depth."""
    ids = range(first, first + length)
    lines = [
        {
            "parent_part_inventory_id": unit,
            "part_inventory_id": unit + 1 if unit + 1 in ids else first + length,
            "part_id": 1 if unit + 1 in ids else 2,
            "quantity_per_piece": 1.0 if unit + 1 in ids else bolts,
            "is_open_requirement": False,
        }
        for unit in ids
    ]
    paths = [{"root_part_inventory_id": unit, "depth": min(DEPTH, ids[-1] - unit)} for unit in ids]
    return lines, paths


@pytest.mark.parametrize(("length", "is_cut_off"), [(DEPTH + 1, False), (DEPTH + 2, True), (DEPTH + 9, True)])
def test_units_cut_off_at_the_maximum_depth_have_different_hashes(length: int, is_cut_off: bool) -> None:
    """Two chains that differ only in the last link."""
    models = Models(INPUTS, ["abom_configurations"])
    one, other = chain(1000, length, bolts=4.0), chain(5000, length, bolts=5.0)
    models.fill(
        int_abom__tree_lines=one[0] + other[0],
        int_abom__assembly_paths=one[1] + other[1],
        int_abom__units=[
            {"part_inventory_id": first + n, "part_id": 1} for first in (1000, 5000) for n in range(length)
        ],
    )
    found = models.rows("select part_inventory_id, configuration_hash from abom_configurations")
    hashes = {row["part_inventory_id"]: row["configuration_hash"] for row in found}
    assert len(hashes) == 2 * length
    assert len({*hashes.values()}) == 2 * length
    above = length - DEPTH - 1
    for first in (1000, 5000):
        said = [hashes[first + n].startswith("cut off: ") for n in range(length)]
        assert said == [n < above for n in range(length)]
    assert (above > 0) == is_cut_off
