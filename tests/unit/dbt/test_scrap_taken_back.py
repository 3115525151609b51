"""Reversed scrap on invented loads: the month of the scrap is restated, and every share is between 0 and 1."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dbt.models import Models

INPUTS = {
    "int_inventories__pieces": "part_inventory_id bigint",
    "stg_ion_history__part_inventories": (
        "part_inventory_id bigint, serial_number varchar, status varchar, quantity double, quantity_scrapped double, "
        "updated_at timestamptz, valid_from timestamptz"
    ),
}
JANUARY = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def models() -> Models:
    return Models(INPUTS, ["int_inventories__scrap"])


def scrapped(models: Models, levels: list[int]) -> dict[int, float]:
    """Return the pieces scrapped by load, for a lot with the given scrapped quantity at each load."""
    instants = [JANUARY + timedelta(days=31 * place) for place in range(len(levels))]
    models.fill(
        int_inventories__pieces=[{"part_inventory_id": 1}],
        stg_ion_history__part_inventories=[
            {
                "part_inventory_id": 1,
                "status": "AVAILABLE",
                "quantity": 100.0 - level,
                "quantity_scrapped": float(level),
                "updated_at": at,
                "valid_from": at,
            }
            for level, at in zip(levels, instants, strict=True)
        ],
    )
    rows = models.rows("select version_number, quantity_scrapped from int_inventories__scrap")
    return {row["version_number"]: row["quantity_scrapped"] for row in rows}


def test_a_reversal_a_month_later_restates_the_month(models: Models) -> None:
    assert scrapped(models, [0, 1, 0]) == {}
    assert scrapped(models, [0, 10, 9]) == {2: 9.0}


def test_the_latest_scrap_is_reversed_first(models: Models) -> None:
    assert scrapped(models, [4, 10, 13, 8]) == {1: 4.0, 2: 4.0}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=8))
def test_scrap_is_never_negative_and_sums_to_the_current_quantity(models: Models, levels: list[int]) -> None:
    found = scrapped(models, levels)
    assert all(quantity > 0 for quantity in found.values())
    assert sum(found.values()) == levels[-1]
