"""Rejected pieces never outnumber the received ones they are a share of, on random receipts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dbt.models import Models

INPUTS = {
    "receipts": (
        "receipt_item_id bigint, part_inventory_id bigint, purchase_order_line_id bigint, supplier_id bigint, "
        "supplier_name varchar, part_number varchar, quantity double, received_at timestamptz"
    ),
    "int_inventories__pieces": "part_inventory_id bigint, quantity double",
    "int_inventories__split_origins": "part_inventory_id bigint, origin_part_inventory_id bigint, depth integer",
    "issue_units": "issue_id bigint, part_inventory_id bigint, is_rejected boolean",
    "stg_ion__issues": "issue_id bigint, purchase_order_line_id bigint, created_at timestamptz",
    "int_abom__lines": "child_part_inventory_id bigint, installed_at timestamptz",
    "organization_settings": "setting_key varchar, setting_value varchar",
}
JANUARY = datetime(2026, 1, 5, tzinfo=UTC)
UTC_DAYS = [{"setting_key": "production_time_zone", "setting_value": "UTC"}]
Receipt = tuple[int, float, int]


@pytest.fixture(scope="module")
def models() -> Models:
    made = Models(INPUTS, ["int_quality__rejected_receipts", "supplier_quality"])
    made.connection.execute("set TimeZone = 'UTC'")
    return made


def months(
    models: Models, receipts: list[Receipt], lots: dict[int, float], line: int | None
) -> list[tuple[float, ...]]:
    """Received, rejected, beyond and PPM by month, of lots that are all rejected by an issue of an order line."""
    models.fill(
        receipts=[
            {
                "receipt_item_id": number,
                "part_inventory_id": lot,
                "purchase_order_line_id": number,
                "supplier_id": 7,
                "supplier_name": "S",
                "part_number": "P",
                "quantity": quantity,
                "received_at": JANUARY + timedelta(days=31 * later),
            }
            for number, (lot, quantity, later) in enumerate(receipts, 1)
        ],
        int_inventories__pieces=[{"part_inventory_id": lot, "quantity": held} for lot, held in lots.items()],
        int_inventories__split_origins=[
            {"part_inventory_id": lot, "origin_part_inventory_id": lot, "depth": 0} for lot in lots
        ],
        issue_units=[{"issue_id": 1, "part_inventory_id": lot, "is_rejected": True} for lot in lots],
        stg_ion__issues=[{"issue_id": 1, "purchase_order_line_id": line, "created_at": JANUARY}],
        organization_settings=UTC_DAYS,
    )
    rows = models.rows("from supplier_quality order by month_starts_on")
    names = ("quantity_received", "quantity_rejected", "quantity_rejected_beyond_receipts", "ppm")
    return [tuple(row[name] for name in names) for row in rows]


def test_a_lot_that_came_in_two_months_is_not_all_rejected_in_the_first(models: Models) -> None:
    found = months(models, [(1, 1.0, 0), (1, 99.0, 1)], {1: 100.0}, None)
    assert found == [(1.0, 1.0, 0.0, 1e6), (99.0, 99.0, 0.0, 1e6)]


def test_the_receipt_of_the_issue_comes_first(models: Models) -> None:
    found = months(models, [(1, 50.0, 0), (1, 50.0, 1)], {1: 20.0}, 2)
    assert found == [(50.0, 0.0, 0.0, 0.0), (50.0, 20.0, 0.0, 4e5)]


def test_pieces_that_no_receipt_brought_stand_beside_the_ratio(models: Models) -> None:
    """One box was received, a hundred pieces are in it."""
    assert months(models, [(1, 1.0, 0)], {1: 100.0}, None) == [(1.0, 1.0, 99.0, 1e6)]


def test_what_was_rejected_and_returned_was_received(models: Models) -> None:
    found = months(models, [(1, 10.0, 0), (1, -10.0, 0)], {1: 10.0}, None)
    assert found == [(10.0, 10.0, 0.0, 1e6)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(-20, 100).map(float), st.integers(0, 3)), max_size=8),
    st.dictionaries(st.integers(1, 3), st.integers(0, 200).map(float), min_size=3, max_size=3),
    st.integers(1, 8) | st.none(),
)
def test_never_more_than_a_million(
    models: Models, receipts: list[Receipt], lots: dict[int, float], line: int | None
) -> None:
    found = months(models, receipts, lots, line)
    assert all(ppm is None or 0 <= ppm <= 1e6 for *_, ppm in found)
    # Nothing that was rejected gets lost: it is in the ratio or beside it.
    held = sum(lots[lot] for lot in {lot for lot, _, _ in receipts})
    assert sum(row[1] + row[2] for row in found) == pytest.approx(held)
