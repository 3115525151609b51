"""The elements that all sections use: section, figure, table, collapsible part and notes."""

from collections.abc import Callable, Iterable, Sequence

from ion_pipeline.report.markup import Child, Markup, tag

# Each drawing exists in two widths, for a page and for a phone: scaled down, its text would be too small to read.
WIDE, NARROW = 820.0, 344.0


def section(name: str, title: str, *children: Child) -> Markup:
    """A section with its heading; the navigation links to its name."""
    return tag("section", tag("h2", title, id=f"{name}-title"), children, id=name, aria_labelledby=f"{name}-title")


def figure(draw: Callable[[float], Markup], caption: Child) -> Markup:
    """A drawing in two widths, of which the style sheet shows one, with a caption that states its content."""
    drawings = [
        tag("div", draw(width), class_=f"drawing {class_}") for width, class_ in ((WIDE, "wide"), (NARROW, "narrow"))
    ]
    return tag("figure", drawings, tag("figcaption", caption))


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    numeric: Iterable[int] = (),
    is_stacked: bool = False,
) -> Markup:
    """A table whose first column names the row; numeric columns are aligned on the right.

    Args:
        title: What the table lists, for screen readers.
        columns: Headings.
        rows: Cells of each row.
        numeric: Positions of the columns with numbers.
        is_stacked: Whether the last cell of a row is below the others on a phone.
    """
    right = set(numeric)

    def cell(place: int, content: Child) -> Markup:
        class_ = "number" if place in right else None
        return tag("td", content, class_=class_) if place else tag("th", content, scope="row", class_=class_)

    head = [
        tag("th", name, scope="col", class_="number" if place in right else None) for place, name in enumerate(columns)
    ]
    body = [tag("tr", [cell(place, content) for place, content in enumerate(row)]) for row in rows]
    return tag(
        "div",
        tag("table", tag("thead", tag("tr", head)), tag("tbody", body), class_="stacked" if is_stacked else None),
        class_="scroll", tabindex=0, role="region", aria_label=title,
    )  # fmt: skip


def collapsible(title: Child, *children: Child, is_open: bool = False) -> Markup:
    """A part of a section that a reader can expand and collapse."""
    return tag("details", tag("summary", title), children, open=is_open, class_="collapsible")


def no_data(reason: str) -> Markup:
    """The text of a section without data."""
    return tag("p", reason, class_="no-data")


def note(*children: Child) -> Markup:
    """A note below a figure or table: how its numbers are counted."""
    return tag("p", children, class_="note")
