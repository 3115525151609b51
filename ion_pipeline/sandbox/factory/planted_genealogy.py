"""A small product family with a contaminated lot, a tree of which every row is known, and two units that differ."""

from dataclasses import dataclass, field

from ion_pipeline.sandbox.factory.assembly import Need, uninstall
from ion_pipeline.sandbox.factory.context import Bom
from ion_pipeline.sandbox.factory.inventory import split
from ion_pipeline.sandbox.factory.part_spec import Line
from ion_pipeline.sandbox.factory.planter import Planter, ids
from ion_pipeline.sandbox.factory.store import Row

#: Powder per cell, in kg; cells per lot.
POWDER_PER_CELL = 0.05
CELLS_PER_LOT = 20
#: For each top unit: the cell lots (by number) from which its two subassemblies took their three cells.
_CELLS_OF_TOP: tuple[tuple[tuple[int, int, int], tuple[int, int, int]], ...] = (
    ((0, 0, 0), (0, 0, 0)),
    ((0, 0, 0), (2, 2, 2)),
    ((1, 1, 1), (1, 1, 1)),
    ((1, 1, 1), (2, 2, 2)),
    ((2, 2, 2), (2, 2, 2)),
    ((4, 4, 4), (3, 3, 3)),
    ((4, 4, 4), (1, 4, 4)),
    ((0, 0, 0), (4, 4, 4)),
)
#: Cell lots made of contaminated powder: directly, and from the part that was split off.
_CONTAMINATED_DIRECTLY, _CONTAMINATED_BY_SPLIT = 1, 3
_SISTER_A, _SISTER_B, _OPEN_TOP, _SHORT_TOP = 0, 7, 1, 4


@dataclass
class Family:
    """The planted parts, and the lots and units that were built from them."""

    parts: dict[str, Row]
    boms: dict[str, Bom]
    lots: dict[str, Row]
    cells: list[Row] = field(default_factory=list)
    subs: list[Row] = field(default_factory=list)
    tops: list[Row] = field(default_factory=list)
    sensors: list[Row] = field(default_factory=list)


def plant_genealogy(p: Planter) -> Family:
    """Plants the family and its truths: `contaminated_lot`, `known_tree`, `sisters` and more."""
    family = _design(p)
    lots = family.lots
    lots["bad"] = p.lot(family.parts["PLT-POWDER"], "PLT-BAD-POWDER", 10.0)
    lots["bad split"] = split(p.f, lots["bad"], 4.0, p.tick(), p.by)
    powder = [lots["good"], lots["bad"], lots["good"], lots["bad split"], lots["good"]]
    for place, source in enumerate(powder):
        cell = p.lot(family.parts["PLT-CELL"], f"PLT-K{place}", CELLS_PER_LOT)
        [need] = p.needs(cell, family.boms["PLT-CELL"])
        p.install(need, source, POWDER_PER_CELL * CELLS_PER_LOT)
        family.cells.append(cell)
    rows = [_top(p, family, place) for place in range(len(_CELLS_OF_TOP))]
    spare = _sub(p, family, (_CONTAMINATED_DIRECTLY,) * 3, "PLT-SUB-SPARE", bolts=4)
    _contaminated(p, family, spare)
    p.truths["known_tree"] = {"root_part_inventory_id": family.tops[0]["id"], "rows": rows[0]}
    _where_used(p, family)
    _sisters(p, family)
    _shared(p, family)
    _replaced(p, family)
    return family


def _design(p: Planter) -> Family:
    parts = {
        "PLT-POWDER": p.part("PLT-POWDER", "LOT", unit="kg"), "PLT-BOLT": p.part("PLT-BOLT", "LOT"),
        "PLT-BOLT-ALT": p.part("PLT-BOLT-ALT", "LOT"), "PLT-SENSOR A": p.part("PLT-SENSOR", "SERIAL"),
        "PLT-SENSOR": p.part("PLT-SENSOR", "SERIAL"), "PLT-TAG": p.part("PLT-TAG", None),
        "PLT-CELL": p.part("PLT-CELL", "LOT"), "PLT-SUB": p.part("PLT-SUB", "SERIAL"),
        "PLT-TOP": p.part("PLT-TOP", "SERIAL"),
    }  # fmt: skip
    boms = {
        "PLT-CELL": p.bom(parts["PLT-CELL"], [Line("PLT-POWDER", POWDER_PER_CELL)]),
        "PLT-SUB": p.bom(parts["PLT-SUB"], [Line("PLT-CELL", 3), Line("PLT-BOLT", 4)]),
        "PLT-TOP": p.bom(parts["PLT-TOP"], [
            Line("PLT-SUB", 2, ("A", "B")), Line("PLT-BOLT", 8, substitutes=("PLT-BOLT-ALT",)),
            Line("PLT-SENSOR", 1), Line("PLT-TAG", 1), Line("PLT-TAG", 0),
        ]),
    }  # fmt: skip
    lots = {
        "bolts": p.lot(parts["PLT-BOLT"], "PLT-BOLTS-1", 400.0),
        "other bolts": p.lot(parts["PLT-BOLT-ALT"], "PLT-BOLTS-ALT", 50.0),
        "tags": p.lot(parts["PLT-TAG"], None, 60.0),
        "good": p.lot(parts["PLT-POWDER"], "PLT-GOOD-POWDER", 25.0),
    }
    return Family(parts, boms, lots)


