"""Generates values for run step fields of every type, and compares values with limits."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ion_pipeline.sandbox.factory.clock import iso
from ion_pipeline.sandbox.factory.context import Factory, FieldPlan
from ion_pipeline.sandbox.factory.store import Row
from ion_pipeline.sandbox.factory.text import AWKWARD

#: The columns of a run step field that make up its value.
FieldValue = dict[str, Any]

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "greater than": lambda value, limit: value > limit,
    "at least": lambda value, limit: value >= limit,
    "less than": lambda value, limit: value < limit,
    "at most": lambda value, limit: value <= limit,
    "equal": lambda value, limit: value == limit,
    "not equal": lambda value, limit: value != limit,
}
_OUTSIDE = {"greater than": -1.0, "at least": -1.0, "less than": 1.0, "at most": 1.0, "equal": 1.0, "not equal": 0.0}
_NOT_APPLICABLE_CHANCE = 0.08


def judge(function: str, value: Any, limit: float) -> bool:
    """Whether a value passes a limit; a missing value passes, and every value passes an unknown function."""
    compare = _COMPARE.get(function)
    return compare is None or value is None or compare(value, limit)


def missed(limits: list[tuple[Row, str]]) -> float:
    """A value that misses the first limit."""
    limit, function = limits[0]
    reach = abs(limit["value"]) * 0.05 or 1.0
    return round(float(limit["value"]) + _OUTSIDE.get(function, 0.0) * reach, 6)


def measured_value(f: Factory, plan: FieldPlan, *, spoil: bool = False) -> float:
    """A measured value within its limits; with `spoil`, one that misses the first limit."""
    if spoil:
        return missed(plan.limits)
    spec = plan.spec
    value = f.rng.gauss(spec.nominal, spec.spread)
    reach = 4 * spec.spread
    digits = 7 if spec.spread < 0.001 else 4
    value = round(min(max(value, spec.nominal - reach), spec.nominal + reach), digits)
    return value if all(judge(function, value, limit["value"]) for limit, function in plan.limits) else spec.nominal


def value_for(f: Factory, plan: FieldPlan, step: Row, when: datetime, by: int, *, spoil: bool = False) -> FieldValue:
    """A value for a field of any type."""
    spec = plan.spec
    if spec.allow_not_applicable and f.rng.random() < _NOT_APPLICABLE_CHANCE:
        return {"notApplicable": True, "value": None}
    if spec.type == "NUMBER":
        return {"value": measured_value(f, plan, spoil=spoil)}
    return _OTHERS[spec.type](f, plan, step, when, by)


def _string(f: Factory, plan: FieldPlan, step: Row, when: datetime, by: int) -> FieldValue:
    del plan, when, by
    plain = f"{step['title'].lower()}-{f.rng.randrange(10_000):04d}"
    return {"value": f.rng.choice(AWKWARD) if f.rng.random() < 0.1 else plain}


def _boolean(f: Factory, plan: FieldPlan, step: Row, when: datetime, by: int) -> FieldValue:
    del plan, step, when, by
    return {"value": f.rng.random() < 0.97}


def _select(f: Factory, plan: FieldPlan, step: Row, when: datetime, by: int) -> FieldValue:
    del step, when, by
    return {"value": f.rng.choice(plan.spec.options)}


def _multiselect(f: Factory, plan: FieldPlan, step: Row, when: datetime, by: int) -> FieldValue:
    del step, when, by
    return {"value": sorted(f.rng.sample(plan.spec.options, f.rng.randrange(1, 3)))}


def _datetime(f: Factory, plan: FieldPlan, step: Row, when: datetime, by: int) -> FieldValue:
    del f, plan, step, by
    return {"value": iso(when)}


def _file(f: Factory, plan: FieldPlan, step: Row, when: datetime, by: int) -> FieldValue:
    name = f"{plan.spec.name.lower().replace(' ', '-')}-{step['id']}.pdf"
    key = f.store.attach(step, name, "application/pdf", when, by)
    return {"value": step["fileAttachments"][-1]["url"], "fileAttachmentId": key}


def _ion(f: Factory, plan: FieldPlan, step: Row, when: datetime, by: int) -> FieldValue:
    del plan, step, when, by
    part = f.design.part(f.rng.choice(("ENG-1000", "AV-2000", "RA-3000")))
    return {"value": f"{part['partNumber']} {part['revision']}", "entityId": part["entityId"],
            "ionValue": {"__typename": "Part", "id": part["id"]}}  # fmt: skip


def _signoff(f: Factory, plan: FieldPlan, step: Row, when: datetime, by: int) -> FieldValue:
    del f, plan, step
    return {"value": iso(when), "assignedToId": by}


def _tool(f: Factory, plan: FieldPlan, step: Row, when: datetime, by: int) -> FieldValue:
    del plan, step, when, by
    tool = f.rng.choice(f.tools)
    return {"value": tool["serialNumber"], "partInventoryId": tool["id"]}


_OTHERS: dict[str, Callable[[Factory, FieldPlan, Row, datetime, int], FieldValue]] = {
    "STRING": _string, "BOOLEAN": _boolean, "SELECT": _select, "MULTISELECT": _multiselect, "DATETIME": _datetime,
    "FILE_ATTACHMENT": _file, "ION": _ion, "SIGNOFF": _signoff, "TOOL": _tool,
}  # fmt: skip
