"""One unit's as-built tree, drawn from the published file."""

from dataclasses import dataclass
from pathlib import Path

import duckdb
from rich.markup import escape
from rich.text import Text
from rich.tree import Tree

_TREE = """
select
    depth,
    part_number,
    part_revision,
    part_description,
    serial_number,
    lot_number,
    reference_designator,
    quantity_installed,
    quantity_required,
    is_open_requirement
from genealogy.abom_hierarchy
where root_part_inventory_id = ?
order by sort_key
"""
# A tree that fills a screen and no more: the deepest one with at most this many rows.
_SHOWABLE = """
select root_part_inventory_id
from genealogy.abom_hierarchy
group by all
having count(*) between 5 and ?
order by max(depth) desc, count_if(is_open_requirement) > 0 desc, count(*) desc, root_part_inventory_id
limit 1
"""


@dataclass(frozen=True, slots=True)
class _Line:
    depth: int
    part_number: str
    part_revision: str | None
    part_description: str | None
    serial_number: str | None
    lot_number: str | None
    reference_designator: str | None
    quantity_installed: float | None
    quantity_required: float | None
    is_open_requirement: bool

    def render(self) -> Text:
        """Part, what identifies the unit, where it sits and how many."""
        text = Text.from_markup(f"[bold]{escape(self.part_number)}[/bold]")
        if self.part_revision:
            text.append(f" {self.part_revision}", style="dim")
        if self.serial_number:
            text.append(f"  S/N {self.serial_number}", style="cyan")
        elif self.lot_number:
            text.append(f"  lot {self.lot_number}", style="magenta")
        if self.reference_designator:
            text.append(f"  @{self.reference_designator}", style="yellow")
        if self.is_open_requirement:
            text.append(f"  open: {self.quantity_required:g} needed", style="red")
        elif self.depth and self.quantity_installed not in {None, 1.0}:
            text.append(f"  x {self.quantity_installed:g}")
        if self.part_description:
            text.append(f"  {self.part_description.splitlines()[0][:48]}", style="dim")
        return text


def showable_unit(published: Path, *, max_rows: int = 24) -> int | None:
    """A unit whose tree says much on one screen: deep, small, with something open if there is such a one.

    Returns:
        The unit's part inventory id; None where nothing is installed in anything.
    """
    with duckdb.connect(str(published), read_only=True) as connection:
        row = connection.execute(_SHOWABLE, [max_rows]).fetchone()
    return row[0] if row else None


def as_built_tree(published: Path, part_inventory_id: int) -> Tree | None:
    """Draw the tree of a unit; None if the published file does not know the unit."""
    with duckdb.connect(str(published), read_only=True) as connection:
        lines = [_Line(*row) for row in connection.execute(_TREE, [part_inventory_id]).fetchall()]
    if not lines:
        return None
    root = Tree(lines[0].render(), guide_style="dim")
    branches = [root]
    for line in lines[1:]:
        del branches[line.depth :]
        branches.append(branches[-1].add(line.render()))
    return root
