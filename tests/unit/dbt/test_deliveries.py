"""When an order line was whole and by when it should have been, on made-up receipts."""

from datetime import UTC, date, datetime
from typing import Any

from tests.unit.dbt.models import Models

INPUTS = {
    "stg_ion__purchase_order_lines": (
        "purchase_order_line_id bigint, purchase_order_id bigint, part_id bigint, status varchar, position bigint, "
        "line_description varchar, quantity double, received_quantity double, cost double, estimated_cost double, "
        "needed_at timestamptz, estimated_arrival_at timestamptz, updated_at timestamptz, is_export_controlled boolean"
    ),
    "stg_ion__purchase_orders": (
        "purchase_order_id bigint, supplier_id bigint, currency_id bigint, ordered_at timestamptz"
    ),
    "stg_ion__parts": "part_id bigint, part_number varchar, part_revision varchar",
    "stg_ion__suppliers": "supplier_id bigint, supplier_name varchar",
    "stg_ion__currencies": "currency_id bigint, currency varchar",
    "receipts": "purchase_order_line_id bigint, quantity double, received_at timestamptz",
    "stg_ion__loads": "read_at timestamptz",
    "organization_settings": "setting_key varchar, setting_value varchar",
}
TEN = datetime(2026, 1, 10, 9, tzinfo=UTC)


def line(received: list[tuple[float, int]], promise: datetime | None = TEN, quantity: float = 10.0) -> dict[str, Any]:
    """An ordered line of so many pieces in Los Angeles, with quantities received on days of January."""
    models = Models(INPUTS, ["purchase_order_lines"])
    zone = "America/Los_Angeles"
    settings = {
        "production_time_zone": zone,
        "on_time_basis": "estimated_arrival_date",
        "on_time_tolerance_days": "0",
    }
    models.fill(
        stg_ion__purchase_order_lines=[
            {
                "purchase_order_line_id": 1,
                "status": "ORDERED",
                "quantity": quantity,
                "estimated_arrival_at": promise,
            }
        ],
        receipts=[
            {
                "purchase_order_line_id": 1,
                "quantity": amount,
                "received_at": datetime(2026, 1, day, 20, tzinfo=UTC),
            }
            for amount, day in received
        ],
        stg_ion__loads=[{"read_at": datetime(2026, 1, 31, 20, tzinfo=UTC)}],
        organization_settings=[{"setting_key": key, "setting_value": value} for key, value in settings.items()],
    )
    [found] = models.rows("from purchase_order_lines")
    return found


def judged(found: dict[str, Any]) -> tuple[float, bool | None, int | None]:
    return found["quantity_received"], found["is_on_time"], found["days_late"]


def test_what_was_returned_is_not_received() -> None:
    assert judged(line([(10.0, 8), (-10.0, 9)])) == (0.0, False, 21)


def test_a_replacement_that_came_late_is_late() -> None:
    assert judged(line([(10.0, 8), (-2.0, 9), (2.0, 15)])) == (10.0, False, 5)
    assert judged(line([(12.0, 8), (-2.0, 9)])) == (10.0, True, -2)


def test_midnight_in_utc_is_a_date() -> None:
    midnight = line([(10.0, 10)], datetime(2026, 1, 10, tzinfo=UTC))
    assert (midnight["promised_on"], midnight["is_on_time"]) == (date(2026, 1, 10), True)
    # An instant is a day of the place of production.
    assert line([], datetime(2026, 1, 10, 1, tzinfo=UTC))["promised_on"] == date(2026, 1, 9)


def test_a_line_of_nothing_is_never_late() -> None:
    found = line([], quantity=0.0)
    assert (found["is_due"], found["days_late"]) == (False, None)


def test_a_line_without_a_promise_says_so() -> None:
    found = line([(10.0, 8)], None)
    assert (found["is_without_promise"], found["is_due"], found["is_on_time"]) == (True, False, None)
    assert line([])["is_without_promise"] is False
