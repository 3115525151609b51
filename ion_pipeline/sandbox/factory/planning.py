"""Plans: inputs, items and their dependencies, reservations, and the jobs that compute them."""

from datetime import date, datetime, timedelta
from itertools import islice

from ion_pipeline.sandbox.factory.catalogue import PRODUCTS
from ion_pipeline.sandbox.factory.clock import at, iso
from ion_pipeline.sandbox.factory.context import Factory
from ion_pipeline.sandbox.factory.store import Row

_WHEN = at(date(2026, 1, 7), 6)
_PLAN_STATES = ("DRAFT", "SCHEDULED", "IN_PROGRESS", "COMPLETE", "ARCHIVED")
_JOB_STATES = ("COMPLETE", "FAILED", "IN_PROGRESS", "QUEUED")
_ITEM_STATES = {"DRAFT": "DRAFT", "SCHEDULED": "SCHEDULED", "IN_PROGRESS": "SCHEDULED"}
_COMPONENTS = ("ENG-1100", "ENG-1200", "BRG-0031")


def build_plans(f: Factory) -> None:
    """Creates a plan in each state with its items, and a planning job in each state."""
    by = f.ref.people["planner"][0]
    jobs = [_job(f, status, _WHEN, by) for status in _JOB_STATES]
    for place, status in enumerate(_PLAN_STATES):
        plan(f, f"Plan {status.lower()}", status, PRODUCTS[place % len(PRODUCTS)], jobs[0], _WHEN, by)


def plan_month(f: Factory, day: date) -> None:
    """Adds the plan of a new month, for the next product."""
    by = f.ref.people["planner"][0]
    when = at(day, 6)
    job = _job(f, "COMPLETE", when, by)
    plan(f, f"Plan {day + f.moved:%Y-%m}", "IN_PROGRESS", PRODUCTS[f.started % len(PRODUCTS)], job, when, by)


def link_results(f: Factory) -> None:
    """Gives each finished item what it resulted in: a run with its issues and its unit, or a line of an order."""
    run_of = {step["id"]: step["runId"] for step in f.store.live("runSteps")}
    issues_of: dict[int, list[int]] = {}
    for issue in f.store.live("issues"):
        if issue["runStepId"] is not None:
            issues_of.setdefault(run_of[issue["runStepId"]], []).append(issue["id"])
    for item in f.store.live("planItems"):
        if item["status"] != "COMPLETE":
            continue
        runs = [row for row in f.store.live("runs") if (row["partId"], row["status"]) == (item["partId"], "COMPLETE")]
        run = max(runs, key=lambda row: len(issues_of.get(row["id"], ())), default=None)
        if run:
            item["runs"] = [{"id": run["id"]}]
            item["issues"] = [{"id": issue} for issue in issues_of.get(run["id"], ())]
            item["partInventories"] = [{"id": run["partInventoryId"]}]
        else:
            lines = (row["id"] for row in f.store.live("purchaseOrderLines") if row["partId"] == item["partId"])
            item["purchaseOrderLines"] = [{"id": line} for line in islice(lines, 1)]


def _job(f: Factory, status: str, when: datetime, by: int) -> Row:
    started = status != "QUEUED"
    return f.store.add(
        "mrpJobs", when, by, status=status, isLatest=status == "COMPLETE", startTime=iso(when) if started else None,
        endTime=iso(when + timedelta(minutes=2)) if status in ("COMPLETE", "FAILED") else None,
        failedReason="Part without lead time" if status == "FAILED" else None,
    )  # fmt: skip


def plan(f: Factory, name: str, status: str, product: str, job: Row, when: datetime, by: int) -> Row:
    """Creates a plan for a product, with an item for the product and one for each of some components."""
    store = f.store
    done = status in ("COMPLETE", "ARCHIVED")
    row = store.add("plans", when, by, name=name, description="" if done else None, status=status,
                    includeInMrp=not done, editable=status == "DRAFT", percentComplete=100 if done else 0,
                    labels=[{"id": f.ref.labels["flight"]}])  # fmt: skip
    store.attach(row, f"{name}.csv", "text/csv", when, by)
    part = f.design.part(product)
    amount = 4
    entry = store.add("planInputs", when, by, planId=row["id"], partId=part["id"], quantity=amount,
                      dueDate=iso(when + timedelta(days=90)), completedQuantity=amount if done else 0,
                      percentComplete="100" if done else "0")  # fmt: skip
    top = _item(f, row, part, float(amount), status, job, when, by)
    top["inputs"] = [{"id": entry["id"]}]
    for place, number in enumerate(_COMPONENTS):
        below = _item(f, row, f.design.part(number), float(amount * (place + 1)), status, job, when, by)
        store.add("planItemAllocations", when, by, childPlanItemId=str(below["id"]), parentPlanItemId=str(top["id"]),
                  mrpJobId=job["id"], quantity=float(amount * (place + 1)))  # fmt: skip
    stock = next(unit for unit in store.live("partInventories") if unit["status"] == "AVAILABLE")
    store.add("planReservations", when, by, planId=row["id"], partInventoryId=stock["id"], quantity=1.0)
    return row


def _item(f: Factory, plan_row: Row, part: Row, amount: float, status: str, job: Row, when: datetime, by: int) -> Row:
    made = part["sourcingStrategy"] == "MAKE"
    state = _ITEM_STATES.get(status, "COMPLETE")
    return f.store.add(
        "planItems", when, by, name=f"{part['partNumber']} x {amount:g}", partId=part["id"], quantity=amount,
        explode=made, alteredFromAutoplan=not made, status=state, isLatest=True, ready=state != "DRAFT",
        percentComplete=100 if state == "COMPLETE" else 0, hasResults=state == "COMPLETE", mrpJobId=job["id"],
        startTime=iso(when), endTime=iso(when + timedelta(days=30)), forecastedStartTime=iso(when + timedelta(days=1)),
        forecastedEndTime=iso(when + timedelta(days=35)), assignedToId=by, plans=[{"id": plan_row["id"]}],
        editable=state == "DRAFT",
        procedureId=f.design.procedures["assemble"].row["id"] if made else None,
        supplierId=None if made else f.ref.supplier_of["mechanical"][0],
    )  # fmt: skip
