"""What can be built in random tenants, against an allocation that goes from consumer to consumer."""

from collections import defaultdict
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.oracle import supply
from tests.oracle.clear_to_build import PlanLines, clear_to_build, plan_in_force
from tests.oracle.compare import assert_same
from tests.oracle.random_supply import random_supply_world
from tests.oracle.world import Row, World
from tests.unit.dbt.supply_marts import supply_marts
from tests.unit.dbt.worlds import WorldModels

TODAY = date(2026, 5, 10)
KEY = ("allocation_order", "notable_part_id", "parent_part_id", "part_id")
Given = dict[str, tuple[str, list[Row]]]


def plan_marts(world: World, plan: PlanLines) -> Given:
    """The plan as the models have it, and the settings and the last load."""
    depth: defaultdict[int, int] = defaultdict(int)

    def visit(part: int, level: int) -> None:
        depth[part] = max(depth[part], level)
        for child in {child for child, _, _ in plan[part]} & set(plan):
            visit(child, level + 1)

    for part in plan:
        visit(part, 0)
    return {
        "int_mbom__plan_lines": (
            "parent_part_id bigint, part_id bigint, quantity double, substitute_part_ids bigint[]",
            [
                {"parent_part_id": part, "part_id": child, "quantity": each, "substitute_part_ids": sorted(names)}
                for part, its in plan.items()
                for child, each, names in its
            ],
        ),
        "int_mbom__assembly_paths": (
            "part_id bigint, depth integer", [{"part_id": part, "depth": level} for part, level in depth.items()],
        ),
        "attributes": (
            "owner_type varchar, owner_id bigint, attribute_key varchar, value_text varchar",
            [
                {
                    "owner_type": "part",
                    "owner_id": row["partId"],
                    "attribute_key": row["key"],
                    "value_text": row["value"],
                }
                for row in world["partAttributes"]
            ],
        ),
        "stg_ion__loads": ("read_at timestamptz", [{"read_at": datetime(2026, 5, 10, 9, tzinfo=UTC)}]),
        "organization_settings": (
            "setting_key varchar, setting_value varchar",
            [{"setting_key": "production_time_zone", "setting_value": "UTC"}],
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def world() -> World:
    return random_supply_world(seed=8, n=50)


@pytest.mark.slow
def test_random_tenants(world: World, tmp_path: Path) -> None:
    due, plan = supply.order_lines(world, TODAY), plan_in_force(world)
    expected = clear_to_build(world, {row["purchase_order_line_id"]: row for row in due}, plan, "both", TODAY)
    assert {row["consumer_type"] for row in expected} == {"run", "unit", "plan_item"}
    for column in (
        "quantity_on_hand",
        "quantity_incoming",
        "quantity_to_make",
        "quantity_substituted",
        "quantity_short",
    ):
        assert sum((row[column] or 0) > 0 for row in expected) > 3, column
    assert {row["clear_on"] for row in expected} > {None, TODAY}
    assert any(row["quantity_needed"] is None for row in expected)
    assert any(row["notable_part_id"] not in {None, row["part_id"]} for row in expected)
    given = supply_marts(world, due) | plan_marts(world, plan)
    models = WorldModels(tmp_path / "world.duckdb", world, ["clear_to_build"], given)
    found = models.rows("clear_to_build")
    assert_same(expected, found, key=KEY)
    of_consumer: defaultdict[int, list[Row]] = defaultdict(list)
    for row in expected:
        of_consumer[row["allocation_order"]].append(row)
    for row in found:
        days = [one["clear_on"] for one in of_consumer[row["allocation_order"]]]
        assert row["consumer_clear_on"] == (None if None in days else max(days))
