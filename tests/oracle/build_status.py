"""How far the units of a world are built, counted unit by unit."""

from collections.abc import Iterator
from datetime import date, datetime
from fractions import Fraction

from tests.oracle.bom import Bom
from tests.oracle.conformance import conformance
from tests.oracle.issues import open_periods
from tests.oracle.lines import Generation, number
from tests.oracle.production import FINISHED, Factory
from tests.oracle.world import Row

_NINTH_DIGIT = Fraction(1, 10**9)
_DEVIATING = {"over", "wrong_part", "designator_mismatch", "unplanned"}
Requirement = tuple[int, int]


def build_status(factory: Factory, generation: Generation) -> list[Row]:
    """The rows of `production.build_status`, without labels and current steps, for worlds without receipts."""
    return list(_Shop(factory, generation).rows())


def available(factory: Factory, step: Row) -> bool:
    """ION's rule: all upstream steps are complete, the parent is in progress, it is to do or in progress."""
    before = [factory.find("runSteps", other) for other in step.get("upstreamStepIds") or []]
    parent = step.get("parentId")
    return (
        step["status"] in {"TODO", "IN_PROGRESS"}
        and all(other.get("status") == "COMPLETE" for other in before)
        and (parent is None or factory.find("runSteps", parent).get("status") == "IN_PROGRESS")
    )


