"""How far each entity has been read, kept so that a read that was interrupted goes on from there. Pure data.

What is kept are ranges of ids that have been read to the end of a page, so only reads by id are in it: cursors are
offsets, which mean nothing later. A range is entered after its rows have been given to the sink, so whoever keeps the
ledger together with the rows has both as of the same page.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ion_pipeline.extract.ranges import IdRange


@dataclass(slots=True)
class Span:
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
class Entry:
    """One entity.

    Attributes:
        since: It was read for what changed since then; None: it was read in full.
        spans: What has been read, a span for each stream.
        tables: Rows that an interrupted read left, by table; None where there was none. What follows is about it.
        total: Rows that ION counts.
        live: Ids of the rows among them that were there, where it was read for its changes.
        gone: Ids of those that were not.
    """

    since: datetime | None = None
    spans: list[Span] = field(default_factory=list)
    tables: Mapping[str, int] | None = None
    total: int | None = None
    live: Collection[int] = ()
    gone: Collection[int] = ()

    @property
    def rows(self) -> int:
        """Rows in the spans."""
        return sum(span.rows for span in self.spans)

    @property
    def last(self) -> int | None:
        """Up to where everything has been read; None if nothing has."""
        first = self.merged()[:1]
        return first[0].upto if first and first[0].above is None else None

    def open(self, above: int | None) -> Span:
        """A span for a stream that begins to read."""
        self.spans.append(Span(above))
        return self.spans[-1]

    def merged(self) -> list[Span]:
        """The spans in order, with one for each run of spans without a gap; those without a page are not in it."""
        found: list[Span] = []
        done = (span for span in self.spans if span.upto is not None or span.ended)
        for span in sorted(done, key=lambda span: (span.above is not None, span.above or 0, span.upto or 0)):
            if found and span.above is not None and found[-1].upto == span.above:
                before = found.pop()
                found.append(Span(before.above, span.upto, before.rows + span.rows, span.ended))
            else:
                found.append(Span(span.above, span.upto, span.rows, span.ended))
        return found

    def left(self) -> list[IdRange]:
        """The ranges that have not been read."""
        gaps: list[IdRange] = []
        spans, at = self.merged(), None
        for span in spans:
            if span.above != at:
                gaps.append(IdRange(at, span.above))
            at = span.upto
        return gaps if spans and spans[-1].ended else [*gaps, IdRange(at, None)]


class Ledger:
    """The entries of one load.

    Attributes:
        clock: ION's clock when the interrupted read began; None where there was none.
        page_written: Called whenever a page has been written and entered.
    """

    def __init__(self, *, clock: datetime | None = None) -> None:
        self.clock = clock
        self.page_written: Callable[[], None] = _nothing
        self._entries: dict[str, Entry] = {}

    @classmethod
    def read(cls, document: Mapping[str, Any], clock: datetime) -> "Ledger":
        """The ledger of an interrupted read."""
        ledger = cls(clock=clock)
        for name, entry in document.items():
            since = datetime.fromisoformat(entry["since"]) if entry["since"] else None
            ledger._entries[name] = Entry(since, [Span(*span) for span in entry["spans"]])
        return ledger

    def document(self) -> dict[str, Any]:
        """What `read` reads, as JSON."""
        return {
            name: {
                "since": entry.since.isoformat() if entry.since else None,
                "spans": [(span.above, span.upto, span.rows, span.ended) for span in entry.merged()],
            }
            for name, entry in self._entries.items()
        }

    def __iter__(self) -> Iterator[tuple[str, Entry]]:
        return iter(self._entries.items())

    def of(self, entity: str, since: datetime | None = None) -> Entry:
        """An entity's entry; a new one if there is none."""
        return self._entries.setdefault(entity, Entry(since))

    def forget(self, entity: str) -> None:
        """The entity is read again from the start, or not at all."""
        self._entries.pop(entity, None)

    def page(self, span: Span | None, nodes: Sequence[Mapping[str, Any]]) -> None:
        """A page has been written.

        Args:
            span: What it belongs to; None where that is not kept.
            nodes: The page's rows, by ascending id.
        """
        if span is not None and nodes:
            span.upto = nodes[-1]["id"]
            span.rows += len(nodes)
        self.page_written()

    def end(self, span: Span | None, until: int | None) -> None:
        """A stream has read all of its range.

        Args:
            span: As in `page`.
            until: The range's last id; None if it has no end.
        """
        if span is None:
            return
        if until is None:
            span.ended = True
            span.upto = span.above if span.upto is None else span.upto
        else:
            span.upto = until


def _nothing() -> None:
    """Nobody keeps the ledger."""
