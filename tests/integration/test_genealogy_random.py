"""Two hundred small random worlds in one warehouse: what is in what, against the oracle, under every schema."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import BuildWarehouse
from tests.oracle.check import (
    TOLD_BY,
    assert_anomalies,
    assert_hierarchy,
    assert_installations,
    assert_unit_changes,
    assert_where_used,
)
from tests.oracle.random_worlds import merged_random_world
from tests.oracle.world import World, read_world_dir, write_world_dir

pytestmark = pytest.mark.slow

SEED = 7
WORLDS = 200


@pytest.fixture(scope="module")
def random_world_dir(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    return once("random-worlds", partial(write_world_dir, merged_random_world(SEED, WORLDS)))


@pytest.fixture(scope="module")
def random_world(random_world_dir: Path) -> World:
    return read_world_dir(random_world_dir)


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[] if name == "full" else [pytest.mark.exhaustive]) for name in sorted(TOLD_BY)],
)
def built(request: pytest.FixtureRequest, random_world_dir: Path, build_warehouse: BuildWarehouse) -> Any:
    return build_warehouse(random_world_dir, request.param, only=("genealogy",))


def test_installations(built: Any, random_world: World) -> None:
    assert_installations(built.warehouse, random_world, built.profile)


def test_hierarchy(built: Any, random_world: World) -> None:
    assert_hierarchy(built.warehouse, random_world, built.profile)


def test_where_used(built: Any, random_world: World) -> None:
    assert_where_used(built.warehouse, random_world, built.profile)


def test_changes_from_each_unit_to_the_next(built: Any, random_world: World) -> None:
    assert_unit_changes(built.warehouse, random_world, built.profile)


def test_anomalies(built: Any, random_world: World) -> None:
    world = random_world
    if built.profile == "no-root-abom":
        # There a requirement shows only inside its units: one without a unit cannot be read.
        seen = [row for row in world["buildRequirements"] if row.get("partInventories")]
        world = {**world, "buildRequirements": seen}
    assert_anomalies(built.warehouse, world, built.profile)
