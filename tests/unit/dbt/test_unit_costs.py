"""What units cost in random tenants, against sums in plain Python."""

from datetime import date, datetime
from pathlib import Path

import pytest

from tests.oracle import supply
from tests.oracle.compare import assert_same
from tests.oracle.random_supply import random_supply_world
from tests.oracle.unit_costs import unit_costs
from tests.oracle.world import Row, World
from tests.unit.dbt.supply_marts import supply_marts
from tests.unit.dbt.worlds import WorldModels

RATE = 60.0


def sessions(world: World) -> list[Row]:
    """Rows of `labor_sessions`."""
    unit_of = {row["id"]: row["partInventoryId"] for row in world["runs"]}
    return [
        {
            "part_inventory_id": unit_of[step["runId"]],
            "currency": "USD",
            "labor_cost": None
            if one["checkOut"] is None
            else (datetime.fromisoformat(one["checkOut"]) - datetime.fromisoformat(one["checkIn"])).total_seconds()
            / 3600
            * RATE,
        }
        for step in world["runSteps"]
        for one in step["sessions"]
    ]


@pytest.fixture(scope="module")
def world() -> World:
    return random_supply_world(seed=9, n=40)


@pytest.mark.slow
def test_random_tenants(world: World, tmp_path: Path) -> None:
    due = supply.order_lines(world, date(2026, 6, 1))
    expected = unit_costs(world, {row["purchase_order_line_id"]: row for row in due}, "both", RATE, "USD")
    assert {row["currency"] for row in expected} == {None, "USD", "EUR"}
    for column in ("purchase_cost", "labor_cost", "component_purchase_cost", "component_labor_cost", "difference"):
        assert sum(row[column] is not None for row in expected) > 3, column
    assert {row["is_complete"] for row in expected} == {True, False}
    assert {row["currency_count"] for row in expected} >= {0, 1, 2}
    given = supply_marts(world, due) | {
        "labor_sessions": ("part_inventory_id bigint, labor_cost double, currency varchar", sessions(world)),
        "organization_settings": (
            "setting_key varchar, setting_value varchar",
            [{"setting_key": "labor_rate_currency", "setting_value": "USD"}],
        ),
    }
    models = WorldModels(tmp_path / "world.duckdb", world, ["unit_costs"], given)
    found = models.rows("unit_costs")
    assert len({row["unit_cost_key"] for row in found}) == len(found)
    for row in found:
        row |= {"is_compared": row["cost_over_standard"] is not None, "difference": row["cost_over_standard"]}
    assert_same(expected, found, key=("part_inventory_id", "currency"))
