"""The rejected pieces in the ratio never exceed the received pieces, on random receipts."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.unit.dbt.models import Models

INPUTS = {
    "receipts": (
        "receipt_item_id bigint, part_inventory_id bigint, purchase_order_line_id bigint, supplier_id bigint, "
        "supplier_name varchar, part_number varchar, quantity double, received_at timestamptz"
    ),
    "int_inventories__pieces": "part_inventory_id bigint, part_number varchar, supplier_id bigint",
    "int_inventories__split_origins": (
        "part_inventory_id bigint, origin_part_inventory_id bigint, depth integer, split_at timestamptz"
    ),
    "int_issues__units": "issue_id bigint, part_inventory_id bigint, opened_at timestamptz",
    "int_issues__affected_quantities": "issue_id bigint, part_inventory_id bigint, quantity double",
    "int_issues__dispositions": "issue_id bigint, is_rejected boolean",
    "stg_ion__issues": "issue_id bigint, purchase_order_line_id bigint",
    "int_abom__lines": "child_part_inventory_id bigint, installed_at timestamptz",
    "int_supply__order_lines": "purchase_order_line_id bigint, supplier_id bigint",
    "stg_ion__suppliers": "supplier_id bigint, supplier_name varchar",
    "stg_ion__loads": "read_at timestamptz",
    "organization_settings": "setting_key varchar, setting_value varchar",
}
JANUARY = datetime(2026, 1, 5, tzinfo=UTC)
UTC_DAYS = [{"setting_key": "production_time_zone", "setting_value": "UTC"}]
Receipt = tuple[int, float, int]


@pytest.fixture(scope="module")
def models() -> Models:
    made = Models(
        INPUTS,
        ["int_loads__last_day", "int_quality__rejected_units", "int_quality__rejected_receipts", "supplier_quality"],
    )
    made.connection.execute("set TimeZone = 'UTC'")
    return made


def months(
    models: Models, receipts: list[Receipt], lots: dict[int, float], line: int | None
) -> list[tuple[float, ...]]:
    """Return received, rejected, beyond and PPM by month, for lots that an issue of an order line rejects."""
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
        int_inventories__pieces=[{"part_inventory_id": lot, "part_number": "P", "supplier_id": 7} for lot in lots],
        int_inventories__split_origins=[
            {"part_inventory_id": lot, "origin_part_inventory_id": lot, "depth": 0} for lot in lots
        ],
        int_issues__units=[{"issue_id": 1, "part_inventory_id": lot, "opened_at": JANUARY} for lot in lots],
        int_issues__affected_quantities=[
            {"issue_id": 1, "part_inventory_id": lot, "quantity": held} for lot, held in lots.items()
        ],
        int_issues__dispositions=[{"issue_id": 1, "is_rejected": True}],
        stg_ion__issues=[{"issue_id": 1, "purchase_order_line_id": line}],
        stg_ion__suppliers=[{"supplier_id": 7, "supplier_name": "S"}],
        organization_settings=UTC_DAYS,
    )
    rows = models.rows("from supplier_quality where receipt_item_count > 0 order by month_starts_on")
    names = ("quantity_received", "quantity_rejected", "quantity_rejected_beyond_receipts", "ppm")
    return [tuple(row[name] for name in names) for row in rows]


def test_rejections_of_a_lot_received_in_two_months_count_in_both(models: Models) -> None:
    found = months(models, [(1, 1.0, 0), (1, 99.0, 1)], {1: 100.0}, None)
    assert found == [(1.0, 1.0, 0.0, 1e6), (99.0, 99.0, 0.0, 1e6)]


def test_the_receipt_of_the_issue_comes_first(models: Models) -> None:
    found = months(models, [(1, 50.0, 0), (1, 50.0, 1)], {1: 20.0}, 2)
    assert found == [(50.0, 0.0, 0.0, 0.0), (50.0, 20.0, 0.0, 4e5)]


def test_pieces_beyond_the_receipts_are_outside_the_ratio(models: Models) -> None:
    """One box was received; it contains a hundred pieces."""
    assert months(models, [(1, 1.0, 0)], {1: 100.0}, None) == [(1.0, 1.0, 99.0, 1e6)]


def test_rejected_and_returned_pieces_count_as_received(models: Models) -> None:
    found = months(models, [(1, 10.0, 0), (1, -10.0, 0)], {1: 10.0}, None)
    assert found == [(10.0, 10.0, 0.0, 1e6)]


def test_pieces_never_received_are_counted_outside_the_ratio(models: Models) -> None:
    """Lot 1 was received; lot 2, of the same supplier, was not, and both are rejected."""
    assert months(models, [(1, 100.0, 0)], {1: 5.0, 2: 9.0}, None) == [(100.0, 5.0, 0.0, 5e4)]
    [row] = models.rows("from supplier_quality")
    assert (row["supplier_id"], row["quantity_rejected_not_received"], row["ppm"]) == (7, 9.0, 5e4)
    # If nothing was received there is no ratio, but the pieces are still counted.
    months(models, [], {2: 9.0}, None)
    [row] = models.rows("from supplier_quality")
    assert (row["receipt_item_count"], row["quantity_rejected_not_received"], row["ppm"]) == (0, 9.0, None)


@settings(max_examples=examples(60))
@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(-20, 100).map(float), st.integers(0, 3)), max_size=8),
    st.dictionaries(st.integers(1, 3), st.integers(0, 200).map(float), min_size=3, max_size=3),
    st.integers(1, 8) | st.none(),
)
def test_never_more_than_a_million(
    models: Models, receipts: list[Receipt], lots: dict[int, float], line: int | None
) -> None:
    found = months(models, receipts, lots, line)
    assert all(0 <= (ppm or 0.0) <= 1e6 for *_, ppm in found)
    # No rejected piece is lost: each one counts inside or outside the ratio.
    held = sum(lots[lot] for lot in {lot for lot, _, _ in receipts})
    assert sum(row[1] + row[2] for row in found) == pytest.approx(held)
    [outside] = models.rows("select coalesce(sum(quantity_rejected_not_received), 0) as pieces from supplier_quality")
    assert outside["pieces"] == pytest.approx(sum(lots.values()) - held)
