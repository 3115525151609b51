"""Draws as-built trees: turns rows of `abom_hierarchy` into a tree that rich can print."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from rich.text import Text
from rich.tree import Tree

from ion_pipeline.plain import visible
from ion_pipeline.publish.query import rows_of
from ion_pipeline.publish.read import part_name

_TREE = """
select *
from genealogy.abom_hierarchy
where root_part_inventory_id = $unit
order by sort_key
"""
# A tree that fits on one screen: the deepest one with at most this many rows.
_SHOWABLE = """
select root_part_inventory_id
from genealogy.abom_hierarchy
group by all
having count(*) between 5 and ?
order by max(depth) desc, count_if(is_open_requirement) > 0 desc, count(*) desc, root_part_inventory_id
limit 1
"""


def showable_unit(published: Path, *, max_rows: int = 24) -> int | None:
    """A unit whose tree suits one screen: small and deep, if possible with an open requirement.

    Returns:
        The unit's part inventory id; None if no unit has anything installed.
    """
    with duckdb.connect(str(published), read_only=True) as connection:
        row = connection.execute(_SHOWABLE, [max_rows]).fetchone()
    return row[0] if row else None


def as_built_tree(published: Path, part_inventory_id: int) -> Tree | None:
    """Draw the tree of a unit; None if the published file does not contain the unit."""
    with duckdb.connect(str(published), read_only=True) as connection:
        lines = rows_of(connection, _TREE, {"unit": part_inventory_id})
    return drawn_tree(lines) if lines else None


def drawn_tree(lines: Sequence[Mapping[str, Any]]) -> Tree:
    """Draw rows that are in display order, the root first."""
    root = Tree(_line(lines[0]), guide_style="dim")
    branches = [root]
    for line in lines[1:]:
        del branches[line["depth"] :]
        branches.append(branches[-1].add(_line(line)))
    return root


def _line(line: Mapping[str, Any]) -> Text:
    """Part, serial or lot number, designator and quantity of a line."""
    text = Text().append(visible(part_name(line["part_number"], line.get("part_id"))), style="bold")
    if line["part_revision"]:
        text.append(f" {visible(line['part_revision'])}", style="dim")
    if line["serial_number"]:
        text.append(f"  S/N {visible(line['serial_number'])}", style="cyan")
    elif line["lot_number"]:
        text.append(f"  lot {visible(line['lot_number'])}", style="magenta")
    if line["reference_designator"]:
        text.append(f"  @{visible(line['reference_designator'])}", style="yellow")
    if line["is_open_requirement"]:
        text.append(f"  open: {line['quantity_required']:g} needed", style="red")
    elif line["depth"] and line["quantity_installed"] is None:
        text.append("  x ?")
    elif line["depth"] and line["quantity_installed"] != 1:
        text.append(f"  x {line['quantity_installed']:g}")
    if line.get("is_substitute"):
        text.append("  substitute", style="yellow")
    if line["is_made_on_assembly"]:
        text.append("  made on assembly", style="blue")
    if line["part_description"]:
        # A description may begin with line feeds, or contain nothing else.
        first = next(iter(line["part_description"].strip().splitlines()), "")
        text.append(f"  {visible(first[:48])}", style="dim")
    return text
