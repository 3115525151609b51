"""Production jobs: a job makes one unit or lot, waits for its components, and may have a rework, a hold or the like."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ion_pipeline.sandbox.factory import assembly
from ion_pipeline.sandbox.factory.assembly import Need
from ion_pipeline.sandbox.factory.attributes import attribute
from ion_pipeline.sandbox.factory.catalogue import PARTS
from ion_pipeline.sandbox.factory.clock import iso, next_working_day
from ion_pipeline.sandbox.factory.context import Factory, Task
from ion_pipeline.sandbox.factory.inventory import change, new_inventory, next_lot, next_serial, put_away, scrap, take
from ion_pipeline.sandbox.factory.kits import Issued, kit_for_job
from ion_pipeline.sandbox.factory.part_spec import PartSpec
from ion_pipeline.sandbox.factory.production import (
    LiveRun,
    LiveStep,
    end_step,
    enter,
    open_run,
    perform,
    settle,
    start_step,
    work_session,
)  # fmt: skip
from ion_pipeline.sandbox.factory.quality import IssueWork, approve_redline, open_issue, raise_redline
from ion_pipeline.sandbox.factory.store import Row

_STEPS_A_DAY = 3
_PATIENCE = 12
_SUBSTITUTE_CHANCE = 0.06
_REPLACE_CHANCE = 0.04
_ATTRIBUTE_CHANCE = 0.25
_EVENING_CHANCE = 0.2
_FORGOTTEN_CHANCE = 0.1
#: Events that may happen to a run at one of its steps, with their probabilities.
_EVENTS = (("rework", 0.08), ("redline", 0.05), ("hold", 0.05), ("scrap", 0.03), ("cancel", 0.03), ("skip", 0.04))


def order(f: Factory, number: str, parent: "Job | None" = None) -> "Job":
    """Starts the job for a unit and, before it, the jobs for the serial sub-assemblies of its released mBOM."""
    spec = PARTS[number]
    job = Job(spec, f.design.part(number), parent, event=_event(f))
    delay = 0
    for line in spec.lines:
        below = PARTS[line.part]
        if below.is_made and below.tracking == "SERIAL":
            for _ in range(int(line.quantity)):
                order(f, line.part, job)
                delay = 2
    f.agenda[next_working_day(f.day, 1 + delay)].append(job)
    return job


def _event(f: Factory) -> str:
    roll = f.rng.random()
    for event, chance in _EVENTS:
        if roll < chance:
            return event
        roll -= chance
    return ""


@dataclass
class Job(Task):
    """Makes one unit or lot.

    Attributes:
        ready: Finished sub-assemblies for the unit, by part number.
        event: The event that will happen to its run; empty if there is none or it has happened.
        pause: The issue or redline that the run waits for, if any.
        issued: The components that were taken from stock for it.
    """

    spec: PartSpec
    part: Row
    parent: "Job | None" = None
    event: str = ""
    unit: Row = field(default_factory=dict)
    needs: list[Need] = field(default_factory=list)
    live: LiveRun | None = None
    ready: defaultdict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    pause: Row | None = None
    waited: int = 0
    issued: list[Issued] = field(default_factory=list)

    def run(self, factory: Factory) -> None:
        """Works for one day and continues on the next one, until the unit is finished or scrapped."""
        f = factory
        when, by = f.moment(7, 11), f.someone("operator")
        live = self.live or self._start(f, when, by)
        for _ in range(_STEPS_A_DAY):
            if live.is_done or not self._step(f, live, live.steps[live.position], when, by):
                break
            when += timedelta(minutes=f.rng.randrange(40, 110))
        settle(f, live, when, by)
        if live.is_done:
            self._finish(f, live, when, by)
        elif self.live is not None:
            self._begin_next(f, live, when, by)
            f.agenda[next_working_day(f.day)].append(self)

    def _begin_next(self, f: Factory, live: LiveRun, when: datetime, by: int) -> None:
        """Sometimes starts the next step in the evening, with a late check-out or without one."""
        step = live.steps[live.position]
        if self.pause is None and step.row["status"] == "TODO" and f.rng.random() < _EVENING_CHANCE:
            start_step(f, step, when, by)
            forgotten = f.rng.random() < _FORGOTTEN_CHANCE
            work_session(f, step, when, None if forgotten else when + timedelta(hours=1), by)
            settle(f, live, when, by)

    def _start(self, f: Factory, when: datetime, by: int) -> LiveRun:
        spec = self.spec
        lot = spec.tracking == "LOT"
        if not self.unit:
            self.unit = new_inventory(
                f, self.part, when, by, quantity=float(spec.lot) if lot else 1.0,
                serial=None if lot else next_serial(f, spec.number), lot=next_lot(f, spec.number) if lot else None,
            )  # fmt: skip
            if f.rng.random() < _ATTRIBUTE_CHANCE:
                attribute(f.store, "partInventories", self.unit, "Programme", "STRING", f"P-{f.started:04d}", when, by)
            f.stock.wip.add(self.unit["id"])
            change(f, self.unit, when, by)
            self.needs = assembly.require_bom(f, self.unit, f.design.released[self.part["id"]], when, by)
        procedure = f.design.procedures[spec.procedure]
        title = f"{procedure.row['title']}: {spec.number} {self.unit['identity']}"
        self.live = open_run(f, procedure, self.unit, when, by, title=title,
                             exportControlled=spec.export_controlled,
                             assignedToId=by, scheduledStart=iso(when))  # fmt: skip
        if f.rng.random() < _ATTRIBUTE_CHANCE:
            attribute(f.store, "runs", self.live.row, "Shift", "SELECT", "late", when, by, options=["early", "late"])
        return self.live

    def _step(self, f: Factory, live: LiveRun, step: LiveStep, when: datetime, by: int) -> bool:
        """Works on a step; returns whether the next one can start on the same day."""
        if self.pause is not None:
            return self._resume(f, live, step, when, by)
        if step.plan.spec.installs and not self._install(f, step, when, by):
            self.waited += 1
            if self.waited < _PATIENCE:
                return False
        if self.event and any(live_field.checks for live_field in step.fields):
            event, self.event = self.event, ""
            return self._happen(f, event, live, step, when, by)
        end = when + timedelta(minutes=f.rng.randrange(8, 35))
        if step.plan.spec.optional and f.rng.random() < 0.1:
            end_step(f, step, when, by, "CANCELED")
        else:
            perform(f, step, when, end, by)
        live.position += 1
        return True

    def _install(self, f: Factory, step: LiveStep, when: datetime, by: int) -> bool:
        for need in self.needs:
            if need.wanted > 0 and need.line is not None:
                self._fill(f, need, need.line.spec.part, need.line.spec.substitutes, when, by)
        step.row["partInventories"] = [{"id": self.unit["id"]}]
        return all(need.wanted <= 0 for need in self.needs)

    def _fill(self, f: Factory, need: Need, number: str, substitutes: tuple[str, ...], when: datetime, by: int) -> None:
        spec = PARTS[number]
        if spec.is_made and spec.tracking == "SERIAL":
            while self.ready[number] and need.wanted > 0:
                assembly.fill(f, need, self.ready[number].pop(0), 1.0, when, by)
            return
        if need.row["madeOnAssembly"]:
            self._make_here(f, need, spec, when, by)
            return
        if substitutes and f.rng.random() < _SUBSTITUTE_CHANCE:
            number = substitutes[0]
        wanted = need.wanted
        for child, amount in take(f, number, wanted):
            assembly.fill(f, need, child, amount, when, by)
            self.issued.append((need.line.item if need.line else {}, wanted, child, amount))
        if need.wanted <= 0 and not need.row["referenceDesignators"] and f.rng.random() < _REPLACE_CHANCE:
            self._replace(f, need, number, when, by)

    def _make_here(self, f: Factory, need: Need, spec: PartSpec, when: datetime, by: int) -> None:
        part = f.design.part(spec.number)
        child = new_inventory(f, part, when, by, lot=next_lot(f, spec.number), quantity=1.0)
        for below in assembly.require_bom(f, child, f.design.released[part["id"]], when, by):
            for component, amount in take(f, below.line.spec.part if below.line else "", below.wanted):
                assembly.fill(f, below, component, amount, when, by)
        assembly.fill(f, need, child, 1.0, when, by)

    def _replace(self, f: Factory, need: Need, number: str, when: datetime, by: int) -> None:
        """Removes the last piece and puts a new one in its place; the old installation's row is deleted."""
        spares = take(f, number, 1.0)
        if not spares:
            return
        child, amount = spares[0]
        row = assembly.install(f, need, child, amount, when, by)
        later = when + timedelta(minutes=5)
        assembly.uninstall(f, row, child, later, by)
        need.wanted = round(need.wanted + amount, 9)
        f.stock.pieces[number] += amount
        f.stock.on_hand[number].appendleft(child)
        f.store.add("comments", later, by, depth=0, content=f"Replaced {child['identity'] or number} before closing",
                    entityId=self.unit["entityId"], procedureFeedback=False, resolved=True)  # fmt: skip

    def _happen(self, f: Factory, event: str, live: LiveRun, step: LiveStep, when: datetime, by: int) -> bool:
        end = when + timedelta(minutes=20)
        if event == "rework":
            perform(f, step, when, end, by, spoil=True, status="FAILED")
            enter(f, step, end + timedelta(minutes=30), by)
            work_session(f, step, end + timedelta(minutes=5), end + timedelta(minutes=30), by)
            end_step(f, step, end + timedelta(minutes=30), by)
            live.position += 1
        elif event == "redline":
            start_step(f, step, when, by)
            self.pause = raise_redline(f, step, end, by)
        elif event == "hold":
            start_step(f, step, when, by)
            work_session(f, step, when, end, by)
            f.store.touch(step.row, end, by, status="HOLD")
            self.pause = self._issue(f, step, end, by, "Use as is")
        elif event == "scrap":
            perform(f, step, when, end, by, spoil=True, status="FAILED")
            self._give_up(f, step, end, by)
        elif event == "cancel":
            for open_step in live.steps[live.position :]:
                end_step(f, open_step, when, by, "CANCELED")
            settle(f, live, end, by)
            self._start(f, end, by)
        else:
            end_step(f, step, when, by, "CANCELED")
            live.position += 1
        return False

    def _issue(self, f: Factory, step: LiveStep, when: datetime, by: int, disposition: str) -> Row:
        issue = open_issue(f, f"{step.row['title']} out of limits", [self.unit], when, by, step=step.row)
        f.agenda[next_working_day(f.day)].append(IssueWork(issue, disposition))
        return issue

    def _resume(self, f: Factory, live: LiveRun, step: LiveStep, when: datetime, by: int) -> bool:
        pause = self.pause or {}
        if step.row["status"] == "REDLINE":
            approve_redline(f, step, pause, when)
        elif pause["status"] != "RESOLVED":
            return False
        self.pause = None
        perform(f, step, when, when + timedelta(minutes=15), by)
        live.position += 1
        return True

    def _give_up(self, f: Factory, step: LiveStep, when: datetime, by: int) -> None:
        """Scraps the unit and ends its failed run, and starts another unit in its place."""
        self._issue(f, step, when, by, "Scrap")
        live, self.live = self.live, None
        f.stock.wip.discard(self.unit["id"])
        scrap(f, self.unit, self.unit["quantity"], when, by)
        if live is not None:
            settle(f, live, when, by)
        if self.spec.tracking == "LOT":
            f.stock.on_order[self.spec.number] -= self.spec.lot
        else:
            order(f, self.spec.number, self.parent)

    def _finish(self, f: Factory, live: LiveRun, when: datetime, by: int) -> None:
        f.stock.wip.discard(self.unit["id"])
        change(f, self.unit, when, by)
        if self.spec.procedure == "integrate" and self.issued:
            kit_for_job(f, live.row, self.issued, when, by)
        if self.parent is not None:
            self.parent.ready[self.spec.number].append(self.unit)
        elif self.spec.tracking == "LOT":
            f.stock.on_order[self.spec.number] -= self.spec.lot
            put_away(f, self.spec.number, self.unit)
        live.position = len(live.steps)


def replenish_lots(f: Factory, wanted: dict[str, float]) -> None:
    """Starts lots of parts that are made to stock, if the stock is below the reorder level."""
    for number, reorder_at in wanted.items():
        while f.stock.pieces[number] + f.stock.on_order[number] < reorder_at:
            f.stock.on_order[number] += PARTS[number].lot
            order(f, number)
