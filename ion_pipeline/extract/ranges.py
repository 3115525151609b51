"""Where to cut an entity's ids so that several streams read it concurrently. Pure arithmetic.

This costs no extra request: the first page of a range shows how many rows follow and how dense its ids are, and the
pieces are cut as if the rest were as dense. If it is not, a piece may be too large, which its own first page shows, so
that it is cut again; or it may be empty, which costs one request.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

_FEWEST_PAGES = 4
_MOST_CUTS = 4


@dataclass(frozen=True, slots=True)
class IdRange:
    """A range of ids, above one id and up to another.

    Attributes:
        above: Excluded; None for no lower end.
        until: Included; None for no upper end.
    """

    above: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Cutter:
    """Cuts a range that is too large for one stream.

    Attributes:
        page_size: Rows of a page.
        streams: Requests that may be in flight.
        piece_rows: Rows of a piece; 0 before the first cut, which decides it.
        cuts: How often the range has been cut so far. Limited, because cutting does not help if ids are very uneven.
    """

    page_size: int
    streams: int
    piece_rows: int = 0
    cuts: int = 0

    def pieces(self, ids: Sequence[int], left: int, until: int | None) -> list[IdRange]:
        """The ranges into which the rest of a range is cut; empty if one stream reads it alone.

        Args:
            ids: The ids of the range's first page, ascending.
            left: Rows that follow the page.
            until: The range's last id; None for no end.
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
        """The cutter for the pieces of a range in which this many rows are left."""
        return replace(self, piece_rows=self._rows(left), cuts=self.cuts + 1)

    def _rows(self, left: int) -> int:
        # Twice as many pieces as streams, so that no stream is idle for long at the end.
        pages = ceil(left / self.page_size / (2 * self.streams))
        return self.piece_rows or self.page_size * max(_FEWEST_PAGES, pages)
