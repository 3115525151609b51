"""First-pass, rolled throughput yield and redline rates of a world, in plain Python, from the definitions."""

from collections import defaultdict
from datetime import date

from tests.oracle.production import Attempt, Factory, instant, periods, product, ratio
from tests.oracle.world import Row

_SUMS = ("units_attempted", "quantity_attempted", "quantity_passed_first", "quantity_completed", "quantity_cancelled")


def first_pass_yield(factory: Factory) -> list[Row]:
    """The rows of `quality.first_pass_yield`."""
    sums: dict[tuple[int, str, date], Row] = defaultdict(lambda: dict.fromkeys(_SUMS, 0))
    for (step, _part, period, start), found in _step_sums(factory).items():
        for name in _SUMS:
            sums[step, period, start][name] += found[name]
    return [
        {
            "step_id": step,
            "period_type": period,
            "period_start_on": start,
            **found,
            "step_kind": factory.kind(factory.find("steps", step)),
            "step_title": factory.find("steps", step)["title"],
            "procedure_id": factory.procedure_of(factory.find("steps", step)),
            "first_pass_yield": ratio(found["quantity_passed_first"], found["quantity_attempted"]),
            "final_yield": ratio(found["quantity_completed"], found["quantity_attempted"]),
            "is_from_history": False,
        }
        for (step, period, start), found in sums.items()
    ]


def rolled_throughput_yield(factory: Factory) -> list[Row]:
    """The rows of `quality.rolled_throughput_yield`."""
    factors: dict[tuple[int, int, str, date], list[Row]] = defaultdict(list)
    for (step_id, part, period, start), found in _step_sums(factory).items():
        step = factory.find("steps", step_id)
        procedure = factory.procedure_of(step)
        if procedure is None or factory.kind(step) != "mandatory" or not found["quantity_attempted"]:
            continue
        factors[part, procedure, period, start].append(found)
    return [
        {
            "part_id": part,
            "procedure_id": procedure,
            "period_type": period,
            "period_start_on": start,
            "steps_mandatory": _mandatory_steps(factory, procedure),
            "steps_executed": len(steps),
            "quantity_attempted_least": min(step["quantity_attempted"] for step in steps),
            "quantity_attempted_most": max(step["quantity_attempted"] for step in steps),
            "rolled_throughput_yield": product([s["quantity_passed_first"] / s["quantity_attempted"] for s in steps]),
            "rolled_final_yield": product([s["quantity_completed"] / s["quantity_attempted"] for s in steps]),
        }
        for (part, procedure, period, start), steps in factors.items()
    ]


def redline_rates(factory: Factory) -> list[Row]:
    """The rows of `quality.redline_rates`."""
    sums: dict[tuple[int, str, date], Row] = defaultdict(
        lambda: {"runs_started": 0, "runs_redlined": 0, "redlines": 0, "runs_cancelled": 0}
    )
    for run in factory.world["runs"]:
        steps = factory.steps_of[run["id"]]
        starts = [instant(step["startTime"]) for step in steps if step.get("startTime")]
        cancelled = run["status"] == "CANCELED"
        if run.get("procedureId") is None or not (starts or cancelled):
            continue
        redlines = sum(len(factory.redlines_of[step["id"]]) for step in steps)
        for period, start in periods(min(starts, default=instant(run["_updated"])).date()):
            found = sums[run["procedureId"], period, start]
            if cancelled:
                found["runs_cancelled"] += 1
                continue
            found["runs_started"] += 1
            found["runs_redlined"] += redlines > 0
            found["redlines"] += redlines
    return [
        {
            "procedure_id": procedure,
            "period_type": period,
            "period_start_on": start,
            **found,
            "redline_rate": ratio(found["runs_redlined"], found["runs_started"]),
            "redlines_per_run": ratio(found["redlines"], found["runs_started"]),
        }
        for (procedure, period, start), found in sums.items()
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


def _step_sums(factory: Factory) -> dict[tuple[int, int, str, date], Row]:
    sums: dict[tuple[int, int, str, date], Row] = defaultdict(lambda: dict.fromkeys(_SUMS, 0))
    for history in factory.histories():
        first, last = history[0], history[-1]
        step = first.run_step.get("originStepId")
        if first.unit is not None and step is not None:
            _count(sums, factory, step, first, last)
    for run in factory.world["runs"]:
        for row in factory.steps_of[run["id"]]:
            if row["status"] != "CANCELED" or row.get("originStepId") is None or factory.only_groups(row):
                continue
            for unit in factory.units(run):
                for period, start in periods(instant(row["_updated"]).date()):
                    sums[row["originStepId"], unit["partId"], period, start]["quantity_cancelled"] += factory.weight(
                        unit, instant(row["_updated"])
                    )
    return sums


def _count(
    sums: dict[tuple[int, int, str, date], Row], factory: Factory, step: int, first: Attempt, last: Attempt
) -> None:
    unit = first.unit or {}
    weight = factory.weight(unit, first.ended)
    for period, start in periods(first.ended.date()):
        found = sums[step, unit["partId"], period, start]
        found["units_attempted"] += 1
        found["quantity_attempted"] += weight
        found["quantity_passed_first"] += weight if first.passed else 0
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
