"""As-built trees that a reader can expand, below a search that covers all serials and lots."""

from collections import defaultdict
from collections.abc import Sequence

from ion_pipeline.counting import plural
from ion_pipeline.report import numbers
from ion_pipeline.report.layout import no_data, note
from ion_pipeline.report.markup import Child, Markup, tag
from ion_pipeline.report.model import Load, Report, TreeLine
from ion_pipeline.report.where_used import WhereUsed

# Levels that are shown when a unit is expanded.
_OPEN_LEVELS = 2


def as_built(report: Report) -> Child:
    """The search and the units below it, collapsed except the units requested by name, or else the first."""
    trees, used = report.trees.trees, report.where_used
    search = _search(used, report.load) if used.uses else None
    if not trees:
        return [search, no_data("No data: no unit has anything installed.")]
    top_level = len(trees) - report.trees.named
    named = f"{plural(report.trees.named, 'unit')} requested by name and " if report.trees.named else ""
    units, number = [], 0
    for place, lines in enumerate(trees):
        units.append(_unit(lines, number, is_open=place < max(report.trees.named, 1)))
        number += len(lines)
    return [
        search,
        tag(
            "p",
            f"Trees on this page: {named}the {numbers.count(top_level)} newest of "
            f"{plural(report.trees.top_level_count, 'top-level unit')} with something installed in them, "
            f"{plural(sum(map(len, trees)), 'line')} in all.",
        ),
        _expand(),
        tag("div", units, class_="units", id="units"),
        note(
            "×: the quantity installed. Trees that are too large for a page are left out: use ion-pipeline abom show, "  # noqa: RUF001
            "or report --serial."
        ),
    ]


def _search(used: WhereUsed, load: Load | None) -> list[Child]:
    """The search, with what it covers and what it cannot know, before any answer."""
    short = sum(use.is_short for use in used.uses)
    missing = [
        f"{plural(short, 'number')} below a cycle of installations, or deeper than trees go, "
        f"{'is' if short == 1 else 'are'} in more units than counted here; the search marks them, and "
        "ion-pipeline report --recall lists those units."
        if short
        else None,
        f"Installations recorded in {', '.join(used.unread)} were never read from ION; they are missing from every "
        "count."
        if used.unread
        else None,
        "Rows under export control are left out of this data; they are missing from every count."
        if load and load.rows_read is None
        else None,
    ]
    return [
        tag(
            "p",
            f"The search covers all {plural(len(used.uses), 'serial and lot number')} of the data, not only "
            "the trees on this page. It counts the top-level units that contain each one, or something that was split "
            f"off it, as ION was at {numbers.instant(load.read_at if load else None)} UTC. For a recall to print and "
            "to send, use ion-pipeline report --recall.",
            id="covers",
        ),
        [tag("p", sentence, class_="open") for sentence in missing if sentence],
        tag(
            "form",
            tag("label", "Find a serial or lot number", for_="find"),
            tag("input", id="find", type="search", autocomplete="off", spellcheck="false", aria_describedby="found"),
            tag("p", id="found", role="status"),
            tag("ul", id="matches"),
            id="search", role="search", hidden=True,
        ),
    ]  # fmt: skip


def _expand() -> Markup:
    return tag(
        "div",
        tag("button", "Expand all", type="button", id="expand-all"),
        tag("button", "Collapse all", type="button", id="collapse-all"),
        class_="row", id="expand", hidden=True,
    )  # fmt: skip


def _unit(lines: Sequence[TreeLine], number: int, *, is_open: bool) -> Markup:
    """A unit that expands into its lines; built from the last line to the first, so that no recursion is needed."""
    below: dict[int, list[Markup]] = defaultdict(list)
    for place in range(len(lines) - 1, 0, -1):
        line = lines[place]
        children = below.pop(line.depth + 1, [])[::-1]
        content: Child = _line(line)
        if children:
            inner = tag("ul", children)
            content = tag("details", tag("summary", content), inner, open=line.depth < _OPEN_LEVELS)
        below[line.depth].append(tag("li", content, id=f"n{number + place}", tabindex=-1))
    levels = max(line.depth for line in lines)
    size = f"{plural(len(lines) - 1, 'line')}, {plural(levels, 'level')}"
    summary = tag("summary", _line(lines[0]), tag("span", size, class_="detail"), id=f"n{number}")
    body = tag("ul", below[1][::-1]) if below[1] else no_data("Nothing is installed in it.")
    return tag("details", summary, body, class_="unit", open=is_open)


def _line(line: TreeLine) -> list[Child]:
    quantity = (
        tag("span", f"open: {numbers.count(line.quantity_required)} needed", class_="open")
        if line.is_open
        else tag("span", f"× {numbers.count(line.quantity_installed)}", class_="quantity")  # noqa: RUF001 -- times
        if line.depth and line.quantity_installed != 1
        else None
    )
    words = [
        tag("span", line.part, class_="part"),
        tag("span", line.identity, class_="identity") if line.identity else None,
        tag("span", f"@{line.designator}", class_="designator") if line.designator else None,
        quantity,
        tag("span", "substitute", class_="flag") if line.is_substitute else None,
        tag("span", "made on assembly", class_="flag") if line.is_made_on_assembly else None,
        tag("span", line.description.strip().splitlines()[0], class_="description")
        if line.description and line.description.strip()
        else None,
    ]
    return [[word, " "] for word in words if word is not None]
