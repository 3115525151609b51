"""Impossible states of a world's as-built record, found by checking its rows one by one."""

from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from typing import Any

from tests.oracle.bom import Bom
from tests.oracle.lines import Generation, Line, number, rows
from tests.oracle.world import Row, World


def anomalies(world: World, generation: Generation) -> list[Row]:
    """Rows of ``genealogy_anomalies``: kind, key, and the ids that prove the finding."""
    bom = Bom.of(world, generation)
    installed = [line for line in bom.all_lines if line.child is not None]
    found = [*_rings(bom, installed), *_too_often(bom, installed), *_scrapped(world, bom, installed, generation)]
    found += _late(world, bom, installed)
    if generation != 1:
        found += [
            _finding("installation_without_requirement", row["id"], [row.get("partInventoryId")], [row])
            for row in _dangling(world)
        ]
    return found


def _rings(bom: Bom, installed: list[Line]) -> Iterator[Row]:
    waiting = {unit for edge in bom.cycles for unit in edge}
    while waiting:
        ring = {min(waiting)}
        while more := {v for edge in bom.cycles if set(edge) & ring for v in edge} - ring:
            ring |= more
        waiting -= ring
        inside = [line for line in installed if (line.parent, line.child) in bom.cycles and line.parent in ring]
        yield _finding("cycle", min(ring), ring, inside)


def _too_often(bom: Bom, installed: list[Line]) -> Iterator[Row]:
    of_unit: dict[int, dict[tuple[int, int | None], Line]] = {}
    for line in installed:
        assert line.child is not None
        of_unit.setdefault(line.child, {})[line.generation, line.installation] = line
    for unit, once in of_unit.items():
        tracking = bom.label(unit)["tracking_type"]
        if tracking == "SERIAL" and len(once) > 1:
            yield _finding("serial_installed_twice", unit, [unit], once.values())
        used = sum((line.quantity or Fraction(0) for line in once.values()), Fraction(0))
        held = number(bom.units[unit].get("quantity"))
        if tracking == "LOT" and held is not None and used - held > used / 10**9:
            yield _finding("lot_over_installed", unit, [unit], once.values())


def _scrapped(world: World, bom: Bom, installed: list[Line], generation: Generation) -> Iterator[Row]:
    dangling = [] if generation == 1 else _dangling(world)
    for unit, row in bom.units.items():
        is_serial = bom.label(unit)["tracking_type"] == "SERIAL"
        if row.get("status") == "SCRAPPED" or (is_serial and (row.get("quantityScrapped") or 0) > 0):
            proof = [line for line in installed if line.child == unit]
            proof += [row for row in dangling if row.get("partInventoryId") == unit]
            if proof:
                yield _finding("installed_while_scrapped", unit, [unit], proof)


def _late(world: World, bom: Bom, installed: list[Line]) -> Iterator[Row]:
    runs: dict[int | None, list[Row]] = {}
    for row in rows(world, "runs"):
        if row.get("status") != "CANCELED":
            runs.setdefault(row.get("partInventoryId"), []).append(row)
    for line in installed:
        own = runs.get(line.parent, [])
        done = all(row.get("status") in {"COMPLETE", "PARTIAL_COMPLETE"} and row.get("endTime") for row in own)
        if not own or not done or line.child is None:
            continue
        completed = max(datetime.fromisoformat(row["endTime"]) for row in own)
        if datetime.fromisoformat(bom.units[line.child]["_created"]) > completed:
            key = f"{line.parent}:{line.generation}:{line.installation}"
            yield _finding("child_newer_than_completion", key, [line.child], [line])


def _dangling(world: World) -> list[Row]:
    known = {row["id"] for row in rows(world, "buildRequirements")}
    return [row for row in rows(world, "abomInstallations") if row.get("buildRequirementId") not in known]


def _finding(anomaly: str, key: object, units: Any, proof: Any) -> Row:
    lines = [line for line in proof if isinstance(line, Line)]
    found = [row for row in proof if not isinstance(row, Line)]
    requirements = {line.requirement for line in lines} | {row.get("buildRequirementId") for row in found}
    return {
        "anomaly_key": f"{anomaly}:{key}",
        "anomaly": anomaly,
        "part_inventory_ids": sorted(set(units) - {None}),
        "build_requirement_ids": sorted(requirements - {None}),
        "abom_installation_ids": sorted({line.installation for line in lines} | {row["id"] for row in found}),
    }
