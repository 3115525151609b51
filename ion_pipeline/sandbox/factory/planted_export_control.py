"""Export-controlled rows among rows that are not controlled, with every way in which they may refer to each other.

All texts of controlled rows contain one token, so that a test finds any trace of them.
"""

from ion_pipeline.sandbox.factory.attributes import attribute
from ion_pipeline.sandbox.factory.context import Procedure
from ion_pipeline.sandbox.factory.inventory import scrap, split
from ion_pipeline.sandbox.factory.kits import add_item, new_kit
from ion_pipeline.sandbox.factory.part_spec import Line
from ion_pipeline.sandbox.factory.planter import Planter, ids
from ion_pipeline.sandbox.factory.procedure_data import FieldSpec, StepSpec
from ion_pipeline.sandbox.factory.procedures import Author, new_procedure
from ion_pipeline.sandbox.factory.production import LiveRun, end_step, open_run, record, settle, start_step
from ion_pipeline.sandbox.factory.purchasing import new_order, new_order_line, receive
from ion_pipeline.sandbox.factory.quality import approve_redline, open_issue, raise_redline
from ion_pipeline.sandbox.factory.store import Row

#: Occurs in every text of the controlled rows, and in no other text.
TOKEN = "XCTRL7Q"  # noqa: S105 -- a word to search for
_PUMP, _ROTOR, _CASE = f"PLT-{TOKEN}-PUMP", f"PLT-{TOKEN}-ROTOR", "PLT-EXP-CASE"
_STAGE, _FRAME, _BOLT = "PLT-EXP-STAGE", "PLT-EXP-FRAME", "PLT-EXP-BOLT"


def plant_export_control(p: Planter) -> None:
    """Plants `export_control`, without any effect on the random numbers that follow."""
    state = p.f.rng.getstate()
    parts = _parts(p)
    units = _units(p, parts)
    runs = _runs(p, units)
    issues = _issues(p, units, runs)
    lines = _order(p, parts, units)
    _texts(p, parts, units, runs)
    p.f.rng.setstate(state)
    p.truths["export_control"] = {
        "token": TOKEN,
        "part_ids": ids([parts["pump"], parts["rotor"], parts["case A"]]),
        "free_part_ids": ids([parts["case B"], parts["stage"], parts["frame"], parts["bolt"]]),
        "procedure_id": runs["weld"].row["procedureId"],
        "flagged_run_id": runs["flagged"].row["id"],
        "part_inventory_ids": ids([units[name] for name in ("pump", "spare pump", "rotors", "split rotors")]),
        "free_part_inventory_ids": ids([units[name] for name in ("stage", "frame", "bolts")]),
        "run_ids": ids([runs[name].row for name in ("weld", "test", "flagged")]),
        "free_run_id": runs["free"].row["id"],
        "issue_ids": ids([issues[name] for name in ("pump", "weld", "both")]),
        "free_issue_id": issues["free"]["id"],
        "purchase_order_line_ids": ids([lines["rotor"]]),
        "free_purchase_order_line_ids": ids([lines["bolt"]]),
    }  # fmt: skip


def _parts(p: Planter) -> dict[str, Row]:
    parts = {
        "bolt": p.part(_BOLT, "LOT"),
        "rotor": p.part(_ROTOR, "LOT", f"rotor {TOKEN}"),
        "pump": p.part(_PUMP, "SERIAL", f"pump {TOKEN}"),
        "case A": p.part(_CASE, "SERIAL", f"case {TOKEN}"),
        "frame": p.part(_FRAME, "SERIAL"),
        "stage": p.part(_STAGE, "SERIAL"),
    }
    # A later revision that is not controlled: each revision has a flag of its own.
    parts["case B"] = p.part(_CASE, "SERIAL", "case without what was controlled in it")
    for name in ("rotor", "pump", "case A"):
        p.f.store.touch(parts[name], p.tick(), p.by, exportControlled=True)
    return parts


def _units(p: Planter, parts: dict[str, Row]) -> dict[str, Row]:
    """A free stage that contains a controlled pump with free bolts, and a free frame with bolts."""
    plans = {
        "pump": p.bom(parts["pump"], [Line(_ROTOR, 2, (f"{TOKEN}-R1", f"{TOKEN}-R2")), Line(_BOLT, 4)]),
        "frame": p.bom(parts["frame"], [Line(_BOLT, 6)]),
        "stage": p.bom(parts["stage"], [Line(_FRAME, 1), Line(_PUMP, 1), Line(_CASE, 1)]),
    }
    rotors = p.lot(parts["rotor"], f"{TOKEN}-LOT-1", 50.0)
    units = {
        "rotors": rotors,
        "split rotors": split(p.f, rotors, 5.0, p.tick(), p.by),
        "bolts": p.lot(parts["bolt"], "PLT-EXP-BOLTS", 500.0),
        "pump": p.unit(parts["pump"], f"{TOKEN}-S-1"),
        "spare pump": p.unit(parts["pump"], f"{TOKEN}-S-2"),
        "frame": p.unit(parts["frame"], "PLT-EXP-F-1"),
        "stage": p.unit(parts["stage"], "PLT-EXP-S-1"),
    }
    scrap(p.f, units["split rotors"], 2.0, p.tick(), p.by)
    rotor_need, bolt_need = p.needs(units["pump"], plans["pump"])
    p.install(rotor_need, units["rotors"], place=f"{TOKEN}-R1")
    p.install(rotor_need, units["split rotors"], place=f"{TOKEN}-R2")
    p.install(bolt_need, units["bolts"], 4.0)
    [need] = p.needs(units["frame"], plans["frame"])
    p.install(need, units["bolts"], 6.0)
    frame_need, pump_need, _ = p.needs(units["stage"], plans["stage"])
    p.install(frame_need, units["frame"])
    p.install(pump_need, units["pump"])
    return units