def _sub(p: Planter, family: Family, cells: tuple[int, ...], serial: str, *, bolts: int) -> Row:
    sub = p.unit(family.parts["PLT-SUB"], serial)
    for_cells, for_bolts = p.needs(sub, family.boms["PLT-SUB"])
    for place in sorted(set(cells)):
        p.install(for_cells, family.cells[place], float(cells.count(place)))
    p.install(for_bolts, family.lots["bolts"], float(bolts))
    family.subs.append(sub)
    return sub


def _top(p: Planter, family: Family, place: int) -> list[Row]:
    """Builds a top unit; returns the expected rows of its tree, which are computed here independently."""
    f = family
    odd = place == _SISTER_B
    top = p.unit(f.parts["PLT-TOP"], f"PLT-T{place}")
    f.tops.append(top)
    for_subs, for_bolts, for_sensor, for_tag, for_trace = p.needs(top, f.boms["PLT-TOP"])
    rows = [_row([top], [], 1.0, 1.0)]
    for designator, cells in zip(("A", "B"), _CELLS_OF_TOP[place], strict=True):
        bolts = 3 if odd and designator == "A" else 4
        sub = _sub(p, f, cells, f"PLT-S{place}{designator}", bolts=bolts)
        p.install(for_subs, sub, 1.0, designator)
        rows.append(_row([top, sub], [designator], 1.0, 1.0))
        for cell in sorted(set(cells)):
            count = float(cells.count(cell))
            lot = f.cells[cell]
            powder = _powder_of(f, cell)
            rows.append(_row([top, sub, lot], [designator, None], count, count))
            rows.append(_row([top, sub, lot, powder], [designator, None, None], 1.0, count * POWDER_PER_CELL))
        rows.append(_row([top, sub, f.lots["bolts"]], [designator, None], float(bolts), float(bolts)))
    bolt_lot, bolt_count = (f.lots["other bolts"], 8.0) if odd else (f.lots["bolts"], 8.0)
    bolt_count = 5.0 if place == _SHORT_TOP else bolt_count
    p.install(for_bolts, bolt_lot, bolt_count)
    rows.append(_row([top, bolt_lot], [None], bolt_count, bolt_count))
    _sensor(p, f, place, top, for_sensor, rows)
    if odd:
        p.install(p.by_hand(top, f.parts["PLT-BOLT"], 1.0), f.lots["bolts"], 1.0)
        rows.append(_row([top, f.lots["bolts"]], [None], 1.0, 1.0))
        rows.append(_open([top], f.parts["PLT-TAG"], for_tag))
    else:
        p.install(for_tag, f.lots["tags"], 1.0)
        rows.append(_row([top, f.lots["tags"]], [None], 1.0, 1.0))
    if place == 0:
        p.install(for_trace, f.lots["tags"], 1.0)
        rows.append(_row([top, f.lots["tags"]], [None], 1.0, 1.0))
    return rows


def _sensor(p: Planter, f: Family, place: int, top: Row, need: Need, rows: list[Row]) -> None:
    if place == _OPEN_TOP:
        rows.append(_open([top], f.parts["PLT-SENSOR"], need))
        return
    revision = "PLT-SENSOR A" if place == _SISTER_B else "PLT-SENSOR"
    sensor = p.unit(f.parts[revision], f"PLT-Q{place}")
    f.sensors.append(sensor)
    p.install(need, sensor)
    rows.append(_row([top, sensor], [None], 1.0, 1.0))


def _powder_of(f: Family, cell: int) -> Row:
    return {1: f.lots["bad"], 3: f.lots["bad split"]}.get(cell, f.lots["good"])


def _row(path: list[Row], designators: list[str | None], installed: float, extended: float) -> Row:
    return {
        "depth": len(path) - 1, "path_ids": [row["id"] for row in path], "reference_designators": designators,
        "part_inventory_id": path[-1]["id"], "quantity_installed": installed,
        "quantity_extended": round(extended, 9), "is_open_requirement": False,
    }  # fmt: skip


def _open(path: list[Row], part: Row, need: Need) -> Row:
    return {
        "depth": len(path), "path_ids": [row["id"] for row in path], "part_inventory_id": None, "part_id": part["id"],
        "build_requirement_id": need.row["id"], "quantity_installed": 0.0, "quantity_extended": 0.0,
        "is_open_requirement": True,
    }  # fmt: skip


