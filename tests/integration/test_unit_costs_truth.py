"""What the units of the seeded factory cost: the published table against the oracle."""

import pytest

from tests.integration.conftest import Built
from tests.integration.support.warehouse import last_day, table
from tests.oracle import supply
from tests.oracle.check import TOLD_BY
from tests.oracle.compare import assert_same
from tests.oracle.unit_costs import unit_costs
from tests.oracle.world import read_world_dir

pytestmark = pytest.mark.slow

LABOR_RATE = 60.0


def test_unit_costs(demo_warehouse: Built) -> None:
    factory = read_world_dir(demo_warehouse.world)
    lines = supply.order_lines(factory, last_day(demo_warehouse))
    due = {line["purchase_order_line_id"]: line for line in lines}
    expected = unit_costs(factory, due, TOLD_BY[demo_warehouse.profile], LABOR_RATE, "USD")
    assert {row["is_complete"] for row in expected} == {True, False}
    found = [
        one | {"is_compared": one["cost_over_standard"] is not None, "difference": one["cost_over_standard"]}
        for one in table(demo_warehouse, "genealogy.unit_costs")
    ]
    assert_same(expected, found, key=("part_inventory_id", "currency"))
