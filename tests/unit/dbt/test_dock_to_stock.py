"""When received inventory is inspected and available, on invented histories."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.dbt.models import Models

INPUTS = {
    "receipts": (
        "receipt_item_id bigint, receipt_id bigint, received_at timestamptz, purchase_order_line_id bigint, "
        "purchase_order_id bigint, supplier_id bigint, supplier_name varchar, part_inventory_id bigint, "
        "part_id bigint, part_number varchar, part_revision varchar, serial_number varchar, lot_number varchar, "
        "quantity double, is_export_controlled boolean"
    ),
    "parts": "part_id bigint, unit_of_measure varchar",
    "runs": (
        "part_inventory_id bigint, procedure_type varchar, status varchar, is_finished boolean, "
        "created_at timestamptz, first_started_at timestamptz, last_completed_at timestamptz"
    ),
    "stg_ion_history__part_inventories": (
        "part_inventory_id bigint, status varchar, valid_from timestamptz, valid_to timestamptz"
    ),
    "int_loads__first": "valid_from timestamptz",
    "stg_ion__loads": "read_at timestamptz",
}
START = datetime(2026, 1, 5, tzinfo=UTC)


def hour(hours: float) -> datetime:
    return START + timedelta(hours=hours)


@pytest.fixture(scope="module")
def models() -> Models:
    return Models(INPUTS, ["dock_to_stock"])


def received(
    models: Models,
    statuses: list[tuple[str, float]],
    at: tuple[float, ...] = (10,),
    runs: tuple[tuple[str, float, float | None], ...] = (),
) -> list[dict[str, Any]]:
    """Return what becomes of a lot: its statuses and since when, its receipts, and runs with creation and end."""
    ends = [since for _, since in statuses[1:]]
    models.fill(
        receipts=[
            {"receipt_item_id": number, "receipt_id": number, "part_inventory_id": 1, "received_at": hour(when)}
            for number, when in enumerate(at, 1)
        ],
        runs=[
            {
                "part_inventory_id": 1,
                "procedure_type": kind,
                "status": "IN_PROGRESS" if end is None else "COMPLETE",
                "is_finished": end is not None,
                "created_at": hour(begin),
                "first_started_at": hour(begin),
                "last_completed_at": hour(begin if end is None else end),
            }
            for kind, begin, end in runs
        ],
        stg_ion_history__part_inventories=[
            {
                "part_inventory_id": 1,
                "status": status,
                "valid_from": hour(since),
                "valid_to": hour(ends[place]) if place < len(ends) else None,
            }
            for place, (status, since) in enumerate(statuses)
        ],
        int_loads__first=[{"valid_from": hour(0)}],
        stg_ion__loads=[{"read_at": hour(100)}],
    )
    return models.rows("from dock_to_stock order by receipt_item_id")


@pytest.mark.parametrize(
    ("statuses", "source", "hours"),
    [
        ([("ON_ORDER", 0), ("WIP", 12), ("AVAILABLE", 24)], "history", 14),
        ([("ON_ORDER", 0), ("UNAVAILABLE", 12), ("INSTALLED", 36)], "history", 26),
        ([("AVAILABLE", 0)], "before the first load", None),
        ([("AVAILABLE", 0), ("INSTALLED", 24)], "before the first load", None),
        ([("ON_ORDER", 0), ("WIP", 12)], "not yet", None),
        ([("AVAILABLE", 4)], "history", 0),
        # It was free only before it was received here.
        ([("AVAILABLE", 4), ("UNAVAILABLE", 8)], "not yet", None),
    ],
)
def test_availability_is_what_the_loads_saw(
    models: Models, statuses: list[tuple[str, float]], source: str, hours: float | None
) -> None:
    [row] = received(models, statuses)
    assert (row["availability_from"], row["dock_to_stock_hours"]) == (source, hours)
    assert row["hours_waiting"] == (90 if source == "not yet" else None)


def test_an_inspection_belongs_to_the_receipt_before_it(models: Models) -> None:
    runs = (("INSPECTION", 12, 15), ("INSPECTION", 31, 33), ("BUILD", 13, 50), ("INSPECTION", 5, 6))
    first, second = received(models, [("AVAILABLE", 0)], (10, 30), runs)
    assert (first["inspection_count"], first["hours_to_inspection"], first["hours_to_inspected"]) == (1, 2, 5)
    assert (second["inspection_count"], second["inspected_at"]) == (1, hour(33))


def test_an_open_inspection_is_not_complete(models: Models) -> None:
    [row] = received(models, [("WIP", 0)], runs=(("INSPECTION", 12, 15), ("INSPECTION", 16, None)))
    assert (row["inspection_count"], row["inspections_completed"], row["inspected_at"]) == (2, 1, None)
