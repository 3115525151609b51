"""Design data: part revisions, mBOM versions with their lines, substitutes and designators."""

import random
from datetime import datetime, timedelta
from typing import Any

from ion_pipeline.sandbox.factory.bought_parts import TOOLS
from ion_pipeline.sandbox.factory.catalogue import children_first
from ion_pipeline.sandbox.factory.context import Bom, BomLine, Engineering
from ion_pipeline.sandbox.factory.part_spec import Line, PartSpec
from ion_pipeline.sandbox.factory.reference import Reference
from ion_pipeline.sandbox.factory.store import Row, Store

_DAYS_BETWEEN_REVISIONS = 120


def build_parts(store: Store, ref: Reference, design: Engineering, begin: datetime) -> None:
    """Creates all parts with their revisions and mBOM versions, children before parents."""
    by = ref.people["engineer"][0]
    for place, spec in enumerate(children_first()):
        when = begin + timedelta(hours=place)
        rows = design.revisions.setdefault(spec.number, [])
        for _ in range(spec.revisions):
            rows.append(new_revision(store, ref, spec, rows, when, by))
            if spec.is_made:
                _versions(store, design, spec, rows[-1], when, by, archived=len(rows) == spec.revisions)
            when += timedelta(days=_DAYS_BETWEEN_REVISIONS)
    for number, description, _ in TOOLS:
        design.revisions[number] = [
            store.add(
                "parts", begin, by, partNumber=number, revision="A", partType="TOOL", description=description,
                trackingType="SERIAL", maintenanceIntervalSeconds=15_552_000, unitOfMeasureId=ref.units["each"],
                cost=1_000.0, isLatestRevision=True, latestRevision="A", revisionScheme="LETTER",
                exportControlled=False, sourcingStrategy="BUY",
            )
        ]  # fmt: skip
    for number in design.revisions:
        finish_revisions(design.revisions[number])


def new_revision(store: Store, ref: Reference, spec: PartSpec, before: list[Row], when: datetime, by: int) -> Row:
    """Adds the next revision of a part number; `before` has the earlier ones."""
    suppliers = ref.supplier_of.get(spec.subtype)
    return store.add(
        "parts", when, by, partNumber=spec.number, revision=chr(ord("A") + len(before)), description=spec.description,
        partType="PART", trackingType=spec.tracking, cost=spec.cost, leadTime=spec.lead_days,
        revisedFromId=before[-1]["id"] if before else None, revisionScheme="LETTER",
        sourcingStrategy="MAKE" if spec.is_made else ("DUAL_SOURCE" if spec.lot > 300 else "BUY"),
        supplierPartNumber=f"S-{spec.number[-4:]}" if suppliers else None, unitOfMeasureId=ref.units[spec.unit],
        exportControlled=spec.export_controlled,
        partSubtypes=[{"id": ref.subtypes[spec.subtype]}] if spec.subtype in ref.subtypes else [],
        requirements=[{"id": ref.requirements[0]}] if spec.export_controlled else [],
    )  # fmt: skip


def finish_revisions(rows: list[Row]) -> None:
    """Sets the columns that ION computes over all revisions of a part number."""
    for row in rows:
        row["latestRevision"] = rows[-1]["revision"]
        row["LatestRevisionScheme"] = rows[-1]["revisionScheme"]
        row["isLatestRevision"] = row is rows[-1]


def _versions(
    store: Store, design: Engineering, spec: PartSpec, part: Row, when: datetime, by: int, *, archived: bool
) -> None:
    """Adds an archived mBOM version that differs, if requested, and the released one."""
    version = 1
    if archived:
        old = new_bom(store, design, part, list(_earlier(spec)), version, "ARCHIVED", when, by)
        version = 2
        when = max(when, *(datetime.fromisoformat(design.part(line.part)["_created"]) for line in spec.lines))
        when += timedelta(days=30)
        store.touch(old.row, when, by)
    bom = new_bom(store, design, part, list(spec.lines), version, "RELEASED", when, by)
    design.released[part["id"]] = bom


def _earlier(spec: PartSpec) -> tuple[Line, ...]:
    """The previous version of a bill of material: one line fewer, one quantity larger, no substitutes."""
    first, *rest = spec.lines
    changed = Line(first.part, first.quantity + 1) if not first.designators else first
    kept = rest[:-1] if len(rest) > 1 else rest
    return (changed, *(Line(line.part, line.quantity, line.designators) for line in kept))


def new_bom(
    store: Store, design: Engineering, part: Row, lines: list[Line], version: int, status: str, when: datetime, by: int
) -> Bom:
    """Creates an mBOM version; a line names the latest revision of its part, or the first in an archived version."""
    latest = status in ("RELEASED", "DRAFT", "IN_REVIEW")
    row = store.add(
        "mboms", when, by, partId=part["id"], version=version, status=status, isLatestVersion=latest,
        isLatestReleasedVersion=status == "RELEASED", editable=status == "DRAFT",
    )  # fmt: skip
    bom = Bom(row, [])
    for line in lines:
        rows = design.revisions[line.part]
        bom.lines.append(new_line(store, design, row, line, rows[0 if status == "ARCHIVED" else -1], when, by))
    return bom


def new_line(
    store: Store, design: Engineering, bom: Row, line: Line, part: Row, when: datetime, by: int, **more: Any
) -> BomLine:
    """Adds a line with its substitutes and designators to an mBOM."""
    fields: dict[str, Any] = {
        "_deleted": False, "madeOnAssembly": line.made_on_assembly, "mbomId": bom["id"], "partId": part["id"],
        "quantity": float(line.quantity), "parentId": bom["partId"], **more,
    }  # fmt: skip
    item = store.add("mbomItems", when, by, **fields)
    substitutes = [design.part(number) for number in line.substitutes]
    for substitute in substitutes:
        store.add("mbomSubstitutes", when, by, mbomItemId=item["id"], partId=substitute["id"], parentId=bom["partId"])
    designators = [
        store.add("mbomItemReferenceDesignators", when, by, mbomItemId=item["id"], value=value)
        for value in line.designators
    ]
    return BomLine(item, line, part, designators, substitutes)


def plan_next_versions(store: Store, design: Engineering, rng: random.Random, numbers: list[str], when: datetime,
                       by: int) -> None:  # fmt: skip
    """Adds a next mBOM version in DRAFT or IN_REVIEW for some parts, with one line marked as deleted."""
    for place, number in enumerate(numbers):
        part = design.part(number)
        current = design.released[part["id"]]
        lines = [line.spec for line in current.lines]
        status = "DRAFT" if place % 2 == 0 else "IN_REVIEW"
        current.row["isLatestVersion"] = False
        bom = new_bom(store, design, part, lines, current.row["version"] + 1, status, when, by)
        victim = rng.choice(bom.lines)
        store.touch(victim.item, when + timedelta(hours=2), by, _deleted=True)


def release(store: Store, design: Engineering, part: Row, lines: list[Line], when: datetime, by: int) -> Bom:
    """Releases a new mBOM version of a part and archives the previous one."""
    before = design.released[part["id"]]
    store.touch(before.row, when, by, status="ARCHIVED", isLatestVersion=False, isLatestReleasedVersion=False)
    bom = new_bom(store, design, part, lines, before.row["version"] + 1, "RELEASED", when, by)
    design.released[part["id"]] = bom
    return bom
