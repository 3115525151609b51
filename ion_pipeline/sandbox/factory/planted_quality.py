"""Measurements with a shift at a known point, a procedure with known yields, a reopened issue, and known scrap."""

from datetime import timedelta

from ion_pipeline.sandbox.factory.inventory import scrap, split
from ion_pipeline.sandbox.factory.planter import Planter, ids
from ion_pipeline.sandbox.factory.procedure_data import FieldSpec, StepSpec
from ion_pipeline.sandbox.factory.procedures import Author, new_procedure
from ion_pipeline.sandbox.factory.production import LiveRun, end_step, open_run, record, settle, start_step
from ion_pipeline.sandbox.factory.quality import advance, approve_redline, decide, open_issue, raise_redline, reopen

#: Deviations from nominal in µm. The first 25 have mean 0 and moving ranges of mean 12, so sigma is 12 / 1.128 µm, and
#: neither they nor the next seven break a rule; then the process shifts up by about 2.4 sigma.
BEFORE_SHIFT = (
    2, 4, -2, 15, -2, 1, 16, 3, 15, 10, 18, -22, -5, 4, -2, -1, -6, -18, -10, -10, 8, 3, -9, 12, -24,
    1, -6, -8, -1, -6, -15, -5,
)  # fmt: skip
AFTER_SHIFT = (25, 27, 24, 28, 23, 26, 29, 24, 27, 25, 28, 26)
_NOMINAL = 10.0
_SHAFT = FieldSpec("PLT diameter", "NUMBER", "mm", (("at least", 9.95), ("at most", 10.05)), _NOMINAL, 0.01)
_UNITS = 10


def plant_quality(p: Planter) -> None:
    """Plants `process_shift`, `yields`, `reopened_issue` and `scrap`."""
    _shift(p)
    _yields(p)
    _reopened(p)
    _scrap(p)


def _author(p: Planter) -> Author:
    return Author(p.f.store, p.f.ref, p.f.ref.people["engineer"][1])


def _shift(p: Planter) -> None:
    part = p.part("PLT-SHAFT", "SERIAL")
    procedure = new_procedure(_author(p), "PLT grind shaft", "BUILD", [StepSpec("PLT grind", (_SHAFT,))], p.tick())
    fields: list[int] = []
    for number, deviation in enumerate(BEFORE_SHIFT + AFTER_SHIFT):
        unit = p.unit(part, f"PLT-SHAFT-{number:03d}")
        run = open_run(p.f, procedure, unit, p.tick(), p.by, title=f"PLT grind {number}")
        _pass(p, run, value=round(_NOMINAL + deviation / 1000, 3))
        fields.append(run.steps[0].fields[0].row["id"])
        p.tick(hours=6)
    p.truths["process_shift"] = {
        "part_number": "PLT-SHAFT", "part_id": part["id"], "field_name": _SHAFT.name,
        "step_field_id": procedure.steps[0].fields[0].row["id"], "run_step_field_ids": fields,
        "baseline_points": 25, "baseline_mean": _NOMINAL, "baseline_mean_moving_range": 0.012,
        "first_shifted_index": len(BEFORE_SHIFT),
        "first_break_index": {
            "western_electric": {"2": 33, "3": 35, "4": 39}, "nelson": {"2": 40, "5": 33, "6": 35, "8": 39},
        },
        "index_counts_from": 0,
    }  # fmt: skip


def _pass(p: Planter, run: LiveRun, *, value: float | None = None, steps: int | None = None) -> None:
    """Completes the next `steps` steps of a run; all of them by default."""
    for step in run.steps[run.position : None if steps is None else run.position + steps]:
        start_step(p.f, step, p.tick(), p.by)
        for field in step.fields:
            record(p.f, field, {"value": field.plan.spec.nominal if value is None else value}, p.tick(), p.by)
        end_step(p.f, step, p.tick(), p.by)
        run.position += 1
    settle(p.f, run, p.clock, p.by)


