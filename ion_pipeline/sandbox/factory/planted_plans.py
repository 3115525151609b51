"""Two consecutive versions of one mBOM that differ in every possible way."""

from ion_pipeline.sandbox.factory.engineering import new_bom
from ion_pipeline.sandbox.factory.part_spec import Line
from ion_pipeline.sandbox.factory.planter import Planter

_BEFORE = (
    Line("PLT-BOLT", 4), Line("PLT-TAG", 1), Line("PLT-SENSOR", 1), Line("PLT-CELL", 2, ("X1", "X2")),
    Line("PLT-SUB", 1), Line("PLT-BOLT-ALT", 2, substitutes=("PLT-BOLT",)), Line("PLT-POWDER", 1, ("Y1",)),
)  # fmt: skip
_AFTER = (
    Line("PLT-BOLT", 6, substitutes=("PLT-BOLT-ALT",)), Line("PLT-SENSOR", 1), Line("PLT-CELL", 2, ("X1", "X3")),
    Line("PLT-SUB", 1, made_on_assembly=True), Line("PLT-BOLT-ALT", 2), Line("PLT-FILLER", 1, ("Y1",)),
    Line("PLT-LABEL", 3),
)  # fmt: skip
_CHANGES = (
    ("quantity_changed", "PLT-BOLT", 4.0, 6.0), ("substitute_added", "PLT-BOLT", None, "PLT-BOLT-ALT"),
    ("removed", "PLT-TAG", 1.0, None), ("revision_changed", "PLT-SENSOR", "A", "B"),
    ("designator_removed", "PLT-CELL", "X2", None), ("designator_added", "PLT-CELL", None, "X3"),
    ("made_on_assembly_changed", "PLT-SUB", False, True), ("substitute_removed", "PLT-BOLT-ALT", "PLT-BOLT", None),
    ("part_replaced", "PLT-POWDER", "PLT-POWDER", "PLT-FILLER"), ("added", "PLT-LABEL", None, 3.0),
)  # fmt: skip


def plant_mbom_versions(p: Planter) -> None:
    """Plants `mbom_versions`. The archived version names the first revision of each part, the released one the last."""
    for number in ("PLT-FILLER", "PLT-LABEL"):
        p.part(number, "LOT")
    part = p.part("PLT-PLAN", "SERIAL")
    store, design = p.f.store, p.f.design
    before = new_bom(store, design, part, list(_BEFORE), 1, "ARCHIVED", p.tick(), p.by)
    after = new_bom(store, design, part, list(_AFTER), 2, "RELEASED", p.tick(), p.by)
    p.truths["mbom_versions"] = {
        "part_id": part["id"], "mbom_a": before.row["id"], "mbom_b": after.row["id"],
        "changes": [
            {"change": change, "part_number": number, "before": old, "after": new}
            for change, number, old, new in _CHANGES
        ],
    }  # fmt: skip
