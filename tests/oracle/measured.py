"""Builds worlds of measurements: steps with fields and limits, runs, results, failures and issues.

The caller decides what is measured. Rows have every field that the schema requires.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.oracle.builder import WorldBuilder
from tests.oracle.world import Row

_FIRST_DAY = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_FUNCTIONS = ("greater than", "at least", "less than", "at most", "equal", "not equal")
_ENTITIES = (
    "procedures", "steps", "fields", "stepFieldValidations", "validationFunctions", "runs", "runSteps", "runStepFields",
    "runStepFieldValidations", "issues",
)  # fmt: skip

Limits = Sequence[tuple[str, float]]


def at(day: int, minute: int = 0) -> datetime:
    """Return an instant of production: the given minutes after the start of a working day, counted from day 0."""
    return _FIRST_DAY + timedelta(days=day, minutes=minute)


class MeasuredWorld(WorldBuilder):
    """Collects rows; each method adds related rows and returns the id of the main one."""

    def __init__(self) -> None:
        super().__init__()
        self.world |= {name: [] for name in _ENTITIES}
        self.world["validationFunctions"] = [
            {"id": number, "functionName": name, "displayName": name} for number, name in enumerate(_FUNCTIONS, 1)
        ]
        self._part = self.part()

    def step(self, title: str) -> int:
        """Add a procedure of one step."""
        procedure = self.add(
            "procedures", entityId=1, title=title, version=1, status="RELEASED", type="BUILD",
            familyId=self.first_id + len(self.world["procedures"]),
        )  # fmt: skip
        return self.add(
            "steps", entityId=1, procedureId=procedure, title=title, position=0, type="CONTENT", isStandardStep=False,
            displayPdf=False, version=1, familyId=procedure,
        )  # fmt: skip

    def field(self, step: int, name: str, limits: Limits = ()) -> int:
        """Add a NUMBER field to a step, with its limits."""
        field = self.add(
            "fields", stepId=step, name=name, type="NUMBER", unit="mm", position=0, required=True,
            allowNotApplicable=True, peerReviewRequired=False,
        )  # fmt: skip
        for function, value in limits:
            self.add(
                "stepFieldValidations",
                fieldId=field,
                functionId=1 + _FUNCTIONS.index(function),
                value=value,
                position=0,
            )
        return field

    def run_step(
        self, step: int, ended_at: datetime, *, status: str = "COMPLETE", quantity: int = 1, issues: int = 0
    ) -> int:
        """Add a run of a step on a new unit, with its end and the issues found on it."""
        title = str(self._row("steps", step)["title"])
        run = self.add(
            "runs", entityId=1, title=title, procedureId=step, partId=self._part, partInventoryId=self.unit(self._part),
            quantity=quantity, status=status, archived=False,
        )  # fmt: skip
        run_step = self.add(
            "runSteps", entityId=1, runId=run, originStepId=step, title=title, status=status, type="CONTENT",
            position=0, endTime=ended_at.isoformat(), completedById=1, isStandardStep=False, displayPdf=False,
        )  # fmt: skip
        for _ in range(issues):
            self.add("issues", entityId=1, title="found", status="PENDING", runStepId=run_step)
        return run_step

    def result(
        self, run_step: int, field: int, value: float | None, measured_at: datetime, *, result: str = "PASS"
    ) -> int:
        """Record a value, or None for not applicable, with the limits of the field."""
        recorded = self.add(
            "runStepFields", runStepId=run_step, originFieldId=field, name=self._row("fields", field)["name"],
            type="NUMBER", unit="mm", position=0, required=True, allowNotApplicable=True, peerReviewRequired=False,
            value=value, notApplicable=value is None,
        )  # fmt: skip
        self.world["runStepFields"][-1]["_updated"] = measured_at.isoformat()
        for limit in self._limits(field):
            self.add(
                "runStepFieldValidations", runStepFieldId=recorded, validationId=limit["id"],
                functionId=limit["functionId"], value=limit["value"], position=0, result=result,
            )  # fmt: skip
        return recorded

    def series(self, name: str, values: Sequence[float | None], limits: Limits = ()) -> int:
        """Add a step with one field that is measured once a day; return the field."""
        step = self.step(name)
        field = self.field(step, name, limits)
        for day, value in enumerate(values):
            self.result(self.run_step(step, at(day, 5)), field, value, at(day))
        return field

    def _limits(self, field: int) -> list[Row]:
        return [row for row in self.world["stepFieldValidations"] if row["fieldId"] == field]
