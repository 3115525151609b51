"""The stock of each day against a count of what was there, on invented histories; parts and prices in one unit only."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.dbt.models import Models

INPUTS = {
    "stg_ion_history__part_inventories": (
        "part_inventory_id bigint, part_id bigint, status varchar, quantity double, quantity_installed double, "
        "unit_of_measure_id bigint, valid_from timestamptz, valid_to timestamptz"
    ),
    "stg_ion__parts": (
        "part_id bigint, part_number varchar, part_revision varchar, unit_of_measure_id bigint, cost double, "
        "is_export_controlled boolean"
    ),
    "stg_ion__units_of_measurement": "unit_of_measure_id bigint, unit_of_measure varchar",
    "int_supply__purchase_costs": "part_inventory_id bigint, cost_per_piece double, currency varchar",
    "stg_ion__loads": "read_at timestamptz",
    "organization_settings": "setting_key varchar, setting_value varchar",
}
FIRST = datetime(2026, 1, 5, 10, tzinfo=UTC)
# Two loads on the second day: what was there in between is at the end of no day.
LOADS = [FIRST + timedelta(hours=hours) for hours in (0, 24, 28, 48, 72)]
DAYS = [date(2026, 1, day) for day in range(5, 9)]
PRICES = {1: (None, None), 2: (None, None), 3: (2.0, "USD"), 4: (3.0, "EUR")}
STANDARD = 10.0


@pytest.fixture(scope="module")
def models() -> Models:
    return Models(INPUTS, ["int_loads__last_day", "inventory_valuation"])


def version(lot: int, place: int, until: int, **row: Any) -> dict[str, Any]:
    ends = LOADS[until] if until < len(LOADS) else None
    common = {"part_id": 1, "status": "AVAILABLE", "quantity_installed": 0.0, "unit_of_measure_id": None}
    return {"part_inventory_id": lot, "valid_from": LOADS[place], "valid_to": ends} | common | row


def valued(models: Models, versions: list[dict[str, Any]], cost: float | None = STANDARD) -> list[dict[str, Any]]:
    models.fill(
        stg_ion_history__part_inventories=versions,
        stg_ion__parts=[{"part_id": 1, "part_number": "P", "unit_of_measure_id": 7, "cost": cost}],
        int_supply__purchase_costs=[
            {"part_inventory_id": lot, "cost_per_piece": price, "currency": currency}
            for lot, (price, currency) in PRICES.items()
            if price is not None
        ],
        stg_ion__loads=[{"read_at": load} for load in LOADS],
        organization_settings=[{"setting_key": "production_time_zone", "setting_value": "UTC"}],
    )
    return models.rows("from inventory_valuation order by cost_basis, currency, from_on")


QUANTITIES = st.lists(st.sampled_from([None, 0.0, 0.1, 0.2, 5.0]), min_size=len(LOADS), max_size=len(LOADS))


@settings(max_examples=examples(50), deadline=None)
@given(lots=st.fixed_dictionaries(dict.fromkeys(PRICES, QUANTITIES)))
def test_each_day_has_what_was_there_at_its_end(models: Models, lots: dict[int, list[float | None]]) -> None:
    versions = [
        version(lot, place, place + 1, quantity=quantity)
        for lot, quantities in lots.items()
        for place, quantity in enumerate(quantities)
        if quantity is not None
    ]
    found = valued(models, versions)
    at_end = {DAYS[0]: 0, DAYS[1]: 2, DAYS[2]: 3, DAYS[3]: 4}
    for currency in (None, "USD", "EUR"):
        its = [lot for lot, (_, named) in PRICES.items() if named == currency]
        for day, place in at_end.items():
            there = {lot: lots[lot][place] or 0.0 for lot in its}
            rows = [row for row in found if row["currency"] == currency and row["from_on"] <= day <= row["to_on"]]
            assert len(rows) <= 1
            assert sum(row["quantity"] for row in rows) == pytest.approx(sum(there.values()), abs=1e-5)
            value = sum(amount * (PRICES[lot][0] or STANDARD) for lot, amount in there.items())
            assert sum(row["stock_value"] for row in rows) == pytest.approx(value, abs=1e-5)


def test_periods_without_a_change_are_one_row(models: Models) -> None:
    rows = valued(
        models, [version(1, 0, 3, quantity=5.0), version(2, 0, 1, quantity=1.0), version(2, 1, 9, quantity=1.0)]
    )
    assert [(row["from_on"].day, row["to_on"].day, row["quantity"], row["is_current"]) for row in rows] == [
        (5, 6, 6.0, False),
        (7, 8, 1.0, True),
    ]


def test_other_units_orders_scrap_and_installed_pieces_are_no_stock(models: Models) -> None:
    versions = [
        version(1, 0, 9, quantity=5.0, quantity_installed=2.0),
        version(2, 0, 9, quantity=7.0, unit_of_measure_id=8),
        version(5, 0, 9, quantity=7.0, status="ON_ORDER"),
        version(6, 0, 9, quantity=7.0, status="SCRAPPED"),
    ]
    [row] = valued(models, versions)
    assert (row["quantity"], row["stock_value"], row["quantity_without_cost"]) == (3.0, 30.0, 0.0)


def test_a_part_without_a_cost_has_a_quantity_and_no_value(models: Models) -> None:
    [row] = valued(models, [version(1, 0, 9, quantity=5.0)], cost=None)
    assert (row["quantity"], row["quantity_without_cost"], row["stock_value"]) == (5.0, 5.0, None)
