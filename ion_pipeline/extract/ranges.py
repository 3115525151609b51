"""Where to cut an entity's ids so that several streams read it side by side. Pure arithmetic.

Nothing is asked for it: the first page of a range tells how many rows are left behind it and how close together ids
are, and the pieces are cut as if that held for the rest. Where it does not, a piece turns out too large at its own
first page and is cut again, or turns out empty, which costs one request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

_FEWEST_PAGES = 4
_MOST_CUTS = 4


@dataclass(frozen=True, slots=True)
class IdRange:
    """The ids above one and up to another.

    Attributes:
        above: Excluded; None for no lower end.
        until: Included; None for no upper end.
    """

    above: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts what one stream should not read alone.

    Attributes:
        page_size: Rows of a page.
        streams: Requests that may be in flight.
        piece_rows: Rows of a piece; 0 until the first cut decides.
        cuts: Cuts made on the way here. They are bounded: ids may lie so unevenly that cutting does not help.
    """

    page_size: int
    streams: int
    piece_rows: int = 0
    cuts: int = 0

    def pieces(self, ids: Sequence[int], left: int, until: int | None) -> list[IdRange]:
        """The ranges that what is left behind a page is read in; none where one stream reads on alone.

        Args:
            ids: The page's ids, ascending.
            left: Rows behind the page.
            until: The last id of the range that the page was the first of; None for no end.
        """
        rows = self._rows(left)
        if not ids or self.streams == 1 or left <= 2 * rows or self.cuts >= _MOST_CUTS:
            return []
        width = ceil(rows * (ids[-1] - ids[0] + 1) / len(ids))
        ends = [ids[-1] + width * number for number in range(1, ceil(left / rows))]
        if until is not None:
            ends = [end for end in ends if end < until]
        return [IdRange(above, end) for above, end in zip([ids[-1], *ends], [*ends, until], strict=True)]

    def further(self, left: int) -> "Cutter":
        """For the pieces of a range with so many rows left."""
        return replace(self, piece_rows=self._rows(left), cuts=self.cuts + 1)

    def _rows(self, left: int) -> int:
        # Twice as many pieces as streams, so that none waits long for the last ones.
        pages = ceil(left / self.page_size / (2 * self.streams))
        return self.piece_rows or self.page_size * max(_FEWEST_PAGES, pages)
