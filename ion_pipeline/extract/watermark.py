"""Computes the watermark: the instant before which every change is known, as far as the rows read prove it.

Three clocks are involved. ION's database sets a row's `_updated`; the server that answers sets the `Date` header
(called ION's clock); the third clock is this machine's. Only the database's clock decides whether a later change is
found by its `_updated`, and it cannot be read. But each row proves that the database's clock had passed the row's
`_updated` when the row was read. The other two clocks measure the time since then, even if both are wrong, unless both
were set forward meanwhile. The database's clock is therefore at least

    the earlier of   ION's clock now           - the smallest lead it ever had over a row just read
    and              this machine's clock now  - the smallest lead it ever had over a row just read

and a watermark of that instant, or an earlier one, misses no change.
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
        """The earlier of the two: the safe one for a watermark."""
        return min(self.ion, self.machine)


@dataclass(frozen=True, slots=True)
class Observation:
    """Two clocks, and an instant that the database's clock had passed then.

    Attributes:
        clocks: The two clocks.
        newest: The latest `_updated` known at that instant that was not in the future of either clock.
    """

    clocks: Clocks
    newest: datetime


def database_time(at: Clocks, observations: Iterable[Observation]) -> datetime | None:
    """The latest instant that the database's clock has certainly passed; None without observations.

    Args:
        at: The clocks now.
        observations: Observations of this read and of earlier ones.
    """
    seen = list(observations)
    if not seen:
        return None
    ion = max(timedelta(), min(one.clocks.ion - one.newest for one in seen))
    machine = max(timedelta(), min(one.clocks.machine - one.newest for one in seen))
    return min(at.ion - ion, at.machine - machine, at.earliest)


class Witness:
    """A sink that passes everything on, and records what the rows prove about the database's clock.

    Args:
        sink: Takes the rows.
        began: The earlier of the two clocks when the read began.
        before: For a resumed read, the time from its beginning until this process resumed it.
        monotonic: Seconds from a clock that is never set back.
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
        """Pass rows on, and look at their `_updated`."""
        self._look(batch)
        self._sink.write(table, batch)

    def discard(self, table: str) -> None:
        """Pass the call on."""
        self._sink.discard(table)

    def delete(self, table: str, keys: pa.RecordBatch) -> None:
        """Pass the call on."""
        self._sink.delete(table, keys)

    def _look(self, batch: pa.RecordBatch) -> None:
        if self._began is None or UPDATED not in batch.schema.names or not batch.num_rows:
            return
        elapsed = self._before + timedelta(seconds=self._monotonic() - self._from)
        column = batch.column(UPDATED)
        latest: datetime | None = pc.max(column).as_py()
        ceiling = self._began + elapsed
        if latest is not None and latest > ceiling:
            # A row with an `_updated` ahead of all clocks proves nothing about them.
            latest = pc.max(column.filter(pc.less_equal(column, pa.scalar(ceiling, column.type)))).as_py()
        if latest is None:
            return
        # The row proves something about the instant when it was read; subtract the time since the read began.
        at_start = latest - elapsed
        self.newest = at_start if self.newest is None else max(self.newest, at_start)
