"""The part impact analysis of random tenants, against one written from the vendor's definitions."""

from datetime import date
from pathlib import Path

import pytest

from tests.oracle import supply
from tests.oracle.bom import Bom
from tests.oracle.compare import assert_same
from tests.oracle.part_impact import FIGURES, part_impact, part_impact_details
from tests.oracle.random_supply import random_supply_world
from tests.oracle.world import Row, World
from tests.unit.dbt.worlds import WorldModels

DETAIL = ("part_id", "record_part_id", "record_type", "record_id")


def shared_marts(world: World, due: list[Row]) -> dict[str, tuple[str, list[Row]]]:
    """The marts that other tests cover, from the world."""
    names = {row["id"]: row["type"] for row in world["unitsOfMeasurement"]}
    bom = Bom.of(world, "both")
    parts = {row["id"]: row for row in world["parts"]}
    families: dict[str | None, int] = {}
    lines = {row["id"]: row for row in world["purchaseOrderLines"]}
    return {
        "parts": (
            "part_id bigint, part_number varchar, part_revision varchar, part_description varchar, "
            "revision_family_id bigint, is_latest_revision boolean, unit_of_measure varchar, "
            "is_export_controlled boolean",
            [
                {
                    "part_id": row["id"],
                    "part_number": row["partNumber"],
                    "part_revision": row["revision"],
                    "revision_family_id": families.setdefault(bom.family(row["id"]), row["id"]),
                    "unit_of_measure": names.get(row["unitOfMeasureId"]),
                    "is_export_controlled": False,
                }
                for row in world["parts"]
            ],
        ),
        "part_inventories": (
            "part_inventory_id bigint, part_id bigint, serial_number varchar, lot_number varchar, status varchar, "
            "quantity double, quantity_installed double, unit_of_measure varchar, is_export_controlled boolean",
            [
                {
                    "part_inventory_id": row["id"],
                    "part_id": row["partId"],
                    "status": row["status"],
                    "quantity": row["quantity"],
                    "quantity_installed": row["quantityInstalled"],
                    "unit_of_measure": names.get(row["unitOfMeasureId"])
                    or names.get(parts.get(row["partId"], {}).get("unitOfMeasureId")),
                }
                for row in world["partInventories"]
            ],
        ),
        "purchase_order_lines": (
            "purchase_order_line_id bigint, purchase_order_id bigint, part_id bigint, status varchar, "
            "quantity_due double, quantity_received double, promised_at timestamptz, is_export_controlled boolean",
            [
                {
                    **row,
                    "purchase_order_id": lines[row["purchase_order_line_id"]]["purchaseOrderId"],
                    "part_id": lines[row["purchase_order_line_id"]]["partId"],
                    "status": lines[row["purchase_order_line_id"]]["status"],
                }
                for row in due
            ],
        ),
    }


@pytest.fixture(scope="module")
def world() -> World:
    return random_supply_world(seed=7, n=40)


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
    models = WorldModels(tmp_path / "world.duckdb", world, ["part_impact"], shared_marts(world, due))
    assert_same(details, models.rows("part_impact_details"), key=DETAIL)
    assert_same(figures, models.rows("part_impact"), key=("part_id", "figure"))
