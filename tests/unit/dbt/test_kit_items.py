"""What a kit item lacks, on invented rows."""

from typing import Any

import pytest

from tests.unit.dbt.models import Models

INPUTS = {
    "stg_ion__part_kit_items": (
        "part_kit_item_id bigint, part_kit_id bigint, part_id bigint, origin_mbom_item_id bigint, quantity double, "
        "quantity_fulfilled double, quantity_unfulfilled double, is_fulfilled boolean, created_at timestamptz, "
        "updated_at timestamptz, is_export_controlled boolean"
    ),
    "stg_ion__part_kits": "part_kit_id bigint, status varchar, run_id bigint",
    "stg_ion__parts": "part_id bigint, part_number varchar, part_revision varchar, unit_of_measure_id bigint",
    "stg_ion__units_of_measurement": "unit_of_measure_id bigint, unit_of_measure varchar",
    "stg_ion__part_kit_item_part_inventories": (
        "part_kit_item_id bigint, part_inventory_id bigint, issued_quantity double"
    ),
    "stg_ion__part_inventories": (
        "part_id bigint, status varchar, quantity_available double, unit_of_measure_id bigint"
    ),
}


@pytest.fixture(scope="module")
def models() -> Models:
    return Models(INPUTS, ["kit_items"])


def item(models: Models, stock: list[tuple[str, float, int | None]], status: str = "REQUESTED", **more: Any) -> Any:
    """Return an item of ten pieces of part 1, of which 3 and 4 are picked."""
    models.fill(
        stg_ion__part_kit_items=[{"part_kit_item_id": 1, "part_kit_id": 1, "part_id": 1, "quantity": 10.0} | more],
        stg_ion__part_kits=[{"part_kit_id": 1, "status": status}],
        stg_ion__parts=[{"part_id": 1, "part_number": "P", "unit_of_measure_id": 7}],
        stg_ion__part_kit_item_part_inventories=[
            {"part_kit_item_id": 1, "part_inventory_id": unit, "issued_quantity": amount}
            for unit, amount in ((1, 3.0), (2, 4.0))
        ],
        stg_ion__part_inventories=[
            {"part_id": 1, "status": state, "quantity_available": amount, "unit_of_measure_id": unit}
            for state, amount, unit in stock
        ],
    )
    [found] = models.rows("from kit_items")
    return found


def test_what_ion_does_not_compute_follows_from_what_was_picked(models: Models) -> None:
    found = item(models, [])
    assert (found["quantity_picked"], found["quantity_short"], found["is_short"]) == (7.0, 3.0, True)
    found = item(models, [], quantity_unfulfilled=0.0)
    assert (found["quantity_short"], found["is_short"]) == (0.0, False)


def test_stock_on_order_or_in_another_unit_does_not_count(models: Models) -> None:
    stock = [("AVAILABLE", 1.0, 7), ("AVAILABLE", 0.5, None), ("ON_ORDER", 5.0, 7), ("AVAILABLE", 50.0, 8)]
    found = item(models, stock)
    assert (found["quantity_in_stock"], found["quantity_short_of_stock"]) == (1.5, 1.5)


@pytest.mark.parametrize(
    ("status", "is_open"), [("DRAFT", True), ("PARKED", True), ("DELIVERED", False), ("CANCELED", False)]
)
def test_a_closed_kit_wants_nothing_from_stock(models: Models, status: str, *, is_open: bool) -> None:
    found = item(models, [], status)
    assert (found["is_kit_open"], found["quantity_short_of_stock"]) == (is_open, 3.0 if is_open else None)
