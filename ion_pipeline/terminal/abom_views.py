"""Output of `ion-pipeline abom`: differences as coloured trees, uses and plans as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text
from rich.tree import Tree

from ion_pipeline.publish.read import identity, part_name
from ion_pipeline.terminal.fitting import FittingTable
from ion_pipeline.terminal.text import plain

Row = Mapping[str, Any]

# Sign and colour of a change; any other change is neither an addition nor a removal.
_SIGNS = {
    "installed": ("+", "green"),
    "requirement_added": ("+", "green"),
    "missing": ("-", "red"),
    "uninstalled": ("-", "red"),
    "requirement_removed": ("-", "red"),
    "indirect": (".", "dim"),
}
_OTHER_CHANGE = ("~", "yellow")
_CONFORMS = {"conforming": "green", "conforming_substitute": "yellow", "conforming_revision": "yellow"}


def drawn_changes(changes: Sequence[Row], before: str, after: str) -> Tree:
    """Draw changes in a tree of the places where they occur."""
    root = Tree(
        Text.assemble(plain(f"- {before}", "red"), "\n", plain(f"+ {after}", "green")),
        guide_style="dim",
    )
    places: dict[str, Tree] = {}
    for change in changes:
        branch, path = root, ""
        *above, _ = change["path_text"].split(" > ")[1:]
        for step in above:
            path = f"{path} > {step}"
            if path not in places:
                places[path] = branch.add(plain(step, style="bold"))
            branch = places[path]
        branch.add(_change(change))
    return root


def changes_line(changes: Sequence[Row]) -> str:
    """A sentence that counts the lines that differ, by kind of change."""
    if not changes:
        return "No difference in part, revision, quantity or designator, at any level."
    kinds: dict[str, int] = {}
    for change in changes:
        kinds[change["change"]] = kinds.get(change["change"], 0) + 1
    counted = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(kinds.items()))
    return f"{len(changes)} lines differ: {counted}."


def uses_view(uses: Sequence[Row]) -> FittingTable:
    """The units that contain a unit, nearest first; top-level units are marked."""
    of_splits = any(use["is_of_split"] for use in uses)
    headers = ["levels up", "part", "rev", "serial or lot", "places", "quantity", ""]
    grid = FittingTable([*headers, *(["contains"] if of_splits else [])], right=["levels up", "quantity"])
    for use in uses:
        top = use["is_top_level"]
        grid.add_row(
            plain(str(use["min_depth"])),
            plain(part_name(use["ancestor_part_number"], use.get("ancestor_part_id")), style="bold" if top else ""),
            plain(use["ancestor_part_revision"] or ""),
            plain(_identity(use, "ancestor_"), style="cyan"),
            plain(str(use["path_count"])),
            plain(_number(use["quantity_extended"])),
            plain("top level" if top else "", style="yellow"),
            *([plain(_component(use), style="dim")] if of_splits else []),
        )
    return grid


def _component(use: Row) -> str:
    split = "split " if use["is_of_split"] else ""
    number = use["component_serial_number"] or use["component_lot_number"] or ""
    return f"{split}#{use['component_part_inventory_id']} {number}"


def recall_view(affected: Sequence[Row]) -> FittingTable:
    """The top-level units that a recall affects, each with the shortest path down to the cause."""
    shortest = "shortest way down"
    headers = ["part", "serial or lot", "status", "quantity", "places", shortest]
    grid = FittingTable(headers, right=["quantity"], below=[shortest])
    for unit in affected:
        grid.add_row(
            plain(_part(unit), style="bold"),
            plain(_identity(unit), style="cyan"),
            plain(unit["status"] or ""),
            plain(_number(unit["quantity_extended"])),
            plain(str(unit["path_count"])),
            plain(unit["path_text"], style="dim"),
        )
    return grid


def outside_view(units: Sequence[Row]) -> FittingTable:
    """Units of a recall that are in no tree with the cause."""
    grid = FittingTable(["part", "serial or lot", "status", "location"], below=["location"])
    for unit in units:
        grid.add_row(
            plain(_part(unit), style="bold"),
            plain(_identity(unit), style="cyan"),
            plain(unit["status"] or ""),
            plain(unit["location_path"] or "", style="dim"),
        )
    return grid


def conformance_view(lines: Sequence[Row]) -> FittingTable:
    """A unit and the units in it compared with their plans, line by line."""
    headers = ["status", "places", "planned", "qty planned", "installed", "qty installed", "unit"]
    grid = FittingTable(headers, right=["qty planned", "qty installed"], below=["unit"])
    for line in lines:
        status, places = line["status"], line.get("designator_match")
        planned = _part(line)
        grid.add_row(
            plain(status, style=_CONFORMS.get(status, "red")),
            plain((places or "").replace("_", " "), style="red" if places == "mismatch" else "dim"),
            plain("" if status == "unplanned" else planned),
            plain(_number(line["quantity_planned"])),
            plain(", ".join(line["installed_part_numbers"])),
            plain(_number(line["quantity_installed"])),
            plain(_place(line), style="dim"),
        )
    return grid


def _place(line: Row) -> str:
    count = line["place_count"]
    return line["path_text"] if count == 1 else f"{line['path_text']} (and {count - 1} more)"


def _change(change: Row) -> Text:
    sign, colour = _SIGNS.get(change["change"], _OTHER_CHANGE)
    text = Text.assemble(
        (f"{sign} ", colour), plain(change["line"], "bold"), "  ", (change["change"].replace("_", " "), colour)
    )
    sides = [_side(change, side) for side in ("before", "after")]
    text.append("  ")
    text.append_text(plain(" -> ".join(side for side in sides if side)))
    return text


def _side(change: Row, side: str) -> str:
    if change[f"part_number_{side}"] is None:
        return ""
    words = [change[f"part_number_{side}"], change[f"part_revision_{side}"]]
    words.append(f"x {_number(change[f'quantity_{side}'])}")
    if change[f"reference_designator_{side}"]:
        words.append(f"@{change[f'reference_designator_{side}']}")
    identity = change[f"serial_number_{side}"] or change[f"lot_number_{side}"]
    if identity:
        words.append(f"({identity})")
    return " ".join(word for word in words if word)


def _part(row: Row) -> str:
    return " ".join(filter(None, (part_name(row["part_number"], row.get("part_id")), row["part_revision"])))


def _identity(row: Row, prefix: str = "") -> str:
    return identity(*(row[f"{prefix}{name}"] for name in ("serial_number", "lot_number", "part_inventory_id")))


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.9g}"
