"""Creates versions of procedures with steps (parallel and nested), fields and limits, and standard steps."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ion_pipeline.sandbox.factory.context import Engineering, FieldPlan, Procedure, StepPlan
from ion_pipeline.sandbox.factory.procedure_data import PROCEDURES, STANDARD_STEPS, FieldSpec, StepSpec
from ion_pipeline.sandbox.factory.reference import Reference
from ion_pipeline.sandbox.factory.store import Row, Store
from ion_pipeline.sandbox.factory.text import AWKWARD, slate

_GRID_ROWS = 2


@dataclass(frozen=True)
class Author:
    """The user who writes procedures, and the tenant's store and reference data."""

    store: Store
    ref: Reference
    by: int


def build_procedures(store: Store, ref: Reference, design: Engineering, begin: datetime) -> None:
    """Creates all procedures: an archived version with wider limits, the released one and, for some, a next one."""
    author = Author(store, ref, ref.people["engineer"][1])
    standards = {name: _standard_step(author, name, fields, states, begin) for name, fields, states in STANDARD_STEPS}
    for place, (key, (title, kind, steps)) in enumerate(PROCEDURES.items()):
        when = begin + timedelta(days=place)
        wider = [replace(step, fields=tuple(_wider(field) for field in step.fields)) for step in steps]
        first = new_procedure(author, title, kind, wider, when, status="ARCHIVED", standards=standards)
        family = first.row["id"]
        released = new_procedure(author, title, kind, list(steps), when + timedelta(days=60), version=2, family=family,
                                 standards=standards)  # fmt: skip
        design.procedures[key] = released
        if key in ("assemble", "machine"):
            status = "DRAFT" if key == "machine" else "IN_REVIEW"
            released.row["isLatestVersion"] = False
            new_procedure(author, title, kind, list(steps), when + timedelta(days=400), version=3, family=family,
                          status=status, standards=standards)  # fmt: skip


def new_procedure(
    author: Author,
    title: str,
    kind: str,
    steps: list[StepSpec],
    when: datetime,
    *,
    version: int = 1,
    family: int | None = None,
    status: str = "RELEASED",
    standards: dict[str, Row] | None = None,
) -> Procedure:
    """Creates one version of a procedure with all its steps."""
    row = author.store.add(
        "procedures", when, author.by, title=title, version=version, status=status, type=kind,
        description=AWKWARD[version % len(AWKWARD)] if version > 1 else None, commitMessage=f"Version {version}",
        isLatestVersion=status != "ARCHIVED", isLatestReleasedVersion=status == "RELEASED", exportControlled=False,
        family=title, labels=[], editable=str(status == "DRAFT").lower(),
    )  # fmt: skip
    row["familyId"] = family or row["id"]
    plans: list[StepPlan] = []
    for place, spec in enumerate(steps):
        parent = plans[spec.parent].row["id"] if spec.parent is not None else None
        origin = (standards or {}).get(spec.standard or "")
        step = new_step(
            author, spec, when, procedureId=row["id"], position=place, parentId=parent,
            upstreamStepIds=[plans[before].row["id"] for before in spec.upstream],
            originStepId=origin["id"] if origin else None, isDerivedStep=origin is not None,
        )  # fmt: skip
        step.row["upstream"] = author.store.step_edges(
            "StepsEdge", step.row, step.row["upstreamStepIds"], when, author.by
        )
        plans.append(step)
    for place, plan in enumerate(plans):
        plan.row["downstreamStepIds"] = [
            after.row["id"] for after, spec in zip(plans, steps, strict=True) if place in spec.upstream
        ]
    return Procedure(row, plans)


def new_step(author: Author, spec: StepSpec, when: datetime, **fields: Any) -> StepPlan:
    """Creates a step with its fields, limits and datagrid."""
    store, by = author.store, author.by
    values: dict[str, Any] = {
        "title": spec.title, "version": 1, "type": "DATAGRID" if spec.columns else "CONTENT", "displayPdf": False,
        "slateContent": slate(f"{spec.title}: follow the drawing.", AWKWARD[len(spec.title) % len(AWKWARD)]),
        "leadTime": 3600, "isLatestVersion": True, "isStandardStep": False, "isChildStandardStep": False,
        "isDerivedStep": False, "fieldCount": len(spec.fields), "editable": False, "approved": True,
        "locationId": author.ref.workcenters[len(spec.title) % len(author.ref.workcenters)], **fields,
    }  # fmt: skip
    row = store.add("steps", when, by, **values)
    row.setdefault("familyId", row["id"])
    plan = StepPlan(row, [new_field(author, row, field, place, when) for place, field in enumerate(spec.fields)], spec)
    for index, (header, kind) in enumerate(spec.columns):
        plan.columns.append(
            store.add("datagridColumns", when, by, header=header, index=index, type=kind, stepId=row["id"],
                      readOnly=False, settable=True, unit="V" if kind == "NUMBER" else None)
        )  # fmt: skip
    for index in range(_GRID_ROWS if spec.columns else 0):
        plan.grid_rows.append(
            store.add("datagridRows", when, by, index=index, stepId=row["id"], required=True, allowNotApplicable=False)
        )
    return plan


def new_field(author: Author, step: Row, spec: FieldSpec, place: int, when: datetime) -> FieldPlan:
    """Creates a step's field with its limits."""
    store, ref, by = author.store, author.ref, author.by
    row = store.add(
        "fields", when, by, stepId=step["id"], name=spec.name, type=spec.type, unit=spec.unit, position=place,
        required=spec.required, allowNotApplicable=spec.allow_not_applicable, peerReviewRequired=spec.type == "SIGNOFF",
        options=list(spec.options) or None, helpText="" if spec.limits else None, editable=False,
        allowedIonType="PARTS" if spec.type == "ION" else None,
        signoffRoleId=ref.roles["Inspector"] if spec.type == "SIGNOFF" else None,
    )  # fmt: skip
    limits = [
        (
            store.add("stepFieldValidations", when, by, fieldId=row["id"], functionId=ref.functions[function],
                      position=position, value=value),
            function,
        )
        for position, (function, value) in enumerate(spec.limits)
    ]  # fmt: skip
    return FieldPlan(row, limits, spec)


def _wider(field: FieldSpec) -> FieldSpec:
    """The same field with wider limits."""
    apart = {"at least": -1.0, "greater than": -1.0, "at most": 1.0, "less than": 1.0}
    slack = 2 * field.spread
    return replace(
        field, limits=tuple((name, round(limit + apart.get(name, 0.0) * slack, 9)) for name, limit in field.limits)
    )


def _standard_step(
    author: Author, name: str, fields: tuple[FieldSpec, ...], states: tuple[str, ...], when: datetime
) -> Row:
    """Creates all versions of a standard step; returns the released one."""
    released: Row | None = None
    family: int | None = None
    for version, status in enumerate(states, 1):
        plan = new_step(
            author, StepSpec(name, fields), when + timedelta(days=version), version=version, standardStepStatus=status,
            isStandardStep=True, isLatestVersion=version == len(states), isLatestReleasedVersion=status == "RELEASED",
            approved=status in ("RELEASED", "ARCHIVED"), position=0,
        )  # fmt: skip
        family = family or plan.row["id"]
        plan.row["familyId"] = plan.row["standardStepFamilyId"] = family
        if status == "RELEASED":
            released = plan.row
    if released is None:
        raise ValueError(f"standard step {name} has no released version")
    return released
