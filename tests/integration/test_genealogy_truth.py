"""What is in what in the seeded factory: the published tables against the oracle and against what was planted."""

from typing import Any

import pytest

from tests.oracle import compare, planted
from tests.oracle.check import TOLD_BY, assert_hierarchy, assert_installations, assert_where_used
from tests.oracle.signature import tree_signature
from tests.oracle.world import World, read_truths, read_world_dir

pytestmark = pytest.mark.slow
PROFILES = [
    "demo_warehouse",
    "generation_1_warehouse",
    pytest.param("nested_warehouse", marks=pytest.mark.exhaustive),
]


@pytest.fixture(scope="module", params=PROFILES)
def built(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def factory(built: Any) -> World:
    return read_world_dir(built.world)


def test_installations(built: Any, factory: World) -> None:
    assert_installations(built.published, factory, built.profile)


def test_hierarchy(built: Any, factory: World) -> None:
    assert_hierarchy(built.published, factory, built.profile)


def test_where_used(built: Any, factory: World) -> None:
    assert_where_used(built.published, factory, built.profile)


def test_planted_installations(built: Any) -> None:
    truths, edges = read_truths(built.world), compare.warehouse_installations(built.published)
    planted.assert_shared_requirement(truths, edges)
    planted.assert_anomalous_installations(truths, edges)
    planted.assert_cycles(truths, edges, compare.warehouse_where_used(built.published))
    if TOLD_BY[built.profile] != 1:
        planted.assert_ids_of_generation_2(truths, edges)


def test_planted_trees(built: Any) -> None:
    truths, tree = read_truths(built.world), compare.warehouse_hierarchy(built.published)
    planted.assert_known_tree(truths, tree)
    planted.assert_open_requirement(truths, tree)


def test_planted_uses(built: Any) -> None:
    truths, uses = read_truths(built.world), compare.warehouse_where_used(built.published)
    planted.assert_contaminated_lot(truths, uses)
    planted.assert_known_use(truths, uses)


def test_both_generations_publish_the_same_trees(demo_warehouse: Any, generation_1_warehouse: Any) -> None:
    """The ids of edges differ between the generations; the trees must not."""
    second, first = (
        tree_signature(compare.warehouse_hierarchy(warehouse.published))
        for warehouse in (demo_warehouse, generation_1_warehouse)
    )
    compare.assert_same(second, first, key=("signature",))
