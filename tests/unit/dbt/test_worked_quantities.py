"""The quantity of a lot when a run worked on it, on invented loads: later events do not change it."""

from datetime import UTC, datetime
from typing import Any

from tests.unit.dbt.models import Models

INSTANT = "timestamptz"
INPUTS = {
    "int_inventories__pieces": (
        "part_inventory_id bigint, part_id bigint, part_number varchar, serial_number varchar, quantity double"
    ),
    "int_inventories__split_origins": (
        f"part_inventory_id bigint, origin_part_inventory_id bigint, depth integer, split_at {INSTANT}"
    ),
    "stg_ion_history__part_inventories": (
        "part_inventory_id bigint, serial_number varchar, quantity double, quantity_scrapped double, "
        f"updated_at {INSTANT}, valid_from {INSTANT}"
    ),
    "int_inventories__work": (
        "part_inventory_id bigint, part_id bigint, run_quantity bigint, "
        f"first_started_at {INSTANT}, first_attempted_at {INSTANT}, first_completed_at {INSTANT}"
    ),
    "int_production__run_units": "run_id bigint, part_inventory_id bigint, part_id bigint",
    "int_production__run_steps": f"run_step_id bigint, run_id bigint, status varchar, updated_at {INSTANT}",
    "int_production__step_attempts": f"run_step_id bigint, run_id bigint, ended_at {INSTANT}",
    "stg_ion__parts": "part_id bigint, part_number varchar",
    "int_issues__units": f"issue_id bigint, part_inventory_id bigint, opened_at {INSTANT}",
}
TRIED = datetime(2026, 1, 10, tzinfo=UTC)


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


States = list[tuple[int, datetime, datetime, float]]
Splits = dict[int, tuple[int, datetime]]


def found(states: States, splits: Splits) -> tuple[float, float]:
    """Return the pieces of lot 1 at its first attempt, and the pieces of its family in `defect_rates`.

    Args:
        states: Inventory, ION's change time, instant of the load that read it, quantity; the last one is current.
        splits: The origin of each inventory and the instant of the split.
    """
    models = filled(states, splits, {})
    [tried] = models.rows("select quantity from int_inventories__worked_quantities")
    [family] = models.rows("select sum(quantity) as quantity from int_inventories__worked_pieces")
    return tried["quantity"], family["quantity"]


def affected(states: States, splits: Splits, issues: dict[int, tuple[datetime, list[int]]]) -> dict[int, float]:
    """Return the pieces that each issue affects, from its opening time and the units it names."""
    models = filled(states, splits, issues)
    rows = models.rows("select issue_id, sum(quantity) as quantity from int_issues__affected_quantities group by 1")
    return {row["issue_id"]: row["quantity"] for row in rows}


def filled(states: States, splits: Splits, issues: dict[int, tuple[datetime, list[int]]]) -> Models:
    """Return the models with one attempt on lot 1."""
    now = {unit: quantity for unit, _, _, quantity in states}
    chains: list[dict[str, Any]] = []
    for unit in now:
        at, depth, left = unit, 0, None
        while True:
            chains.append({"part_inventory_id": unit, "origin_part_inventory_id": at, "depth": depth, "split_at": left})
            if at not in splits:
                break
            at, left = splits[at]
            depth += 1
    models = Models(
        INPUTS,
        [
            "int_inventories__worked_instants",
            "int_inventories__worked_quantities",
            "int_inventories__worked_pieces",
            "int_issues__affected_quantities",
        ],
    )
    models.fill(
        int_inventories__pieces=[
            {"part_inventory_id": unit, "part_number": "P", "quantity": quantity} for unit, quantity in now.items()
        ],
        int_inventories__split_origins=chains,
        stg_ion_history__part_inventories=[
            {"part_inventory_id": unit, "quantity": quantity, "updated_at": changed, "valid_from": seen}
            for unit, changed, seen, quantity in states
        ],
        int_inventories__work=[
            {
                "part_inventory_id": 1,
                "part_id": 7,
                "run_quantity": 1,
                "first_started_at": TRIED,
                "first_attempted_at": TRIED,
            }
        ],
        int_production__run_units=[{"run_id": 1, "part_inventory_id": 1, "part_id": 7}],
        int_production__run_steps=[{"run_step_id": 1, "run_id": 1, "status": "COMPLETE", "updated_at": TRIED}],
        int_production__step_attempts=[{"run_step_id": 1, "run_id": 1, "ended_at": TRIED}],
        stg_ion__parts=[{"part_id": 7, "part_number": "P"}],
        int_issues__units=[
            {"issue_id": issue, "part_inventory_id": unit, "opened_at": opened}
            for issue, (opened, units) in issues.items()
            for unit in units
        ],
    )
    return models


