"""The tables of `production` for a world, in plain Python: runs, steps, sessions and inventory by location."""

from collections import defaultdict
from datetime import datetime

from tests.oracle.genealogy import installations, where_used
from tests.oracle.production import FINISHED, Factory, hours, instant, microseconds
from tests.oracle.world import Row

_RANK = {"IN_PROGRESS": 1, "REDLINE": 2, "HOLD": 3, "FAILED": 4}


def run_steps(factory: Factory) -> list[Row]:
    """The rows of `production.run_steps`."""
    passed = _first_passes(factory)
    rows = []
    for step in factory.world["runSteps"]:
        sessions = step.get("sessions") or []
        attempted = step["id"] in passed
        rows.append(
            {
                "run_step_id": step["id"],
                "run_id": step["runId"],
                "status": step["status"],
                "step_id": step.get("originStepId"),
                "is_group": factory.only_groups(step),
                "is_added_by_redline": step.get("originStepId") is None,
                "touch_hours": sum(filter(None, map(session_hours, sessions))),
                "session_count": len(sessions),
                "open_session_count": sum(not session.get("checkOut") for session in sessions),
                "attempt_count": int(attempted),
                "has_failed": attempted and step["status"] == "FAILED",
                "is_first_pass": passed.get(step["id"]),
                "failed_validation_count": len(factory.missed(step)),
                "redline_count": len(factory.redlines_of[step["id"]]),
                "issue_count": len(factory.issues_of[step["id"]]),
            }
        )
    return rows


def runs(factory: Factory, as_of: datetime) -> list[Row]:
    """The rows of `production.runs`, with ages measured up to an instant."""
    steps_of = defaultdict(list)
    for row in run_steps(factory):
        steps_of[row["run_id"]].append(row)
    rows = []
    for run in factory.world["runs"]:
        steps, finished = steps_of[run["id"]], run["status"] in FINISHED
        first, last = _span(factory, run)
        verdicts = [step["is_first_pass"] for step in steps if step["is_first_pass"] is not None]
        known = bool(verdicts) and (finished or not all(verdicts))
        sums = ("touch_hours", "session_count", "open_session_count", "attempt_count", "failed_validation_count")
        rows.append(
            {
                "run_id": run["id"],
                "status": run["status"],
                "is_finished": finished,
                "part_inventory_id": run.get("partInventoryId"),
                "unit_count": len(factory.units(run)),
                "first_started_at": microseconds(first),
                "last_completed_at": microseconds(last),
                "elapsed_hours": hours(first, last),
                "wip_age_hours": None if finished else hours(first, as_of),
                "steps_total": sum(step["status"] != "CANCELED" for step in steps),
                "steps_done": sum(step["status"] == "COMPLETE" for step in steps),
                "steps_cancelled": sum(step["status"] == "CANCELED" for step in steps),
                "is_first_pass": all(verdicts) if known else None,
                **{name: sum(step[name] for step in steps) for name in (*sums, "redline_count", "issue_count")},
            }
        )
    return rows


def open_runs(factory: Factory, as_of: datetime, order: dict[int, int]) -> list[Row]:
    """The rows of `production.open_runs`; `order` maps procedure steps to their position in the order of execution."""
    rows = []
    for run in factory.world["runs"]:
        if run["status"] in FINISHED:
            continue
        steps = factory.steps_of[run["id"]]
        left = [step for step in steps if step["status"] not in ("COMPLETE", "CANCELED")]
        current = min(left, key=lambda step: _urgency(factory, step, order), default={})
        ends = [instant(step["endTime"]) for step in steps if step.get("endTime")]
        waiting = max(ends, default=instant(run["_created"]))
        since = instant(current["startTime"]) if current.get("startTime") else waiting
        checked_in = {
            factory.find("users", session["createdById"])["name"]
            for session in current.get("sessions") or []
            if not session.get("checkOut")
        }
        assigned = current.get("assignedToId") or run.get("assignedToId")
        rows.append(
            {
                "run_id": run["id"],
                "current_run_step_id": current.get("id"),
                "current_step_status": current.get("status"),
                "current_step_since_at": microseconds(since),
                "current_step_hours": hours(since, as_of),
                "checked_in": ", ".join(sorted(checked_in)) or None,
                "started_by": factory.find("users", current.get("startedById")).get("name"),
                "assigned_to": factory.find("users", assigned).get("name"),
                "location_name": factory.find("locations", current.get("locationId")).get("name"),
                "steps_in_progress": sum(step["status"] == "IN_PROGRESS" for step in steps),
            }
        )
    return rows


def run_history(factory: Factory) -> list[Row]:
    """The rows of `production.run_history`."""
    of_unit = defaultdict(list)
    for run in factory.world["runs"]:
        for unit in factory.units(run):
            since = _span(factory, run)[0] or instant(run["_created"])
            of_unit[unit["id"]].append((since, run["id"]))
    return [
        {"part_inventory_id": unit, "run_id": run, "recency": place}
        for unit, found in of_unit.items()
        for place, (_, run) in enumerate(sorted(found, reverse=True), 1)
    ]