def _procedure(p: Planter, title: str, *, controlled: bool) -> Procedure:
    gauge = FieldSpec(f"{title} gauge", "NUMBER", "mm", (("at least", 1.0), ("at most", 3.0)), 2.0, 0.1)
    author = Author(p.f.store, p.f.ref, p.f.ref.people["engineer"][1])
    procedure = new_procedure(author, title, "INSPECTION", [StepSpec(f"{title} step", (gauge,))], p.tick())
    procedure.row["exportControlled"] = controlled
    return procedure


def _runs(p: Planter, units: dict[str, Row]) -> dict[str, LiveRun]:
    """Runs of a controlled procedure on a free unit, of a free one on a controlled unit, a flagged and a free run."""
    weld, check = _procedure(p, f"{TOKEN} weld", controlled=True), _procedure(p, "PLT-EXP check", controlled=False)
    runs = {
        "weld": open_run(p.f, weld, units["frame"], p.tick(), p.by, title=f"{TOKEN} weld the frame"),
        "test": open_run(p.f, check, units["pump"], p.tick(), p.by, title=f"check {TOKEN} pump"),
        "flagged": open_run(
            p.f, check, units["frame"], p.tick(), p.by, title=f"check for {TOKEN}", exportControlled=True
        ),
        "free": open_run(p.f, check, units["stage"], p.tick(), p.by, title="PLT-EXP check the stage"),
    }
    redlined = runs["weld"].steps[0]
    start_step(p.f, redlined, p.tick(), p.by)
    approve_redline(p.f, redlined, raise_redline(p.f, redlined, p.tick(), p.by), p.tick())
    for name, run in runs.items():
        step = run.steps[0]
        if name != "weld":
            start_step(p.f, step, p.tick(), p.by)
        record(p.f, step.fields[0], {"value": 2.0}, p.tick(), p.by)
        end_step(p.f, step, p.tick(), p.by)
        run.position = 1
        settle(p.f, run, p.tick(), p.by)
    return runs


def _issues(p: Planter, units: dict[str, Row], runs: dict[str, LiveRun]) -> dict[str, Row]:
    """Issues on a controlled unit, on a controlled run, on a free unit with a controlled one, and on a free unit."""
    return {
        "pump": open_issue(p.f, f"{TOKEN} leak", [units["pump"]], p.tick(), p.by, disposition="Repair"),
        "weld": open_issue(p.f, f"{TOKEN} pore", [], p.tick(), p.by, step=runs["weld"].steps[0].row),
        "both": open_issue(p.f, f"{TOKEN} gap", [units["stage"], units["spare pump"]], p.tick(), p.by),
        "free": open_issue(p.f, "PLT-EXP scratch", [units["stage"]], p.tick(), p.by),
    }


def _order(p: Planter, parts: dict[str, Row], units: dict[str, Row]) -> dict[str, Row]:
    """One order and one receipt with a controlled line and a free one."""
    supplier = p.f.store.live("suppliers")[0]
    order = new_order(p.f, supplier["id"], p.tick(), p.by, "ORDERED")
    lines = {}
    for name, stock in (("rotor", "rotors"), ("bolt", "bolts")):
        lines[name] = new_order_line(p.f, order, parts[name], 50.0, p.tick(), p.by, promised=p.tick(days=5))
        lines[name]["partInventories"] = [{"id": units[stock]["id"]}]
        receive(p.f, lines[name], [units[stock]], p.tick(), p.by)
    return lines


def _texts(p: Planter, parts: dict[str, Row], units: dict[str, Row], runs: dict[str, LiveRun]) -> None:
    store = p.f.store
    for root, owner in (("parts", parts["pump"]), ("partInventories", units["pump"]), ("runs", runs["weld"].row)):
        attribute(store, root, owner, f"{TOKEN} note", "STRING", f"{TOKEN} on {root}", p.tick(), p.by)
    # A free unit may name a controlled part: then the field is controlled, but the unit is not.
    attribute(store, "partInventories", units["stage"], "Pump", "ION", f"{_PUMP} A", p.tick(), p.by,
              entityId=parts["pump"]["entityId"], allowedIonType="PARTS",
              ionValue={"__typename": "Part", "id": parts["pump"]["id"]})  # fmt: skip
    store.add("comments", p.tick(), p.by, content=f"{TOKEN} seen", depth=0, entityId=units["pump"]["entityId"],
              procedureFeedback=False, resolved=False)  # fmt: skip
    kit = new_kit(p.f, "REQUESTED", p.tick(), p.by, runs["weld"].row)
    add_item(p.f, kit, parts["bolt"], 2.0, [(units["bolts"], 2.0)], p.tick(), p.by)
