"""The world for the factory's tests, and functions that walk over it without using the product's code."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from typing import Any

import networkx
import orjson

from ion_pipeline.sandbox.factory import build_world
from ion_pipeline.sandbox.world import World

SMALL = 0.1


@cache
def small_factory() -> World:
    """A small world; it is built once, and no test may change it."""
    return build_world(scale=SMALL)


def digest(world: World) -> str:
    """A digest of a world, including the order of its keys and rows."""
    return hashlib.sha256(orjson.dumps([world.tables, world.organization, world.truths])).hexdigest()


def by_id(world: World, root: str) -> dict[int, dict[str, Any]]:
    """A table's rows by id."""
    return {row["id"]: row for row in world.tables[root]}


def edges(world: World) -> Iterator[tuple[int, int, dict[str, Any], dict[str, Any]]]:
    """Parent unit, child unit, requirement and installation, of generation 2."""
    requirements = by_id(world, "buildRequirements")
    for installation in world.tables["abomInstallations"]:
        requirement = requirements.get(installation["buildRequirementId"])
        for parent in requirement["partInventories"] if requirement else ():
            yield parent["id"], installation["partInventoryId"], requirement, installation


def graph(world: World) -> networkx.DiGraph:
    """Parent → child."""
    return networkx.DiGraph((parent, child) for parent, child, _, _ in edges(world))


def explode(world: World, root: int) -> list[tuple[tuple[int, ...], int | None, float, float]]:
    """Every path below a unit: unit ids, the child or None if open, pieces on the edge, pieces per root."""
    units = by_id(world, "partInventories")
    below: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    filled = set()
    for parent, child, requirement, installation in edges(world):
        below[parent].append((child, installation["quantity"]))
        filled.add(requirement["id"])
    found: list[tuple[tuple[int, ...], int | None, float, float]] = [((root,), root, 1.0, 1.0)]

    def walk(unit: int, path: tuple[int, ...], pieces: float) -> None:
        share = units[unit]["quantity"] if units[unit].get("trackingType") == "LOT" else 1.0
        for child, quantity in below[unit]:
            extended = round(pieces * quantity / share, 9)
            found.append(((*path, child), child, quantity, extended))
            walk(child, (*path, child), pieces * quantity / share)
        found.extend(
            (path, None, 0.0, 0.0)
            for requirement in world.tables["buildRequirements"]
            if {"id": unit} in requirement["partInventories"]
            and requirement["id"] not in filled
            and requirement["quantityPerParentPartInventory"] != 0
        )

    walk(root, (root,), 1.0)
    return found
