"""The state of an order's lines and the status that follows from them, on invented lines."""

from typing import Any

from tests.unit.dbt.models import Models

INPUTS = {
    "purchase_order_lines": (
        "purchase_order_id bigint, status varchar, quantity_ordered double, quantity_due double, "
        "quantity_received double, quantity_received_in_ion double, estimated_cost double, is_ordered boolean, "
        "is_closed boolean, is_on_time boolean, promised_on date, first_received_at timestamptz, "
        "fully_received_at timestamptz"
    ),
}
ORDERED: dict[str, Any] = {
    "purchase_order_id": 1, "status": "ORDERED", "quantity_ordered": 2.0, "quantity_due": 200.0,
    "quantity_received": 0.0, "estimated_cost": 10.0, "is_ordered": True, "is_closed": False,
}  # fmt: skip
DRAFT = ORDERED | {"status": "DRAFT", "is_ordered": False}
CANCELED = ORDERED | {"status": "CANCELED", "is_ordered": False}
RECEIVED = ORDERED | {"status": "RECEIVED", "is_closed": True}
HALF = ORDERED | {"quantity_received": 100.0}
UNCLEAR = ORDERED | {"quantity_received": 100.0, "quantity_due": None}


def progress(*lines: dict[str, Any]) -> dict[str, Any]:
    """Return the progress of an order with these lines."""
    models = Models(INPUTS, ["int_supply__order_progress"])
    models.fill(purchase_order_lines=lines)
    [found] = models.rows("from int_supply__order_progress")
    return found


def test_the_status_follows_from_the_lines() -> None:
    expected = {
        "CANCELED": (CANCELED, CANCELED),
        "RECEIVED": (CANCELED, RECEIVED),
        "PARTIALLY_RECEIVED": (RECEIVED, ORDERED),
        "ORDERED": (ORDERED, DRAFT),
        None: (DRAFT, CANCELED),
    }
    assert {status: progress(*lines)["status_from_lines"] for status, lines in expected.items()} == {
        status: status for status in expected
    }
    assert progress(HALF)["status_from_lines"] == "PARTIALLY_RECEIVED"
    assert progress(ORDERED | {"quantity_received_in_ion": 1.0})["status_from_lines"] == "PARTIALLY_RECEIVED"


def test_every_line_expected_is_in_one_state_of_receipt() -> None:
    found = progress(HALF, ORDERED, RECEIVED, HALF | {"is_closed": True}, DRAFT, CANCELED, ORDERED | {"status": "NEW"})
    assert (found["line_count"], found["lines_expected"]) == (7, 5)
    assert (found["lines_partly_received"], found["lines_not_received"]) == (1, 2)
    assert (found["lines_complete"], found["lines_closed_short"]) == (1, 1)
    # A status that nobody knows is in no count of a status.
    assert (found["lines_not_ordered"], found["lines_ordered"]) == (1, 3)
    assert (found["lines_received"], found["lines_cancelled"]) == (1, 1)


def test_the_cost_received_is_that_of_the_share_received() -> None:
    found = progress(HALF, RECEIVED, ORDERED, CANCELED)
    assert (found["cost_expected"], found["cost_received"], found["lines_without_value"]) == (30.0, 15.0, 0)
    assert progress(HALF | {"quantity_received": 900.0})["cost_received"] == 10.0


def test_what_came_in_an_unclear_unit_has_no_value() -> None:
    found = progress(HALF, UNCLEAR, HALF | {"estimated_cost": None})
    assert (found["lines_partly_received"], found["lines_without_value"], found["cost_received"]) == (3, 2, 5.0)


def test_lines_of_todays_states_are_known() -> None:
    found = progress(DRAFT | {"status": "IN_REVIEW"}, HALF | {"status": "PARTIALLY_RECEIVED"})
    assert (found["lines_not_ordered"], found["lines_ordered"], found["lines_expected"]) == (1, 1, 1)
