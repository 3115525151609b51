"""When an order line was complete and when it was due, on invented receipts."""

from datetime import UTC, date, datetime
from typing import Any

from tests.unit.dbt.models import Models

INPUTS = {
    "stg_ion__purchase_order_lines": (
        "purchase_order_line_id bigint, purchase_order_id bigint, part_id bigint, status varchar, position bigint, "
        "line_description varchar, quantity double, received_quantity double, inventory_quantity double, cost double, "
        "estimated_cost double, needed_at timestamptz, estimated_arrival_at timestamptz, is_open boolean, "
        "created_at timestamptz, updated_at timestamptz, is_export_controlled boolean"
    ),
    "stg_ion__purchase_orders": (
        "purchase_order_id bigint, supplier_id bigint, currency_id bigint, status varchar, is_open boolean, "
        "ordered_at timestamptz, needed_at timestamptz, estimated_arrival_at timestamptz"
    ),
    "stg_ion__parts": "part_id bigint, part_number varchar, part_revision varchar, unit_of_measure_id bigint",
    "stg_ion__units_of_measurement": "unit_of_measure_id bigint, unit_of_measure varchar",
    "stg_ion__suppliers": "supplier_id bigint, supplier_name varchar",
    "stg_ion__currencies": "currency_id bigint, currency varchar",
    "receipts": "purchase_order_line_id bigint, quantity double, received_at timestamptz",
    "stg_ion__loads": "read_at timestamptz",
    "organization_settings": "setting_key varchar, setting_value varchar",
}
TEN = datetime(2026, 1, 10, 9, tzinfo=UTC)


MODELS = [
    "int_loads__last_day",
    "int_supply__order_lines",
    "int_supply__line_receipts",
    "purchase_order_lines",
    "supplier_delivery",
]
SETTINGS = {
    "production_time_zone": "America/Los_Angeles",
    "on_time_basis": "estimated_arrival_date",
    "on_time_tolerance_days": "0",
}


