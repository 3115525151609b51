"""Defects, attempted pieces, opportunities, scrap and the Pareto of a world, computed the obvious way."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from statistics import NormalDist
from typing import Any

from tests.oracle.bom import Bom
from tests.oracle.issues import decisions, instant, open_periods, seed, units_of_issues
from tests.oracle.lines import Generation
from tests.oracle.production import PERIODS, first_day
from tests.oracle.world import Row, World

SIGMA_SHIFT = 1.5


class Pieces:
    """The units and lots of a world, those that a run has worked on, and their split origins."""

    def __init__(self, world: World) -> None:
        numbers = {row["id"]: row["partNumber"] for row in world["parts"]}
        self.rows = {row["id"]: row for row in world["partInventories"]}
        self.part = {row["id"]: numbers[row["partId"]] for row in world["partInventories"]}
        run_of = {row["id"]: row for row in world["runs"] if row.get("partInventoryId") is not None}
        self.steps: defaultdict[int, list[Row]] = defaultdict(list)
        runs: defaultdict[int, list[Row]] = defaultdict(list)
        for step in world["runSteps"]:
            if step["runId"] in run_of and step.get("status") != "CANCELED":
                self.steps[run_of[step["runId"]]["partInventoryId"]].append(step)
                runs[step["runId"]].append(step)
        assert set(self.steps) <= set(self.rows), "every unit of a run exists in this world"
        self.completed: dict[int, datetime] = {}
        for run, steps in runs.items():
            ends = [
                datetime.fromisoformat(s["endTime"]) for s in steps if s["status"] == "COMPLETE" and s.get("endTime")
            ]
            if run_of[run]["status"] in {"COMPLETE", "PARTIAL_COMPLETE"} and ends:
                unit = run_of[run]["partInventoryId"]
                self.completed[unit] = min(max(ends), self.completed.get(unit, max(ends)))

    def quantity(self, unit: int) -> float:
        """Pieces that a unit holds, plus its scrapped pieces."""
        row = self.rows[unit]
        if row.get("serialNumber") is not None:
            return 1.0
        return (row.get("quantity") or 0.0) + (row.get("quantityScrapped") or 0.0)

    def held(self, unit: int, when: datetime) -> float:
        """Pieces of a unit at an instant, for a tenant that was read once: those left, plus those split off since."""
        if self.rows[unit].get("serialNumber") is not None:
            return 1.0
        return self.quantity(unit) + sum(self.quantity(split) for split, left in self.left(unit) if left > when)

    def left(self, unit: int) -> Iterator[tuple[int, datetime]]:
        """Everything split off a unit, with the instant at which it left the unit, by itself or in a larger piece."""
        for split, row in self.rows.items():
            if row.get("originPartInventoryId") == unit:
                when = datetime.fromisoformat(row["_created"])
                yield split, when
                yield from ((further, when) for further, _ in self.left(split))

    def affected(self, units: list[int], opened: datetime) -> dict[int, float]:
        """Pieces of each unit under an issue; a piece counts once, in the split-off unit if that is named."""
        found = {unit: self.held(unit, opened) for unit in units}
        own = dict(found)
        for unit in units:
            above = [lot for lot in units if any(split == unit and at > opened for split, at in self.left(lot))]
            if above:
                nearest = min(above, key=lambda lot: sum(1 for _ in self.left(lot)))
                if self.rows[nearest].get("serialNumber") is None:
                    own[nearest] -= found[unit]
        return {unit: max(pieces, 0.0) for unit, pieces in own.items()}

    def started(self, unit: int) -> datetime | None:
        times = [instant(step.get("startTime") or step.get("endTime")) for step in self.steps[unit]]
        return min((time for time in times if time), default=None)

    def attempted(self, unit: int) -> datetime | None:
        times = [instant(step.get("endTime")) for step in self.steps[unit] if step["status"] in {"COMPLETE", "FAILED"}]
        return min((time for time in times if time), default=None)

    def worked(self, unit: int) -> tuple[int, datetime | None] | None:
        """The unit or its nearest origin that had been worked on when the pieces left, and the instant they left."""
        left, at = None, unit
        while True:
            started = self.started(at)
            if started and (left is None or started <= left):
                return at, left
            origin = self.rows[at].get("originPartInventoryId")
            if origin is None or origin not in self.rows:
                return None
            left, at = instant(self.rows[at]["_created"]), origin


def _month(time: datetime) -> date:
    return time.date().replace(day=1)


def defect_rates(world: World, generation: Generation) -> list[Row]:
    """Rows of ``defect_rates``, opportunities counted."""
    assert not seed("defect_opportunities"), "the demo has no overrides"
    pieces = Pieces(world)
    created = {row["id"]: datetime.fromisoformat(row["_created"]) for row in world["issues"]}
    cells: defaultdict[tuple[date, str], dict[str, Any]] = defaultdict(
        lambda: {
            "issues": set(),
            "units": 0,
            "defects": 0.0,
            "tried": 0.0,
            "known": 0.0,
            "chances": 0.0,
            "started": 0.0,
            "hours": 0.0,
        }
    )
    named: defaultdict[int, list[int]] = defaultdict(list)
    for issue, unit in units_of_issues(world):
        named[issue].append(unit)
    for issue, units in named.items():
        for unit, quantity in pieces.affected(units, created[issue]).items():
            cell = cells[_month(created[issue]), pieces.part[unit]]
            cell["issues"].add(issue)
            cell["units"] += 1
            cell["defects"] += quantity
    chances = opportunities(world, generation)
    for unit, part in pieces.part.items():
        found = pieces.worked(unit)
        if found is None:
            continue
        at, left = found
        started, attempted = pieces.started(at), pieces.attempted(at)
        assert started
        cells[_month(started), part]["started"] += pieces.quantity(unit)
        if attempted and (left is None or attempted <= left):
            cell = cells[_month(attempted), part]
            cell["tried"] += pieces.quantity(unit)
            if chances.get(at):
                cell["known"] += pieces.quantity(unit)
                cell["chances"] += pieces.quantity(unit) * chances[at]
    for part, began, hours in _sessions(world, pieces):
        cells[_month(began), part]["hours"] += hours
    return [_rates(month, part, cell) for (month, part), cell in cells.items()]


def _sessions(world: World, pieces: Pieces) -> Iterator[tuple[str, datetime, float]]:
    """Part, start and hours of each closed session."""
    numbers = {row["id"]: row["partNumber"] for row in world["parts"]}
    runs = {row["id"]: row for row in world["runs"]}
    for step in world["runSteps"]:
        run = runs[step["runId"]]
        part = pieces.part.get(run.get("partInventoryId")) or numbers.get(run.get("partId"))
        for session in step.get("sessions") or []:
            begin, end = instant(session["checkIn"]), instant(session.get("checkOut"))
            if part and begin and end:
                yield part, begin, (end - begin).total_seconds() / 3600


def _rates(month: date, part: str, cell: dict[str, Any]) -> Row:
    per_unit = cell["chances"] / cell["known"] if cell["known"] else None
    total = cell["tried"] * per_unit if per_unit is not None else None
    dpo = cell["defects"] / total if total else None
    return {
        "month_starts_on": month,
        "part_number": part,
        "issue_part_count": len(cell["issues"]),
        "affected_unit_count": cell["units"],
        "defect_count": cell["defects"],
        "quantity_attempted": cell["tried"],
        "dpu": cell["defects"] / cell["tried"] if cell["tried"] else None,
        "opportunities_per_unit": per_unit,
        "opportunity_count": total,
        "dpo": dpo,
        "dpmo": None if dpo is None else dpo * 1e6,
        "sigma_level": NormalDist().inv_cdf(1 - dpo) + SIGMA_SHIFT if dpo and 0 < dpo < 1 else None,
        "quantity_started": cell["started"],
        "issues_per_unit_started": len(cell["issues"]) / cell["started"] if cell["started"] else None,
        "touch_hours": cell["hours"],
        "issues_per_100_touch_hours": 100 * len(cell["issues"]) / cell["hours"] if cell["hours"] else None,
    }


def pareto(world: World, ending: str) -> list[Row]:
    """Rows of ``defect_pareto…``; the ending names the length of the period, a key of ``PERIODS``."""
    cells: defaultdict[date, dict[tuple[Any, ...], Row]] = defaultdict(dict)
    for issue, found in _classes(world):
        start = first_day(ending, datetime.fromisoformat(issue["_created"]).date())
        for part, affected in found.items():
            none = {"issue_part_count": 0, "affected_unit_count": 0, "defect_count": 0.0}
            cell = cells[start].setdefault((part, *_context(world, issue)), none)
            cell["issue_part_count"] += 1
            cell["affected_unit_count"] += len(affected)
            cell["defect_count"] += sum(affected)
    rows = []
    for start, classes in cells.items():
        total, so_far = sum(cell["defect_count"] for cell in classes.values()), 0.0
        for place, (names, cell) in enumerate(sorted(classes.items(), key=lambda it: (-it[1]["defect_count"], it[0]))):
            so_far += cell["defect_count"]
            part, procedure, step, category, supplier, labels, (_, step_id) = names
            rows.append(
                {
                    PERIODS[ending]: start,
                    "class_rank": place + 1,
                    "part_number": part,
                    "step_id": step_id,
                    "procedure_title": procedure,
                    "step_title": step,
                    "disposition_category": category,
                    "supplier_name": supplier,
                    "labels": labels,
                    **cell,
                    "total_defect_count": total,
                    "defect_share": cell["defect_count"] / total if total else None,
                    "cumulative_defect_count": so_far,
                    "cumulative_defect_share": so_far / total if total else None,
                }
            )
    return rows


def _classes(world: World) -> Iterator[tuple[Row, dict[str, list[float]]]]:
    """Each issue with the pieces of its units, by part number."""
    pieces = Pieces(world)
    named: defaultdict[int, list[int]] = defaultdict(list)
    for issue, unit in units_of_issues(world):
        named[issue].append(unit)
    for issue_row in world["issues"]:
        found: defaultdict[str, list[float]] = defaultdict(list)
        opened = datetime.fromisoformat(issue_row["_created"])
        for unit, quantity in pieces.affected(named[issue_row["id"]], opened).items():
            found[pieces.part[unit]].append(quantity)
        yield issue_row, found or {"no part": []}


def _context(world: World, issue: Row) -> tuple[Any, ...]:
    """What a class has besides the part: procedure, step, disposition category, supplier and labels."""

    def find(entity: str, row_id: int | None) -> Row:
        return next((row for row in world[entity] if row["id"] == row_id), {})

    run_step = find("runSteps", issue.get("runStepId"))
    step = find("steps", run_step.get("originStepId"))
    procedure = find("procedures", find("runs", run_step.get("runId")).get("procedureId"))
    order = find("purchaseOrders", find("purchaseOrderLines", issue.get("purchaseOrderLineId")).get("purchaseOrderId"))
    labels = sorted(find("labels", label["id"])["value"] for label in issue.get("labels") or ())
    return (
        procedure.get("title") or "no procedure",
        step.get("title") or run_step.get("title") or "no step",
        decisions(world)[issue["id"]].category,
        find("suppliers", order.get("supplierId")).get("name") or "no supplier",
        ", ".join(labels) or "no label",
        (not step, step.get("id")),
    )


def opportunities(world: World, generation: Generation) -> dict[int, int]:
    """Number of measured fields and requirements of each unit that has any."""
    unit_of_run = {row["id"]: row.get("partInventoryId") for row in world["runs"]}
    unit_of_step = {
        row["id"]: unit_of_run[row["runId"]] for row in world["runSteps"] if row.get("status") != "CANCELED"
    }
    seen: defaultdict[int, set[object]] = defaultdict(set)
    for field in world["runStepFields"]:
        unit = unit_of_step.get(field["runStepId"])
        measured = field["type"] in {"NUMBER", "BOOLEAN"} and field.get("value") is not None
        if unit is not None and measured and not field.get("notApplicable"):
            seen[unit].add(("field", field.get("originFieldId") or f"own {field['id']}"))
    for line in Bom.of(world, generation).all_lines:
        seen[line.parent].add(("requirement", line.requirement))
    return {unit: len(found) for unit, found in seen.items()}


def scrapped(world: World) -> dict[int, tuple[float, str]]:
    """Scrapped pieces of each unit, each counted once, and the record they come from."""
    pieces, decided = Pieces(world), decisions(world)
    by_issue = {unit for issue, unit in units_of_issues(world) if decided[issue].is_scrap}
    found = {}
    for unit, row in pieces.rows.items():
        lost = row.get("quantityScrapped") or 0.0
        if row.get("serialNumber") is not None:
            lost = 1.0 if lost or row["status"] == "SCRAPPED" else 0.0
        elif not lost and row["status"] == "SCRAPPED":
            lost = row["quantity"]
        if lost:
            found[unit] = lost, "inventory and issue" if unit in by_issue else "inventory"
        elif unit in by_issue:
            found[unit] = pieces.quantity(unit), "issue"
    return found


def scrap(world: World) -> list[Row]:
    """Rows of ``scrap``."""
    pieces, lost, decided = Pieces(world), scrapped(world), decisions(world)
    last = {period.issue: period for period in open_periods(world)}
    of_unit: dict[int, int] = {}
    for issue, unit in units_of_issues(world):
        if decided[issue].is_scrap:
            of_unit[unit] = min(issue, of_unit.get(unit, issue))
    created = {row["id"]: row["_created"] for row in world["issues"]}
    cells: defaultdict[tuple[date, int], dict[str, float]] = defaultdict(lambda: defaultdict(float))
    made = set()
    for unit, (quantity, source) in lost.items():
        when = instant(pieces.rows[unit]["_updated"])
        if source == "issue":
            when = last[of_unit[unit]].resolved or instant(created[of_unit[unit]])
        assert when
        cell = cells[_month(when), pieces.rows[unit]["partId"]]
        cell["scrapped"] += quantity
        cell["only issue"] += quantity if source == "issue" else 0
    for unit, part in ((unit, row["partId"]) for unit, row in pieces.rows.items()):
        found = pieces.worked(unit)
        if found and found[0] in pieces.completed and (found[1] is None or pieces.completed[found[0]] <= found[1]):
            made.add(part)
            good = pieces.quantity(unit) - lost.get(unit, (0.0, ""))[0]
            cells[_month(pieces.completed[found[0]]), part]["completed"] += good
    rows = []
    for (month, part), cell in cells.items():
        completed = cell["completed"] if part in made else None
        both = None if completed is None else completed + cell["scrapped"]
        rows.append(
            {
                "month_starts_on": month,
                "part_id": part,
                "quantity_scrapped": cell["scrapped"],
                "quantity_scrapped_in_issues_only": cell["only issue"],
                "quantity_completed": completed,
                "quantity_completed_and_scrapped": both,
                "scrap_rate": cell["scrapped"] / both if both else None,
            }
        )
    return rows
