"""Whether plan items, runs and units can be built with what is here and coming, computed the obvious way.

Each part is shared out once, when everything that needs it is known: consumers come one after the other and take what
is on hand, then what comes, by date.  What a made part lacks is needed of the lines of its plan.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from tests.oracle.bom import quarantined
from tests.oracle.issues import instant
from tests.oracle.lines import Generation, lines, rows
from tests.oracle.part_impact import requirements_of_units
from tests.oracle.plans import plans
from tests.oracle.world import Row, World

PlanLines = Mapping[int, Sequence[tuple[int, float, frozenset[int]]]]
"""The lines in force of each part with a plan: part, quantity, substitutes; without lines that close a cycle."""

_OVER = {"COMPLETE", "PARTIAL_COMPLETE", "CANCELED"}
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Consumer:
    """Something to be built."""

    kind: str
    id: int
    status: str | None
    part: int
    unit: int | None
    quantity: float | None
    needed: datetime | None


def plan_in_force(world: World) -> PlanLines:
    """The lines of the released version of each part, the highest if there are several, without cycles."""
    released: dict[int, Any] = {}
    for plan in plans(world).values():
        if plan.status == "RELEASED":
            released[plan.part] = max(released.get(plan.part, plan), plan, key=lambda one: one.version)
    edges: dict[int, set[int]] = {}
    for part, plan in released.items():
        edges[part] = {line.part for line in plan.lines}
    closed = quarantined(edges)
    return {
        part: [(one.part, one.quantity, one.substitutes) for one in plan.lines if (part, one.part) not in closed]
        for part, plan in released.items()
    }


def promised(line: Row, order: Row) -> datetime | None:
    """When a line is to arrive: its own dates first, the arrival before the need."""
    dates = [row.get(name) for row in (line, order) for name in ("estimatedArrivalDate", "needDate")]
    return next((instant(text) for text in dates if text), None)


def consumers(world: World, generation: Generation) -> list[Consumer]:
    """All consumers in the order in which they take."""
    units = {row["id"]: row for row in rows(world, "partInventories")}
    found: list[Consumer] = []
    of_unit: dict[int, Consumer] = {}
    busy = set()
    for run in rows(world, "runs"):
        if run.get("status") in _OVER:
            continue
        unit = run.get("partInventoryId")
        needed = instant(run.get("scheduledStart") or run.get("dueDate"))
        part = units.get(unit, {}).get("partId") or run.get("partId")
        one = Consumer("run", run["id"], run.get("status"), part, unit, run.get("quantity"), needed)
        busy.add(unit)
        if unit is None:
            found.append(one)
        else:
            of_unit[unit] = min(of_unit.get(unit, one), one, key=lambda each: (each.needed or _LAST, each.id))
    found += of_unit.values()
    for unit in {parents[0] for _, parents, _ in requirements_of_units(world, generation)} - busy:
        if units[unit].get("status") != "SCRAPPED":
            found.append(Consumer("unit", unit, units[unit].get("status"), units[unit]["partId"], unit, None, None))
    found += _plan_items(world)
    kinds = ("unit", "run", "plan_item")
    return sorted(
        (one for one in found if one.part is not None),
        key=lambda one: (
            one.kind == "plan_item" and one.status == "DRAFT", one.needed or _LAST, kinds.index(one.kind), one.id,
        ),
    )  # fmt: skip


def _plan_items(world: World) -> Iterator[Consumer]:
    is_open = {row["id"]: row.get("status") != "COMPLETE" for row in rows(world, "planItems")}
    runs = {row["id"]: row for row in rows(world, "runs")}
    for item in rows(world, "planItems"):
        if not is_open[item["id"]]:
            continue
        left = item.get("quantity")
        if left is not None:
            for row in rows(world, "planItemAllocations"):
                if int(row["childPlanItemId"]) == item["id"] and is_open.get(int(row["parentPlanItemId"])):
                    left -= row["quantity"] or 0
            for link in item.get("runs") or ():
                if runs[link["id"]].get("status") != "CANCELED":
                    left -= runs[link["id"]].get("quantity") or 0
        if left is None or left > 1e-9:
            needed = instant(item.get("startTime") or item.get("endTime"))
            yield Consumer("plan_item", item["id"], item.get("status"), item.get("partId"), None, left, needed)


def direct_needs(
    world: World, generation: Generation, order: Sequence[Consumer], plan: PlanLines
) -> Iterator[tuple[int, int, int | None, float | None]]:
    """Place of the consumer, part, assembly that needs it, and quantity, None where it is unknown."""
    open_of: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for part, parents, quantity in requirements_of_units(world, generation):
        if part is not None:
            open_of[parents[0]].append((part, quantity))
    recorded = {line.parent for line in lines(world, generation)}
    kitted: defaultdict[tuple[Any, Any], float] = defaultdict(float)
    kits = {row["id"]: row for row in rows(world, "partKits")}
    for item in rows(world, "partKitItems"):
        kit = kits[item["partKitId"]]
        if kit.get("status") not in {"COMPLETED", "CANCELED"} and kit.get("runId"):
            kitted[kit["runId"], item.get("partId")] += item.get("quantityFulfilled") or 0
    for place, one in enumerate(order, 1):
        wanted: dict[int, float | None] = defaultdict(float)
        found: list[tuple[int, float | None]] = list(open_of[one.unit]) if one.unit is not None else []
        if one.unit is None or one.unit not in recorded:
            found += [
                (part, None if one.quantity is None else one.quantity * each)
                for part, each, _ in plan.get(one.part, ())
                if each > 0
            ]
        if one.kind == "plan_item" and not any(each > 0 for _, each, _ in plan.get(one.part, ())):
            found.append((one.part, one.quantity))
        for part, quantity in found:
            so_far = wanted[part]
            wanted[part] = None if quantity is None or so_far is None else so_far + quantity
        for part, total in wanted.items():
            in_kits = kitted[one.id, part] if one.kind == "run" else 0.0
            rest = None if total is None else total - in_kits
            if rest is None or rest > 0:
                yield place, part, one.part if one.part != part else None, rest


def clear_to_build(
    world: World, due: Mapping[int, Row], plan: PlanLines, generation: Generation, today: date
) -> list[Row]:
    """Rows of ``clear_to_build``, with the production time zone UTC."""
    order = consumers(world, generation)
    notable = {
        row["partId"]
        for row in rows(world, "partAttributes")
        if row["key"].lower().replace("_", " ") == "notable assembly" and str(row["value"]).lower() not in _NO
    }
    made = {part for part, its in plan.items() if any(each > 0 for _, each, _ in its)}
    needs: defaultdict[int, dict[tuple[int, int | None, int | None], float | None]] = defaultdict(dict)

    def need(part: int, place: int, group: int | None, parent: int | None, quantity: float | None) -> None:
        key = place, part if part in notable else group, parent
        before = needs[part].get(key, 0.0)
        needs[part][key] = None if quantity is None or before is None else before + quantity

    for place, part, parent, quantity in direct_needs(world, generation, order, plan):
        need(part, place, parent if parent in notable else None, parent, quantity)
    stock = _supply(world, due, order)
    found: list[Row] = []
    for part in _from_the_top(plan, {*needs, *(part["id"] for part in rows(world, "parts"))}):
        pieces = stock.get(part, [])
        for place, group, parent in sorted(needs[part], key=_nulls_last):
            quantity = needs[part][place, group, parent]
            row = _take(pieces, quantity) | {"part_id": part, "notable_part_id": group, "parent_part_id": parent}
            found.append(row | {"allocation_order": place, "is_made": part in made})
            if part in made and (row["missing"] is None or row["missing"] > 0):
                for child, each, _ in plan[part]:
                    if each > 0:
                        below = None if row["missing"] is None else row["missing"] * each
                        need(child, place, group, part, below)
    _substitute(world, found, plan, stock)
    return [_judged(row, order[row["allocation_order"] - 1], today) for row in found]


_NO = {"", "false", "no", "0", "none"}


def _nulls_last(key: tuple[int, int | None, int | None]) -> tuple[Any, ...]:
    return key[0], key[1] is None, key[1] or 0, key[2] is None, key[2] or 0


def _from_the_top(plan: PlanLines, parts: set[int]) -> list[int]:
    """Every part after all assemblies that need it."""
    seen: dict[int, None] = {}

    def visit(part: int) -> None:
        if part not in seen:
            for child, _, _ in plan.get(part, ()):
                visit(child)
            seen[part] = None

    for part in sorted(parts):
        visit(part)
    return list(reversed(seen))


def _supply(world: World, due: Mapping[int, Row], order: Sequence[Consumer]) -> dict[int, list[list[Any]]]:
    """What there will be of each part, in its unit: [place, kind, id, instant, quantity left], in order of use."""
    parts = {row["id"]: row for row in rows(world, "parts")}
    units = {row["id"]: row for row in rows(world, "partInventories")}

    def fits(unit: Row) -> bool:
        own = parts.get(unit.get("partId"), {}).get("unitOfMeasureId")
        return unit.get("partId") in parts and (unit.get("unitOfMeasureId") or own) == own

    found: defaultdict[int, list[list[Any]]] = defaultdict(list)
    for unit in units.values():
        if unit.get("status") == "AVAILABLE" and fits(unit) and (unit.get("quantityAvailable") or 0) > 0:
            found[unit["partId"]].append([0, "on_hand", 0, None, unit["quantityAvailable"]])
    orders = {row["id"]: row for row in rows(world, "purchaseOrders")}
    for line in rows(world, "purchaseOrderLines"):
        header, its = orders[line["purchaseOrderId"]], due[line["id"]]
        ordered = line["status"] not in {"DRAFT", "REQUESTED", "APPROVED", "CANCELED"}
        if ordered and header.get("status") != "CANCELED" and not its["is_closed"] and its["quantity_due"] is not None:
            rest = its["quantity_due"] - its["quantity_received"]
            if rest > 0 and line.get("partId") is not None:
                found[line["partId"]].append([1, "purchase_order_line", line["id"], promised(line, header), rest])
    runs = {row["id"]: row for row in rows(world, "runs")}
    for one in order:
        if one.kind == "run":
            unit = units.get(one.unit) if one.unit is not None else None
            quantity = one.quantity if unit is None else unit["quantity"]
            if quantity and (unit is None or (unit.get("status") in {"WIP", "UNAVAILABLE"} and fits(unit))):
                found[one.part].append([1, "run", one.id, instant(runs[one.id].get("dueDate")), quantity])
    for pieces in found.values():
        pieces.sort(key=lambda piece: (piece[0], piece[3] or _LAST, piece[1], piece[2]))
    return found


def _take(pieces: list[list[Any]], quantity: float | None) -> Row:
    """Take a quantity of a part: what is on hand, what comes and from where at last, and what is missing."""
    if quantity is None:
        return {"needed": None, "on_hand": None, "incoming": None, "missing": None, "last": None}
    left, got, last = quantity, {0: 0.0, 1: 0.0}, None
    for piece in pieces:
        taken = min(piece[4], left)
        if taken > 1e-9 * quantity:
            got[piece[0]] += taken
            last = piece if piece[0] else last
            piece[4] -= taken
            left -= taken
    missing = left if left > 1e-9 * quantity else 0.0
    return {"needed": quantity, "on_hand": got[0], "incoming": got[1], "missing": missing, "last": last}


def _substitute(world: World, found: list[Row], plan: PlanLines, stock: dict[int, list[list[Any]]]) -> None:
    """Replace what is missing by what is left on hand of one substitute, of which most was left at the beginning."""
    unit_of = {row["id"]: row.get("unitOfMeasureId") for row in rows(world, "parts")}
    begin = {part: sum(piece[4] for piece in pieces if piece[0] == 0) for part, pieces in stock.items()}
    left = dict(begin)
    for row in sorted(found, key=lambda one: (one["allocation_order"], one["part_id"], *_nulls_last(
        (0, one["notable_part_id"], one["parent_part_id"])
    ))):  # fmt: skip
        row |= {"substitute": None, "substituted": None if row["missing"] is None else 0.0}
        if row["is_made"] or not row["missing"]:
            continue
        named = {
            one
            for part, _, substitutes in plan.get(row["parent_part_id"], ())
            for one in substitutes
            if part == row["part_id"] and one != part and begin.get(one, 0) > 1e-9
            and one in unit_of and unit_of[one] == unit_of.get(part)
        }  # fmt: skip
        if named:
            row["substitute"] = min(named, key=lambda one: (-begin[one], one))
            row["substituted"] = min(row["missing"], left[row["substitute"]])
            left[row["substitute"]] -= row["substituted"]


def _judged(row: Row, consumer: Consumer, today: date) -> Row:
    last = row["last"]
    short = None
    if row["missing"] is not None:
        short = 0.0 if row["is_made"] else row["missing"] - row["substituted"]
    clear = None
    if short is not None and short <= 1e-9 * row["needed"] and not (last and last[3] is None):
        clear = max(today, last[3].date()) if last else today
    return {
        "allocation_order": row["allocation_order"],
        "consumer_type": consumer.kind,
        "consumer_id": consumer.id,
        "notable_part_id": row["notable_part_id"],
        "parent_part_id": row["parent_part_id"],
        "part_id": row["part_id"],
        "is_made": row["is_made"],
        "quantity_needed": row["needed"],
        "quantity_on_hand": row["on_hand"],
        "quantity_incoming": row["incoming"],
        "awaited_id": last[2] if last else None,
        "quantity_to_make": (row["missing"] if row["is_made"] else 0.0) if short is not None else None,
        "substitute_part_id": row["substitute"],
        "quantity_substituted": row["substituted"],
        "quantity_short": short,
        "clear_on": clear,
    }
