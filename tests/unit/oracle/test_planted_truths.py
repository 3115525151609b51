"""The oracle compared with the truths that the seeded factory records; the two share no code."""

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
class Reading:
    """One world, read from one generation or from both."""

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
def reading(request: pytest.FixtureRequest, factory_dir: Path) -> Reading:
    world, generation = read_world_dir(factory_dir), request.param
    return Reading(
        generation,
        read_truths(factory_dir),
        installations(world, generation),
        hierarchy(world, generation),
        where_used(world, generation),
    )


def test_known_tree(reading: Reading) -> None:
    planted.assert_known_tree(reading.truths, reading.tree)


def test_contaminated_lot(reading: Reading) -> None:
    planted.assert_contaminated_lot(reading.truths, reading.uses)


def test_known_use(reading: Reading) -> None:
    planted.assert_known_use(reading.truths, reading.uses)


def test_cycles(reading: Reading) -> None:
    planted.assert_cycles(reading.truths, reading.edges, reading.uses)


def test_shared_requirement(reading: Reading) -> None:
    planted.assert_shared_requirement(reading.truths, reading.edges)


def test_open_requirement(reading: Reading) -> None:
    planted.assert_open_requirement(reading.truths, reading.tree)


def test_anomalous_installations(reading: Reading) -> None:
    planted.assert_anomalous_installations(reading.truths, reading.edges)


def test_ids(reading: Reading) -> None:
    if reading.generation != 1:
        planted.assert_ids_of_generation_2(reading.truths, reading.edges)
    else:
        assert {row["abom_generation"] for row in reading.edges} == {1}
