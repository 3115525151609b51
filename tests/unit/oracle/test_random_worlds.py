"""The content of the random worlds, on which the value of the random tests depends."""

from collections import Counter
from pathlib import Path

from tests.oracle.random_worlds import ID_RANGE, merged_random_world
from tests.oracle.situations import situations
from tests.oracle.world import read_world_dir, write_world_dir

SITUATIONS = """
    unit alone · LOT parent, root · LOT parent, installed · LOT parent of quantity 0 · SERIAL parent, root
    SERIAL parent, installed · SERIAL parent of quantity 0 · untracked parent, root · untracked parent, installed
    untracked parent of quantity 0
    self loop · edge of a cycle · unit above a cycle · unit below a cycle · unit between two cycles
    edge from one cycle to another · cycles of both generations
    open requirement · open requirement deep in a tree · fixed quantity, unfilled · fixed quantity, filled once
    fixed quantity, filled several times · trace only, unfilled · trace only, filled once
    trace only, filled several times · trace only, installed · requirement without quantity, unfilled
    requirement without quantity, filled once · requirement without quantity, filled several times
    installed without a required quantity
    requirement of no unit, unfilled · requirement of no unit, filled once
    requirement of no unit, filled several times · requirement of one unit, unfilled
    requirement of one unit, filled once · requirement of one unit, filled several times
    requirement of several units, unfilled
    requirement of several units, filled once · requirement of several units, filled several times
    installation without requirement · installation on a missing requirement
    unit installed twice in the same unit · installed quantity 0
    installed quantity not whole · installed quantity unknown · designator · made on assembly
    several paths · 32 paths · ten levels deep · top level far above · extended quantity unknown
    unit in generation 1 only · unit in generation 2 only · unit in both generations
    unit with several items · same id in both generations
"""


def test_the_merged_world_contains_every_situation() -> None:
    known = {name.strip() for line in SITUATIONS.strip().splitlines() for name in line.split("·")}
    found = situations(merged_random_world(7, 200), "both")
    assert set(found) == known


def test_the_same_seed_gives_the_same_world() -> None:
    assert merged_random_world(7, 20) == merged_random_world(7, 20)
    assert merged_random_world(7, 20) != merged_random_world(8, 20)


def test_the_merged_worlds_share_no_ids() -> None:
    world = merged_random_world(3, 50)
    for entity, rows in world.items():
        assert set(Counter(row["id"] for row in rows).values()) == {1}, entity
    for requirement in world["buildRequirements"]:
        assert {link["id"] // ID_RANGE for link in requirement["partInventories"]} <= {requirement["id"] // ID_RANGE}


def test_a_world_survives_the_disk(tmp_path: Path) -> None:
    world = merged_random_world(7, 20)
    world["parts"][0]["description"] = 'line\u2028separator, \x85 next line, \U0001f529, "quotes"\nand a break'
    assert read_world_dir(write_world_dir(world, tmp_path)) == world