def serialized_units(factory: Factory) -> list[Row]:
    """The rows of `production.serialized_units`."""
    placed = defaultdict(list)
    for edge in installations(factory.world, "both"):
        placed[edge["child_part_inventory_id"]].append(edge)
    tops = defaultdict(list)
    for use in where_used(factory.world, "both"):
        if use["is_top_level"]:
            place = (use["min_depth"], use["ancestor_part_inventory_id"])
            tops[use["component_part_inventory_id"]].append(place)
    newest = {row["part_inventory_id"]: row["run_id"] for row in run_history(factory) if row["recency"] == 1}
    rows = []
    for unit in factory.world["partInventories"]:
        if unit.get("serialNumber") is None:
            continue
        edges, above = placed[unit["id"]], tops[unit["id"]]
        last = max((edge["installed_at"] for edge in edges), default=None)
        rows.append(
            {
                "part_inventory_id": unit["id"],
                "serial_number": unit["serialNumber"],
                "status": unit.get("status"),
                "location_id": unit.get("locationId"),
                "installation_count": len(edges),
                "is_top_level": not edges,
                "installed_in_part_inventory_id": next(
                    (edge["parent_part_inventory_id"] for edge in edges if edge["installed_at"] == last), None
                ),
                "top_part_inventory_id": min(above)[1] if above else None if edges else unit["id"],
                "last_run_id": newest.get(unit["id"]),
            }
        )
    return rows


def inventory_by_location(factory: Factory) -> list[Row]:
    """The rows of `production.inventory_by_location`, for worlds in which a part has one unit of measure."""
    places: dict[tuple[int, int | None], list[Row]] = defaultdict(list)
    for unit in factory.world["partInventories"]:
        places[unit["partId"], unit.get("locationId")].append(unit)

    def total(units: list[Row], column: str, *statuses: str) -> float:
        return sum(unit.get(column) or 0.0 for unit in units if not statuses or unit["status"] in statuses)

    return [
        {
            "part_id": part,
            "location_id": location,
            "inventory_count": len(units),
            "serial_count": sum(unit.get("serialNumber") is not None for unit in units),
            "quantity_held": total(units, "quantity") - total(units, "quantity", "ON_ORDER"),
            "quantity_available": total(units, "quantityAvailable"),
            "quantity_installed": total(units, "quantityInstalled"),
            "quantity_in_work": total(units, "quantity", "WIP"),
            "quantity_on_order": total(units, "quantity", "ON_ORDER"),
            "quantity_scrapped": total(units, "quantityScrapped"),
        }
        for (part, location), units in places.items()
    ]


def labor_sessions(factory: Factory, rate: float) -> list[Row]:
    """The rows of `production.labor_sessions`."""
    return [
        {
            "run_step_id": step["id"],
            "session_id": session["id"],
            "user_id": session["createdById"],
            "is_open": not session.get("checkOut"),
            "hours": (worked := session_hours(session)),
            "labor_cost": None if worked is None else worked * rate,
            "run_id": step["runId"],
        }
        for step in factory.world["runSteps"]
        for session in step.get("sessions") or []
    ]


def session_hours(session: Row) -> float | None:
    """Hours of a session; None while it is open."""
    return hours(instant(session["checkIn"]), instant(session["checkOut"])) if session.get("checkOut") else None


def _first_passes(factory: Factory) -> dict[int, bool]:
    """Whether each attempted run step was its units' first attempt and without findings."""
    passed: dict[int, bool] = {}
    for history in factory.histories():
        for place, attempt in enumerate(history):
            step = attempt.run_step["id"]
            passed[step] = passed.get(step, True) and place == 0 and attempt.passed
    return passed


def _span(factory: Factory, run: Row) -> tuple[datetime | None, datetime | None]:
    """First start and, of a finished run, last completion."""
    steps = factory.steps_of[run["id"]]
    starts = [instant(step["startTime"]) for step in steps if step.get("startTime")]
    ends = [instant(step["endTime"]) for step in steps if step.get("endTime") and step["status"] == "COMPLETE"]
    first = min(starts) if starts else instant(run["startTime"]) if run.get("startTime") else None
    last = max(ends) if ends else instant(run["endTime"]) if run.get("endTime") else None
    return first, last if run["status"] in FINISHED else None


def _urgency(factory: Factory, step: Row, order: dict[int, int]) -> tuple[object, ...]:
    nobody = all(session.get("checkOut") for session in step.get("sessions") or [])
    started = -(microseconds(instant(step["startTime"])) or 0) if step.get("startTime") else 1
    place = order.get(step.get("originStepId") or 0, 10**9)
    return _RANK.get(step["status"], 5), factory.only_groups(step), nobody, started, place, step["position"], step["id"]
