"""First-pass, rolled throughput yield and redline rates of a world, in plain Python, from the definitions.

Each function takes the length of the period, a key of `PERIODS`.
"""

from collections import defaultdict
from datetime import date

from tests.oracle.production import PERIODS, Attempt, Factory, first_day, instant, product, ratio
from tests.oracle.world import Row

_REASONS = {
    "failed": "quantity_failed_first",
    "failed_validation": "quantity_failed_validation_first",
    "redline": "quantity_redlined_first",
    "issue": "quantity_issue_first",
}
_SUMS = (
    "units_attempted",
    "quantity_attempted",
    "quantity_passed_first",
    *_REASONS.values(),
    "quantity_completed",
    "quantity_cancelled",
)


def first_pass_yield(factory: Factory, period: str) -> list[Row]:
    """The rows of `quality.first_pass_yield…`."""
    return [
        {
            "step_id": step,
            "part_id": part,
            PERIODS[period]: start,
            **found,
            "part_number": factory.find("parts", part)["partNumber"],
            "step_kind": factory.kind(factory.find("steps", step)),
            "step_title": factory.find("steps", step)["title"],
            "procedure_id": factory.procedure_of(factory.find("steps", step)),
            "first_pass_yield": ratio(found["quantity_passed_first"], found["quantity_attempted"]),
            "final_yield": ratio(found["quantity_completed"], found["quantity_attempted"]),
            "is_from_history": False,
        }
        for (step, part, start), found in _step_sums(factory, period).items()
    ]


def rolled_throughput_yield(factory: Factory, period: str) -> list[Row]:
    """The rows of `quality.rolled_throughput_yield…`."""
    factors: dict[tuple[int, int, date], list[Row]] = defaultdict(list)
    for (step_id, part, start), found in _step_sums(factory, period).items():
        step = factory.find("steps", step_id)
        procedure = factory.procedure_of(step)
        if procedure is None or factory.kind(step) != "mandatory" or not found["quantity_attempted"]:
            continue
        factors[part, procedure, start].append(found)
    return [
        {
            "part_id": part,
            "procedure_id": procedure,
            PERIODS[period]: start,
            "steps_mandatory": _mandatory_steps(factory, procedure),
            "steps_executed": len(steps),
            "quantity_attempted_least": min(step["quantity_attempted"] for step in steps),
            "quantity_attempted_most": max(step["quantity_attempted"] for step in steps),
            "rolled_throughput_yield": product([s["quantity_passed_first"] / s["quantity_attempted"] for s in steps]),
            "rolled_final_yield": product([s["quantity_completed"] / s["quantity_attempted"] for s in steps]),
        }
        for (part, procedure, start), steps in factors.items()
    ]


def redline_rates(factory: Factory, period: str) -> list[Row]:
    """The rows of `quality.redline_rates…`."""
    sums: dict[tuple[int, int | None, date], Row] = defaultdict(
        lambda: {"runs_started": 0, "runs_redlined": 0, "redlines": 0, "runs_cancelled": 0}
    )
    for run in factory.world["runs"]:
        steps = factory.steps_of[run["id"]]
        starts = [instant(step["startTime"]) for step in steps if step.get("startTime")]
        cancelled = run["status"] == "CANCELED"
        if run.get("procedureId") is None or not (starts or cancelled):
            continue
        redlines = sum(len(factory.redlines_of[step["id"]]) for step in steps)
        start = first_day(period, min(starts, default=instant(run["_updated"])).date())
        found = sums[run["procedureId"], _part_of(factory, run), start]
        if cancelled:
            found["runs_cancelled"] += 1
            continue
        found["runs_started"] += 1
        found["runs_redlined"] += redlines > 0
        found["redlines"] += redlines
    return [
        {
            "procedure_id": procedure,
            "part_id": part,
            PERIODS[period]: start,
            **found,
            "redline_rate": ratio(found["runs_redlined"], found["runs_started"]),
            "redlines_per_run": ratio(found["redlines"], found["runs_started"]),
        }
        for (procedure, part, start), found in sums.items()
    ]


