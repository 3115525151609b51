"""How far each entity has been read, kept so that a read that was interrupted goes on from there. Pure data.

What is kept are ranges of ids that have been read to the end of a page, so only reads by id are in it: cursors are
offsets, which mean nothing later. A range is entered after its rows have been given to the sink, so whoever keeps the
read_progress together with the rows has both as of the same page.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ion_pipeline.extract.ranges import IdRange


@dataclass(slots=True)
class ReadRange:
    """Ids that have been read.

    Attributes:
        above: Excluded; None for no lower end.
        upto: Included; None before the first row.
        rows: Rows read.
        ended: Nothing was behind it.
    """

    above: int | None = None
    upto: int | None = None
    rows: int = 0
    ended: bool = False


@dataclass(slots=True)
class EntityProgress:
    """One entity.

    Attributes:
        since: It was read for what changed since then; None: it was read in full.
        ranges: What has been read, a read_range for each stream.
        tables: Rows that an interrupted read left, by table; None where there was none. What follows is about it.
        total: Rows that ION counts.
        live: Ids of the rows among them that were there, where it was read for its changes.
        gone: Ids of those that were not.
    """

    since: datetime | None = None
    ranges: list[ReadRange] = field(default_factory=list)
    tables: Mapping[str, int] | None = None
    total: int | None = None
    live: Collection[int] = ()
    gone: Collection[int] = ()

    @property
    def rows(self) -> int:
        """Rows in the ranges."""
        return sum(read_range.rows for read_range in self.ranges)

    @property
    def last(self) -> int | None:
        """Up to where everything has been read; None if nothing has."""
        first = self.merged()[:1]
        return first[0].upto if first and first[0].above is None else None

    def open(self, above: int | None) -> ReadRange:
        """A read_range for a stream that begins to read."""
        self.ranges.append(ReadRange(above))
        return self.ranges[-1]

    def merged(self) -> list[ReadRange]:
        """The ranges in order, with one for each run of ranges without a gap; those without a page are not in it."""
        found: list[ReadRange] = []
        done = (read_range for read_range in self.ranges if read_range.upto is not None or read_range.ended)
        for read_range in sorted(
            done, key=lambda read_range: (read_range.above is not None, read_range.above or 0, read_range.upto or 0)
        ):
            if found and read_range.above is not None and found[-1].upto == read_range.above:
                before = found.pop()
                found.append(ReadRange(before.above, read_range.upto, before.rows + read_range.rows, read_range.ended))
            else:
                found.append(ReadRange(read_range.above, read_range.upto, read_range.rows, read_range.ended))
        return found

    def unread(self) -> list[IdRange]:
        """The ranges that have not been read."""
        gaps: list[IdRange] = []
        ranges, at = self.merged(), None
        for read_range in ranges:
            if read_range.above != at:
                gaps.append(IdRange(at, read_range.above))
            at = read_range.upto
        return gaps if ranges and ranges[-1].ended else [*gaps, IdRange(at, None)]


class ReadProgress:
    """The entries of one load.

    Attributes:
        clock: ION's clock when the interrupted read began; None where there was none.
        page_written: Called whenever a page has been written and entered.
    """

    def __init__(self, *, clock: datetime | None = None) -> None:
        self.clock = clock
        self.page_written: Callable[[], None] = _nothing
        self._entries: dict[str, EntityProgress] = {}

    @classmethod
    def read(cls, document: Mapping[str, Any], clock: datetime) -> "ReadProgress":
        """The read_progress of an interrupted read."""
        read_progress = cls(clock=clock)
        for name, entry in document.items():
            since = datetime.fromisoformat(entry["since"]) if entry["since"] else None
            read_progress._entries[name] = EntityProgress(
                since, [ReadRange(*read_range) for read_range in entry["spans"]]
            )
        return read_progress

    def document(self) -> dict[str, Any]:
        """What `read` reads, as JSON."""
        return {
            name: {
                "since": entry.since.isoformat() if entry.since else None,
                "spans": [
                    (read_range.above, read_range.upto, read_range.rows, read_range.ended)
                    for read_range in entry.merged()
                ],
            }
            for name, entry in self._entries.items()
        }

    def __iter__(self) -> Iterator[tuple[str, EntityProgress]]:
        return iter(self._entries.items())

    def of(self, entity: str, since: datetime | None = None) -> EntityProgress:
        """An entity's entry; a new one if there is none."""
        return self._entries.setdefault(entity, EntityProgress(since))

    def forget(self, entity: str) -> None:
        """The entity is read again from the start, or not at all."""
        self._entries.pop(entity, None)

    def page(self, read_range: ReadRange | None, nodes: Sequence[Mapping[str, Any]]) -> None:
        """A page has been written.

        Args:
            read_range: What it belongs to; None where that is not kept.
            nodes: The page's rows, by ascending id.
        """
        if read_range is not None and nodes:
            read_range.upto = nodes[-1]["id"]
            read_range.rows += len(nodes)
        self.page_written()

    def end(self, read_range: ReadRange | None, until: int | None) -> None:
        """A stream has read all of its range.

        Args:
            read_range: As in `page`.
            until: The range's last id; None if it has no end.
        """
        if read_range is None:
            return
        if until is None:
            read_range.ended = True
            read_range.upto = read_range.above if read_range.upto is None else read_range.upto
        else:
            read_range.upto = until


def _nothing() -> None:
    """Nobody keeps the read_progress."""
