"""Runs: opening them, performing steps with fields and sessions, and the columns that ION computes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ion_pipeline.sandbox.factory.clock import iso
from ion_pipeline.sandbox.factory.context import Factory, FieldPlan, Procedure, StepPlan
from ion_pipeline.sandbox.factory.store import Row
from ion_pipeline.sandbox.factory.values import FieldValue, judge, value_for


@dataclass(slots=True)
class LiveField:
    """A run step's field and its validations, each with the function's name and the limit."""

    row: Row
    plan: FieldPlan
    checks: list[tuple[Row, str, float]]


@dataclass(slots=True)
class LiveStep:
    """A run step in progress."""

    row: Row
    plan: StepPlan
    fields: list[LiveField]
    cells: list[Row] = field(default_factory=list)


@dataclass
class LiveRun:
    """A run in progress."""

    row: Row
    steps: list[LiveStep]
    position: int = 0

    @property
    def is_done(self) -> bool:
        """Whether all steps are done."""
        return self.position >= len(self.steps)


_RANKED = ("REDLINE", "HOLD", "FAILED")


def run_status(steps: list[str]) -> str:
    """The status of a run from those of its steps (ion-api: `Run.status` follows from its steps, in this order)."""
    states = set(steps)
    for status in _RANKED:
        if status in states:
            return status
    for status in ("COMPLETE", "CANCELED", "TODO"):
        if states == {status}:
            return status
    if "IN_PROGRESS" in states:
        return "IN_PROGRESS"
    if states == {"COMPLETE", "CANCELED"}:
        return "PARTIAL_COMPLETE"
    return "IN_PROGRESS" if "COMPLETE" in states else "TODO"


def open_run(
    f: Factory, procedure: Procedure, unit: Row | None, when: datetime, by: int, *, title: str, **more: Any
) -> LiveRun:
    """Creates a run with copies of its procedure's steps, fields and limits; no step is started."""
    fields: dict[str, Any] = {
        "title": title, "procedureId": procedure.row["id"], "archived": False, "status": "TODO", "percentComplete": 0,
        "partId": unit["partId"] if unit else None, "partInventoryId": unit["id"] if unit else None, "isOpen": True,
        "quantity": max(int(unit["quantity"]), 1) if unit else None, "dueDate": iso(when + timedelta(days=21)),
        "batched": False, "exportControlled": False, **more,
    }  # fmt: skip
    row = f.store.add("runs", when, by, **fields)
    if unit is not None and procedure.row["type"] == "BUILD":
        row["originPartInventories"] = [{"id": unit["id"]}]
    copies: dict[int, Row] = {}
    steps = [_copy_step(f, row, plan, copies, when, by) for plan in procedure.steps]
    return LiveRun(row, steps)


def _copy_step(f: Factory, run: Row, plan: StepPlan, copies: dict[int, Row], when: datetime, by: int) -> LiveStep:
    origin = plan.row
    row = f.store.add(
        "runSteps", when, by, runId=run["id"], title=origin["title"], type=origin["type"], status="TODO",
        position=origin["position"], displayPdf=False, isStandardStep=bool(origin["isDerivedStep"]),
        originStepId=origin["id"], locationId=origin["locationId"], leadTime=origin["leadTime"],
        parentId=copies[origin["parentId"]]["id"] if origin["parentId"] else None,
        upstreamStepIds=[copies[step]["id"] for step in origin["upstreamStepIds"]], downstreamStepIds=[],
        hashCode=f"{origin['id']:08x}{run['procedureId']:08x}", batched=run["batched"],
    )  # fmt: skip
    row["upstream"] = f.store.step_edges("RunStepsEdge", row, row["upstreamStepIds"], when, by)
    for upstream in origin["upstreamStepIds"]:
        copies[upstream]["downstreamStepIds"].append(row["id"])
    copies[origin["id"]] = row
    step = LiveStep(row, plan, [_copy_field(f, row, field_plan, when, by) for field_plan in plan.fields])
    _copy_grid(f, step, when, by)
    return step


def _copy_field(f: Factory, step: Row, plan: FieldPlan, when: datetime, by: int) -> LiveField:
    origin = plan.row
    row = f.store.add(
        "runStepFields", when, by, runStepId=step["id"], originFieldId=origin["id"], name=origin["name"],
        type=origin["type"], unit=origin["unit"], options=origin["options"], position=origin["position"],
        required=origin["required"], allowNotApplicable=origin["allowNotApplicable"], notApplicable=False,
        peerReviewRequired=origin["peerReviewRequired"], signoffRoleId=origin["signoffRoleId"], valid=None,
        allowedIonType=origin["allowedIonType"], value=None,
    )  # fmt: skip
    checks = [
        (
            f.store.add("runStepFieldValidations", when, by, runStepFieldId=row["id"], validationId=limit["id"],
                        functionId=limit["functionId"], value=limit["value"], position=limit["position"],
                        result="PENDING"),
            function, limit["value"],
        )
        for limit, function in plan.limits
    ]  # fmt: skip
    return LiveField(row, plan, checks)


