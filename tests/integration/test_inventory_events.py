"""Refreshes of a tenant whose stock is moved, split, kitted, held, installed, removed, scrapped and merged."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.conftest import build_only
from tests.integration.support.changing_world import add, delete, update
from tests.integration.support.tenant import Tenant, running
from tests.oracle.builder import WorldBuilder
from tests.oracle.compare import warehouse_table
from tests.oracle.world import Row, write_world_dir

pytestmark = pytest.mark.slow

ENTITIES = ("abom_installations", "build_requirements", "locations", "part_inventories", "parts", "users")
LOT, SECOND, THIRD, PARENT, OTHER, CHILD, PARTED, MERGED = range(1, 9)


def world() -> WorldBuilder:
    """Three lots of a part, two assemblies, a serial that is installed in the first, and two places."""
    builder = WorldBuilder()
    builder.world["locations"] = []
    for name in ("Rack", "Bench"):
        builder.add("locations", entityId=1, name=name, type="SHELF", available=True, archived=False)
    stuff, assembly, sensor = builder.part("LOT"), builder.part(), builder.part()
    for quantity in (10.0, 3.0, 4.0):
        builder.unit(stuff, quantity)
    for part in (assembly, assembly, sensor):
        builder.unit(part)
    builder.put(PARENT, CHILD)
    for unit in builder.world["partInventories"]:
        unit |= {"status": "AVAILABLE", "locationId": 1, "quantityKitted": 0.0, "unavailable": False}
    builder.requirement([OTHER], sensor, per_unit=1.0)
    return builder


def stirred(tenant: Tenant, builder: WorldBuilder) -> None:
    """Three working days, a refresh after each."""
    lot = builder.world["partInventories"][0]
    new = {key: value for key, value in lot.items() if not key.startswith("_") and key != "serialNumber"}

    def unit(number: int, **values: object) -> Row:
        return add("partInventories", **{**new, "id": number, "entityId": 90 + number, "createdById": 2, **values})

    tenant.change(
        update("partInventories", LOT, locationId=2, quantity=6.0, quantityKitted=5.0, updatedById=3),
        unit(PARTED, quantity=4.0, originPartInventoryId=LOT),
        update("partInventories", PARENT, status="WIP"),
    )
    tenant.refresh()
    tenant.change(
        update("partInventories", LOT, quantityKitted=0.0, unavailable=True, status="UNAVAILABLE"),
        delete("abomInstallations", 1),
        add("abomInstallations", id=2, buildRequirementId=2, partInventoryId=CHILD, quantity=1.0, createdById=3),
    )
    tenant.refresh()
    tenant.change(
        update(
            "partInventories",
            LOT,
            touch=True,
            unavailable=False,
            status="AVAILABLE",
            quantity=5.0,
            quantityScrapped=1.0,
        ),
        delete("partInventories", SECOND),
        delete("partInventories", THIRD),
        unit(MERGED, quantity=7.0),
    )
    tenant.refresh()


@pytest.fixture(scope="module", params=["today", pytest.param("full", marks=pytest.mark.exhaustive)])
def events(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, rendered: Callable[[Path], None]
) -> Iterator[list[Row]]:
    folder, builder = tmp_path_factory.mktemp("events"), world()
    write_world_dir(builder.world, folder / "world")
    with running(folder / "world", folder, request.param, entities=ENTITIES) as tenant:
        rendered(tenant.settings.data_dir)
        stirred(tenant, builder)
        build_only(tenant.settings, "part_inventory_events")
        yield warehouse_table(tenant.settings.warehouse_path, "production.part_inventory_events")


def test_what_happened_since_the_first_load(events: list[Row]) -> None:
    happened = {
        (
            row["part_inventory_id"],
            row["event_type"],
            row["related_part_inventory_id"],
            row["quantity"],
            row["time_from"],
        )
        for row in events
        if row["is_from_history"]
    }
    assert happened == {
        (LOT, "moved", None, None, "last change"),
        (LOT, "quantity", None, -4.0, "last change"),
        (LOT, "kitted", None, 5.0, "last change"),
        (LOT, "split_off", PARTED, -4.0, "ION"),
        (PARTED, "split_from", LOT, 4.0, "ION"),
        (PARENT, "status", None, None, "last change"),
        (LOT, "unkitted", None, -5.0, "last change"),
        (LOT, "status", None, None, "last change"),
        (LOT, "held", None, None, "last change"),
        (CHILD, "removed", PARENT, -1.0, "load"),
        (CHILD, "installed", OTHER, 1.0, "ION"),
        (LOT, "released", None, None, "last change"),
        (LOT, "quantity", None, -1.0, "last change"),
        (LOT, "scrapped", None, 1.0, "last change"),
        (SECOND, "merged_into", MERGED, -3.0, "load"),
        (THIRD, "merged_into", MERGED, -4.0, "load"),
        (MERGED, "merged_from", SECOND, 3.0, "load"),
        (MERGED, "merged_from", THIRD, 4.0, "load"),
        (MERGED, "created", None, 7.0, "ION"),
    }


def test_what_was_so_at_the_first_load_is_inferred(events: list[Row]) -> None:
    inferred = sorted((row["part_inventory_id"], row["event_type"]) for row in events if not row["is_from_history"])
    assert inferred == sorted([*((unit, "created") for unit in range(LOT, PARTED)), (CHILD, "installed")])


def test_who_did_it_where_and_in_which_order(events: list[Row]) -> None:
    [moved] = [row for row in events if row["event_type"] == "moved"]
    assert (moved["value_before"], moved["value_after"], moved["by_user"]) == ("Rack", "Bench", "李 工")
    of_lot = [row for row in events if row["part_inventory_id"] == LOT]
    assert [row["occurred_at"] for row in of_lot] == sorted(row["occurred_at"] for row in of_lot)
    assert [row["value_after"] for row in of_lot if row["event_type"] == "status"] == ["UNAVAILABLE", "AVAILABLE"]
