"""What can be built in the seeded factory: the published table against the oracle."""

import pytest

from tests.integration.conftest import Built
from tests.integration.support.warehouse import last_day, table
from tests.oracle import supply
from tests.oracle.check import TOLD_BY
from tests.oracle.clear_to_build import clear_to_build, plan_in_force
from tests.oracle.compare import assert_same
from tests.oracle.world import read_world_dir

pytestmark = pytest.mark.slow


def test_clear_to_build(demo_warehouse: Built) -> None:
    factory = read_world_dir(demo_warehouse.world)
    today = last_day(demo_warehouse)
    due = {row["purchase_order_line_id"]: row for row in supply.order_lines(factory, today)}
    generation = TOLD_BY[demo_warehouse.profile]
    expected = clear_to_build(factory, due, plan_in_force(factory), generation, today)
    # Runs without a unit that lack something occur in the random tenants of the unit tests.
    assert {row["consumer_type"] for row in expected} >= {"unit", "plan_item"}
    key = ("consumer_type", "consumer_id", "notable_part_id", "parent_part_id", "part_id")
    assert_same(expected, table(demo_warehouse, "supply.clear_to_build"), key=key)
