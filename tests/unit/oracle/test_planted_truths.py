"""The oracle against what the seeded factory says it planted: two parties that know nothing of each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ion_pipeline.sandbox.factory import build_world
from ion_pipeline.sandbox.world import write_world
from tests.oracle import planted
from tests.oracle.genealogy import hierarchy, installations, where_used
from tests.oracle.world import Row, read_truths, read_world_dir


@dataclass(frozen=True)
class Told:
    """One world as one generation tells it."""

    generation: Any
    truths: dict[str, Any]
    edges: list[Row]
    tree: list[Row]
    uses: list[Row]


@pytest.fixture(scope="module")
def factory_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("factory")
    write_world(build_world(seed=7, scale=0.05), folder)
    return folder


@pytest.fixture(scope="module", params=[1, 2, "both"])
def told(request: pytest.FixtureRequest, factory_dir: Path) -> Told:
    world, generation = read_world_dir(factory_dir), request.param
    return Told(
        generation,
        read_truths(factory_dir),
        installations(world, generation),
        hierarchy(world, generation),
        where_used(world, generation),
    )


def test_known_tree(told: Told) -> None:
    planted.assert_known_tree(told.truths, told.tree)


def test_contaminated_lot(told: Told) -> None:
    planted.assert_contaminated_lot(told.truths, told.uses)


def test_known_use(told: Told) -> None:
    planted.assert_known_use(told.truths, told.uses)


def test_cycles(told: Told) -> None:
    planted.assert_cycles(told.truths, told.edges, told.uses)


def test_shared_requirement(told: Told) -> None:
    planted.assert_shared_requirement(told.truths, told.edges)


def test_open_requirement(told: Told) -> None:
    planted.assert_open_requirement(told.truths, told.tree)


def test_anomalous_installations(told: Told) -> None:
    planted.assert_anomalous_installations(told.truths, told.edges)


def test_ids(told: Told) -> None:
    if told.generation != 1:
        planted.assert_ids_of_generation_2(told.truths, told.edges)
    else:
        assert {row["abom_generation"] for row in told.edges} == {1}
