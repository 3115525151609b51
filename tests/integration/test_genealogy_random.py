"""Two hundred small random worlds in one warehouse: what is in what, against the oracle, under every schema."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ion_pipeline.mcp.reading import Limits, PublishedReader
from ion_pipeline.publish import publish
from ion_pipeline.publish.containment import data_age, read_recall
from ion_pipeline.publish.read import open_published
from ion_pipeline.questions import questions
from ion_pipeline.questions.asking import ask
from ion_pipeline.report.recall_page import recall_csv, recall_page
from ion_pipeline.report.where_used import read_where_used
from tests.html_page import parsed
from tests.integration.conftest import BuildWarehouse
from tests.integration.support.analyst import MACROS
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

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

SEED = 7
WORLDS = 200
READ = ("genealogy", "part_inventories", "freshness", "loads", "attributes")
# Of these, every lot is recalled in every way.
RECALLED_WORLDS = 30


@pytest.fixture(scope="module")
def random_world_dir(once: Callable[[str, Callable[[Path], None]], Path]) -> Path:
    return once("random-worlds", partial(write_world_dir, merged_random_world(SEED, WORLDS)))


@pytest.fixture(scope="module")
def random_world(random_world_dir: Path) -> World:
    return read_world_dir(random_world_dir)


@pytest.fixture(
    scope="module",
    params=sorted(TOLD_BY),
)
def built(request: pytest.FixtureRequest, random_world_dir: Path, build_warehouse: BuildWarehouse) -> Any:
    return build_warehouse(random_world_dir, request.param, only=READ)


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


def test_every_way_of_asking_recalls_the_same_units_for_every_lot(
    build_warehouse: BuildWarehouse, random_world_dir: Path, random_world: World, tmp_path: Path
) -> None:
    """Every lot of thirty random worlds: SQL, `ask recall`, the recall page, its CSV file, an assistant, the oracle."""
    built = build_warehouse(random_world_dir, "full", only=READ)
    published = tmp_path / "published"
    publish(
        built.warehouse, published, schemas=("genealogy", "ops", "reference"), sql_files=[MACROS / "recall.sql"],
        formats=(),
    )  # fmt: skip
    some = merged_random_world(SEED, RECALLED_WORLDS)
    lots = {row["lotNumber"] for row in some["partInventories"] if row.get("lotNumber") is not None}
    of_some = {key for key in containing_units(some, TOLD_BY[built.profile]) if key[1] in lots}
    everything = containing_units(random_world, TOLD_BY[built.profile])
    expected = {key: everything[key] for key in sorted(of_some)}
    reader, question = PublishedReader(published, Limits(rows=10_000)), questions()["recall"]
    # An assistant's connection locks the settings of the file, for all connections of a process.
    answers = {
        key: reader.answer("from recall($part, $lot)", dict(zip(("part", "lot"), key, strict=True))) for key in expected
    }
    now, in_rings = datetime.now(UTC), 0
    with open_published(published) as (connection, path):
        age = data_age(connection)
        for (part, lot), units in expected.items():
            named = {"part": part, "lot": lot}
            rows = connection.execute("select part_inventory_id, is_in_tree from recall($part, $lot)", named).fetchall()
            trees, rest = ({unit for unit, is_in_tree in rows if is_in_tree is side} for side in (True, False))
            assert len(rows) == len(trees) + len(rest), (part, lot)
            assert rows == sorted(rows, key=lambda row: row[1]), "what is in no tree comes first"
            assert units.top <= trees | rest <= units.all, (part, lot)
            assert rest or trees == units.top, (part, lot)
            in_rings += bool(rest)

            asked = ask(connection, path, question, {"lot": lot, "part": part})
            place = asked.columns.index("part_inventory_id")
            assert {row[place] for row in asked.rows} == trees | rest
            assert len(asked.rows) == len(rows)
            assert bool(asked.warnings) is bool(rest)

            answer = answers[part, lot]
            place = answer.columns.index("part_inventory_id")
            assert answer.is_complete
            assert [row[place] for row in answer.rows] == [unit for unit, _ in rows]

            recall = read_recall(connection, part, lot)
            written = list(csv.DictReader(recall_csv([recall], age).splitlines()))
            assert {int(row["part_inventory_id"]) for row in written} == trees | rest
            page = parsed(recall_page([recall], age, published_at=now, now=now))
            shown = {
                each.attributes["aria-label"]: len(each.one("tbody").all("tr"))
                for each in page.all("div", class_="scroll")
            }
            assert shown.get(f"Top-level units that contain {lot}", 0) == len(trees)
            assert shown.get(f"Units above {lot} that are in no tree with it", 0) == len(rest)
    assert len(expected) > 80
    assert in_rings > 2


def test_changes_from_each_unit_to_the_next(built: Any, random_world: World) -> None:
    assert_unit_changes(built.warehouse, random_world, built.profile)


def test_anomalies(built: Any, random_world: World) -> None:
    world = random_world
    if built.profile == "no-root-abom":
        # There a requirement shows only inside its units: one without a unit cannot be read.
        seen = [row for row in world["buildRequirements"] if row.get("partInventories")]
        world = {**world, "buildRequirements": seen}
    assert_anomalies(built.warehouse, world, built.profile)
