"""The clocks of one read: what its watermark may be, what it leaves in the manifest, and what is doubtful of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ion_pipeline.catalog import Catalog, Plan
from ion_pipeline.client import IonClient
from ion_pipeline.client.clock import TOLERANCE, machine_time
from ion_pipeline.extract import EntityResult
from ion_pipeline.extract.results import ChangeSink
from ion_pipeline.extract.watermark import Clocks, Observation, Witness, database_time
from ion_pipeline.lake import Lake, TableRead
from ion_pipeline.lake.manifest import ClockRecord

# Loads that are asked how far the clocks were from a row just seen.
_LOADS = 30


@dataclass
class ReadClock:
    """The clocks of one read.

    Attributes:
        clocks: When it began; None where ION sends no `Date`.
        earlier: What earlier loads saw.
        newest: The latest `_updated` known before it; None where that is not known.
        doubts: What a person should know about the clocks, a sentence each.
    """

    clocks: Clocks | None
    earlier: tuple[Observation, ...] = ()
    newest: datetime | None = None
    doubts: list[str] = field(default_factory=list)
    _witness: Witness | None = None

    @property
    def started_at(self) -> datetime | None:
        """The instant that the read describes."""
        return self.clocks.earliest if self.clocks else None

    def witness(self, sink: ChangeSink, resumed_from: datetime | None) -> Witness:
        """The sink through which the read is to write.

        Args:
            sink: Takes the rows.
            resumed_from: When the interrupted read began that this one goes on with; None where there is none.
        """
        before = timedelta()
        if resumed_from and self.clocks:
            before = max(timedelta(), max(self.clocks.ion, self.clocks.machine) - resumed_from)
            self.clocks = Clocks(min(self.clocks.ion, resumed_from), min(self.clocks.machine, resumed_from))
        self._witness = Witness(sink, self.started_at, before=before)
        return self._witness

    def _observed(self) -> Observation | None:
        seen = [one for one in (self.newest, self._witness and self._witness.newest) if one]
        return Observation(self.clocks, max(seen)) if self.clocks and seen else None

    @property
    def limit(self) -> datetime | None:
        """What no watermark of the read may pass; None where nothing limits it."""
        mine = self._observed()
        return database_time(self.clocks, [*self.earlier, *([mine] if mine else [])]) if self.clocks else None

    def record(self) -> ClockRecord | None:
        """For the manifest."""
        mine = self._observed()
        if self.clocks is None:
            return None
        return ClockRecord(
            self.clocks.ion, self.clocks.machine, mine.newest if mine else None, self.limit, tuple(self.doubts)
        )


async def read_clock(client: IonClient, lake: Lake) -> ReadClock:
    """Read the clocks before anything else is asked, and compare them with each other and with earlier loads'.

    Raises:
        IonApiError: The tenant cannot be asked.
        LakeCorruptionError: A manifest is not readable.
    """
    await client.read_clock()
    ion, machine = client.clock.ion, machine_time()
    if ion is None:
        return ReadClock(None)
    clock = ReadClock(Clocks(ion, machine), tuple(_observations(lake)))
    clock.doubts += _doubts(client, clock, lake)
    return clock


def _doubts(client: IonClient, clock: ReadClock, lake: Lake) -> Iterator[str]:
    clocks = clock.clocks
    if clocks is None:
        return
    if client.clock.spread > TOLERANCE:
        yield f"ION's answers disagree about the time by {_length(client.clock.spread)}: the earliest is believed."
    if abs(clocks.ion - clocks.machine) > TOLERANCE:
        side = "ahead of" if clocks.ion > clocks.machine else "behind"
        yield (
            f"ION's clock is {_length(abs(clocks.ion - clocks.machine))} {side} this machine's: "
            "the earlier of the two is believed."
        )
    load_ids = lake.load_ids()
    if load_ids:
        before = lake.read_manifest(load_ids[-1]).started_at
        if before - clocks.earliest > TOLERANCE:
            yield (
                f"The clock is {_length(before - clocks.earliest)} behind what it was at the last load: "
                "changes are asked for from the earlier instant."
            )


def _length(of: timedelta) -> str:
    seconds = int(of.total_seconds())
    return f"{seconds // 60:,} min" if seconds < 48 * 3600 else f"{seconds // 86400:,} days"


def _observations(lake: Lake) -> Iterator[Observation]:
    for load_id in lake.load_ids()[-_LOADS:]:
        record = lake.read_manifest(load_id).clock
        if record is not None and record.newest is not None:
            yield Observation(Clocks(record.ion, record.machine), record.newest)


def table_reads(
    catalog: Catalog,
    plan: Plan,
    results: Sequence[EntityResult],
    *,
    overlap: timedelta,
    limit: datetime | None,
) -> Mapping[str, TableRead]:
    """How each table of a load was read, for its manifest.

    A table whose entity was not read, or whose list the tenant does not have, is not in the load at all: its rows in
    the warehouse stay as they are.

    Args:
        catalog: Every table.
        plan: How entities were read.
        results: What came.
        overlap: How long a change may take to show after the instant it is dated to.
        limit: What no watermark may pass.
    """
    reads: dict[str, TableRead] = {}
    for result in results:
        is_nested = plan.by_name[result.entity].paging == "nested"
        for table in result.tables:
            is_own = not catalog.tables[table].is_child
            reads[table] = TableRead(
                entity=result.entity,
                strategy=result.strategy,
                # A list may name the same thing twice, and a link is there or not: once is enough.
                nested=is_nested or not is_own,
                total_count=result.total_count if is_own else None,
                query_hash=result.query_hash,
                until=_until(result.watermark, limit, overlap),
                by_owner=result.strategy == "incremental" and not is_own,
                unsettled=result.unsettled if is_own else 0,
            )
    return reads


def _until(watermark: datetime | None, limit: datetime | None, overlap: timedelta) -> datetime | None:
    if watermark is None:
        return None
    # Far enough from the calendar's first year, whatever a row is dated to.
    earliest = datetime(1970, 1, 1, tzinfo=UTC)
    return max(earliest, min(watermark, limit or watermark) - overlap)
