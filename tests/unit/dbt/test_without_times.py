"""Rows without a time from ION are dated by the first load that read them, and count in its month."""

from datetime import UTC, datetime

from tests.unit.dbt.models import Models

SEEN = datetime(2026, 5, 1, 6, tzinfo=UTC)


def test_scrap_without_a_time_has_the_time_of_its_load() -> None:
    inputs = {
        "stg_ion_history__part_inventories": (
            "part_inventory_id bigint, serial_number varchar, status varchar, quantity double, "
            "quantity_scrapped double, updated_at timestamptz, valid_from timestamptz"
        ),
        "int_inventories__pieces": "part_inventory_id bigint",
    }
    models = Models(inputs, ["int_inventories__scrap"])
    models.connection.execute("set timezone = 'UTC'")
    models.fill(
        int_inventories__pieces=[{"part_inventory_id": 1}],
        stg_ion_history__part_inventories=[
            {"part_inventory_id": 1, "quantity": 3.0, "quantity_scrapped": 2.0, "updated_at": None, "valid_from": SEEN}
        ],
    )
    [row] = models.rows("from int_inventories__scrap")
    assert (row["quantity_scrapped"], row["scrapped_at"].astimezone(UTC)) == (2.0, SEEN)


def test_an_attempt_without_a_time_has_the_time_of_its_load() -> None:
    step = "run_step_id bigint, run_id bigint, status varchar, started_at timestamptz, ended_at timestamptz, "
    inputs = {
        "int_production__run_steps": step + "updated_at timestamptz, is_group boolean",
        "stg_ion__run_steps": step + "updated_at timestamptz",
        "stg_ion_history__run_steps": step + "updated_at timestamptz, valid_from timestamptz",
        "int_loads__first": "valid_from timestamptz",
    }
    models = Models(inputs, ["int_production__step_attempts"])
    models.connection.execute("set timezone = 'UTC'")
    run_steps = [{"run_step_id": number, "run_id": 7, "status": "COMPLETE", "is_group": False} for number in (1, 2)]
    models.fill(
        int_production__run_steps=run_steps,
        stg_ion__run_steps=[{name: row[name] for name in ("run_step_id", "run_id", "status")} for row in run_steps],
        stg_ion_history__run_steps=[{"run_step_id": 1, "run_id": 7, "status": "COMPLETE", "valid_from": SEEN}],
        int_loads__first=[{"valid_from": SEEN}],
    )
    found = models.rows("select run_step_id, ended_at from int_production__step_attempts order by run_step_id")
    # The second has no history: it is dated by the first load.
    assert [(row["run_step_id"], row["ended_at"].astimezone(UTC)) for row in found] == [(1, SEEN), (2, SEEN)]
