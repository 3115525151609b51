"""Anomalies that real as-built records contain, and one unit with every kind of conformance to its plan."""

from ion_pipeline.sandbox.factory.clock import iso
from ion_pipeline.sandbox.factory.inventory import scrap
from ion_pipeline.sandbox.factory.part_spec import Line
from ion_pipeline.sandbox.factory.planted_genealogy import Family
from ion_pipeline.sandbox.factory.planter import Planter, ids
from ion_pipeline.sandbox.factory.production import open_run, perform, settle
from ion_pipeline.sandbox.factory.store import Row

#: A requirement id that no row has.
MISSING_REQUIREMENT = 2_000_000_000


def plant_anomalies(p: Planter, family: Family) -> None:
    """Plants cycles, installations that are double, excessive, dangling or scrapped, a late child, and conformance."""
    part = p.part("PLT-LOOP", "SERIAL")
    lot_part = p.part("PLT-LOOP-LOT", "LOT")
    _cycles(p, family, part, lot_part)
    _installed_twice(p, family, part)
    _dangling(p, family)
    _late_child(p, family, part)
    _conformance(p, family)


def _cycles(p: Planter, family: Family, part: Row, lot_part: Row) -> None:
    in_itself = p.unit(part, "PLT-SELF")
    loop = p.install(p.by_hand(in_itself, part), in_itself)
    first, third = p.unit(part, "PLT-LOOP-1"), p.unit(part, "PLT-LOOP-3")
    second = p.lot(lot_part, "PLT-LOOP-2", 4.0)
    above = p.unit(part, "PLT-ABOVE-LOOP")
    inside = [
        p.install(p.by_hand(first, lot_part), second, 2.0),
        p.install(p.by_hand(second, part, 0.25), third),
        p.install(p.by_hand(third, part), first),
    ]
    into = p.install(p.by_hand(above, lot_part), second)
    bolts = p.install(p.by_hand(second, family.parts["PLT-BOLT"], 1.0), family.lots["bolts"], 4.0)
    p.truths["cycles"] = {
        "members": [[in_itself["id"]], ids([first, second, third])],
        "quarantined_installation_ids": ids([loop, *inside]),
        "standing_installation_ids": ids([into, bolts]),
        "unit_above": above["id"],
        "ancestors_of_the_lot": [above["id"]],
    }


def _installed_twice(p: Planter, family: Family, part: Row) -> None:
    sensor = p.unit(family.parts["PLT-SENSOR"], "PLT-Q-TWICE")
    homes = [p.unit(part, f"PLT-TWICE-{number}") for number in (1, 2)]
    rows = [p.install(p.by_hand(home, family.parts["PLT-SENSOR"]), sensor) for home in homes]
    p.truths["serial_installed_twice"] = {
        "part_inventory_id": sensor["id"], "serial_number": "PLT-Q-TWICE", "abom_installation_ids": ids(rows),
    }  # fmt: skip
    scarce = p.lot(family.parts["PLT-BOLT"], "PLT-BOLTS-SCARCE", 5.0)
    rows = [
        p.install(p.by_hand(home, family.parts["PLT-BOLT"], amount), scarce, amount)
        for home, amount in zip(homes, (4.0, 3.0), strict=True)
    ]
    p.truths["lot_over_installed"] = {
        "part_inventory_id": scarce["id"], "quantity": 5.0, "quantity_installed": 7.0,
        "abom_installation_ids": ids(rows),
    }  # fmt: skip
    broken = p.unit(family.parts["PLT-SENSOR"], "PLT-Q-SCRAPPED")
    row = p.install(p.by_hand(homes[0], family.parts["PLT-SENSOR"]), broken)
    scrap(p.f, broken, 1.0, p.tick(), p.by)
    p.truths["installed_while_scrapped"] = {"part_inventory_id": broken["id"], "abom_installation_ids": [row["id"]]}


