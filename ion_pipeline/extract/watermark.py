"""Up to which instant everything is known: never later than what rows have been seen to prove.

A row's `_updated` comes from ION's database, the `Date` header from whatever answers for it, and a third clock is this
machine's. Only the first one decides whether a later change is found by its `_updated`, and it cannot be asked. But a
row that was seen proves that the database's clock had passed its `_updated`; and the other two clocks measure the time
since then, even if both are wrong, as long as one of them has not been set forward meanwhile. The database's clock is
therefore at least

    the earlier of   ION's clock now     - the smallest lead it ever had over a row just seen
    and              this machine's now  - the smallest lead that this one had

and a watermark of that instant, or earlier, loses nothing.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from ion_pipeline.catalog.signature import UPDATED
from ion_pipeline.extract.results import ChangeSink


@dataclass(frozen=True, slots=True)
class Clocks:
    """Two clocks at one instant.

    Attributes:
        ion: ION's, by the earliest of its `Date` headers.
        machine: This machine's.
    """

    ion: datetime
    machine: datetime

    @property
    def earliest(self) -> datetime:
        """The one that can lose no rows."""
        return min(self.ion, self.machine)


@dataclass(frozen=True, slots=True)
class Observation:
    """Two clocks, and what the third one had passed by then.

    Attributes:
        clocks: As they were.
        newest: The latest `_updated` known at that instant which was not in the future of either.
    """

    clocks: Clocks
    newest: datetime


def database_time(at: Clocks, observations: Iterable[Observation]) -> datetime | None:
    """The latest instant that the database's clock has certainly passed; None where nothing was ever seen.

    Args:
        at: The clocks now.
        observations: From this read, and from earlier ones.
    """
    seen = list(observations)
    if not seen:
        return None
    ion = max(timedelta(), min(one.clocks.ion - one.newest for one in seen))
    machine = max(timedelta(), min(one.clocks.machine - one.newest for one in seen))
    return min(at.ion - ion, at.machine - machine, at.earliest)


class Witness:
    """A sink that passes everything on, and remembers what the rows prove about the database's clock.

    Args:
        sink: Takes the rows.
        began: The earliest clock when the read began.
        before: How long the read had been going on, interruption included, when this process took it up.
        monotonic: Seconds that only go forwards.
    """

    def __init__(
        self,
        sink: ChangeSink,
        began: datetime | None,
        *,
        before: timedelta = timedelta(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink, self._began, self._before, self._monotonic = sink, began, before, monotonic
        self._from = monotonic()
        self.newest: datetime | None = None
        """An instant that the database's clock had passed when the read began; None before the first row."""

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        """Pass rows on."""
        self._look(batch)
        self._sink.write(table, batch)

    def discard(self, table: str) -> None:
        """Pass it on."""
        self._sink.discard(table)

    def delete(self, table: str, keys: pa.RecordBatch) -> None:
        """Pass it on."""
        self._sink.delete(table, keys)

    def _look(self, batch: pa.RecordBatch) -> None:
        if self._began is None or UPDATED not in batch.schema.names or not batch.num_rows:
            return
        elapsed = self._before + timedelta(seconds=self._monotonic() - self._from)
        column = batch.column(UPDATED)
        latest: datetime | None = pc.max(column).as_py()
        ceiling = self._began + elapsed
        if latest is not None and latest > ceiling:
            # One row dated ahead of all clocks says nothing about them.
            latest = pc.max(column.filter(pc.less_equal(column, pa.scalar(ceiling, column.type)))).as_py()
        if latest is None:
            return
        # What a row read late in a long read proves is about then, not about when the read began.
        at_start = latest - elapsed
        self.newest = at_start if self.newest is None else max(self.newest, at_start)
