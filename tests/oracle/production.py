"""Runs, steps and yields of a world in plain Python: loops over rows, definition by definition.

A world has no history, so each step with status COMPLETE or FAILED has exactly one attempt, and its current rows show
whether it passed.  Production days are in UTC.  The default seeds apply: titles with "rework" are rework, titles with
"(optional)" are optional.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from tests.oracle.world import Row, World

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FINISHED = ("COMPLETE", "PARTIAL_COMPLETE", "CANCELED")


@dataclass(frozen=True)
class Attempt:
    """The single attempt of one unit at one run step."""

    run: Row
    run_step: Row
    unit: Row | None
    ended: datetime
    passed: bool
    complete: bool


class Factory:
    """A world with its rows indexed by id and by owner."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.by_id = {name: {row["id"]: row for row in rows if "id" in row} for name, rows in world.items()}
        self.steps_of = _grouped(world.get("runSteps", []), "runId")
        self.fields_of = _grouped(world.get("runStepFields", []), "runStepId")
        self.checks_of = _grouped(world.get("runStepFieldValidations", []), "runStepFieldId")
        self.redlines_of = _grouped(world.get("redlines", []), "stepId")
        self.issues_of = _grouped(world.get("issues", []), "runStepId")
        self.splits_of = _grouped(world.get("partInventories", []), "originPartInventoryId")
        self.issue_units = defaultdict(set)
        for link in world.get("issuePartInventories", []):
            self.issue_units[link["issueId"]].add(link["partInventoryId"])

    def find(self, entity: str, row_id: int | None) -> Row:
        """Return a row by its id, or an empty row."""
        return self.by_id.get(entity, {}).get(row_id, {})  # type: ignore[arg-type]

    def units(self, run: Row) -> list[Row]:
        """The units that go through a run: its own unit, and units of the same part that it makes."""
        own = self.find("partInventories", run.get("partInventoryId"))
        part = own.get("partId") or run.get("partId")
        ids = [own["id"]] if own else []
        for link in run.get("originPartInventories") or []:
            unit = self.find("partInventories", link["id"])
            if unit and part is not None and unit["partId"] == part and unit["id"] not in ids:
                ids.append(unit["id"])
        return [self.find("partInventories", unit) for unit in ids]

    def weight(self, unit: Row, when: datetime) -> float:
        """Pieces of a unit at an instant: 1 for a serial, otherwise those left plus those split off since."""
        if unit.get("serialNumber"):
            return 1.0
        since = [row for row in self.splits_of[unit["id"]] if instant(row["_created"]) > when]
        return _pieces(unit) + sum(self._with_splits(row) for row in since)

    def _with_splits(self, unit: Row) -> float:
        return _pieces(unit) + sum(self._with_splits(row) for row in self.splits_of[unit["id"]])

    def only_groups(self, run_step: Row) -> bool:
        """Whether the run step contains other steps and records nothing itself."""
        holds = any(row.get("parentId") == run_step["id"] for row in self.steps_of[run_step["runId"]])
        return holds and not self.fields_of[run_step["id"]] and run_step.get("type") != "DATAGRID"

    def procedure_of(self, step: Row) -> int | None:
        """The procedure of a step, directly or through the step that contains it."""
        while step and step.get("procedureId") is None:
            step = self.find("steps", step.get("parentId"))
        return step.get("procedureId")

    def missed(self, run_step: Row) -> list[Row]:
        """The failed limits of a run step, without fields marked not applicable."""
        return [
            check
            for field in self.fields_of[run_step["id"]]
            if not field.get("notApplicable")
            for check in self.checks_of[field["id"]]
            if check["result"] == "FAIL"
        ]

    def troubled(self, run_step: Row, unit: Row | None, units: list[Row]) -> bool:
        """Whether a limit failed, a redline was made, or an issue was opened that concerns this unit."""
        if self.missed(run_step) or self.redlines_of[run_step["id"]]:
            return True
        here = {row["id"] for row in units}
        for issue in self.issues_of[run_step["id"]]:
            named = self.issue_units[issue["id"]] & here
            if not named or (unit is not None and unit["id"] in named):
                return True
        return False

    def attempts(self) -> Iterator[Attempt]:
        """All attempts, in any order."""
        for run in self.world["runs"]:
            units = self.units(run)
            for step in self.steps_of[run["id"]]:
                if step["status"] not in ("COMPLETE", "FAILED") or self.only_groups(step):
                    continue
                ended = instant(step.get("endTime") or step["_updated"])
                complete = step["status"] == "COMPLETE"
                for unit in units or [None]:
                    passed = complete and not self.troubled(step, unit, units)
                    yield Attempt(run, step, unit, ended, passed, complete)

    def histories(self) -> list[list[Attempt]]:
        """Each unit's attempts at each procedure step, oldest first."""
        found: dict[tuple[object, ...], list[Attempt]] = defaultdict(list)
        for attempt in self.attempts():
            origin = attempt.run_step.get("originStepId")
            who = ("unit", attempt.unit["id"]) if attempt.unit else ("run", attempt.run["id"])
            what = ("step", origin) if origin is not None else ("run step", attempt.run_step["id"])
            found[who + what].append(attempt)
        return [sorted(one, key=lambda a: (a.ended, a.run_step["id"])) for one in found.values()]

    def kind(self, step: Row) -> str:
        """Mandatory, optional or rework."""
        title = step["title"].lower()
        return "rework" if "rework" in title else "optional" if "(optional)" in title else "mandatory"


def _pieces(unit: Row) -> float:
    return 1.0 if unit.get("serialNumber") else (unit.get("quantity") or 0.0) + (unit.get("quantityScrapped") or 0.0)


def instant(text: str) -> datetime:
    """An instant of the world."""
    return datetime.fromisoformat(text)


def microseconds(moment: datetime | None) -> int | None:
    """Microseconds since 1970, the form in which instants of the published file are compared."""
    return None if moment is None else (moment - _EPOCH) // timedelta(microseconds=1)


def hours(since: datetime | None, until: datetime | None) -> float | None:
    """Hours from one instant to another."""
    return None if since is None or until is None else (until - since) / timedelta(hours=1)


# Lengths of period: the ending of a table's name, and the column with the first day.
PERIODS = {"": "day_on", "_by_week": "week_starts_on", "_by_month": "month_starts_on"}


def first_day(period: str, day: date) -> date:
    """The first day of the period that contains a day; the period is a key of `PERIODS`."""
    return {"": day, "_by_week": day - timedelta(days=day.weekday()), "_by_month": day.replace(day=1)}[period]


def ratio(part: float, whole: float) -> float | None:
    """A ratio; None if the denominator is 0."""
    return part / whole if whole else None


def product(values: list[float]) -> float:
    """The product of all factors."""
    return math.prod(values)


def _grouped(rows: list[Row], column: str) -> defaultdict[object, list[Row]]:
    found: defaultdict[object, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.get(column)].append(row)
    return found
