"""Small random worlds with many situations that break genealogies, and a merge of many of them.

The same generator serves hypothesis (which shrinks its examples) and the seeded, merged world that a single build of
the models checks.
"""

import itertools
import random
from collections.abc import Sequence

from hypothesis import strategies as st

from tests.oracle.builder import ENTITIES, WorldBuilder
from tests.oracle.generation_1 import add_generation_1
from tests.oracle.world import World

ID_RANGE = 10_000
"""Ids of one small world lie in one range of this length, whatever the entity."""

_LOT_QUANTITIES = (1.0, 3.0, 4.0, 4.0, 10.0, 10.0, 20.0, 2.5, 7.0, 0.0)
_INSTALLED_QUANTITIES = (1.0, 1.0, 2.0, 3.0, 0.25, 0.1, 0.0)

# Frames: edges between positions in a world's list of units, to which random edges are added.
_CHAIN = tuple(itertools.pairwise(range(12)))
_LADDER = tuple(edge for edge in itertools.pairwise(range(6)) for _ in range(2))
_CYCLES = ((0, 1), (1, 2), (2, 1), (2, 3), (3, 4), (4, 5), (5, 4), (5, 6), (6, 6))


def mirrored_worlds() -> st.SearchStrategy[World]:
    """Worlds whose two generations have the same content."""
    return st.randoms(use_true_random=False).map(lambda rng: random_world(rng, generation_1="mirrored"))


def worlds() -> st.SearchStrategy[World]:
    """Worlds of every kind: only generation 2, both generations equal, or generation 1 out of date."""
    return st.randoms(use_true_random=False).map(random_world)


def merged_random_world(seed: int, n: int) -> World:
    """Return ``n`` random worlds in one, each in its own range of ids; equal arguments give equal results."""
    merged: World = {name: [] for name in ENTITIES}
    for place in range(n):
        small = random_world(random.Random(f"{seed}/{place}"), first_id=1 + place * ID_RANGE)
        for name, rows in small.items():
            assert len(rows) < ID_RANGE, f"{name} of world {place} would run into the ids of the next"
            if name != "users" or not place:
                merged[name].extend(rows)
    return merged


def random_world(rng: random.Random, first_id: int = 1, generation_1: str | None = None) -> World:
    """Return one small world.

    ``generation_1`` is its relation to generation 2: ``none`` (no rows of it), ``mirrored``, ``legacy`` (some units are
    only in generation 1) or ``stale`` (generation 1 no longer agrees); random if not given.
    """
    builder = WorldBuilder(first_id)
    generation_1 = generation_1 or rng.choice(("none", "mirrored", "legacy", "stale"))
    parts = [builder.part(rng.choice(("SERIAL", "LOT", "LOT", None))) for _ in range(rng.randint(2, 5))]
    frame = rng.choice((*[()] * 9, _CHAIN, _LADDER, _CYCLES))
    length = 1 + max(max(edge) for edge in frame) if frame else rng.randint(1, 8)
    units = [_unit(rng, builder, rng.choice(parts)) for _ in range(length)]
    for parent, child in frame:
        builder.put(units[parent], units[child], rng.choice((1.0, 2.0, 0.5)))
    cyclic = not frame and rng.random() < 0.4
    for _ in range(rng.randint(0, 3 if frame else length + 2)):
        _requirement(rng, builder, units, cyclic=cyclic, known=generation_1 == "mirrored")
    if rng.random() < 0.1:
        builder.install(None, rng.choice(units))
    if rng.random() < 0.1:
        builder.install(builder.requirement([], parts[0], per_unit=1.0), rng.choice(units))
        del builder.world["buildRequirements"][-1]
    if generation_1 != "none":
        add_generation_1(builder)
    if generation_1 == "legacy":
        _forget(rng, builder.world, units)
    if generation_1 == "stale":
        _disagree(rng, builder.world, units)
    return builder.world


def _unit(rng: random.Random, builder: WorldBuilder, part: int) -> int:
    tracking = next(row["trackingType"] for row in builder.world["parts"] if row["id"] == part)
    choices = {"LOT": _LOT_QUANTITIES, "SERIAL": (1.0, 1.0, 0.0)}.get(tracking, (1.0, 5.0, 0.0))
    return builder.unit(part, rng.choice(choices))


def _requirement(rng: random.Random, builder: WorldBuilder, units: Sequence[int], *, cyclic: bool, known: bool) -> None:
    parents = rng.sample(units, min(rng.choice((0, 1, 1, 1, 1, 1, 2, 3)), len(units)))
    designators = [f"R{n}" for n in range(rng.choice((0, 0, 1, 3)))]
    requirement = builder.requirement(
        parents,
        rng.choice(builder.world["parts"])["id"],
        **rng.choice(
            (
                {"per_unit": 1.0},
                {"per_unit": 4.0},
                {"per_unit": 0.0},
                {"fixed": 2.5},
                {"fixed": 0.0},
                {"per_unit": 2.0, "fixed": 3.0},
                {},
            )
        ),
        designators=designators,
        made_on_assembly=rng.random() < 0.2,
    )
    below = units if cyclic else [unit for unit in units if unit > max(parents, default=0)]
    quantities = _INSTALLED_QUANTITIES if known else (*_INSTALLED_QUANTITIES, None)
    for _ in range(rng.choice((0, 1, 1, 2, 3)) if below else 0):
        builder.install(
            requirement,
            rng.choice(below),
            rng.choice(quantities),
            rng.choice([None, *designators]) if designators else None,
        )


def _forget(rng: random.Random, world: World, units: Sequence[int]) -> None:
    """Remove some units' requirements from generation 2, as for units built before it existed."""
    old = set(rng.sample(units, rng.randint(1, len(units))))
    for row in world["buildRequirements"]:
        row["partInventories"] = [link for link in row["partInventories"] if link["id"] not in old]


def _disagree(rng: random.Random, world: World, units: Sequence[int]) -> None:
    """Make generation 1 out of date: missing edges, old quantities and units."""
    world["aBomEdges"] = [row for row in world["aBomEdges"] if rng.random() < 0.8]
    for item in world["abomItems"]:
        if rng.random() < 0.3:
            item["quantity"] = rng.choice(_INSTALLED_QUANTITIES)
        if rng.random() < 0.15:
            item["partInventoryId"] = rng.choice((None, *units))
