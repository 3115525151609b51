"""What was installed on the unit of a run while the run was in progress, and at which of its steps."""

from datetime import datetime

from tests.oracle.bom import Bom
from tests.oracle.lines import Generation, Line
from tests.oracle.production import FINISHED, Factory, instant
from tests.oracle.world import Row


def materials_used(factory: Factory, generation: Generation, as_of: datetime) -> list[Row]:
    """The rows of `production.materials_used`, without labels."""
    lines = [line for line in Bom.of(factory.world, generation).all_lines if line.child is not None]
    found = [
        {
            "run_id": run["id"],
            "abom_installation_key": f"{line.generation}:{line.parent}:i{line.installation}",
            "child_part_inventory_id": line.child,
            "quantity": None if line.quantity is None else float(line.quantity),
            **_step(factory, run, line, as_of),
        }
        for run in factory.world["runs"]
        for unit in factory.units(run)
        for line in lines
        if line.parent == unit["id"] and line.installed_at and _is_during(factory, run, line.installed_at, as_of)
    ]
    keys = [row["abom_installation_key"] for row in found]
    return [{**row, "run_count": keys.count(row["abom_installation_key"])} for row in found]


def _is_during(factory: Factory, run: Row, at: datetime, as_of: datetime) -> bool:
    steps = factory.steps_of[run["id"]]
    starts = [instant(step["startTime"]) for step in steps if step.get("startTime")]
    ends = [instant(step["endTime"]) for step in steps if step["status"] == "COMPLETE" and step.get("endTime")]
    begun = min(starts) if starts else instant(run["_created"])
    if run["status"] in FINISHED:
        return bool(ends) and begun <= at <= max(ends)
    return begun <= at <= as_of


def _step(factory: Factory, run: Row, line: Line, as_of: datetime) -> Row:
    steps = [step for step in factory.steps_of[run["id"]] if not factory.only_groups(step)]
    wanted = {
        association["stepId"]
        for association in factory.world["stepMbomItemAssociations"]
        if association["mbomItemId"] == line.origin
    }
    planned = [step["id"] for step in steps if step.get("originStepId") in wanted]
    at = line.installed_at
    performed = [
        step["id"]
        for step in steps
        if at and step.get("startTime")
        and instant(step["startTime"]) <= at <= (instant(step["endTime"]) if step.get("endTime") else as_of)
    ]  # fmt: skip
    if len(planned) == 1:
        return {"run_step_id": planned[0], "run_step_from": "plan"}
    if len(performed) == 1:
        return {"run_step_id": performed[0], "run_step_from": "time"}
    return {"run_step_id": None, "run_step_from": None}
