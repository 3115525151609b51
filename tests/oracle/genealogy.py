"""Installations, trees and where-used of a world, computed the obvious way.

Quantities are exact fractions.  This module does not read a warehouse.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from tests.oracle.bom import Bom
from tests.oracle.lines import Generation, rows
from tests.oracle.world import Row, World, read_world_dir

__all__ = ["Generation", "hierarchy", "installations", "read_world_dir", "where_used"]


def installations(world: World, generation: Generation) -> list[Row]:
    """Rows of ``abom_installations``: one per (installation, parent unit), quarantined ones included."""
    bom = Bom.of(world, generation)
    names = {row["id"]: row.get("name") for row in rows(world, "users")}
    return [
        {
            "abom_generation": line.generation,
            "abom_installation_id": line.installation,
            "build_requirement_id": line.requirement,
            "parent_part_inventory_id": line.parent,
            "child_part_inventory_id": line.child,
            **{f"parent_{name}": value for name, value in bom.label(line.parent).items() if name in _ENDS},
            **{f"child_{name}": value for name, value in bom.label(line.child).items() if name in _ENDS},
            "reference_designator": line.designator,
            "quantity": line.quantity,
            "is_made_on_assembly": line.made_on_assembly,
            "is_quarantined": (line.parent, line.child) in bom.cycles,
            "installed_at": line.installed_at,
            "installed_by_id": line.installed_by,
            "installed_by": None if line.installed_by is None else names.get(line.installed_by),
        }
        for line in bom.all_lines
        if line.child is not None
    ]


def hierarchy(world: World, generation: Generation) -> list[Row]:
    """Rows of ``abom_hierarchy`` for every unit as root.

    ``path`` is the tuple of edges from the root: ``i<installation id>``, or ``r<requirement id>`` if open.
    """
    bom = Bom.of(world, generation)
    return [row for unit in bom.units for row in _tree(bom, unit)]


def where_used(world: World, generation: Generation) -> list[Row]:
    """Rows of ``abom_where_used``: every (component, ancestor) connected by at least one path.

    ``quantity_extended`` is unknown (None) where it is unknown along any of the paths.
    """
    bom = Bom.of(world, generation)
    memory: dict[int, dict[int, _Use]] = {}
    return [
        {
            "component_part_inventory_id": component,
            "ancestor_part_inventory_id": ancestor,
            **{f"component_{name}": value for name, value in bom.label(component).items() if name in _ENDS},
            **{f"ancestor_{name}": value for name, value in bom.label(ancestor).items() if name in _ENDS},
            "is_top_level": ancestor not in bom.installed,
            "min_depth": use.depth,
            "path_count": use.paths,
            "quantity_extended": use.extended,
        }
        for ancestor in bom.units
        for component, use in _below(bom, ancestor, memory).items()
    ]


_ENDS = ("part_id", "part_number", "part_revision", "serial_number", "lot_number")


def _tree(bom: Bom, unit: int) -> Iterator[Row]:
    root: Row = {
        "root_part_inventory_id": unit,
        "path": (),
        "depth": 0,
        "part_inventory_id": unit,
        "parent_part_inventory_id": None,
        "build_requirement_id": None,
        "abom_installation_id": None,
        **bom.label(unit),
        "reference_designator": None,
        "quantity_required": None,
        "quantity_installed": Fraction(1),
        "quantity_extended": Fraction(1),
        "is_open_requirement": False,
        "is_made_on_assembly": False,
        "path_ids": (unit,),
    }
    yield root
    yield from _branches(bom, root)


def _branches(bom: Bom, above: Row) -> Iterator[Row]:
    for line in bom.kept.get(above["part_inventory_id"], ()):
        is_open = line.child is None
        path = (*above["path"], f"r{line.requirement}" if is_open else f"i{line.installation}")
        row: Row = {
            "root_part_inventory_id": above["root_part_inventory_id"],
            "path": path,
            "depth": len(path),
            "part_inventory_id": line.child,
            "parent_part_inventory_id": line.parent,
            "build_requirement_id": line.requirement,
            "abom_installation_id": line.installation,
            **bom.label(line.child, line.part),
            "reference_designator": line.designator,
            "quantity_required": line.required,
            "quantity_installed": line.quantity,
            "quantity_extended": line.quantity if is_open else _times(above["quantity_extended"], bom.per_piece(line)),
            "is_open_requirement": is_open,
            "is_made_on_assembly": line.made_on_assembly,
            "path_ids": above["path_ids"] if is_open else (*above["path_ids"], line.child),
        }
        yield row
        if not is_open:
            yield from _branches(bom, row)


@dataclass
class _Use:
    """The use of one component in one ancestor, over all paths."""

    depth: int
    paths: int
    extended: Fraction | None


def _below(bom: Bom, unit: int, memory: dict[int, dict[int, _Use]]) -> dict[int, _Use]:
    """Everything inside a unit, computed from the contents of its children: no path is walked twice."""
    if unit not in memory:
        uses: dict[int, _Use] = {}
        for line in bom.kept.get(unit, ()):
            if line.child is None:
                continue
            each = bom.per_piece(line)
            _add(uses, line.child, _Use(1, 1, each))
            for component, use in _below(bom, line.child, memory).items():
                _add(uses, component, _Use(use.depth + 1, use.paths, _times(each, use.extended)))
        memory[unit] = uses
    return memory[unit]


def _add(uses: dict[int, _Use], component: int, more: _Use) -> None:
    use = uses.get(component)
    if use is None:
        uses[component] = more
        return
    use.depth = min(use.depth, more.depth)
    use.paths += more.paths
    use.extended = None if use.extended is None or more.extended is None else use.extended + more.extended


def _times(a: Fraction | None, b: Fraction | None) -> Fraction | None:
    return None if a is None or b is None else a * b
