"""One row in each state of runs, steps, issues, orders, kits and units, independent of the scale of production."""

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from ion_pipeline.sandbox.factory.clock import iso
from ion_pipeline.sandbox.factory.inventory import change, merge, scrap, split
from ion_pipeline.sandbox.factory.kits import add_item, hold_for_kit, new_kit
from ion_pipeline.sandbox.factory.planter import Planter, ids
from ion_pipeline.sandbox.factory.procedure_data import FieldSpec, StepSpec, measured
from ion_pipeline.sandbox.factory.procedures import Author, new_procedure
from ion_pipeline.sandbox.factory.production import (
    LiveRun,
    end_step,
    enter,
    open_run,
    perform,
    record,
    settle,
    start_step,
    work_session,
)  # fmt: skip
from ion_pipeline.sandbox.factory.purchasing import new_order, new_order_line
from ion_pipeline.sandbox.factory.quality import advance, open_issue, raise_redline
from ion_pipeline.sandbox.factory.store import Row, enum_values

#: For each showcase run: its expected status and the states of its three steps.
_RUNS: tuple[tuple[str, tuple[str, str, str]], ...] = (
    ("TODO", ("TODO", "TODO", "TODO")), ("IN_PROGRESS", ("COMPLETE", "IN_PROGRESS", "TODO")),
    ("IN_PROGRESS", ("COMPLETE", "TODO", "TODO")), ("FAILED", ("COMPLETE", "FAILED", "TODO")),
    ("REDLINE", ("COMPLETE", "REDLINE", "HOLD")), ("HOLD", ("COMPLETE", "HOLD", "FAILED")),
    ("CANCELED", ("CANCELED", "CANCELED", "CANCELED")), ("PARTIAL_COMPLETE", ("COMPLETE", "CANCELED", "CANCELED")),
    ("COMPLETE", ("COMPLETE", "COMPLETE", "COMPLETE")), ("IN_PROGRESS", ("COMPLETE", "DAG_MODIFIABLE", "TODO")),
)  # fmt: skip
_EVERY_FIELD = (
    FieldSpec("Remark", "STRING", required=False), measured("Gap", "mm", 0.1, 0.3), FieldSpec("Clean", "BOOLEAN"),
    FieldSpec("Grade", "SELECT", options=("A", "B", "ß")), FieldSpec("When", "DATETIME"),
    FieldSpec("Marks", "MULTISELECT", options=("scratch", "dent", "無"), allow_not_applicable=True),
    FieldSpec("Photo", "FILE_ATTACHMENT"), FieldSpec("Drawing", "ION"), FieldSpec("Checked", "SIGNOFF"),
    FieldSpec("Gauge", "TOOL"), FieldSpec("Looks right", "NUMBER", None, (("is golden-sample-like", 1.0),), 1.0, 0.1),
)  # fmt: skip


@dataclass
class Shown:
    """Rows of the showcase that other modules use."""

    part: Row
    units: list[Row]
    runs: list[LiveRun]
    issues: list[Row]


