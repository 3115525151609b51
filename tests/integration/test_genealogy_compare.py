"""Units compared, changes from one unit to the next, and anomalies: the published file against what was planted."""

import json
from contextlib import closing
from fractions import Fraction
from typing import Any

import duckdb
import pytest

from tests.oracle import compare, unit_compare
from tests.oracle.bom import Bom
from tests.oracle.check import TOLD_BY, assert_anomalies
from tests.oracle.unit_lines import Built, built
from tests.oracle.world import Row, World, read_truths, read_world_dir

pytestmark = pytest.mark.slow

SIDES = ("before", "after")


@pytest.fixture(scope="module", params=["demo_warehouse", "generation_1_warehouse"])
def warehouse(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def factory(warehouse: Any) -> World:
    return read_world_dir(warehouse.world)


@pytest.fixture(scope="module")
def bom(warehouse: Any, factory: World) -> Bom:
    return Bom.of(factory, TOLD_BY[warehouse.profile])


@pytest.fixture(scope="module")
def record(factory: World, bom: Bom) -> Built:
    return built(factory, bom)


def ask(warehouse: Any, sql: str, *parameters: object) -> list[Row]:
    with closing(duckdb.connect(str(warehouse.published), read_only=True)) as connection:
        cursor = connection.execute(sql, parameters)
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]


def test_sisters_differ_in_the_planted_lines_and_no_others(warehouse: Any) -> None:
    truth = read_truths(warehouse.world)["sisters"]
    found = ask(warehouse, "from abom_compare(?, ?)", truth["unit_a"], truth["unit_b"])
    lines = [as_line(row) for row in found]
    assert sorted(lines) == sorted(
        (
            ("substitute", "PLT-TOP > PLT-BOLT", "PLT-BOLT A", 8.0, "PLT-BOLT-ALT A", 8.0),
            ("other_revision", "PLT-TOP > PLT-SENSOR", "PLT-SENSOR B", 1.0, "PLT-SENSOR A", 1.0),
            ("missing", "PLT-TOP > PLT-TAG", "PLT-TAG A", 1.0, "", 0.0),
            ("missing", "PLT-TOP > PLT-TAG", "PLT-TAG A", 1.0, "", 0.0),
            ("installed", "PLT-TOP > PLT-BOLT", "", 0.0, "PLT-BOLT A", 1.0),
            ("quantity_changed", "PLT-TOP > PLT-SUB @A > PLT-BOLT", "PLT-BOLT A", 4.0, "PLT-BOLT A", 3.0),
        )
    )
    kinds = {
        "missing_in_b": "missing",
        "unplanned_in_b": "installed",
        "quantity": "quantity_changed",
    }
    planted = [kinds.get(line["kind"], line["kind"]) for line in truth["differences"]]
    assert sorted(row["change"] for row in found) == sorted(planted)


def as_line(row: Row) -> tuple[object, ...]:
    sides = [
        (
            " ".join(filter(None, (row[f"part_number_{side}"], row[f"part_revision_{side}"]))),
            row[f"quantity_{side}"],
        )
        for side in ("before", "after")
    ]
    return row["change"], row["path_text"], *sides[0], *sides[1]


def test_any_two_units_of_a_part_differ_as_the_oracle_says(warehouse: Any, bom: Bom, record: Built) -> None:
    units: dict[str, list[int]] = {}
    for unit in sorted(bom.units):
        if record.has_lines(unit):
            units.setdefault(bom.label(unit)["part_number"], []).append(unit)
    chosen = [(of_part[0], other) for of_part in units.values() for other in of_part[1:4]]
    chosen += [(units["PLT-TOP"][0], units["PLT-SUB"][0]), (units["PLT-SUB"][0], units["PLT-CELL"][0])]
    assert len(chosen) > 20
    differing = 0
    for a, b in chosen:
        changes = [
            unit_compare.change_columns(change) | {"path_text": change.path, "depth": change.depth}
            for change in unit_compare.compare(record, a, b, bom.label(a)["part_number"])
        ]
        found = ask(warehouse, "from abom_compare(?, ?)", a, b)
        assert bool(changes) == bool(found), (a, b)
        if changes:
            differing += 1
            compare.assert_same(numbered(changes), numbered(found), key=("number",))
    assert differing > 10


def numbered(rows: list[Row]) -> list[Row]:
    """Rows with a number each: two lines may differ in the same way, and then only the number distinguishes them."""
    columns = [f"{name}_{side}" for name in ("part_number", "quantity", "reference_designator") for side in SIDES]
    columns += [f"{name}_{side}" for name in ("part_inventory_id", "build_requirement_id") for side in SIDES]

    def place(row: Row) -> tuple[str, ...]:
        values = [row["path_text"], row["change"], *(row[column] for column in columns)]
        return tuple(f"{float(v):.9g}" if isinstance(v, Fraction | float) else str(v) for v in values)

    return [row | {"number": number} for number, row in enumerate(sorted(rows, key=place))]


