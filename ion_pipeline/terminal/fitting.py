"""Tables of answers that leave out no column and no character, however narrow the terminal is.

Where all columns fit, a long text takes several lines in its column. Where they do not, the long texts are on lines of
their own under each row; if the others do not fit either, each row is a list of names and values.
"""

from collections.abc import Collection, Iterator, Sequence

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, JustifyMethod, OverflowMethod, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from ion_pipeline.terminal.text import plain

# Break a long word rather than shorten it.
_FOLD: OverflowMethod = "fold"
# A text in a narrower column is hard to read; one below its row has the whole width.
_TEXT_WIDTH, _BELOW_WIDTH = 16, 34
_GAP, _EDGES, _INDENT = 3, 2, 4


class FittingTable:
    """Rows under headers, as wide as the terminal.

    Args:
        headers: Names of the columns.
        right: Columns that are aligned right.
        below: Columns of long texts, which may be placed below their row.
    """

    def __init__(self, headers: Sequence[str], *, right: Collection[str] = (), below: Collection[str] = ()) -> None:
        self._headers, self._right, self._below = headers, right, below
        self._rows: list[Sequence[Text]] = []

    def add_row(self, *cells: Text) -> None:
        """Add a row with a cell for each column."""
        self._rows.append(cells)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """The table in the first form that fits."""
        every = range(len(self._headers))
        others = [place for place in every if self._headers[place] not in self._below]
        if widths := self._widths(every, options.max_width):
            yield self._columns(widths)
        elif len(others) < len(every) and (widths := self._widths(others, options.max_width)):
            yield self._with_lines_below(widths)
        else:
            yield self._lists()

    def _widths(self, places: Sequence[int], room: int) -> dict[int, int] | None:
        """The widths of columns by their places; None if they do not fit."""
        full = {place: self._longest(place, self._texts(place)) for place in places}
        widths = {place: min(full[place], self._least(place)) for place in places}
        spare = room - sum(widths.values()) - _GAP * (len(places) - 1) - _EDGES
        if spare < 0:
            return None
        for place in places:
            wanted = max(full[place], cell_len(self._headers[place])) - widths[place]
            widths[place] += min(spare, wanted)
            spare -= min(spare, wanted)
        return widths

    def _least(self, place: int) -> int:
        """The width of a column from which its texts are easy to read on several lines."""
        if self._headers[place] in self._below:
            return _BELOW_WIDTH
        return max(_TEXT_WIDTH, self._longest(place, [word for text in self._texts(place) for word in text.split()]))

    def _longest(self, place: int, texts: Sequence[str]) -> int:
        return max(map(cell_len, (*_pieces(self._headers[place]), *texts)))

    def _texts(self, place: int) -> list[str]:
        return [row[place].plain for row in self._rows]

    def _justify(self, place: int) -> JustifyMethod:
        return "right" if self._headers[place] in self._right else "left"

    def _columns(self, widths: dict[int, int]) -> Table:
        grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for place, width in widths.items():
            header = _broken(self._headers[place], width)
            grid.add_column(header, justify=self._justify(place), width=width, overflow=_FOLD)
        for row in self._rows:
            grid.add_row(*(row[place] for place in widths))
        return grid

    def _with_lines_below(self, widths: dict[int, int]) -> RenderableType:
        below = [place for place in range(len(self._headers)) if place not in widths]
        headers = [_broken(name, widths.get(place, cell_len(name))) for place, name in enumerate(self._headers)]
        parts: list[RenderableType] = ["", self._line(widths, headers), *(_indented(headers[place]) for place in below)]
        parts.append(Rule(characters="─", style=""))
        for row in self._rows:
            parts += [self._line(widths, row), *(_indented(row[place]) for place in below if row[place].plain)]
        return Group(*parts, "")

    def _line(self, widths: dict[int, int], cells: Sequence[Text]) -> Padding:
        line = Table.grid(padding=(0, _GAP, 0, 0))
        for place, width in widths.items():
            line.add_column(justify=self._justify(place), width=width, overflow=_FOLD)
        line.add_row(*(cells[place] for place in widths))
        return Padding(line, (0, 0, 0, 1))

    def _lists(self) -> RenderableType:
        parts: list[RenderableType] = [""]
        for row in self._rows:
            grid = Table.grid(padding=(0, _GAP, 0, 0))
            grid.add_column(style="bold", overflow=_FOLD)
            grid.add_column(overflow=_FOLD)
            for name, cell in zip(self._headers, row, strict=True):
                grid.add_row(plain(name), cell)
            parts += [Padding(grid, (0, 0, 0, 1)), ""]
        return Group(*parts)


def _indented(text: Text) -> Padding:
    # In a grid, because the console of the command line does not wrap a text of its own.
    grid = Table.grid()
    grid.add_column(overflow=_FOLD)
    grid.add_row(text)
    return Padding(grid, (0, 0, 0, _INDENT))


def _pieces(header: str) -> list[str]:
    return header.replace("_", "_ ").split(" ")


def _broken(header: str, width: int) -> Text:
    """A header on as many lines as it needs, broken after underscores and at spaces."""
    lines = [""]
    for piece in _pieces(header):
        gap = "" if not lines[-1] or lines[-1].endswith("_") else " "
        if lines[-1] and cell_len(lines[-1]) + len(gap) + cell_len(piece) > width:
            lines.append(piece)
        else:
            lines[-1] += gap + piece
    return Text("\n").join(plain(line, style="bold") for line in lines)