def delivered(
    received: list[tuple[float, int]], row: dict[str, Any], order: dict[str, Any] | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return an order line in Los Angeles with quantities received in January, and the months of its supplier."""
    models = Models(INPUTS, MODELS)
    models.fill(
        stg_ion__purchase_order_lines=[
            {"purchase_order_line_id": 1, "purchase_order_id": 1, "status": "ORDERED"} | row
        ],
        stg_ion__purchase_orders=[{"purchase_order_id": 1, "supplier_id": 7, "status": "ORDERED"} | (order or {})],
        receipts=[
            {"purchase_order_line_id": 1, "quantity": amount, "received_at": datetime(2026, 1, day, 20, tzinfo=UTC)}
            for amount, day in received
        ],
        stg_ion__loads=[{"read_at": datetime(2026, 1, 31, 20, tzinfo=UTC)}],
        organization_settings=[{"setting_key": key, "setting_value": value} for key, value in SETTINGS.items()],
    )
    [found] = models.rows("from purchase_order_lines")
    return found, models.rows("from supplier_delivery")


def line(
    received: list[tuple[float, int]], promise: datetime | None = TEN, quantity: float = 10.0, **more: Any
) -> dict[str, Any]:
    """Return an order line of a given quantity in Los Angeles, with quantities received on days of January."""
    return delivered(received, {"quantity": quantity, "estimated_arrival_at": promise} | more)[0]


def judged(found: dict[str, Any]) -> tuple[float, bool | None, int | None]:
    return found["quantity_received"], found["is_on_time"], found["days_late"]


def test_a_returned_quantity_is_not_received() -> None:
    assert judged(line([(10.0, 8), (-10.0, 9)])) == (0.0, False, 21)


def test_a_replacement_that_came_late_is_late() -> None:
    assert judged(line([(10.0, 8), (-2.0, 9), (2.0, 15)])) == (10.0, False, 5)
    assert judged(line([(12.0, 8), (-2.0, 9)])) == (10.0, True, -2)


def test_midnight_in_utc_is_a_date() -> None:
    midnight = line([(10.0, 10)], datetime(2026, 1, 10, tzinfo=UTC))
    assert (midnight["promised_on"], midnight["is_on_time"]) == (date(2026, 1, 10), True)
    # Other instants are dated in the production time zone.
    assert line([], datetime(2026, 1, 10, 1, tzinfo=UTC))["promised_on"] == date(2026, 1, 9)


def test_a_line_of_quantity_0_is_never_late() -> None:
    found = line([], quantity=0.0)
    assert (found["is_due"], found["days_late"]) == (False, None)


def test_a_line_without_a_promise_is_marked() -> None:
    found = line([(10.0, 8)], None)
    assert (found["is_without_promise"], found["is_due"], found["is_on_time"]) == (True, False, None)
    assert line([])["is_without_promise"] is False


def test_a_line_without_a_promise_is_counted_outside_the_ratio() -> None:
    order = {"ordered_at": datetime(2025, 12, 5, tzinfo=UTC)}
    _, [month] = delivered([(10.0, 8)], {"quantity": 10.0}, order)
    assert (month["month_starts_on"], month["lines_without_promise"]) == (date(2025, 12, 1), 1)
    assert (month["lines_due"], month["lines_judged"], month["on_time_rate"]) == (0, 0, None)


def test_a_date_of_the_order_applies_to_its_lines() -> None:
    found, [month] = delivered([(10.0, 12)], {"quantity": 10.0}, {"needed_at": TEN})
    assert (found["promise_from"], found["is_without_promise"]) == ("order need_date", False)
    assert judged(found) == (10.0, False, 2)
    assert (month["lines_due"], month["lines_late"], month["lines_without_promise"]) == (1, 1, 0)


def test_the_date_of_the_line_takes_precedence_over_that_of_its_order() -> None:
    row = {"quantity": 10.0, "needed_at": datetime(2026, 1, 20, 9, tzinfo=UTC)}
    found, _ = delivered([(10.0, 12)], row, {"estimated_arrival_at": TEN})
    assert (found["promise_from"], found["is_on_time"]) == ("line need_date", True)


def test_a_hundred_pieces_of_two_boxes_are_not_complete() -> None:
    boxes: dict[str, Any] = {"quantity": 2.0, "part_id": 1, "inventory_quantity": 200.0, "received_quantity": 100.0}
    half = line([(100.0, 8)], **boxes)
    assert (half["quantity_due"], half["is_received_without_date"]) == (200.0, False)
    assert judged(half) == (100.0, False, 21)
    assert judged(line([(100.0, 8), (100.0, 9)], **boxes)) == (200.0, True, -1)


def test_lines_in_unclear_units_are_not_judged() -> None:
    row = {"quantity": 2.0, "part_id": 1, "estimated_arrival_at": TEN, "received_quantity": 100.0}
    found, [month] = delivered([(100.0, 8)], row)
    assert (found["quantity_due"], found["not_judged_because"]) == (None, "unit unclear")
    assert (found["fully_received_at"], found["is_on_time"], found["days_late"]) == (None, None, None)
    assert (month["lines_due"], month["lines_in_unclear_units"], month["lines_judged"]) == (1, 1, 0)
    # A line without a part has no inventory, so it has no other unit either.
    assert judged(line([(3.0, 8)], quantity=2.0)) == (3.0, True, -2)


def test_the_days_late_of_a_closed_line_do_not_grow() -> None:
    for row, order in ({"is_open": False}, {}), ({}, {"is_open": False}), ({"status": "RECEIVED"}, {}):
        found, [month] = delivered(
            [(10.0, 8), (-10.0, 9)], {"quantity": 10.0, "estimated_arrival_at": TEN} | row, order
        )
        assert (*judged(found), found["not_judged_because"]) == (0.0, None, None, "nothing left to deliver")
        assert (month["lines_due"], month["lines_with_nothing_left"], month["late_days"]) == (1, 1, 0)
    cancelled, months = delivered([], {"quantity": 10.0, "estimated_arrival_at": TEN}, {"status": "CANCELED"})
    assert (cancelled["is_ordered"], cancelled["is_due"], months) == (False, False, [])


def test_a_line_closed_after_a_partial_delivery_is_late_without_days() -> None:
    row = {"quantity": 10.0, "estimated_arrival_at": TEN, "is_open": False}
    found, [month] = delivered([(6.0, 8)], row)
    assert judged(found) == (6.0, False, None)
    assert (month["lines_late"], month["lines_late_and_open"], month["lines_closed_short"]) == (1, 0, 1)
    assert (month["late_days"], month["mean_late_days"]) == (0, None)
