"""Plans of the seeded factory, and units against them: published tables against the oracle and what was planted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import duckdb
import pytest

from ion_pipeline.publish.conformance import read_conformance
from tests.integration.support.analyst import Analyst
from tests.oracle.check import TOLD_BY
from tests.oracle.compare import assert_same
from tests.oracle.conformance import conformance, unit_conformance
from tests.oracle.plans import Plan, PlanLine, plans
from tests.oracle.world import Row, World, read_truths, read_world_dir

pytestmark = pytest.mark.slow
PROFILES = [
    "demo_warehouse",
    "generation_1_warehouse",
    pytest.param("nested_warehouse", marks=pytest.mark.exhaustive),
]

STATUSES = {
    "conforming", "conforming_substitute", "conforming_revision", "short", "over", "missing", "unplanned",
    "wrong_part", "designator_mismatch",
}  # fmt: skip


@pytest.fixture(scope="module", params=PROFILES)
def built(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def analyst(built: Any, tmp_path_factory: pytest.TempPathFactory) -> Analyst:
    return Analyst(built.published, tmp_path_factory.mktemp("plans"))


@pytest.fixture(scope="module")
def factory(built: Any) -> World:
    return read_world_dir(built.world)


def test_every_unit_against_its_plan(built: Any, analyst: Analyst, factory: World) -> None:
    expected = conformance(factory, TOLD_BY[built.profile])
    assert {row["status"] for row in expected} == STATUSES
    assert_same(expected, analyst.rows("from genealogy.abom_conformance"), key=("part_inventory_id", "line_key"))


def test_every_top_level_unit_has_the_verdict_of_all_its_levels(built: Any, analyst: Analyst, factory: World) -> None:
    expected = unit_conformance(factory, TOLD_BY[built.profile])
    assert {row["verdict"] for row in expected} >= {"conforming", "not_conforming"}
    deep = [row for row in expected if row["nonconforming_unit_count"] > 1]
    assert deep
    found = analyst.rows("from genealogy.unit_conformance")
    assert_same(expected, found, key=("part_inventory_id",))
    with closing(duckdb.connect(str(analyst.database), read_only=True)) as connection:
        for row in found:
            counts = Counter(place.rpartition(": ")[2] for place in row["places"])
            assert counts == Counter({name: row[f"{name}_count"] for name in counts})
            assert counts.total() == row["nonconforming_line_count"]
            compared = read_conformance(connection, row["part_inventory_id"])
            assert (compared.verdict, compared.is_cut_off) == (row["verdict"], row["is_cut_off"])
            assert compared.findings == counts


def test_planted_conformance(built: Any, analyst: Analyst) -> None:
    """The ids of requirements are those of generation 2; everything else is the same in both generations."""
    truth = read_truths(built.world)["conformance"]
    rows = analyst.rows("from genealogy.abom_conformance where part_inventory_id = ?", [truth["part_inventory_id"]])
    columns = ["mbom_item_id", "quantity_planned", "quantity_installed", "status"]
    if TOLD_BY[built.profile] != 1:
        columns.append("build_requirement_id")
    found, expected = (Counter(tuple(row[name] for name in columns) for row in side) for side in (rows, truth["lines"]))
    assert expected.total() >= len(STATUSES)
    assert found == expected


def test_planted_versions(built: Any, analyst: Analyst) -> None:
    truth = read_truths(built.world)["mbom_versions"]
    rows = analyst.rows(
        "from genealogy.mbom_version_changes where mbom_id = ? and previous_mbom_id = ?",
        [truth["mbom_b"], truth["mbom_a"]],
    )
    expected = Counter((one["change"], one["part_number"], one["before"], one["after"]) for one in truth["changes"])
    assert expected.total() >= 10
    assert Counter(map(planted, rows)) == expected
    assert {row["parent_part_id"] for row in rows} == {truth["part_id"]}
    assert not any(row["is_in_place"] for row in rows)
    compared = analyst.rows("from mbom_compare(?, ?) where depth = 1", [truth["mbom_a"], truth["mbom_b"]])
    assert Counter(map(planted, compared)) == expected


def planted(row: Row) -> tuple[Any, ...]:
    read = {"made_on_assembly_changed": "true".__eq__, "quantity_changed": float, "added": float, "removed": float}
    values = (row["value_before"], row["value_after"])
    read_one = read.get(row["change"], str)
    return (row["change"], row["part_number"], *(None if value is None else read_one(value) for value in values))


def test_every_released_plan(analyst: Analyst, factory: World) -> None:
    in_force: dict[int, Plan] = {}
    for plan in plans(factory).values():
        if plan.status == "RELEASED":
            in_force[plan.part] = max(in_force.get(plan.part, plan), plan, key=lambda one: one.version)
    numbers = {row["id"]: row["partNumber"] for row in factory["parts"]}

    def below(lines: Sequence[PlanLine], key: str, extended: float) -> Iterator[Row]:
        for line in lines:
            row = {
                "path_key": f"{key}/m{line.item}",
                "part_id": line.part,
                "quantity": line.quantity,
                "quantity_extended": extended * line.quantity,
                "is_made_on_assembly": line.made_on_assembly,
                "reference_designators": sorted(line.designators),
                "substitute_part_numbers": [numbers[part] for part in sorted(line.substitutes)],
            }
            yield row
            if line.part in in_force:
                yield from below(in_force[line.part].lines, row["path_key"], row["quantity_extended"])

    expected = [
        {"root_part_id": part, **row}
        for part, plan in in_force.items()
        for row in (
            {"path_key": "", "part_id": part, "part_mbom_id": plan.mbom, "quantity_extended": 1.0},
            *below(plan.lines, "", 1.0),
        )
    ]
    assert max(row["path_key"].count("/") for row in expected) >= 3
    rows = analyst.rows("from genealogy.mbom_hierarchy order by root_part_id, sort_key")
    assert_same(expected, rows, key=("root_part_id", "path_key"))
    keys = [(row["root_part_id"], row["path_key"]) for row in rows]
    for above, row in zip([None, *keys], keys, strict=False):
        parent = row[1].rpartition("/")[0]
        is_root = row[1] == ""
        assert is_root or (above and above[0] == row[0] and f"{above[1]}/".startswith(f"{parent}/")), "not a tree"


def test_every_version_against_the_one_before(analyst: Analyst) -> None:
    """The macro pairs lines as the models do: level by level, and at the first level the rows are the same."""
    versions = analyst.rows(
        "select mbom_id, previous_mbom_id from genealogy.mbom_versions where previous_mbom_id is not null"
    )
    assert len(versions) > 20
    for version in versions:
        both = [version["previous_mbom_id"], version["mbom_id"]]
        wanted, found = (
            Counter(
                (row["change"], row["mbom_item_id_before"], row["mbom_item_id_after"], *planted(row)[2:])
                for row in analyst.rows(sql, both)
                if row["change"] != "indirect"
            )
            for sql in (
                "from genealogy.mbom_version_changes where previous_mbom_id = ? and mbom_id = ?",
                "from mbom_compare(?, ?) where depth = 1",
            )
        )
        assert found == wanted
