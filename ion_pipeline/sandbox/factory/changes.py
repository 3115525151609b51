"""Engineering changes during production: new revisions, new mBOM versions, edits in place, tighter limits."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ion_pipeline.sandbox.factory.catalogue import PARTS
from ion_pipeline.sandbox.factory.clock import FIRST_DAY, next_working_day
from ion_pipeline.sandbox.factory.context import Factory, Task
from ion_pipeline.sandbox.factory.engineering import finish_revisions, new_bom, new_revision, release
from ion_pipeline.sandbox.factory.part_spec import Line
from ion_pipeline.sandbox.factory.procedure_data import PROCEDURES, FieldSpec
from ion_pipeline.sandbox.factory.procedures import Author, new_procedure


@dataclass
class Change(Task):
    """A change that takes effect on a day."""

    apply: Callable[[Factory], None]

    def run(self, factory: Factory) -> None:
        """Makes the change."""
        self.apply(factory)


def schedule_changes(f: Factory) -> None:
    """Adds the changes to the agenda, from the sixth week on."""
    for week, apply in ((6, _more_resistors), (9, _revise_motor), (12, _substitute_in_place), (15, _tighter_burn_in)):
        f.agenda[next_working_day(FIRST_DAY, week * 5)].append(Change(apply))


def _more_resistors(f: Factory) -> None:
    """Adds two resistors to the power board, and removes a substitute."""
    part = f.design.part("AV-2120")
    lines = [
        Line("RES-0103", 6, ("R1", "R2", "R3", "R4", "R5", "R6")) if line.part == "RES-0103" else line
        for line in PARTS["AV-2120"].lines
    ]
    release(f.store, f.design, part, lines, f.moment(), f.someone("engineer"))


def _revise_motor(f: Factory) -> None:
    """Adds a revision of the motor; the mBOMs that use it still name the previous one."""
    when, by = f.moment(), f.someone("engineer")
    spec, rows = PARTS["RA-3111"], f.design.revisions["RA-3111"]
    part = new_revision(f.store, f.ref, spec, rows, when, by)
    f.store.touch(rows[-1], when, by)
    rows.append(part)
    finish_revisions(rows)
    f.design.released[part["id"]] = new_bom(f.store, f.design, part, list(spec.lines), 1, "RELEASED", when, by)


def _substitute_in_place(f: Factory) -> None:
    """Adds a substitute to a line of the valve without a new version (ion-api: substitutes are edited in place)."""
    when, by = f.moment(), f.someone("engineer")
    bom = f.design.released[f.design.part("ENG-1300")["id"]]
    line = next(line for line in bom.lines if line.spec.part == "HW-0008")
    substitute = f.design.part("HW-0009")
    f.store.add("mbomSubstitutes", when, by, mbomItemId=line.item["id"], partId=substitute["id"],
                parentId=bom.row["partId"])  # fmt: skip
    line.substitutes.append(substitute)
    line.spec = replace(line.spec, substitutes=("HW-0009",))


def _tighter_burn_in(f: Factory) -> None:
    """Releases a version of the board procedure with tighter limits."""
    when, by = f.moment(), f.someone("engineer")
    before = f.design.procedures["board"]
    title, kind, steps = PROCEDURES["board"]
    tighter = [replace(step, fields=tuple(_tighten(field) for field in step.fields)) for step in steps]
    f.store.touch(before.row, when, by, status="ARCHIVED", isLatestVersion=False, isLatestReleasedVersion=False)
    f.design.procedures["board"] = new_procedure(
        Author(f.store, f.ref, by), title, kind, tighter, when, version=before.row["version"] + 1,
        family=before.row["familyId"],
    )  # fmt: skip


def _tighten(field: FieldSpec) -> FieldSpec:
    apart = {"at least": 1.0, "at most": -1.0}
    limits = tuple((name, round(limit + apart.get(name, 0.0) * field.spread, 9)) for name, limit in field.limits)
    return replace(field, limits=limits)
