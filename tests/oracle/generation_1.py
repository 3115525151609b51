"""The as-built record in ION's generation 1 (``abomItems``, ``aBomEdges``), derived from generation 2.

There is one item per (requirement, installation), one item without a unit per requirement without an installation, and
one top item per unit that has requirements and is installed nowhere.
"""

from tests.oracle.builder import WorldBuilder
from tests.oracle.world import Row


def add_generation_1(builder: WorldBuilder) -> None:
    """Add the rows of generation 1 that are equivalent to the builder's rows of generation 2."""
    world = builder.world
    units = {row["id"]: row for row in world["partInventories"]}
    fillings: dict[int, list[Row]] = {row["id"]: [] for row in world["buildRequirements"]}
    for installation in world["abomInstallations"]:
        fillings.get(installation["buildRequirementId"], []).append(installation)

    owned: dict[int, list[int]] = {}
    items: dict[int, list[int]] = {}
    for requirement in world["buildRequirements"]:
        for installation in fillings[requirement["id"]] or [{}]:
            item = _item(builder, requirement, installation)
            items.setdefault(requirement["id"], []).append(item)
            if installation:
                owned.setdefault(installation["partInventoryId"], []).append(item)
    for requirement in world["buildRequirements"]:
        for parent in (link["id"] for link in requirement["partInventories"]):
            if parent not in owned:
                part = units.get(parent, requirement)["partId"]
                top = builder.add("abomItems", partInventoryId=parent, partId=part, quantity=1.0)
                owned[parent] = [top]
            for parent_item in owned[parent]:
                for child_item in items[requirement["id"]]:
                    builder.add("aBomEdges", parentAbomItemId=parent_item, childAbomItemId=child_item)


def _item(builder: WorldBuilder, requirement: Row, installation: Row) -> int:
    item = builder.add(
        "abomItems",
        partInventoryId=installation.get("partInventoryId"),
        partId=requirement["partId"],
        originMbomItemId=requirement["originMbomItemId"],
        expectedQuantityPer=requirement["quantityPerParentPartInventory"],
        expectedFixedQuantity=requirement["fixedQuantityPerBuildRequirement"],
        quantity=installation.get("quantity") or 0.0,
    )
    for designator in requirement["referenceDesignators"]:
        if designator["id"] == installation.get("buildRequirementReferenceDesignatorId"):
            builder.world["abomItems"][-1]["referenceDesignator"] = {
                "id": item,
                "abomItemId": item,
                "value": designator["value"],
                "createdById": 1,
                "updatedById": 1,
            }
    return item