def build_showcase(p: Planter) -> Shown:
    """Creates the showcase and, among others, the truths `run_states` and `failed_then_complete`."""
    part = p.part("PLT-SHOW", "SERIAL")
    author = Author(p.f.store, p.f.ref, p.f.ref.people["engineer"][0])
    steps = [
        StepSpec("PLT prepare", _EVERY_FIELD), StepSpec("PLT work", (measured("PLT load", "kg", None, 9.0),), (0,)),
        StepSpec("PLT finish", (measured("PLT height", "mm", 2.0, None),), (1,)),
    ]  # fmt: skip
    procedure = new_procedure(author, "PLT showcase", "BUILD", steps, p.tick())
    units = [p.unit(part, f"PLT-SHOW-{number:02d}") for number in range(len(_RUNS) + 4)]
    runs = []
    for unit, (expected, states) in zip(units, _RUNS, strict=False):
        run = open_run(p.f, procedure, unit, p.tick(), p.by, title=f"PLT show {expected}")
        _bring(p, run, states)
        runs.append(run)
    p.truths["run_states"] = {str(run.row["id"]): status for run, (status, _) in zip(runs, _RUNS, strict=True)}
    runs.append(_failed_then_complete(p, open_run(p.f, procedure, units[10], p.tick(), p.by, title="PLT retried")))
    batch = p.f.store.add("runBatchs", p.tick(), p.by, title="PLT batch of three")
    runs += [
        open_run(p.f, procedure, unit, p.tick(), p.by, title="PLT batched", runBatchId=batch["id"], batched=True)
        for unit in units[11:14]
    ]
    for run in runs[-3:]:
        perform(p.f, run.steps[0], p.clock, p.clock + timedelta(minutes=30), p.by)
        settle(p.f, run, p.clock + timedelta(minutes=30), p.by)
    runs.append(open_run(p.f, procedure, None, p.tick(), p.by, title="PLT run of nothing", archived=True))
    tool = p.f.tools[0]
    calibration = open_run(p.f, p.f.design.procedures["maintain"], tool, p.tick(), p.by, title="PLT calibration")
    perform(p.f, calibration.steps[0], p.tick(), p.tick(), p.by)
    settle(p.f, calibration, p.tick(), p.by)
    change(p.f, tool, p.clock, p.by, lastMaintainedDate=iso(p.clock), serviceDueDate=iso(p.clock + timedelta(days=180)))
    issues = _issues(p, units, runs)
    _orders(p)
    _stock(p)
    _kits(p, part, runs)
    return Shown(part, units, runs, issues)


def _bring(p: Planter, run: LiveRun, states: tuple[str, str, str]) -> None:
    """Brings each step of a run into a state, with the operations that lead to it."""
    for step, state in zip(run.steps, states, strict=True):
        begin = p.tick()
        end = p.tick(minutes=40)
        if state in ("COMPLETE", "FAILED"):
            perform(p.f, step, begin, end, p.by, spoil=state == "FAILED", status=state)
        elif state == "IN_PROGRESS":
            start_step(p.f, step, begin, p.by)
            work_session(p.f, step, begin, None, p.by)
        elif state == "REDLINE":
            start_step(p.f, step, begin, p.by)
            raise_redline(p.f, step, end, p.by)
        elif state == "CANCELED":
            end_step(p.f, step, end, p.by, state)
        elif state != "TODO":
            p.f.store.touch(step.row, end, p.by, status=state)
    settle(p.f, run, p.tick(), p.by)


def _failed_then_complete(p: Planter, run: LiveRun) -> LiveRun:
    """A step that failed, was repeated and completed; only its two sessions show that."""
    perform(p.f, run.steps[0], p.tick(), p.tick(), p.by)
    step = run.steps[1]
    perform(p.f, step, p.tick(), p.tick(), p.by, spoil=True, status="FAILED")
    work_session(p.f, step, p.tick(), p.tick(), p.by)
    enter(p.f, step, p.clock, p.by)
    end_step(p.f, step, p.clock, p.by)
    perform(p.f, run.steps[2], p.tick(), p.tick(), p.by)
    skipped = next(field for field in run.steps[0].fields if field.plan.spec.allow_not_applicable)
    record(p.f, skipped, {"notApplicable": True, "value": None}, p.clock, p.by)
    settle(p.f, run, p.tick(), p.by)
    p.truths["failed_then_complete"] = {"run_id": run.row["id"], "run_step_id": step.row["id"]}
    return run


def _issues(p: Planter, units: list[Row], runs: list[LiveRun]) -> list[Row]:
    """Adds an issue for each disposition and one without, in all states, some with several units, and relations."""
    f = p.f
    issues = []
    for place, title in enumerate((None, *f.ref.dispositions)):
        step = runs[place].steps[1].row
        issue = open_issue(f, f"PLT issue {place}", units[place : place + 1 + place % 3], p.tick(), p.by, step=step,
                           disposition=title, labels=[{"id": f.ref.labels["rework"]}],
                           mustCloseByRunStepId=runs[place].steps[2].row["id"] if place % 2 else None)  # fmt: skip
        for _ in range(place % 4):
            advance(f, issue, p.tick(hours=5))
        issues.append(issue)
    issues[2]["fixPartInventoryId"] = units[-1]["id"]
    for origin, related in pairwise(issues[:4]):
        f.store.add("issueRelations", p.tick(), p.by, originIssueId=origin["id"], relatedIssueId=related["id"])
    return issues


