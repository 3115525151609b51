"""What a change of a part touches in the seeded factory, against the oracle and what was planted."""

import pytest

from tests.integration.conftest import Built
from tests.integration.support.warehouse import last_day, table
from tests.oracle import supply
from tests.oracle.check import TOLD_BY
from tests.oracle.compare import assert_same
from tests.oracle.part_impact import part_impact, part_impact_details
from tests.oracle.world import World, read_world_dir

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def factory(demo_warehouse: Built) -> World:
    return read_world_dir(demo_warehouse.world)


def test_part_impact(demo_warehouse: Built, factory: World) -> None:
    due = {row["purchase_order_line_id"]: row for row in supply.order_lines(factory, last_day(demo_warehouse))}
    details = part_impact_details(factory, due, TOLD_BY[demo_warehouse.profile])
    key = ("part_id", "record_part_id", "record_type", "record_id")
    assert_same(details, table(demo_warehouse, "supply.part_impact_details"), key=key)
    found = table(demo_warehouse, "supply.part_impact")
    assert_same(part_impact(factory, details), found, key=("part_id", "figure"))


def test_planted_part_impact(demo_warehouse: Built) -> None:
    """Orders of 10, 20 … in each state, of which two are over; kits for 5 in each state, of which two have some."""
    planted = {("PLT-ORDERED", "on_purchase"): (4, 100.0), ("PLT-KITTED", "kit_items"): (5, 23.0)}
    found = {
        (row["part_number"], row["figure"]): (row["record_count"], row["quantity"])
        for row in table(demo_warehouse, "supply.part_impact")
    }
    assert {key: found[key] for key in planted} == planted