def _dangling(p: Planter, family: Family) -> None:
    rows = []
    for place, requirement in enumerate((MISSING_REQUIREMENT, None)):
        sensor = p.unit(family.parts["PLT-SENSOR"], f"PLT-Q-DANGLING-{place}")
        rows.append(
            p.f.store.add("abomInstallations", p.tick(), p.by, buildRequirementId=requirement, quantity=1.0,
                          buildRequirementReferenceDesignatorId=None, partInventoryId=sensor["id"])
        )  # fmt: skip
        p.recompute(sensor, quantityInstalled=1.0)
    p.truths["installation_without_requirement"] = {
        "abom_installation_ids": ids(rows), "missing_build_requirement_ids": [MISSING_REQUIREMENT],
    }  # fmt: skip


def _late_child(p: Planter, family: Family, part: Row) -> None:
    parent = p.unit(part, "PLT-DONE-EARLY")
    run = open_run(p.f, p.f.design.procedures["lot"], parent, p.tick(), p.by, title="PLT finished before its child")
    for step in run.steps:
        perform(p.f, step, p.tick(), p.tick(), p.by)
    settle(p.f, run, p.tick(), p.by)
    p.tick(days=3)
    child = p.unit(family.parts["PLT-SENSOR"], "PLT-Q-LATE")
    row = p.install(p.by_hand(parent, family.parts["PLT-SENSOR"]), child)
    p.truths["child_newer_than_completion"] = {
        "parent_part_inventory_id": parent["id"], "child_part_inventory_id": child["id"],
        "abom_installation_id": row["id"], "parent_completed_at": run.row["endTime"], "child_created": iso(p.clock),
    }  # fmt: skip
    p.truths["child_newer_than_completion"]["child_created"] = child["_created"]


def _conformance(p: Planter, f: Family) -> None:
    part = p.part("PLT-CONF", "SERIAL")
    bom = p.bom(part, [
        Line("PLT-BOLT", 4), Line("PLT-BOLT", 6, substitutes=("PLT-BOLT-ALT",)), Line("PLT-SENSOR", 1),
        Line("PLT-CELL", 5), Line("PLT-TAG", 2), Line("PLT-SUB", 1), Line("PLT-SENSOR", 1),
        Line("PLT-BOLT", 2, ("X1", "X2")), Line("PLT-TAG", 0),
    ])  # fmt: skip
    unit = p.unit(part, "PLT-CONF-1")
    needs = p.needs(unit, bom)
    sensor = p.unit(f.parts["PLT-SENSOR A"], "PLT-Q-CONF")
    f.sensors.append(sensor)
    needs[7].row["referenceDesignators"][1]["value"] = "X9"
    p.install(needs[0], f.lots["bolts"], 4.0)
    p.install(needs[1], f.lots["other bolts"], 6.0)
    p.install(needs[2], sensor)
    p.install(needs[3], f.cells[0], 3.0)
    p.install(needs[4], f.lots["tags"], 3.0)
    p.install(needs[6], f.lots["bolts"], 1.0)
    p.install(needs[7], f.lots["bolts"], 1.0, "X1")
    p.install(needs[7], f.lots["bolts"], 1.0, "X9")
    by_hand = p.by_hand(unit, f.parts["PLT-TAG"])
    p.install(by_hand, f.lots["tags"])
    planned = (4.0, 6.0, 1.0, 5.0, 2.0, 1.0, 1.0, 2.0, 0.0, None)
    installed = (4.0, 6.0, 1.0, 3.0, 3.0, 0.0, 1.0, 2.0, 0.0, 1.0)
    status = (
        "conforming", "conforming_substitute", "conforming_revision", "short", "over", "missing", "wrong_part",
        "designator_mismatch", "conforming", "unplanned",
    )  # fmt: skip
    p.truths["conformance"] = {
        "part_inventory_id": unit["id"],
        "lines": [
            {
                "build_requirement_id": need.row["id"], "mbom_item_id": need.row["originMbomItemId"],
                "quantity_planned": plan, "quantity_installed": have, "status": name,
            }
            for need, plan, have, name in zip([*needs, by_hand], planned, installed, status, strict=True)
        ],
    }  # fmt: skip
