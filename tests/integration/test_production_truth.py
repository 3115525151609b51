"""Runs, stock and yields of the seeded factory: published tables against the oracle and against what was planted."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from ion_pipeline.questions import questions
from tests.oracle import shop_floor, yields
from tests.oracle.compare import assert_same, warehouse_table
from tests.oracle.production import PERIODS, Factory
from tests.oracle.step_results import step_results
from tests.oracle.world import Row, read_truths, read_world_dir

pytestmark = pytest.mark.slow

LABOR_RATE = 60.0


@pytest.fixture(scope="module")
def factory(demo_warehouse: Any) -> Factory:
    return Factory(read_world_dir(demo_warehouse.world))


@pytest.fixture(scope="module")
def as_of(demo_warehouse: Any) -> datetime:
    """The instant that the last load describes."""
    with duckdb.connect(str(demo_warehouse.warehouse), read_only=True) as connection:
        [(us,)] = connection.execute("select max(epoch_us(started_at)) from raw._ion_loads").fetchall()
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=us)


@pytest.fixture(scope="module")
def order(demo_warehouse: Any) -> dict[int, int]:
    found = warehouse_table(demo_warehouse.published, "reference.procedure_steps")
    return {row["step_id"]: row["execution_order"] for row in found if row["execution_order"]}


def published(built: Any, table: str) -> list[Row]:
    return warehouse_table(built.published, table)


def _newest_first(row: Row) -> tuple[int, int]:
    return row["part_inventory_id"], row["recency"]


def test_runs(demo_warehouse: Any, factory: Factory, as_of: datetime) -> None:
    assert_same(shop_floor.runs(factory, as_of), published(demo_warehouse, "production.runs"), key=["run_id"])


def test_run_steps(demo_warehouse: Any, factory: Factory) -> None:
    assert_same(shop_floor.run_steps(factory), published(demo_warehouse, "production.run_steps"), key=["run_step_id"])


def test_open_runs(demo_warehouse: Any, factory: Factory, as_of: datetime, order: dict[int, int]) -> None:
    expected = shop_floor.open_runs(factory, as_of, order)
    assert_same(expected, published(demo_warehouse, "production.open_runs"), key=["run_id"])


def test_run_history(demo_warehouse: Any, factory: Factory) -> None:
    found = published(demo_warehouse, "production.run_history")
    assert_same(shop_floor.run_history(factory), found, key=["part_inventory_id", "run_id"])
    assert [row["recency"] for row in found[:20]] == [row["recency"] for row in sorted(found, key=_newest_first)[:20]]


def test_serialized_units(demo_warehouse: Any, factory: Factory) -> None:
    found = published(demo_warehouse, "production.serialized_units")
    assert_same(shop_floor.serialized_units(factory), found, key=["part_inventory_id"])


def test_inventory_by_location(demo_warehouse: Any, factory: Factory) -> None:
    found = published(demo_warehouse, "production.inventory_by_location")
    assert_same(shop_floor.inventory_by_location(factory), found, key=["part_id", "location_id"])


def test_labor_sessions(demo_warehouse: Any, factory: Factory) -> None:
    found = published(demo_warehouse, "production.labor_sessions")
    assert {row["currency"] for row in found} == {"USD"}
    assert_same(shop_floor.labor_sessions(factory, LABOR_RATE), found, key=["run_step_id", "session_id"])


def test_step_results(demo_warehouse: Any, factory: Factory) -> None:
    found = published(demo_warehouse, "production.step_results")
    assert_same(step_results(factory), found, key=["result_key"])
    kinds = {row["field_type"] for row in found}
    assert kinds >= {"STRING", "SELECT", "MULTISELECT", "DATETIME", "FILE_ATTACHMENT", "SIGNOFF", "TOOL", "ION"}


def test_why_an_attempt_was_not_first_pass(demo_warehouse: Any, factory: Factory) -> None:
    found = published(demo_warehouse, "quality.step_attempts")
    assert_same(yields.step_attempts(factory), found, key=["step_attempt_key"])
    planted = {row["not_first_pass_because"] for row in found if row["part_number"] == "PLT-RTY"}
    reasons = {"failed", "failed_validation", "redline", "issue", "retry", "repeat_of_passed_step"}
    assert planted == {None, *reasons}


@pytest.mark.parametrize("ending", PERIODS)
def test_first_pass_yield(demo_warehouse: Any, factory: Factory, ending: str) -> None:
    found = published(demo_warehouse, f"quality.first_pass_yield{ending}")
    assert_same(yields.first_pass_yield(factory, ending), found, key=["step_id", "part_id", PERIODS[ending]])


@pytest.mark.parametrize("ending", PERIODS)
def test_rolled_throughput_yield(demo_warehouse: Any, factory: Factory, ending: str) -> None:
    found = published(demo_warehouse, f"quality.rolled_throughput_yield{ending}")
    assert_same(
        yields.rolled_throughput_yield(factory, ending), found, key=["part_id", "procedure_id", PERIODS[ending]]
    )


@pytest.mark.parametrize("ending", PERIODS)
def test_redline_rates(demo_warehouse: Any, factory: Factory, ending: str) -> None:
    found = published(demo_warehouse, f"quality.redline_rates{ending}")
    assert_same(yields.redline_rates(factory, ending), found, key=["procedure_id", "part_id", PERIODS[ending]])


def test_redlines_of_steps(demo_warehouse: Any, factory: Factory) -> None:
    found = published(demo_warehouse, "quality.step_redline_rates")
    assert sum(row["run_steps_redlined"] for row in found) > 3
    assert_same(yields.step_redline_rates(factory), found, key=["step_id", "part_id", "day_on"])


@pytest.mark.parametrize("ending", PERIODS)
def test_a_table_that_is_added_up_whole_counts_nothing_twice(
    demo_warehouse: Any, factory: Factory, ending: str
) -> None:
    firsts = [history[0] for history in factory.histories()]
    tried = [a for a in firsts if a.unit is not None and a.run_step.get("originStepId") is not None]
    begun = [
        run
        for run in factory.world["runs"]
        if run.get("procedureId") is not None and run["status"] != "CANCELED"
        and any(step.get("startTime") for step in factory.steps_of[run["id"]])
    ]  # fmt: skip
    counted = {
        ("first_pass_yield", "units_attempted"): len(tried),
        ("first_pass_yield", "quantity_attempted"): sum(factory.weight(a.unit or {}, a.ended) for a in tried),
        ("redline_rates", "runs_started"): len(begun),
        ("redline_rates", "redlines"): sum(
            len(factory.redlines_of[step["id"]]) for run in begun for step in factory.steps_of[run["id"]]
        ),
    }
    assert min(counted.values()) > 5
    for (table, column), expected in counted.items():
        found = published(demo_warehouse, f"quality.{table}{ending}")
        assert sum(row[column] for row in found) == pytest.approx(expected, rel=1e-9), f"{table}{ending}.{column}"


def test_why_the_yield_changed(demo_warehouse: Any, factory: Factory) -> None:
    """`ask yield-change` for every product and month, from what the oracle finds."""
    found = answered = fell = 0
    monthly: dict[tuple[str, date], dict[tuple[str, str], Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for row in yields.first_pass_yield(factory, "_by_month"):
        if row["quantity_attempted"]:
            step = factory.find("procedures", row["procedure_id"])["title"], row["step_title"]
            monthly[row["part_number"], row["month_starts_on"]][step].update(
                {name: value for name, value in row.items() if name.startswith("quantity_")}
            )
    question = questions()["yield-change"].select(["part", "month"])
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        for (part, month), steps in monthly.items():
            earlier = monthly.get((part, (month - timedelta(days=1)).replace(day=1)), {})
            rows = connection.execute(question, {"part": part, "month": month}).fetchall()
            assert {row[:2]: row[2:] for row in rows} == {
                step: _changed(sums, earlier.get(step)) for step, sums in steps.items()
            }, (part, month)
            found, answered = found + 1, answered + len(rows)
            fell += sum(row[6] is not None and row[6] < 0 and "(+" in row[7] for row in rows)
    assert found > 10
    assert answered > 100
    assert fell


def _changed(sums: Row, before: Row | None) -> tuple[Any, ...]:
    """What is asked of a step: pieces and per cent passed, the same of the month before, change, and reasons."""
    names = {
        "failed": "quantity_failed_first",
        "failed validation": "quantity_failed_validation_first",
        "redline": "quantity_redlined_first",
        "issue": "quantity_issue_first",
    }

    def percent(counted: Row, name: str) -> float:
        return float(100 * counted[name] / counted["quantity_attempted"])

    shares = {reason: (percent(sums, name), percent(before, name) if before else 0) for reason, name in names.items()}
    reasons = [
        f"{reason} {share:.1f} %" + (f" ({share - earlier:+.1f})" if before else "")
        for reason, (share, earlier) in sorted(shares.items(), key=lambda each: (each[1][1] - each[1][0], each[0]))
        if share or earlier
    ]
    passed = percent(sums, "quantity_passed_first")
    was = percent(before, "quantity_passed_first") if before else None
    return (
        sums["quantity_attempted"],
        round(passed, 1),
        before["quantity_attempted"] if before else None,
        None if was is None else round(was, 1),
        None if was is None else round(passed - was, 1),
        ", ".join(reasons) or None,
    )


def test_planted_yields(demo_warehouse: Any) -> None:
    truth = read_truths(demo_warehouse.world)["yields"]
    month = date.fromisoformat(f"{truth['period_of_first_attempts']}-01")
    of_month = {"procedure_id": truth["procedure_id"], "month_starts_on": month}
    steps = [
        {
            "step_id": step["step_id"],
            "step_title": step["title"],
            "quantity_attempted": step["attempted"],
            "quantity_passed_first": step["passed_first"],
            "first_pass_yield": step["fpy"],
            **of_month,
        }
        for step in truth["steps"]
    ]
    found = [
        row
        for row in published(demo_warehouse, "quality.first_pass_yield_by_month")
        if row["procedure_id"] == truth["procedure_id"]
    ]
    assert_same(steps, found, key=["step_id"])
    [rolled] = [
        row
        for row in published(demo_warehouse, "quality.rolled_throughput_yield_by_month")
        if all(row[column] == value for column, value in of_month.items())
    ]
    assert rolled["rolled_throughput_yield"] == pytest.approx(truth["rty"], rel=1e-12)
    assert (rolled["part_number"], rolled["steps_executed"]) == (truth["part_number"], len(truth["steps"]))


def test_planted_runs(demo_warehouse: Any) -> None:
    truths = read_truths(demo_warehouse.world)
    runs = {row["run_id"]: row for row in published(demo_warehouse, "production.runs")}
    states = {int(run): status for run, status in truths["run_states"].items()}
    assert {run: runs[run]["status"] for run in states} == states
    is_open = {row["run_id"] for row in published(demo_warehouse, "production.open_runs")}
    assert {run: run in is_open for run in states} == {
        run: status not in {"COMPLETE", "PARTIAL_COMPLETE", "CANCELED"} for run, status in states.items()
    }
    # Read after the fact there is one attempt to see, and the row says that it is not from history.
    retried = truths["failed_then_complete"]
    [step] = [
        row for row in published(demo_warehouse, "production.run_steps") if row["run_step_id"] == retried["run_step_id"]
    ]
    assert (step["run_id"], step["status"]) == (retried["run_id"], "COMPLETE")
    assert (step["attempt_count"], step["is_from_history"], step["session_count"]) == (1, False, 2)


def test_planted_builds(demo_warehouse: Any) -> None:
    truths = read_truths(demo_warehouse.world)
    built = {row["part_inventory_id"]: row for row in published(demo_warehouse, "production.build_status")}
    unit = built[truths["conformance"]["part_inventory_id"]]
    kinds = Counter(line["status"] for line in truths["conformance"]["lines"])
    wanting = kinds["missing"] + kinds["short"]
    assert (unit["conformance"], unit["lines_incomplete"]) == ("deviating", wanting)
    assert unit["lines_deviating"] == sum(
        kinds[kind] for kind in ("over", "wrong_part", "designator_mismatch", "unplanned")
    )
    assert unit["requirements_total"] - unit["requirements_filled"] == wanting > 0
    states = {int(run): status for run, status in truths["run_states"].items()}
    unfinished = {run for run, status in states.items() if status not in {"COMPLETE", "PARTIAL_COMPLETE", "CANCELED"}}
    waiting = {run: row["is_blocked"] for row in built.values() for run in row["open_run_ids"]}
    assert unfinished == waiting.keys() & states.keys()
    stopped = {run for run in unfinished if states[run] in {"HOLD", "REDLINE"}}
    assert stopped
    assert all(waiting[run] for run in stopped)


def test_planted_stock(demo_warehouse: Any) -> None:
    truths = read_truths(demo_warehouse.world)
    units = {row["part_inventory_id"]: row for row in published(demo_warehouse, "production.serialized_units")}
    twice = truths["serial_installed_twice"]["part_inventory_id"]
    assert units[twice]["installation_count"] == 2
    lot = truths["scrap"]
    scrapped = [
        row
        for row in published(demo_warehouse, "production.inventory_by_location")
        if row["part_number"] == lot["part_number"]
    ]
    assert sum(row["quantity_scrapped"] for row in scrapped) == lot["quantity_scrapped"]
    assert sum(row["quantity_held"] for row in scrapped) == lot["quantity_left"]
