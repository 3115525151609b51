"""What each run step waits for, and the longest way through the steps of a procedure, tried way by way."""

from collections.abc import Iterator
from statistics import median

from tests.oracle.build_status import available
from tests.oracle.production import Factory, hours, instant
from tests.oracle.world import Row


def step_dependencies(factory: Factory) -> list[Row]:
    """The rows of `production.step_dependencies`, without labels, for worlds in which only single steps are rings."""
    ways = _ways(factory)
    return [
        {
            "run_step_id": step["id"],
            "dependency": kind,
            "depends_on_run_step_id": other,
            "is_satisfied": _satisfied(factory, kind, other),
            "is_available": available(factory, step),
            **_place(ways, step.get("originStepId"), factory.find("runSteps", other).get("originStepId"), kind),
        }
        for step in factory.world["runSteps"]
        for kind, other in _edges(step)
    ]


def _edges(step: Row) -> list[tuple[str | None, int | None]]:
    found: list[tuple[str | None, int | None]] = [("upstream", one) for one in set(step.get("upstreamStepIds") or [])]
    if step.get("parentId") is not None:
        found.append(("parent", step["parentId"]))
    return found or [(None, None)]


def _satisfied(factory: Factory, kind: str | None, other: int | None) -> bool | None:
    status = factory.find("runSteps", other).get("status")
    return None if kind is None else status == ("COMPLETE" if kind == "upstream" else "IN_PROGRESS")


def _place(ways: dict[int, Row], step: int | None, other: int | None, kind: str | None) -> Row:
    own, before = ways.get(step or 0, {}), ways.get(other or 0, {})
    is_known = bool(own.get("path_hours"))
    follows = bool(before) and abs(before["hours_before"] + before["hours"] - own.get("hours_before", 0.0)) < 1e-9
    both = own.get("slack_hours") == 0 and before.get("slack_hours") == 0
    return {
        "typical_hours": own.get("typical_hours"),
        "slack_hours": own.get("slack_hours"),
        "path_hours": own.get("path_hours"),
        "is_step_critical": own["slack_hours"] == 0 if is_known else None,
        "is_critical": (both and follows) if is_known and kind == "upstream" and other in ways else None,
    }


def _ways(factory: Factory) -> dict[int, Row]:
    """Of each step that is on no ring: its usual hours, and the longest way to it and through it or its siblings."""
    taken: dict[int, list[float]] = {}
    for step in factory.world["runSteps"]:
        if step["status"] == "COMPLETE" and step.get("originStepId") and step.get("startTime") and step.get("endTime"):
            worked = hours(instant(step["startTime"]), instant(step["endTime"]))
            taken.setdefault(step["originStepId"], []).append(worked or 0.0)
    siblings: dict[tuple[int, int | None], list[Row]] = {}
    for step in factory.world["steps"]:
        if step["id"] not in step["upstreamStepIds"]:
            siblings.setdefault((step["procedureId"], step.get("parentId")), []).append(step)
    found = {}
    for steps in siblings.values():
        lasts = {step["id"]: median(taken.get(step["id"], [0.0])) for step in steps}
        ways = [
            (way, sum(lasts[one] for one in way)) for way in _all_ways({s["id"]: s["upstreamStepIds"] for s in steps})
        ]
        longest = max(total for _, total in ways)
        for step in steps:
            one = step["id"]
            through = max(total for way, total in ways if one in way)
            before = max(sum(lasts[other] for other in way[: way.index(one)]) for way, _ in ways if one in way)
            found[one] = {
                "typical_hours": median(taken[one]) if one in taken else None,
                "hours": lasts[one],
                "hours_before": before,
                "path_hours": longest,
                "slack_hours": 0 if abs(longest - through) < 1e-9 else longest - through,
            }
    return found


def _all_ways(upstream: dict[int, list[int]]) -> Iterator[list[int]]:
    """Every way from a step that waits for nothing to a step that nothing waits for."""

    def to(step: int) -> Iterator[list[int]]:
        before = [one for one in upstream[step] if one in upstream]
        if not before:
            yield [step]
        for one in before:
            yield from ([*way, step] for way in to(one))

    waited_for = {one for ones in upstream.values() for one in ones}
    for step in upstream.keys() - waited_for:
        yield from to(step)
