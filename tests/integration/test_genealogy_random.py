"""Two hundred small random worlds in one warehouse: what is in what, against the oracle, under every schema."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.publish.containment import read_recall
from ion_pipeline.report.where_used import read_where_used
from tests.integration.conftest import BuildWarehouse
from tests.oracle.check import (
    TOLD_BY,
    assert_anomalies,
    assert_hierarchy,
    assert_installations,
    assert_unit_changes,
    assert_where_used,
)
from tests.oracle.containment import containing_units
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
    return build_warehouse(
        random_world_dir, request.param, only=("genealogy", "part_inventories", "freshness", "loads", "attributes")
    )


def test_installations(built: Any, random_world: World) -> None:
    assert_installations(built.warehouse, random_world, built.profile)


def test_hierarchy(built: Any, random_world: World) -> None:
    assert_hierarchy(built.warehouse, random_world, built.profile)


def test_where_used(built: Any, random_world: World) -> None:
    assert_where_used(built.warehouse, random_world, built.profile)


def test_every_recall_is_complete_or_says_what_is_missing(built: Any, random_world: World) -> None:
    """The units that hold a number, or something split off it: upwards along all installations, rings included.

    The index of the report and the recall agree with that for each number of the world; the index is marked where trees
    are cut by a ring.
    """
    expected = containing_units(random_world, TOLD_BY[built.profile])
    with duckdb.connect(str(built.warehouse), read_only=True) as connection:
        used = read_where_used(connection)
        found = {(use.part, use.name): use for use in used.uses}
        assert found.keys() == expected.keys()
        assert sum(map(bool, expected.values())) > 100
        looked_at = 0
        for number, (key, units) in enumerate(sorted(expected.items())):
            use = found[key]
            tops = {used.tops[place][0] for place in use.units}
            assert tops <= units.all
            assert tops == units.top or use.is_short, key
            # Each takes five queries.
            if number % 200 == 0 or (use.is_short and looked_at < 20):
                looked_at += use.is_short
                recall = read_recall(connection, *key)
                assert {unit["part_inventory_id"] for unit in recall.units} == tops
                outside = {unit["part_inventory_id"] for unit in recall.outside}
                assert units.top <= tops | outside <= units.all
                assert bool(recall.warnings) is bool(outside)
        assert looked_at >= 20


def test_changes_from_each_unit_to_the_next(built: Any, random_world: World) -> None:
    assert_unit_changes(built.warehouse, random_world, built.profile)


def test_anomalies(built: Any, random_world: World) -> None:
    world = random_world
    if built.profile == "no-root-abom":
        # There a requirement shows only inside its units: one without a unit cannot be read.
        seen = [row for row in world["buildRequirements"] if row.get("partInventories")]
        world = {**world, "buildRequirements": seen}
    assert_anomalies(built.warehouse, world, built.profile)
