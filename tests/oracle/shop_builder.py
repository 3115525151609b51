"""Builds small worlds of procedures and runs in a few lines. The caller decides which worlds to build."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from tests.oracle.builder import WorldBuilder
from tests.oracle.world import Row

#: Ways in which a step becomes COMPLETE, but not at the first attempt.
TROUBLES = ("limit", "redline", "issue", "earlier run")

_ENTITIES = (
    "procedures",
    "steps",
    "fields",
    "runs",
    "runBatchs",
    "runSteps",
    "runStepFields",
    "runStepFieldValidations",
    "redlines",
    "issues",
    "issuePartInventories",
)


class ShopBuilder(WorldBuilder):
    """Adds procedures, runs and events on their steps; each instant is one minute after the previous one."""

    def __init__(self) -> None:
        super().__init__()
        self.world |= {name: [] for name in _ENTITIES}
        self.now = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
        self.troubles = cycle(TROUBLES)
        self._sessions = 0

    def tick(self) -> str:
        """The next instant."""
        self.now += timedelta(minutes=1)
        return self.now.isoformat()

    def procedure(self, title: str, steps: Iterable[str], *, inside: Iterable[str] = ()) -> list[int]:
        """Add a procedure version; return the ids of its steps. The last step only groups those `inside`, if any."""
        procedure = self.add("procedures", title=title, version=1, status="RELEASED", type="BUILD")
        own = [self._step(procedure, name, place) for place, name in enumerate(steps)]
        held = [self._step(procedure, name, place, parentId=own[-1]) for place, name in enumerate(inside)]
        for step in own[:-1] if held else own:
            self.add("fields", stepId=step, name="Gauge", type="NUMBER", position=0)
        return own + held

    def _step(self, procedure: int, title: str, position: int, **more: Any) -> int:
        return self.add("steps", procedureId=procedure, title=title, type="CONTENT", position=position, **more)

    def run(self, steps: Sequence[int | None], unit: int | None, **more: Any) -> list[int]:
        """Add a run with all steps TODO; return the ids of its run steps. None means a step added during the run."""
        origin = next((self.row("steps", step) for step in steps if step), {})
        run = self.add(
            "runs",
            title=f"Run {len(self.world['runs'])}",
            status="TODO",
            procedureId=origin.get("procedureId"),
            partInventoryId=unit,
            **more,
        )
        made: dict[int | None, int] = {}
        for place, step in enumerate(steps):
            made[step] = self.add(
                "runSteps",
                runId=run,
                originStepId=step,
                title="Added" if step is None else self.row("steps", step)["title"],
                type="CONTENT",
                status="TODO",
                position=place,
                parentId=made.get(self.row("steps", step).get("parentId")) if step else None,
            )
            if step is None or any(field["stepId"] == step for field in self.world["fields"]):
                self.add("runStepFields", runStepId=made[step], name="Gauge", type="NUMBER", position=0)
        return list(made.values())

    def end(self, run_step: int, status: str = "COMPLETE", *, trouble: str | None = None) -> None:
        """End a run step, with the given findings."""
        row = self.row("runSteps", run_step)
        row["status"] = status
        if status == "CANCELED":
            row["_updated"] = self.tick()
        else:
            row |= {"startTime": self.tick(), "endTime": self.tick()}
        if trouble == "limit":
            field = next(field["id"] for field in self.world["runStepFields"] if field["runStepId"] == run_step)
            self.add("runStepFieldValidations", runStepFieldId=field, value=5.0, result="FAIL", position=0)
        elif trouble == "redline":
            self.add("redlines", stepId=run_step, active="false", approved=True)
        elif trouble == "issue":
            self.add("issues", title="Burr", status="RESOLVED", runStepId=run_step)
        self._settle(self.row("runs", row["runId"]))

    def leave(self, run_step: int, status: str, *, started: bool) -> None:
        """Leave a run step unfinished."""
        row = self.row("runSteps", run_step)
        row |= {"status": status, "startTime": self.tick() if started else None}
        self._settle(self.row("runs", row["runId"]))

    def session(self, run_step: Row, begin: str, end: str | None) -> None:
        """Check the first user in to a run step, and out again if an end is given."""
        self._sessions += 1
        run_step.setdefault("sessions", []).append(
            {
                "id": str(self._sessions),
                "runStepId": run_step["id"],
                "Created": begin,
                "createdById": 1,
                "eventType": "CHECK_OUT" if end else "CHECK_IN",
                "checkIn": begin,
                "checkOut": end,
            }
        )

    def reworked(self, run_step: int) -> None:
        """Complete a run step, but not at the first attempt; each call uses another way."""
        row = self.row("runSteps", run_step)
        trouble = next(self.troubles)
        if trouble == "earlier run":
            unit = self.row("runs", row["runId"])["partInventoryId"]
            [earlier] = self.run([row["originStepId"]], unit)
            self.end(earlier, "FAILED")
            trouble = ""
        self.end(run_step, trouble=trouble)

    def through(
        self, steps: Sequence[int], unit: int, first: Sequence[int], finally_: Sequence[int], place: int
    ) -> None:
        """Take a unit through a procedure; its position among the units decides which steps pass at once."""
        for index, run_step in enumerate(self.run(steps, unit)):
            if place < first[index]:
                self.end(run_step)
            elif place < finally_[index]:
                self.reworked(run_step)
            else:
                self.end(run_step, "FAILED")
                return

    def row(self, entity: str, row_id: int) -> Row:
        """Return a row by its id."""
        return self._row(entity, row_id)

    def _settle(self, run: Row) -> None:
        states = {row["status"] for row in self.world["runSteps"] if row["runId"] == run["id"]}
        if len(states) == 1 and states != {"DAG_MODIFIABLE"}:
            [run["status"]] = states
        elif "FAILED" in states:
            run["status"] = "FAILED"
        else:
            run["status"] = "PARTIAL_COMPLETE" if states == {"COMPLETE", "CANCELED"} else "IN_PROGRESS"
