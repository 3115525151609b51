"""The clocks of one read: the limit of its watermarks, the record in the manifest, and doubts about the clocks."""

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

# Number of latest loads whose clock records are compared.
_LOADS = 30


@dataclass
class ReadClock:
    """The clocks of one read.

    Attributes:
        clocks: Start of the read by each clock; None if ION sends no `Date` header.
        earlier: Observations of earlier loads.
        newest: The latest `_updated` known before the read; None if there is none.
        doubts: One sentence for each doubt about the clocks.
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
        """Wrap the sink of the read, to observe the latest `_updated` among its rows.

        Args:
            sink: The sink that stores the rows.
            resumed_from: Start of the interrupted read that this read resumes; None if it resumes none.
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
        """The latest instant that a watermark of the read may have; None for no limit."""
        mine = self._observed()
        return database_time(self.clocks, [*self.earlier, *([mine] if mine else [])]) if self.clocks else None

    def record(self) -> ClockRecord | None:
        """The clock record for the manifest; None if ION sends no `Date` header."""
        mine = self._observed()
        if self.clocks is None:
            return None
        return ClockRecord(
            self.clocks.ion, self.clocks.machine, mine.newest if mine else None, self.limit, tuple(self.doubts)
        )


async def read_clock(client: IonClient, lake: Lake) -> ReadClock:
    """Read the clocks before any other request, and compare them with each other and with those of earlier loads.

    Raises:
        IonApiError: A request to the tenant fails.
        LakeCorruptionError: A manifest cannot be read.
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
        yield f"The times in ION's answers differ by {_length(client.clock.spread)}: the earliest one is used."
    if abs(clocks.ion - clocks.machine) > TOLERANCE:
        side = "ahead of" if clocks.ion > clocks.machine else "behind"
        yield (
            f"ION's clock is {_length(abs(clocks.ion - clocks.machine))} {side} this machine's: "
            "the earlier of the two is used."
        )
    load_ids = lake.load_ids()
    if load_ids:
        before = lake.read_manifest(load_ids[-1]).started_at
        if before - clocks.earliest > TOLERANCE:
            yield (
                f"The clock is {_length(before - clocks.earliest)} behind the start of the last load: "
                "changes are requested from the earlier instant on."
            )


def _length(duration: timedelta) -> str:
    seconds = int(duration.total_seconds())
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

    A table whose entity was not read, or whose list the tenant does not have, is not in the load, so its rows in the
    warehouse do not change.

    Args:
        catalog: Every table.
        plan: How the entities were read.
        results: The results of the read.
        overlap: How long after its `_updated` a change may become visible.
        limit: The latest instant that a watermark may have.
    """
    reads: dict[str, TableRead] = {}
    for result in results:
        entity = plan.by_name[result.entity]
        for table in result.tables:
            is_own, is_list = table == result.entity, catalog.tables[table].is_child
            is_replaced = result.strategy == "incremental" and is_list
            reads[table] = TableRead(
                entity=result.entity,
                strategy=result.strategy,
                # A list may name the same thing twice; duplicate links carry no information, so one is kept.
                nested=entity.paging == "nested" or not is_own,
                total_count=result.total_count if is_own else None,
                query_hash=result.query_hash,
                until=_until(result.watermark, limit, overlap),
                by_owner=is_replaced,
                # In a list with a root connection, rows are replaced one by one, whichever owner they have now.
                replaced_by="id" if is_replaced and is_own else "",
                unsettled=result.unsettled if is_own else 0,
            )
    return reads


def _until(watermark: datetime | None, limit: datetime | None, overlap: timedelta) -> datetime | None:
    if watermark is None:
        return None
    # The subtraction below must not pass the minimum of `datetime`, whatever the date of a row.
    earliest = datetime(1970, 1, 1, tzinfo=UTC)
    return max(earliest, min(watermark, limit or watermark) - overlap)
