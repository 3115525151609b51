"""A real bill of material with published answers: as of two dates, served as two versions of every mBOM.

The data (Microsoft's AdventureWorks sample) is not part of the project: its folder is named by ION_TEST_REAL_BOM. Its
answers are for product 775: the tree on both dates, and what differs between them.
"""

import csv
import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import BuildWarehouse
from tests.integration.support.analyst import Analyst
from tests.oracle.builder import WorldBuilder
from tests.oracle.world import World, write_world_dir

FOLDER = os.environ.get("ION_TEST_REAL_BOM", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="ION_TEST_REAL_BOM names no folder with the AdventureWorks bill of material"),
]

BEFORE, AFTER = "2021-06-30", "2022-01-01"
PRODUCT = 775
#: What is expected, so that a shorter file is not taken for an answer.
ROWS = {BEFORE: 25, AFTER: 89}
CHANGES = {"added": 64, "qty_changed": 2}

Path_ = tuple[int, ...]
Assembly = dict[int, list[tuple[int, float]]]


def table(name: str, delimiter: str = "\t") -> list[list[str]]:
    with (Path(FOLDER) / name).open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.reader(file, delimiter=delimiter) if row]


def answers(name: str) -> Iterator[dict[str, str]]:
    heading, *rows = table(name, ",")
    return (dict(zip(heading, row, strict=True)) for row in rows)


def as_of(date: str) -> Assembly:
    """Lines of every assembly that are in effect on a date; the end date is the last day."""
    found: Assembly = defaultdict(list)
    for _, assembly, component, begin, end, _, _, quantity, _ in table("BillOfMaterials.csv"):
        if assembly and begin[:10] <= date and (not end or date <= end[:10]):
            found[int(assembly)].append((int(component), float(quantity)))
    return found


def plans() -> World:
    """Every product a part; every assembly an mBOM with a version per date on which it has lines."""
    builder = WorldBuilder()
    numbers = {}
    for row in table("Product.csv"):
        numbers[int(row[0])] = row[2]
        builder.add("parts", id=int(row[0]), entityId=int(row[0]), partNumber=row[2], revision="A",
                    description=row[1], partType="PART", trackingType=None)  # fmt: skip
    earlier, later = as_of(BEFORE), as_of(AFTER)
    assert earlier.keys() <= later.keys()
    assert earlier.keys() | {part for lines in later.values() for part, _ in lines} <= numbers.keys()
    for assembly in sorted(later):
        versions = [(date, plan[assembly]) for date, plan in ((BEFORE, earlier), (AFTER, later)) if assembly in plan]
        for number, (date, lines) in enumerate(versions, 1):
            is_last = number == len(versions)
            created = datetime.fromisoformat(date).replace(tzinfo=UTC).isoformat()
            mbom = builder.add(
                "mboms", partId=assembly, version=number, entityId=float(assembly), isLatestVersion=is_last,
                status="RELEASED" if is_last else "ARCHIVED", isLatestReleasedVersion=is_last, _created=created,
            )  # fmt: skip
            for part, quantity in lines:
                builder.add("mbomItems", mbomId=mbom, partId=part, quantity=quantity, madeOnAssembly=False)
    return builder.world


@pytest.fixture(scope="module")
def analyst(
    once: Callable[[str, Callable[[Path], None]], Path],
    build_warehouse: BuildWarehouse,
    tmp_path_factory: pytest.TempPathFactory,
) -> Analyst:
    world = once("real-bom", partial(write_world_dir, plans()))
    return Analyst(build_warehouse(world).published, tmp_path_factory.mktemp("real_bom"))


@pytest.fixture(scope="module")
def product(analyst: Analyst) -> str:
    [row] = analyst.rows("select part_number from reference.parts where part_id = ?", [PRODUCT])
    return str(row["part_number"])


@pytest.fixture(scope="module")
def versions(analyst: Analyst) -> dict[str, int]:
    """The mBOM of the product, by date."""
    rows = analyst.rows(
        "select mbom_id, mbom_version from genealogy.mbom_versions where part_id = ? and is_current order by all",
        [PRODUCT],
    )
    assert [row["mbom_version"] for row in rows] == [1, 2]
    return dict(zip((BEFORE, AFTER), (row["mbom_id"] for row in rows), strict=True))


