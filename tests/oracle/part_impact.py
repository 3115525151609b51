"""What a change of a part touches, computed the obvious way from the vendor's definitions of the figures.

Vendor manual: Part impact analysis. Each record counts for the part revision that it names; the analysis of a revision
may add the records of the revisions created before it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.oracle.bom import Bom
from tests.oracle.lines import Generation, Line, lines, rows
from tests.oracle.world import Row, World

FIGURES = (
    "on_hand", "on_purchase", "on_runs", "procedures", "plan_lines", "build_requirements", "kit_items", "plan_inputs",
)  # fmt: skip
_WITHOUT_QUANTITY = {"procedures", "plan_lines"}


@dataclass(frozen=True)
class Record:
    """One record that names a part revision; a quantity is open until it is installed, received, made and so on."""

    figure: str
    table: str
    id: int
    part: int | None
    status: str | None
    quantity: float | None
    open: float | None
    unit: int | None = None
    family: int | None = None


def part_impact_details(world: World, due: Mapping[int, Row], generation: Generation) -> list[Row]:
    """Rows of ``part_impact_details``.

    Args:
        world: The tenant.
        due: The rows of ``purchase_order_lines`` by id: what is due and received in the unit of the part.
        generation: The generation of the as-built BOM that the tenant records.
    """
    parts = {row["id"]: row for row in rows(world, "parts")}
    names = {row["id"]: row["type"] for row in rows(world, "unitsOfMeasurement")}
    bom = Bom.of(world, generation)
    revisions: defaultdict[str | None, list[int]] = defaultdict(list)
    for part_id in sorted(parts, reverse=True):
        revisions[bom.family(part_id)].append(part_id)
    by_part: defaultdict[int | None, list[Record]] = defaultdict(list)
    for record in _records(world, due, generation):
        by_part[record.part].append(record)
    found = []
    for part in parts.values():
        families: set[int | None] = set()
        for revision in [one for one in revisions[bom.family(part["id"])] if one <= part["id"]]:
            known = set(families)
            for record in by_part[revision]:
                if record.figure == "procedures":
                    families.add(record.family)
                    if record.family in known:
                        continue
                unit = record.unit or parts[revision].get("unitOfMeasureId")
                found.append(
                    {
                        "part_id": part["id"],
                        "figure": record.figure,
                        "is_of_earlier_revision": revision != part["id"],
                        "record_part_id": revision,
                        "record_type": record.table,
                        "record_id": record.id,
                        "status": record.status,
                        "quantity": record.quantity,
                        "quantity_open": record.open,
                        "unit_of_measure": None if record.figure == "procedures" else names.get(unit),
                        "is_in_sum": record.open is not None and unit == part.get("unitOfMeasureId"),
                    }
                )
    return found


def part_impact(world: World, details: list[Row]) -> list[Row]:
    """Rows of ``part_impact``: the details of each figure, added up."""
    cells: defaultdict[tuple[int, str], list[Row]] = defaultdict(list)
    for row in details:
        cells[row["part_id"], row["figure"]].append(row)
    found = []
    for part in rows(world, "parts"):
        for figure in FIGURES:
            everything = cells[part["id"], figure]
            row: Row = {"part_id": part["id"], "figure": figure}
            for suffix, counted in (
                ("", [one for one in everything if one["record_part_id"] == part["id"]]),
                ("_with_earlier", everything),
            ):
                summed = [one["quantity_open"] for one in counted if one["is_in_sum"]]
                none = figure in _WITHOUT_QUANTITY
                row[f"record_count{suffix}"] = len(counted)
                row[f"quantity{suffix}"] = None if none else sum(summed)
                row[f"records_not_in_quantity{suffix}"] = None if none else len(counted) - len(summed)
            found.append(row)
    return found


def _records(world: World, due: Mapping[int, Row], generation: Generation) -> Iterator[Record]:
    for unit in rows(world, "partInventories"):
        if unit.get("status") in {"AVAILABLE", "UNAVAILABLE"}:
            held = unit["quantity"]
            free = max(held - (unit.get("quantityInstalled") or 0), 0)
            yield Record("on_hand", "part_inventories", unit["id"], unit.get("partId"), unit.get("status"), held, free,
                         unit=unit.get("unitOfMeasureId"))  # fmt: skip
    orders = {row["id"]: row for row in rows(world, "purchaseOrders")}
    for line in rows(world, "purchaseOrderLines"):
        if line["status"] not in {"RECEIVED", "CANCELED"} and orders[line["purchaseOrderId"]]["status"] != "CANCELED":
            wanted = due[line["id"]]["quantity_due"]
            left = None if wanted is None else max(wanted - due[line["id"]]["quantity_received"], 0)
            yield Record(
                "on_purchase", "purchase_order_lines", line["id"], line.get("partId"), line["status"], wanted, left
            )
    for run in rows(world, "runs"):
        if run.get("status") not in {"COMPLETE", "CANCELED"}:
            pieces = run.get("quantity")
            yield Record("on_runs", "runs", run["id"], run.get("partId"), run.get("status"), pieces, pieces)
    yield from _linked_procedures(world)
    yield from _plan_lines(world)
    yield from _requirements(world, generation)
    kits = {row["id"]: row for row in rows(world, "partKits")}
    for item in rows(world, "partKitItems"):
        missing = item["quantity"] - (item.get("quantityFulfilled") or 0)
        if missing > 0:
            status = kits[item["partKitId"]]["status"]
            yield Record(
                "kit_items", "part_kit_items", item["id"], item.get("partId"), status, item["quantity"], missing
            )
    plans = {row["id"]: row for row in rows(world, "plans")}
    for entry in rows(world, "planInputs"):
        status, left = plans[entry["planId"]]["status"], entry["quantity"] - entry["completedQuantity"]
        if status in {"IN_PROGRESS", "SCHEDULED"} and left > 0:
            yield Record(
                "plan_inputs", "plan_inputs", entry["id"], entry.get("partId"), status, entry["quantity"], left
            )


def _linked_procedures(world: World) -> Iterator[Record]:
    procedures = {row["id"]: row for row in rows(world, "procedures")}
    latest: dict[tuple[int, int], Row] = {}
    for link in rows(world, "partProcedures"):
        procedure = procedures[int(link["procedureId"])]
        key = int(link["partId"]), procedure["familyId"]
        latest[key] = max(latest.get(key, procedure), procedure, key=lambda one: one["version"])
    for (part, family), procedure in latest.items():
        yield Record("procedures", "procedures", procedure["id"], part, procedure["status"], None, None, family=family)


def _plan_lines(world: World) -> Iterator[Record]:
    newest: dict[int, Row] = {}
    for mbom in rows(world, "mboms"):
        newest[mbom["partId"]] = max(newest.get(mbom["partId"], mbom), mbom, key=lambda one: one["version"])
    latest = {mbom["id"]: mbom for mbom in newest.values()}
    for item in rows(world, "mbomItems"):
        if item["mbomId"] in latest and not item.get("_deleted"):
            status = latest[item["mbomId"]]["status"]
            yield Record("plan_lines", "mbom_items", item["id"], item.get("partId"), status, item["quantity"], None)


def _requirements(world: World, generation: Generation) -> Iterator[Record]:
    units = {row["id"]: row for row in rows(world, "partInventories")}
    for table, key, part, parents, required, missing in _open_requirements(world, generation):
        statuses = {units[parent].get("status") for parent in parents}
        status = statuses.pop() if len(statuses) == 1 else None
        yield Record("build_requirements", table, key, part, status, required, missing)


def requirements_of_units(world: World, generation: Generation) -> Iterator[tuple[int | None, list[int], float]]:
    """Part, units in order of their ids, and open quantity of each requirement that is not fully installed."""
    for _, _, part, parents, _, missing in _open_requirements(world, generation):
        yield part, parents, missing


def _open_requirements(
    world: World, generation: Generation
) -> Iterator[tuple[str, int, int | None, list[int], float, float]]:
    units = {row["id"]: row for row in rows(world, "partInventories")}
    tracking = {row["id"]: row.get("trackingType") for row in rows(world, "parts")}

    def pieces(unit: int) -> float:
        row = units[unit]
        is_lot = (row.get("trackingType") or tracking.get(row.get("partId"))) == "LOT"
        return float(row["quantity"] or 0) if is_lot else 1.0

    if generation != 1:
        filled: defaultdict[int | None, float] = defaultdict(float)
        for row in rows(world, "abomInstallations"):
            filled[row.get("buildRequirementId")] += row.get("quantity") or 0
        for row in rows(world, "buildRequirements"):
            parents = sorted({link["id"] for link in row.get("partInventories") or ()} & units.keys())
            each, fixed = row.get("quantityPerParentPartInventory"), row.get("fixedQuantityPerBuildRequirement")
            required = fixed if each is None else each * sum(map(pieces, parents))
            if parents and required is not None and required - filled[row["id"]] > 1e-9:
                missing = required - filled[row["id"]]
                yield "build_requirements", row["id"], row.get("partId"), parents, required, missing
    seen: dict[int, list[Line]] = {}
    for line in lines(world, generation):
        if line.generation == 1 and line.required is not None:
            seen.setdefault(line.requirement, []).append(line)
    items = {row["id"]: row for row in rows(world, "abomItems")}
    for requirement, its in seen.items():
        parents, row = sorted({line.parent for line in its}), items[requirement]
        each, got = row.get("expectedQuantityPer"), float(its[0].quantity or 0)
        required = float(its[0].required or 0) if each is None else each * sum(map(pieces, parents))
        if required - got > 1e-9:
            yield "abom_items", requirement, its[0].part, parents, required, required - got