def _orders(p: Planter) -> None:
    f, by = p.f, p.f.ref.people["buyer"][1]
    part = p.part("PLT-ORDERED", None)
    supplier = f.ref.supplier_of["hardware"][0]
    for place, status in enumerate(enum_values("Purchaseorderstatusenum")):
        order = new_order(f, supplier, p.tick(), by, status, description="" if place % 2 else "PLT order")
        line = new_order_line(f, order, part, 10.0 * (place + 1), p.tick(), by, promised=p.clock + timedelta(days=30),
                              labels=[{"id": f.ref.labels["urgent"]}],
                              requirements=[{"id": f.ref.requirements[0]}])  # fmt: skip
        if status == "RECEIVED":
            line.update(receivedQuantity=line["quantity"], isOpen=False)
        service = new_order_line(f, order, {"id": None, "cost": 250.0, "description": "PLT calibration service"}, 1.0,
                                 p.tick(), by, promised=p.clock + timedelta(days=10))  # fmt: skip
        service["paid"] = status == "RECEIVED"
        f.store.add("purchaseOrderFees", p.tick(), by, purchaseOrderId=order["id"], name="Expedite", value=7.5,
                    type="PERCENTAGE" if place % 2 else "CURRENCY")  # fmt: skip
        f.store.attach(order, f"order-{order['id']}.pdf", "application/pdf", p.clock, by)


def _stock(p: Planter) -> None:
    """Adds inventory in every state, a lot that is split twice, and three lots that are merged into one."""
    f = p.f
    part = p.part("PLT-STOCK", "LOT")
    whole = p.lot(part, "PLT-STOCK-1", 90.0)
    piece = split(f, whole, 40.0, p.tick(), p.by)
    crumb = split(f, piece, 10.0, p.tick(), p.by)
    deleted = [p.lot(part, "PLT-STOCK-2", amount) for amount in (5.0, 7.0, 8.0)]
    merged = merge(f, deleted, p.tick(), p.by)
    ordered = p.lot(part, "PLT-STOCK-3", 25.0, received=False)
    held = p.lot(part, "PLT-STOCK-4", 3.0, unavailable=True)
    waste = p.lot(part, "PLT-STOCK-5", 2.0)
    scrap(f, waste, 2.0, p.tick(), p.by)
    busy = p.lot(part, "PLT-STOCK-6", 4.0)
    f.stock.wip.add(busy["id"])
    change(f, busy, p.tick(), p.by)
    p.truths["stock"] = {
        "split": {"whole": whole["id"], "piece": piece["id"], "crumb": crumb["id"], "quantities": [50.0, 30.0, 10.0]},
        "merge": {"merged": merged["id"], "quantity": 20.0, "deleted": ids(deleted)},
        "states": {"ON_ORDER": ordered["id"], "UNAVAILABLE": held["id"], "SCRAPPED": waste["id"], "WIP": busy["id"]},
    }


def _kits(p: Planter, part: Row, runs: list[LiveRun]) -> None:
    f = p.f
    parcel = p.part("PLT-KITTED", "LOT")
    for place, status in enumerate(enum_values("Partkitstatusenum")):
        kit = new_kit(f, status, p.tick(), p.by, runs[place].row)
        lot = p.lot(parcel, f"PLT-KIT-{place}", 5.0)
        picked = []
        if status in ("DELIVERED", "IN_PROGRESS"):
            amount = 5.0 if status == "DELIVERED" else 2.0
            hold_for_kit(f, lot, amount, p.tick(), p.by)
            picked = [(lot, amount)]
        add_item(f, kit, parcel, 5.0, picked, p.tick(), p.by)
        add_item(f, kit, part, 1.0, [], p.tick(), p.by)