def _contaminated(p: Planter, f: Family, spare: Row) -> None:
    """The units that contain the bad powder, derived from `_CELLS_OF_TOP` and not from the rows."""
    direct: list[Row] = [f.cells[_CONTAMINATED_DIRECTLY]]
    by_split: list[Row] = [f.cells[_CONTAMINATED_BY_SPLIT]]
    tops: list[Row] = []
    direct_tops: list[Row] = []
    for place, both in enumerate(_CELLS_OF_TOP):
        for sub, cells in zip(f.subs[2 * place : 2 * place + 2], both, strict=True):
            if _CONTAMINATED_DIRECTLY in cells:
                direct += [sub, f.tops[place]]
                direct_tops.append(f.tops[place])
            if _CONTAMINATED_BY_SPLIT in cells:
                by_split += [sub, f.tops[place]]
            if {_CONTAMINATED_DIRECTLY, _CONTAMINATED_BY_SPLIT} & set(cells):
                tops.append(f.tops[place])
    direct.append(spare)
    p.truths["contaminated_lot"] = {
        "part_number": "PLT-POWDER", "lot_number": "PLT-BAD-POWDER", "part_inventory_id": f.lots["bad"]["id"],
        "split_part_inventory_ids": [f.lots["bad split"]["id"]],
        "affected_unit_ids_without_splits": sorted({row["id"] for row in direct}),
        "affected_top_level_unit_ids_without_splits": sorted({row["id"] for row in [*direct_tops, spare]}),
        "affected_unit_ids": sorted({row["id"] for row in direct + by_split}),
        "affected_top_level_unit_ids": sorted({row["id"] for row in [*tops, spare]}),
        "affected_top_level_serials": sorted({row["serialNumber"] for row in [*tops, spare]}),
    }  # fmt: skip


def _where_used(p: Planter, f: Family) -> None:
    """Good powder in the first top unit: two subassemblies with three cells of one lot each, so two paths."""
    p.truths["where_used"] = {
        "component_part_inventory_id": f.lots["good"]["id"], "ancestor_part_inventory_id": f.tops[0]["id"],
        "is_top_level": True, "min_depth": 3, "path_count": 2, "quantity_extended": round(6 * POWDER_PER_CELL, 9),
    }  # fmt: skip


def _sisters(p: Planter, f: Family) -> None:
    sister = f.tops[_SISTER_B]
    p.truths["sisters"] = {
        "unit_a": f.tops[_SISTER_A]["id"],
        "unit_b": sister["id"],
        "differences": [
            {"line": "eight PLT-BOLT on the top unit", "kind": "substitute", "a": "PLT-BOLT A", "b": "PLT-BOLT-ALT A"},
            {"line": "PLT-SENSOR", "kind": "other_revision", "a": "PLT-SENSOR B", "b": "PLT-SENSOR A"},
            {"line": "PLT-TAG", "kind": "missing_in_b", "a": 1.0, "b": 0.0},
            {"line": "PLT-TAG, trace only", "kind": "missing_in_b", "a": 1.0, "b": 0.0},
            {"line": "PLT-BOLT added by hand", "kind": "unplanned_in_b", "a": 0.0, "b": 1.0},
            {"line": "PLT-SUB at A: PLT-BOLT", "kind": "quantity", "a": 4.0, "b": 3.0},
        ],
        "open_requirement_unit": f.tops[_OPEN_TOP]["id"],
        "short_unit": f.tops[_SHORT_TOP]["id"],
    }


def _shared(p: Planter, f: Family) -> None:
    """One requirement that two units of a batch share: it is part of both."""
    pair = [p.unit(f.parts["PLT-SUB"], f"PLT-BATCH-{letter}") for letter in "AB"]
    need = p.by_hand(pair[0], f.parts["PLT-POWDER"], fixed=1.0)
    need.row["partInventories"] = [{"id": unit["id"]} for unit in pair]
    row = p.install(need, f.lots["good"], 1.0)
    p.truths["shared_requirement"] = {
        "build_requirement_id": need.row["id"], "parent_part_inventory_ids": ids(pair),
        "abom_installation_id": row["id"], "child_part_inventory_id": f.lots["good"]["id"],
    }  # fmt: skip


def _replaced(p: Planter, f: Family) -> None:
    """A unit whose sensor was replaced by another one: only a comment mentions the first."""
    top = p.unit(f.parts["PLT-TOP"], "PLT-T-REPLACED")
    need = p.needs(top, f.boms["PLT-TOP"])[2]
    first, second = (p.unit(f.parts["PLT-SENSOR"], f"PLT-Q-{word}") for word in ("OUT", "IN"))
    deleted = p.install(need, first)
    uninstall(p.f, deleted, first, p.tick(hours=3), p.by)
    kept = p.install(need, second)
    p.f.store.add("comments", p.tick(), p.by, depth=0, content="PLT-Q-OUT replaced by PLT-Q-IN", resolved=True,
                  entityId=top["entityId"], procedureFeedback=False)  # fmt: skip
    p.truths["replacement"] = {
        "part_inventory_id": top["id"], "build_requirement_id": need.row["id"],
        "deleted_abom_installation_id": deleted["id"], "abom_installation_id": kept["id"],
        "removed_part_inventory_id": first["id"], "installed_part_inventory_id": second["id"],
    }  # fmt: skip