def expected_tree(date: str) -> dict[Path_, tuple[int, float, float]]:
    found = {
        path_of(row["path"]): (int(row["level"]), float(row["per_assembly_qty"]), float(row["extended_qty"]))
        for row in answers(f"expected_explode_{PRODUCT}_{date}.csv")
    }
    assert len(found) == ROWS[date]
    return found


def path_of(text: str) -> Path_:
    return tuple(int(part) for part in text.split("/"))


def tree(rows: list[dict[str, Any]]) -> dict[Path_, tuple[int, float, float]]:
    below = [row for row in rows if row["depth"]]
    found = {tuple(row["path_ids"]): (row["depth"], row["quantity"], row["quantity_extended"]) for row in below}
    assert len(found) == len(below) == len(rows) - 1
    return found


def test_the_released_plan(analyst: Analyst, product: str) -> None:
    sql = "select * from genealogy.mbom_hierarchy where root_part_id = ?"
    assert tree(analyst.rows(sql, [PRODUCT])) == expected_tree(AFTER)
    assert tree(analyst.rows("select * from mbom_explode(?, 'A')", [product])) == expected_tree(AFTER)


@pytest.mark.parametrize("date", [BEFORE, AFTER])
def test_every_version_as_it_stood(analyst: Analyst, versions: dict[str, int], date: str) -> None:
    assert tree(analyst.rows("select * from mbom_explode_version(?)", [versions[date]])) == expected_tree(date)


@pytest.mark.parametrize(("instant", "date"), [(f"{BEFORE} 12:00+00", BEFORE), (f"{AFTER} 00:00+00", AFTER)])
def test_the_plan_as_of_an_instant(analyst: Analyst, product: str, instant: str, date: str) -> None:
    assert tree(analyst.rows("select * from mbom_as_of(?, 'A', ?)", [product, instant])) == expected_tree(date)


def test_what_differs(analyst: Analyst, product: str, versions: dict[str, int]) -> None:
    word = {"added": "added", "qty_changed": "quantity_changed"}
    expected = {
        (word[row["change"]], path_of(row["path"])): (number(row["qty_before"]), number(row["qty_after"]))
        for row in answers(f"expected_diff_{PRODUCT}_{BEFORE}_vs_{AFTER}.csv")
    }
    assert len(expected) == sum(CHANGES.values())
    by_version = analyst.rows("select * from mbom_compare(?, ?)", [versions[BEFORE], versions[AFTER]])
    by_instant = analyst.rows("select * from mbom_compare_as_of(?, 'A', ?, ?)", [product, BEFORE, AFTER])
    for rows in (by_version, by_instant):
        own = [row for row in rows if row["change"] != "indirect"]
        found = {
            (row["change"], tuple(row["path_ids_after"])): (row["quantity_before"], row["quantity_after"])
            for row in own
        }
        assert len(found) == len(own)
        assert found == expected
        # What only something below changed: the lines on the way to a change that are none themselves.
        changed = {path for _, path in expected}
        above = {path[:n] for path in changed for n in range(2, len(path))} - changed
        assert above
        assert {tuple(row["path_ids_after"]) for row in rows if row["change"] == "indirect"} == above


def test_the_changes_of_the_versions(analyst: Analyst) -> None:
    """One level, all assemblies: no two lines of an assembly have the same part, so the part identifies a line."""
    earlier, later = as_of(BEFORE), as_of(AFTER)
    expected = set()
    for assembly in earlier:
        old, new = dict(earlier[assembly]), dict(later[assembly])
        expected |= {(assembly, "added", part, None, new[part]) for part in new.keys() - old.keys()}
        expected |= {(assembly, "removed", part, old[part], None) for part in old.keys() - new.keys()}
        expected |= {
            (assembly, "quantity_changed", part, old[part], new[part])
            for part in new.keys() & old.keys()
            if old[part] != new[part]
        }
    rows = analyst.rows("select * from genealogy.mbom_version_changes where change <> 'indirect'")
    found = {
        (row["parent_part_id"], row["change"], row["part_id_after"] or row["part_id_before"],
         number(row["value_before"]), number(row["value_after"]))
        for row in rows
    }  # fmt: skip
    assert len(expected) > 100
    assert len(found) == len(rows)
    assert found == expected


def number(text: str | None) -> float | None:
    return float(text) if text else None
