"""Plan items without dates, of several plans and in a status that nobody knows, on invented rows."""

from datetime import UTC, datetime

import pytest

from tests.unit.dbt.models import Models

_AUDIT = "created_at timestamptz, updated_at timestamptz"
INPUTS = {
    "stg_ion__plan_items": (
        "plan_item_id bigint, plan_item_name varchar, status varchar, percent_complete bigint, part_id bigint, "
        "quantity double, is_ready boolean, is_exploded boolean, is_latest boolean, mrp_job_id bigint, "
        "procedure_id bigint, supplier_id bigint, assigned_to_id bigint, started_at timestamptz, ended_at timestamptz, "
        f"forecasted_start_at timestamptz, forecasted_end_at timestamptz, is_export_controlled boolean, {_AUDIT}"
    ),
    "stg_ion__plans": (
        "plan_id bigint, plan_name varchar, plan_description varchar, status varchar, is_included_in_mrp boolean, "
        f"percent_complete bigint, created_by_id bigint, {_AUDIT}"
    ),
    "stg_ion__plan_inputs": (
        "plan_input_id bigint, plan_id bigint, due_at timestamptz, quantity bigint, completed_quantity bigint"
    ),
    "stg_ion__plan_item_allocations": (
        "parent_plan_item_id bigint, child_plan_item_id bigint, mrp_job_id bigint, quantity double, "
        "is_export_controlled boolean"
    ),
    "stg_ion__plan_reservations": "plan_id bigint",
    "stg_ion__plan_item_plans": "plan_id bigint, plan_item_id bigint",
    "stg_ion__plan_item_inputs": "plan_item_id bigint, plan_input_id bigint",
    "stg_ion__plan_item_runs": "plan_item_id bigint, run_id bigint",
    "stg_ion__plan_item_purchase_order_lines": "plan_item_id bigint, purchase_order_line_id bigint",
    "stg_ion__plan_item_part_inventories": "plan_item_id bigint, part_inventory_id bigint",
    "stg_ion__plan_item_issues": "plan_item_id bigint, issue_id bigint",
    "stg_ion__procedures": "procedure_id bigint, procedure_title varchar",
    "stg_ion__suppliers": "supplier_id bigint, supplier_name varchar",
    "stg_ion__users": "user_id bigint, user_name varchar",
    "stg_ion__loads": "read_at timestamptz",
    "parts": "part_id bigint, part_number varchar, part_revision varchar, unit_of_measure varchar",
}


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


@pytest.fixture(scope="module")
def models() -> Models:
    """Item 1 is in two plans and late, 2 supplies it and is complete, 3 supplies it and has no date, 4 is alone."""
    models = Models(INPUTS, ["plan_items", "plan_item_allocations", "plans"])
    models.fill(
        stg_ion__plan_items=[
            {
                "plan_item_id": item,
                "status": status,
                "started_at": begin,
                "ended_at": end,
                "forecasted_end_at": forecast,
            }
            for item, status, begin, end, forecast in (
                (1, "SCHEDULED", day(4), day(8), day(11)),
                (2, "COMPLETE", day(1), day(6), day(6)),
                (3, "DRAFT", None, None, None),
                (4, "PAUSED", day(1), day(20), None),
            )
        ],
        stg_ion__plans=[{"plan_id": plan, "plan_name": name} for plan, name in ((1, "B"), (2, "A"), (3, "C"))],
        stg_ion__plan_inputs=[
            {"plan_input_id": 1, "plan_id": 1, "due_at": day(9), "quantity": 2, "completed_quantity": 1},
            {"plan_input_id": 2, "plan_id": 1, "due_at": day(7), "quantity": 2, "completed_quantity": 2},
        ],
        stg_ion__plan_item_allocations=[
            {"parent_plan_item_id": 1, "child_plan_item_id": child, "quantity": 2.5} for child in (2, 3, 4)
        ],
        stg_ion__plan_item_plans=[
            {"plan_id": plan, "plan_item_id": item} for plan, item in ((1, 1), (2, 1), (1, 2), (1, 3), (1, 4))
        ],
        stg_ion__plan_item_inputs=[{"plan_item_id": 1, "plan_input_id": entry} for entry in (1, 2)],
        stg_ion__plan_item_runs=[{"plan_item_id": 2, "run_id": run} for run in (5, 6)],
        stg_ion__loads=[{"read_at": day(10)}],
    )
    return models


def test_an_item_of_two_plans_is_one_row(models: Models) -> None:
    first, second, third, fourth = models.rows("from plan_items order by plan_item_id")
    assert (first["plan_ids"], first["plan_names"], first["due_at"]) == ([1, 2], ["A", "B"], day(7))
    assert (first["child_count"], first["is_late"], first["forecast_slip_days"]) == (3, True, 3)
    assert (second["run_count"], second["is_late"], second["forecast_slip_days"]) == (2, False, None)
    assert (third["is_late"], third["forecast_slip_days"], third["quantity_allocated"]) == (None, None, 2.5)
    assert (fourth["is_late"], fourth["is_complete"]) == (False, False)


def test_a_complete_child_is_never_too_late(models: Models) -> None:
    found = models.rows("select days_after_parent_begins from plan_item_allocations order by child_plan_item_id")
    assert [row["days_after_parent_begins"] for row in found] == [None, None, 16]


def test_a_plan_counts_each_of_its_items_once(models: Models) -> None:
    first, second, third = models.rows("from plans order by plan_id")
    counts = ("item_count", "items_draft", "items_scheduled", "items_complete", "items_late", "items_complete_share")
    # An item in a status that nobody knows is in the count alone.
    assert [first[name] for name in counts] == [4, 1, 1, 1, 1, 0.25]
    assert (first["input_count"], first["inputs_complete"], first["inputs_late"]) == (2, 1, 1)
    assert (first["next_due_at"], first["forecasted_end_at"]) == (day(9), day(20))
    assert first["is_forecast_after_due"] is True
    assert [second[name] for name in counts] == [1, 0, 1, 0, 1, 0.0]
    assert (third["item_count"], third["items_complete_share"], third["is_forecast_after_due"]) == (0, None, None)
