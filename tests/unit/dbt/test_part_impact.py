"""The part impact analysis of random tenants, against one written from the vendor's definitions."""

from datetime import date
from pathlib import Path

import pytest

from tests.oracle import supply
from tests.oracle.compare import assert_same
from tests.oracle.part_impact import FIGURES, part_impact, part_impact_details
from tests.oracle.random_supply import random_supply_world
from tests.oracle.world import World
from tests.unit.dbt.supply_marts import supply_marts
from tests.unit.dbt.worlds import WorldModels

DETAIL = ("part_id", "record_part_id", "record_type", "record_id")


@pytest.fixture(scope="module")
def world() -> World:
    return random_supply_world(seed=7, n=40)


@pytest.mark.slow
def test_random_tenants(world: World, tmp_path: Path) -> None:
    due = supply.order_lines(world, date(2026, 6, 1))
    details = part_impact_details(world, {row["purchase_order_line_id"]: row for row in due}, "both")
    figures = part_impact(world, details)
    assert {row["figure"] for row in details} == set(FIGURES)
    for figure in FIGURES:
        rows = [row for row in details if row["figure"] == figure]
        assert len({row["is_of_earlier_revision"] for row in rows}) == 2, figure
    assert len({row["is_in_sum"] for row in details if row["figure"] == "on_purchase"}) == 2
    assert {"abom_items", "build_requirements"} <= {row["record_type"] for row in details}
    models = WorldModels(tmp_path / "world.duckdb", world, ["part_impact"], supply_marts(world, due))
    assert_same(details, models.rows("part_impact_details"), key=DETAIL)
    assert_same(figures, models.rows("part_impact"), key=("part_id", "figure"))
