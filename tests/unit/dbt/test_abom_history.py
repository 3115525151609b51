"""The models of as-built BOM history on random histories, compared with the oracle's load-by-load history."""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from tests.oracle import compare
from tests.oracle.genealogy import hierarchy
from tests.oracle.history import History
from tests.oracle.moments import Moments
from tests.oracle.random_histories import FIRST_LOAD, merged_random_history
from tests.oracle.world import Row, World
from tests.unit.dbt.loaded import Loaded

pytestmark = pytest.mark.slow

SEED = 7
HISTORIES = 60
LOADS = 6
CHANGES = (
    "installed",
    "uninstalled",
    "replaced",
    "quantity_changed",
    "moved",
    "requirement_added",
    "requirement_removed",
    "indirect",
)


@pytest.fixture(scope="module", params=["both generations", "generation 1"])
def loads(request: pytest.FixtureRequest) -> list[tuple[datetime, World]]:
    if request.param == "both generations":
        return merged_random_history(SEED, HISTORIES, LOADS)
    # Only some random worlds have it, and only some of their edits apply to it.
    found = merged_random_history(SEED, 2 * HISTORIES, LOADS)
    return [(at, world | {"buildRequirements": [], "abomInstallations": []}) for at, world in found]


@pytest.fixture(scope="module")
def loaded(loads: list[tuple[datetime, World]], tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    return Loaded(tmp_path_factory.mktemp("loads") / "warehouse.duckdb", loads)


@pytest.fixture(scope="module")
def history(loads: list[tuple[datetime, World]]) -> History:
    found = History("both")
    for at, world in loads:
        found.add(at, world)
    return found


def test_versions(loaded: Loaded, history: History) -> None:
    columns = ("part_inventory_id", "version_number", "valid_from", "valid_to")
    found = loaded.rows("from genealogy.abom_versions")
    assert chosen(found, columns) == chosen(history.versions, columns)
    assert max(row["version_number"] for row in found) > 2
    for row in found:
        assert row["is_current"] == (row["valid_to"] is None) == (row["structure_hash_now"] is not None)


def test_changes(loaded: Loaded, history: History) -> None:
    columns = tuple(history.changes[0])
    found = loaded.rows("from genealogy.abom_version_changes")
    assert chosen(found, columns) == chosen(history.changes, columns)
    assert {row["change"] for row in found} == {*CHANGES}
    assert {"open", "gone", None} <= {row["requirement_after"] for row in found}


def test_counts_of_changes_are_those_of_the_changed_lines(loaded: Loaded, history: History) -> None:
    expected: dict[tuple[int, int], Counter[str]] = {}
    for row in history.changes:
        expected.setdefault((row["part_inventory_id"], row["version_number"]), Counter())[row["change"]] += 1
    for row in loaded.rows("from genealogy.abom_versions"):
        counts = expected.get((row["part_inventory_id"], row["version_number"]), Counter())
        assert {change: row[f"{change}_count"] for change in CHANGES} == {c: counts[c] for c in CHANGES}
        assert row["change_count"] == counts.total() - counts["indirect"]


def test_equal_hashes_are_equal_configurations(loaded: Loaded, history: History) -> None:
    shapes = {(row["part_inventory_id"], row["version_number"]): row for row in history.versions}
    pairs, seen = set(), 0
    for row in loaded.rows("from genealogy.abom_versions"):
        shape = shapes[row["part_inventory_id"], row["version_number"]]
        pairs.add((row["structure_hash"], shape["shape"]))
        seen += 1 + row["is_current"]
        if row["is_current"]:
            pairs.add((row["structure_hash_now"], shape["shape_now"]))
    assert len(pairs) == len({digest for digest, _ in pairs}) == len({shape for _, shape in pairs})
    assert 1 < len(pairs) < seen


def test_trees_at_every_load_and_between_loads(
    loaded: Loaded, history: History, loads: list[tuple[datetime, World]]
) -> None:
    rng = random.Random(SEED)
    changed = sorted({row["part_inventory_id"] for row in history.changes})
    asked = 0
    for at, world in loads:
        trees: dict[int, list[Row]] = {}
        for row in hierarchy(world, "both"):
            trees.setdefault(row["root_part_inventory_id"], []).append(row)
        for unit in rng.sample(changed, 25):
            instant = at + timedelta(hours=rng.choice((0, 0, 23)))
            found = loaded.rows("from abom_as_of(?, ?)", [unit, instant])
            if unit in trees:
                asked += len(trees[unit]) > 1
                compare.assert_same(trees[unit], list(map(with_path, found)), key=compare.HIERARCHY_KEY)
                assert [row["sort_key"] for row in found] == sorted(row["sort_key"] for row in found)
            else:
                assert found == []
    assert asked > 50
    assert loaded.rows("from abom_as_of(?, ?)", [changed[0], FIRST_LOAD - timedelta(seconds=1)]) == []


def test_comparisons_of_a_unit_with_its_earlier_state(
    loaded: Loaded, history: History, loads: list[tuple[datetime, World]]
) -> None:
    rng = random.Random(SEED)
    moments = Moments([world for _, world in loads], "both")
    changed = sorted({row["part_inventory_id"] for row in history.changes})
    found_classes: Counter[str] = Counter()
    for unit in rng.sample(changed, min(200, len(changed))):
        places = [
            place for place, (_, world) in enumerate(loads) if unit in {u["id"] for u in world["partInventories"]}
        ]
        before, after = rng.sample(places, 2) if rng.random() < 0.1 else (places[0], places[-1])
        wanted = moments.changes(unit, before, after)
        found = loaded.rows("from abom_compare_as_of(?, ?, ?)", [unit, loads[before][0], loads[after][0]])
        columns = [*wanted[0]] if wanted else []
        assert chosen(found, columns) == chosen(wanted, columns), (unit, before, after)
        found_classes.update(row["change"] for row in found)
    assert {"installed", "missing", "replaced", "quantity_changed"} <= found_classes.keys()
    assert loaded.rows("from abom_compare_as_of(?, ?, ?)", [changed[0], loads[-1][0], loads[-1][0]]) == []


def with_path(row: Row) -> Row:
    return row | {
        "path": tuple(row["path_key"].split("/")[1:]),
        "path_ids": tuple(row["path_ids"]),
    }


def chosen(rows: Iterable[Row], columns: Iterable[str]) -> Counter[tuple[Any, ...]]:
    """Count how often each row occurs, by the given columns."""
    return Counter(tuple(plain(row[column]) for column in columns) for row in rows)


def plain(value: Any) -> Any:
    return f"{float(value):.9g}" if isinstance(value, Fraction | float) else value