def _yields(p: Planter) -> None:
    """Ten units that go through three steps; every failure is visible without a history of statuses.

    Unit 0 has a redline at the first step. Unit 1 fails the second step and passes everything in a second run. Unit 2
    has an issue at the second step. Unit 3 misses a limit at the third step but is completed.
    """
    part = p.part("PLT-RTY", "SERIAL")
    gauge = FieldSpec("PLT gauge", "NUMBER", "mm", (("at most", 5.0),), 4.0, 0.1)
    titles = ("PLT step one", "PLT step two", "PLT step three")
    steps = [StepSpec(title, (gauge,), (place - 1,) if place else ()) for place, title in enumerate(titles)]
    procedure = new_procedure(_author(p), "PLT three steps", "BUILD", steps, p.tick())
    units = [p.unit(part, f"PLT-RTY-{number}") for number in range(_UNITS)]
    for number, unit in enumerate(units):
        run = open_run(p.f, procedure, unit, p.tick(), p.by, title=f"PLT-RTY {number}")
        if number == 0:
            start_step(p.f, run.steps[0], p.tick(), p.by)
            redline = raise_redline(p.f, run.steps[0], p.tick(), p.by)
            approve_redline(p.f, run.steps[0], redline, p.tick())
        elif number == 1:
            _fail_second(p, run)
            continue
        elif number == 2:
            issue = open_issue(p.f, "PLT burr", [unit], p.tick(), p.by, step=run.steps[1].row, disposition="Use as is")
            for _ in range(3):
                advance(p.f, issue, p.tick())
        elif number == 3:
            _pass(p, run, steps=2)
            _pass(p, run, value=5.5, steps=1)
        _pass(p, run)
    again = open_run(p.f, procedure, units[1], p.tick(), p.by, title="PLT-RTY 1, second run")
    _pass(p, again)
    p.truths["yields"] = {
        "part_number": "PLT-RTY", "procedure_id": procedure.row["id"],
        "steps": [
            {"step_id": plan.row["id"], "title": title, "attempted": _UNITS, "passed_first": passed,
             "fpy": passed / _UNITS}
            for plan, title, passed in zip(procedure.steps, titles, (9, 8, 9), strict=True)
        ],
        "rty": round(0.9 * 0.8 * 0.9, 9), "units": ids(units), "period_of_first_attempts": f"{p.clock:%Y-%m}",
    }  # fmt: skip


def _fail_second(p: Planter, run: LiveRun) -> None:
    _pass(p, run, steps=1)
    step = run.steps[1]
    start_step(p.f, step, p.tick(), p.by)
    record(p.f, step.fields[0], {"value": 6.0}, p.tick(), p.by)
    end_step(p.f, step, p.tick(), p.by, "FAILED")
    settle(p.f, run, p.clock, p.by)


def _reopened(p: Planter) -> None:
    part = p.part("PLT-ISSUE", "SERIAL")
    units = [p.unit(part, f"PLT-ISSUE-{number}") for number in range(3)]
    issue = open_issue(p.f, "PLT crack, reopened", units, p.tick(), p.by)
    decide(p.f, issue, "Repair", p.tick(), p.by)
    for _ in range(3):
        advance(p.f, issue, p.tick(hours=20))
    resolved = p.clock
    reopen(p.f, issue, "crack seen again", p.tick(days=9), p.by)
    p.truths["reopened_issue"] = {
        "issue_id": issue["id"], "status": "IN_PROGRESS", "part_inventory_ids": ids(units),
        "resolved_at": resolved.isoformat(timespec="microseconds"), "reopened_at": issue["_updated"],
        "disposition": "Repair",
    }  # fmt: skip


def _scrap(p: Planter) -> None:
    """Scraps twelve of a lot of 100, and three more by an issue: 15 in total, of which three are recorded twice."""
    part = p.part("PLT-CAST", "LOT")
    lot = p.lot(part, "PLT-CAST-1", 100.0)
    scrap(p.f, lot, 12.0, p.tick(), p.by)
    bad = split(p.f, lot, 3.0, p.tick(), p.by)
    issue = open_issue(p.f, "PLT porosity", [bad], p.tick(), p.by, disposition="Scrap", from_split=True)
    p.clock += timedelta(days=1)
    for _ in range(3):
        advance(p.f, issue, p.tick())
    scrap(p.f, bad, 3.0, p.tick(), p.by)
    p.truths["scrap"] = {
        "part_number": "PLT-CAST", "part_inventory_ids": ids([lot, bad]), "issue_id": issue["id"],
        "quantity_scrapped": 15.0, "quantity_left": 85.0,
    }  # fmt: skip