def _copy_grid(f: Factory, step: LiveStep, when: datetime, by: int) -> None:
    if not step.plan.columns:
        return
    run_step = step.row["id"]
    columns = [
        f.store.add("datagridColumns", when, by, header=column["header"], index=column["index"], type=column["type"],
                    runStepId=run_step, readOnly=False, settable=True, unit=column["unit"])
        for column in step.plan.columns
    ]  # fmt: skip
    for plan in step.plan.grid_rows:
        row = f.store.add("datagridRows", when, by, index=plan["index"], runStepId=run_step, required=True,
                          allowNotApplicable=False, complete=False)  # fmt: skip
        for column in columns:
            cell = f.store.add("datagridValues", when, by, id=f"{row['id']}-{column['id']}", rowId=row["id"],
                               columnId=column["id"], type=column["type"], notApplicable=False, value=None)  # fmt: skip
            step.cells.append(cell)


def record(f: Factory, live: LiveField, value: FieldValue, when: datetime, by: int) -> bool:
    """Enters a field's value and compares it with its limits; returns whether it is valid."""
    valid = True
    for check, function, limit in live.checks:
        passed = judge(function, value.get("value"), limit)
        valid = valid and passed
        f.store.touch(check, when, by, result="PASS" if passed else "FAIL")
    f.store.touch(live.row, when, by, valid=valid, **value)
    return valid


def work_session(f: Factory, step: LiveStep, begin: datetime, end: datetime | None, by: int) -> None:
    """Records a check-in and a check-out; if `end` is None, the session stays open. The duration is in seconds."""
    key = f.store.next_id("Session")
    step.row.setdefault("sessions", []).append({
        "id": str(key), "runStepId": step.row["id"], "Created": iso(begin), "createdById": by, "checkIn": iso(begin),
        "checkOut": iso(end) if end else None, "duration": (end - begin).total_seconds() if end else None,
        "eventType": "CHECK_OUT" if end else "CHECK_IN", "isValidGrouping": True, "_etag": f"session-{key:x}",
    })  # fmt: skip


def start_step(f: Factory, step: LiveStep, when: datetime, by: int) -> None:
    """Sets a step to IN_PROGRESS."""
    first = step.row.get("startTime") or iso(when)
    f.store.touch(step.row, when, by, status="IN_PROGRESS", startTime=first,
                  startedById=step.row.get("startedById") or by)  # fmt: skip


def end_step(f: Factory, step: LiveStep, when: datetime, by: int, status: str = "COMPLETE") -> None:
    """Ends a step; only a completed one gets the user who completed it."""
    done = status == "COMPLETE"
    f.store.touch(step.row, when, by, status=status, endTime=iso(when) if status != "CANCELED" else None,
                  completedById=by if done else None)  # fmt: skip


def perform(
    f: Factory,
    step: LiveStep,
    begin: datetime,
    end: datetime,
    by: int,
    *,
    spoil: bool = False,
    status: str = "COMPLETE",
) -> None:
    """Performs a step with its fields, datagrid and session. With `spoil`, the first measured value misses a limit."""
    start_step(f, step, begin, by)
    enter(f, step, end, by, spoil=spoil)
    work_session(f, step, begin, end, by)
    end_step(f, step, end, by, status)


def enter(f: Factory, step: LiveStep, when: datetime, by: int, *, spoil: bool = False) -> None:
    """Enters all values of a step."""
    for live in step.fields:
        bad = spoil and bool(live.checks)
        spoil = spoil and not bad
        record(f, live, value_for(f, live.plan, step.row, when, by, spoil=bad), when, by)
    for place, cell in enumerate(step.cells):
        value: Any = {"STRING": f"NET_{place}", "NUMBER": round(f.rng.gauss(5.0, 0.05), 3), "BOOLEAN": True}[
            cell["type"]
        ]
        f.store.touch(cell, when, by, value=value)


def settle(f: Factory, run: LiveRun, when: datetime, by: int) -> str:
    """Recomputes a run from its steps and returns its status."""
    states = [step.row["status"] for step in run.steps]
    status = run_status(states)
    closed = sum(state in ("COMPLETE", "CANCELED") for state in states)
    starts = [step.row["startTime"] for step in run.steps if step.row.get("startTime")]
    ends = [step.row["endTime"] for step in run.steps if step.row.get("endTime")]
    is_open = status not in ("COMPLETE", "CANCELED", "PARTIAL_COMPLETE")
    f.store.touch(
        run.row, when, by, status=status, percentComplete=100 * closed // len(states), isOpen=is_open,
        startTime=min(starts, default=None), endTime=None if is_open else max(ends, default=None),
    )  # fmt: skip
    return status