def test_changes_from_each_unit_to_the_next(warehouse: Any, bom: Bom, record: Built) -> None:
    expected = unit_compare.unit_changes(bom, record)
    found = compare.warehouse_rows(warehouse.published, "abom_unit_changes")
    compare.assert_same(expected, found, key=("part_inventory_id", "changed_line_key"))
    assert {"installed", "missing", "substitute", "other_revision", "quantity_changed", "indirect"} <= {
        row["change"] for row in found
    }


def test_equal_hashes_are_equal_configurations(warehouse: Any, bom: Bom, record: Built) -> None:
    hashes = {
        row["part_inventory_id"]: row["configuration_hash"]
        for row in compare.warehouse_rows(warehouse.published, "abom_configurations")
    }
    assert set(hashes) == {unit for unit in bom.units if record.has_lines(unit)}
    pairs = {(record.configuration(unit), digest) for unit, digest in hashes.items()}
    assert len(pairs) == len(set(hashes.values())) == len({configuration for configuration, _ in pairs})
    assert 1 < len(pairs) < len(hashes)


def test_anomalies_are_those_that_the_rows_contain(warehouse: Any, factory: World) -> None:
    assert_anomalies(warehouse.published, factory, warehouse.profile)


def test_planted_anomalies(warehouse: Any) -> None:
    truths = read_truths(warehouse.world)
    found: dict[str, list[Row]] = {}
    for row in ask(warehouse, "from genealogy.genealogy_anomalies order by anomaly_key"):
        found.setdefault(row["anomaly"], []).append(row)
    assert [row["part_inventory_ids"] for row in found["cycle"]] == truths["cycles"]["members"]
    for anomaly in ("serial_installed_twice", "lot_over_installed", "installed_while_scrapped"):
        (row,) = found[anomaly]
        assert row["part_inventory_id"] == truths[anomaly]["part_inventory_id"]
        if warehouse.profile == "full":
            assert row["abom_installation_ids"] == truths[anomaly]["abom_installation_ids"]
    (late,) = found["child_newer_than_completion"]
    (proof,) = json.loads(late["evidence"])
    truth = truths["child_newer_than_completion"]
    assert (proof["parent_part_inventory_id"], proof["part_inventory_id"]) == (
        truth["parent_part_inventory_id"],
        truth["child_part_inventory_id"],
    )
    dangling = found.get("installation_without_requirement", [])
    if warehouse.profile == "full":
        quarantined = truths["cycles"]["quarantined_installation_ids"]
        assert sorted(i for row in found["cycle"] for i in row["abom_installation_ids"]) == sorted(quarantined)
        planted = truths["installation_without_requirement"]["abom_installation_ids"]
        assert sorted(i for row in dangling for i in row["abom_installation_ids"]) == planted
    else:
        assert dangling == []


def test_the_recall_planted(warehouse: Any) -> None:
    truth = read_truths(warehouse.world)["contaminated_lot"]
    found = ask(warehouse, "from recall(?, ?)", truth["part_number"], truth["lot_number"])
    assert [row["part_inventory_id"] for row in sorted(found, key=lambda row: row["part_inventory_id"])] == (
        truth["affected_top_level_unit_ids"]
    )
    family = {truth["part_inventory_id"], *truth["split_part_inventory_ids"]}
    for row in found:
        assert set(row["component_part_inventory_ids"]) <= family
        own = ask(warehouse, "from abom_explode(?)", row["part_inventory_id"])
        hits = [line for line in own if line["part_inventory_id"] in family]
        assert row["path_count"] == len(hits)
        assert row["min_depth"] == min(line["depth"] for line in hits)
        assert row["quantity_extended"] == pytest.approx(sum(line["quantity_extended"] for line in hits))
        assert row["path_text"] in {line["path_text"] for line in hits if line["depth"] == row["min_depth"]}


def test_macros_read_what_the_tables_hold_and_work_after_use(warehouse: Any) -> None:
    truth = read_truths(warehouse.world)["where_used"]
    top, lot = truth["ancestor_part_inventory_id"], truth["component_part_inventory_id"]
    tree = "from genealogy.abom_hierarchy where root_part_inventory_id = ? order by sort_key"
    uses = "from genealogy.abom_where_used where component_part_inventory_id = ?"
    assert ask(warehouse, "from abom_explode(?)", top) == ask(warehouse, tree, top) != []
    by_id = "ancestor_part_inventory_id"
    found = sorted(ask(warehouse, "from where_used(?)", lot), key=lambda row: row[by_id])
    assert found == sorted(ask(warehouse, uses, lot), key=lambda row: row[by_id]) != []
    with closing(duckdb.connect()) as connection:
        connection.execute(f"attach '{warehouse.published}' as ion (read_only)")
        connection.execute("use ion")
        assert connection.execute("select count(*) from abom_explode(?)", [top]).fetchall()[0][0] > 5
        sister = "(select part_inventory_id from reference.part_inventories where serial_number = 'PLT-T7')"
        assert len(connection.execute(f"from abom_compare({top}, {sister})").fetchall()) == 6