class _Shop:
    def __init__(self, factory: Factory, generation: Generation) -> None:
        self.factory, self.bom = factory, Bom.of(factory.world, generation)
        self.lines = conformance(factory.world, generation)
        self.needs = {unit: dict(self._needs(unit)) for unit in self.bom.units}
        self.arrivals = dict(self._arrivals())
        self.runs: dict[int, list[Row]] = {}
        for run in factory.world["runs"]:
            for unit in factory.units(run):
                if run["status"] != "CANCELED":
                    self.runs.setdefault(unit["id"], []).append(run)
        resolved: dict[int, list[bool]] = {}
        for period in open_periods(factory.world):
            resolved.setdefault(period.issue, []).append(period.resolved is not None)
        self.open_issues = {issue for issue, ends in resolved.items() if not all(ends)}

        self.holding: dict[int, set[int]] = {}
        for link in factory.world["issuePartInventories"]:
            if self._holds(factory.find("issues", link["issueId"])):
                self.holding.setdefault(link["partInventoryId"], set()).add(link["issueId"])

    def rows(self) -> Iterator[Row]:
        for unit, row in self.bom.units.items():
            runs = [run for run in self.runs.get(unit, []) if run["status"] not in FINISHED]
            own = [filled for _, filled in self.needs[unit].values()]
            if row["status"] != "SCRAPPED" and (runs or not all(own)):
                yield {"part_inventory_id": unit, **self._content(unit), **self._work(unit, row, runs)}

    def _holds(self, issue: Row) -> bool:
        """ION's rule of a type of disposition: permanently, until the issue is resolved, or not at all."""
        rules = {row["id"]: row.get("inventoryAvailability") for row in self.factory.world["issueDispositionTypes"]}
        rule = rules.get(issue.get("issueDispositionTypeId"))
        return rule == "PERMANENTLY_UNAVAILABLE" or (
            rule == "RELEASED_ON_RESOLUTION" and issue.get("status") != "RESOLVED"
        )

    def _needs(self, unit: int) -> Iterator[tuple[Requirement, tuple[int | None, bool | None]]]:
        """Part and state of each requirement: filled, not filled, or unknown."""
        for row in self.factory.world["buildRequirements"]:
            parents = {link["id"] for link in row["partInventories"]} & self.bom.units.keys()
            if unit not in parents:
                continue
            each, fixed = number(row["quantityPerParentPartInventory"]), number(row["fixedQuantityPerBuildRequirement"])
            pieces = [self._pieces(parent) for parent in parents]
            known = sum(piece for piece in pieces if piece is not None)
            required = fixed if each is None else each * known
            found = [
                number(line["quantity"])
                for line in self.factory.world["abomInstallations"]
                if line["buildRequirementId"] == row["id"]
            ]
            if required == 0:
                continue
            installed = sum((quantity for quantity in found if quantity is not None), Fraction(0))
            is_enough = required is not None and installed >= required * (1 - _NINTH_DIGIT)
            is_known = required is not None and None not in found
            yield (2, row["id"]), (row["partId"], is_enough if is_enough or is_known else None)

    def _pieces(self, unit: int) -> Fraction | None:
        is_lot = self.bom.label(unit)["tracking_type"] == "LOT"
        return number(self.bom.units[unit].get("quantity")) if is_lot else Fraction(1)

    def _arrivals(self) -> Iterator[tuple[int, date | None]]:
        days: dict[int, list[date | None]] = {}
        for line in self.factory.world["purchaseOrderLines"]:
            if line["status"] == "ORDERED" and line["partId"] is not None:
                text = line.get("estimatedArrivalDate")
                days.setdefault(line["partId"], []).append(datetime.fromisoformat(text).date() if text else None)
        for part, found in days.items():
            yield part, min((day for day in found if day), default=None)

    def _below(self, unit: int) -> set[int]:
        found, waiting = {unit}, [unit]
        while waiting:
            lines = self.bom.kept.get(waiting.pop(), [])
            new = {line.child for line in lines if line.child is not None} - found
            found |= new
            waiting += new
        return found

    def _content(self, unit: int) -> Row:
        inside = self._below(unit)
        needs = {key: need for one in inside for key, need in self.needs[one].items()}
        states = [filled for _, filled in needs.values()]
        short = {part for part, filled in needs.values() if not filled}
        days = [day for part in short if (day := self.arrivals.get(part or 0))]
        kinds = [line["status"] for line in self.lines if line["part_inventory_id"] in inside]
        deviating = sum(kind in _DEVIATING for kind in kinds)
        incomplete = sum(kind in {"missing", "short"} for kind in kinds)
        verdict = "deviating" if deviating else "incomplete" if incomplete else "conforming" if kinds else None
        links = self.factory.world["issuePartInventories"]
        return {
            "requirements_filled": states.count(True),
            "requirements_total": len(states),
            "requirements_unknown": states.count(None),
            "short_part_ids": sorted(part for part in short if part is not None),
            "on_order_part_ids": sorted(part for part in short if part in self.arrivals),
            "next_expected_on": min(days, default=None),
            "last_expected_on": max(days, default=None),
            "conformance": verdict,
            "lines_incomplete": incomplete,
            "lines_deviating": deviating,
            "open_issue_count": len(
                {link["issueId"] for link in links if link["partInventoryId"] in inside} & self.open_issues
            ),
        }

    def _work(self, unit: int, row: Row, runs: list[Row]) -> Row:
        known = [step for run in self.runs.get(unit, []) for step in self.factory.steps_of[run["id"]]]
        now = [step for run in runs for step in self.factory.steps_of[run["id"]]]
        unfinished = [step for step in now if step["status"] not in {"COMPLETE", "CANCELED"}]
        states = [step["status"] for step in now]
        ids = {step["id"] for step in unfinished}
        blocking = sorted(
            issue["id"]
            for issue in self.factory.world["issues"]
            if issue["id"] in self.open_issues and issue.get("mustCloseByRunStepId") in ids
        )
        held = states.count("HOLD"), states.count("REDLINE")
        holding = sorted(self.holding.get(unit, ()))
        return {
            "open_run_ids": sorted(run["id"] for run in runs),
            "steps_done": sum(step["status"] == "COMPLETE" for step in known),
            "steps_total": sum(step["status"] != "CANCELED" for step in known),
            "available_run_step_ids": sorted(
                step["id"] for step in now if available(self.factory, step) and not self.factory.only_groups(step)
            ),
            "steps_on_hold": held[0],
            "steps_in_redline": held[1],
            "steps_failed": states.count("FAILED"),
            "blocking_issue_ids": blocking,
            "holding_issue_ids": holding,
            "held_content_count": len((self._below(unit) - {unit}) & self.holding.keys()),
            "is_blocked": bool(blocking or holding) or any(held) or row["status"] == "UNAVAILABLE",
        }
