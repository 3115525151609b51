"""The designator match of a planned line whose installations name their places or do not."""

import pytest

from tests.unit.dbt.models import Models

INPUTS = {
    "int_conformance__planned_lines": (
        "part_inventory_id bigint, mbom_item_id bigint, quantity_per_piece double, quantity_planned double"
    ),
    "int_conformance__installed": (
        "part_inventory_id bigint, mbom_item_id bigint, child_part_number varchar, quantity_installed double, "
        "relation varchar, reference_designator varchar"
    ),
    "stg_ion__mbom_item_reference_designators": "mbom_item_id bigint, reference_designator varchar",
}


@pytest.mark.parametrize(
    ("relation", "place", "status", "match"),
    [
        ("planned", None, "conforming", "not_recorded"),
        ("substitute", None, "conforming_substitute", "not_recorded"),
        ("revision", None, "conforming_revision", "not_recorded"),
        ("revision", " ", "conforming_revision", "not_recorded"),
        ("planned", "X9", "designator_mismatch", "mismatch"),
        ("substitute", "X9", "conforming_substitute", "mismatch"),
        ("revision", "X9", "conforming_revision", "mismatch"),
        ("wrong", "X9", "wrong_part", "mismatch"),
        ("substitute", "X1", "conforming_substitute", "match"),
    ],
)
def test_a_place_that_is_not_recorded_is_not_a_mismatch(
    relation: str, place: str | None, status: str, match: str
) -> None:
    models = Models(INPUTS, ["int_conformance__lines"])
    key = {"part_inventory_id": 1, "mbom_item_id": 1}
    models.fill(
        int_conformance__planned_lines=[{**key, "quantity_per_piece": 1.0, "quantity_planned": 1.0}],
        int_conformance__installed=[
            {
                **key,
                "child_part_number": "P",
                "quantity_installed": 1.0,
                "relation": relation,
                "reference_designator": place,
            }
        ],
        stg_ion__mbom_item_reference_designators=[{"mbom_item_id": 1, "reference_designator": "X1"}],
    )
    [found] = models.rows("from int_conformance__lines")
    assert (found["status"], found["designator_match"]) == (status, match)