def test_pieces_split_off_after_the_attempt_and_before_the_first_load_were_attempted() -> None:
    states = [(1, day(12), day(20), 0.0), (2, day(12), day(20), 60.0), (3, day(13), day(20), 40.0)]
    assert found(states, {2: (1, day(12)), 3: (2, day(13))}) == (100.0, 100.0)


def test_pieces_split_off_before_the_attempt_were_not() -> None:
    states = [(1, day(9), day(20), 70.0), (2, day(9), day(20), 30.0)]
    assert found(states, {2: (1, day(9))}) == (70.0, 70.0)


def test_published_quantities_do_not_change_when_the_lot_is_kitted_and_used() -> None:
    seen = [(1, day(9), day(11), 100.0)]
    assert found(seen, {}) == (100.0, 100.0)
    kitted = [*seen, (1, day(15), day(20), 40.0), (2, day(15), day(20), 60.0)]
    assert found(kitted, {2: (1, day(15))}) == (100.0, 100.0)
    used = [*kitted, (1, day(25), day(26), 0.0), (2, day(25), day(26), 5.0)]
    assert found(used, {2: (1, day(15))}) == (100.0, 100.0)


def test_pieces_added_later_were_not_attempted() -> None:
    assert found([(1, day(9), day(9), 60.0), (1, day(15), day(20), 160.0)], {}) == (60.0, 60.0)


def test_the_state_before_the_attempt_minus_earlier_splits() -> None:
    """Loads on the 5th and the 20th: 20 pieces were split off before the attempt, 30 after it."""
    states = [
        (1, day(5), day(5), 100.0),
        (2, day(8), day(20), 20.0),
        (3, day(15), day(20), 30.0),
        (1, day(15), day(20), 50.0),
    ]
    assert found(states, {2: (1, day(8)), 3: (1, day(15))}) == (80.0, 80.0)


def test_a_lot_may_get_its_quantity_at_completion() -> None:
    assert found([(1, day(5), day(5), 0.0), (1, day(11), day(20), 25.0)], {}) == (25.0, 25.0)


def test_an_issue_keeps_the_quantity_at_its_opening() -> None:
    """Lot 1 held 100 when issue 1 was opened; 60 were kitted and 35 used, and issue 2 was opened on the rest."""
    seen = [(1, day(9), day(11), 100.0)]
    assert affected(seen, {}, {1: (day(10), [1])}) == {1: 100.0}
    kitted = [*seen, (1, day(15), day(20), 40.0), (2, day(15), day(20), 60.0)]
    assert affected(kitted, {2: (1, day(15))}, {1: (day(10), [1])}) == {1: 100.0}
    used = [*kitted, (1, day(25), day(26), 5.0), (2, day(25), day(26), 0.0)]
    assert affected(used, {2: (1, day(15))}, {1: (day(10), [1]), 2: (day(27), [1])}) == {1: 100.0, 2: 5.0}


def test_a_lot_and_pieces_split_off_for_the_issue_add_up_to_the_lot() -> None:
    states = [(1, day(9), day(11), 100.0), (1, day(15), day(20), 70.0), (2, day(15), day(20), 30.0)]
    assert affected(states, {2: (1, day(15))}, {1: (day(10), [1, 2])}) == {1: 100.0}
    # Pieces split off before the issue: two lots, each with its own quantity.
    assert affected(states, {2: (1, day(15))}, {1: (day(21), [1, 2])}) == {1: 100.0}
    assert affected(states, {2: (1, day(15))}, {1: (day(21), [2])}) == {1: 30.0}