def step_redline_rates(factory: Factory) -> list[Row]:
    """The rows of `quality.step_redline_rates`."""
    sums: dict[tuple[int, int | None, date], Row] = defaultdict(
        lambda: {"run_steps_started": 0, "run_steps_redlined": 0, "redlines": 0, "run_steps_cancelled": 0}
    )
    for run in factory.world["runs"]:
        for step in factory.steps_of[run["id"]]:
            cancelled = step["status"] == "CANCELED"
            ended = step.get("endTime") or step["_updated"] if step["status"] in ("COMPLETE", "FAILED") else None
            at = step.get("startTime") or ended or (step["_updated"] if cancelled else None)
            if at is None or step.get("originStepId") is None or factory.only_groups(step):
                continue
            found = sums[step["originStepId"], _part_of(factory, run), instant(at).date()]
            if cancelled:
                found["run_steps_cancelled"] += 1
                continue
            redlines = len(factory.redlines_of[step["id"]])
            found["run_steps_started"] += 1
            found["run_steps_redlined"] += redlines > 0
            found["redlines"] += redlines
    return [
        {
            "step_id": step,
            "part_id": part,
            "day_on": day,
            **found,
            "step_redline_rate": ratio(found["run_steps_redlined"], found["run_steps_started"]),
            "redlines_per_run_step": ratio(found["redlines"], found["run_steps_started"]),
        }
        for (step, part, day), found in sums.items()
    ]


def step_attempts(factory: Factory) -> list[Row]:
    """The rows of `quality.step_attempts`, with the reason why an attempt was not first pass."""
    return [
        {
            "step_attempt_key": "/".join(
                str(part) for part in (attempt.run_step["id"], 1, (attempt.unit or {}).get("id")) if part is not None
            ),
            "unit_attempt_number": place + 1,
            "ended_on": attempt.ended.date(),
            "quantity": factory.weight(attempt.unit, attempt.ended) if attempt.unit else None,
            "is_first_pass": place == 0 and attempt.passed,
            "is_yield_counted": place == 0 and bool(attempt.unit) and "originStepId" in attempt.run_step,
            "not_first_pass_because": _reason(factory, attempt, history[:place]),
        }
        for history in factory.histories()
        for place, attempt in enumerate(history)
    ]


def _reason(factory: Factory, attempt: Attempt, earlier: list[Attempt]) -> str | None:
    if earlier:
        return "repeat_of_passed_step" if any(one.complete for one in earlier) else "retry"
    if attempt.passed:
        return None
    if not attempt.complete:
        return "failed"
    if factory.missed(attempt.run_step):
        return "failed_validation"
    return "redline" if factory.redlines_of[attempt.run_step["id"]] else "issue"


def _part_of(factory: Factory, run: Row) -> int | None:
    return factory.find("partInventories", run.get("partInventoryId")).get("partId") or run.get("partId")


def _step_sums(factory: Factory, period: str) -> dict[tuple[int, int, date], Row]:
    sums: dict[tuple[int, int, date], Row] = defaultdict(lambda: dict.fromkeys(_SUMS, 0))
    for history in factory.histories():
        first, last = history[0], history[-1]
        step = first.run_step.get("originStepId")
        if first.unit is not None and step is not None:
            start = first_day(period, first.ended.date())
            _count(sums[step, first.unit["partId"], start], factory, first, last)
    for run in factory.world["runs"]:
        for row in factory.steps_of[run["id"]]:
            if row["status"] != "CANCELED" or row.get("originStepId") is None or factory.only_groups(row):
                continue
            at = instant(row["_updated"])
            for unit in factory.units(run):
                found = sums[row["originStepId"], unit["partId"], first_day(period, at.date())]
                found["quantity_cancelled"] += factory.weight(unit, at)
    return sums


def _count(found: Row, factory: Factory, first: Attempt, last: Attempt) -> None:
    weight = factory.weight(first.unit or {}, first.ended)
    reason = _reason(factory, first, [])
    found["units_attempted"] += 1
    found["quantity_attempted"] += weight
    found["quantity_passed_first" if reason is None else _REASONS[reason]] += weight
    found["quantity_completed"] += weight if last.complete else 0


def _mandatory_steps(factory: Factory, procedure: int) -> int:
    steps = factory.world["steps"]
    holders = {step.get("parentId") for step in steps}
    recorders = {field["stepId"] for field in factory.world["fields"]}
    return sum(
        factory.procedure_of(step) == procedure
        and factory.kind(step) == "mandatory"
        and not (step["id"] in holders and step["id"] not in recorders and step.get("type") != "DATAGRID")
        for step in steps
    )
