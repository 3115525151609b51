"""A watermark never passes what rows have proved, whatever two of the three clocks say."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ion_pipeline.extract.watermark import Clocks, Observation, Witness, database_time

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
spans = st.timedeltas(timedelta(), timedelta(days=30))
errors = st.timedeltas(-timedelta(days=3), timedelta(days=3))


class Nowhere:
    """A sink that keeps nothing."""

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        pass

    def discard(self, table: str) -> None:
        pass

    def delete(self, table: str, keys: pa.RecordBatch) -> None:
        pass


@given(
    loads=st.lists(st.tuples(spans, spans), min_size=1, max_size=6),
    ion=errors,
    machine=errors,
    later=spans,
    jump=errors,
    set_alone=st.sampled_from([(1, 0), (0, 1), (0, 0)]),
)
def test_no_watermark_is_later_than_the_databases_clock(  # noqa: PLR0917  # the two clocks and what is done to them
    loads: list[tuple[timedelta, timedelta]],
    ion: timedelta,
    machine: timedelta,
    later: timedelta,
    jump: timedelta,
    set_alone: tuple[int, int],
) -> None:
    """Both clocks may be wrong by days, and one of the two may be set at any time."""
    database, seen = NOON, []
    for passed, quiet in loads:
        database += passed
        clocks = Clocks(database + ion, database + machine)
        newest = database - quiet
        if newest <= clocks.earliest:
            seen.append(Observation(clocks, newest))
    database += later
    now = Clocks(database + ion + set_alone[0] * jump, database + machine + set_alone[1] * jump)
    known = database_time(now, seen)
    assert (known is None) == (not seen)
    if known is not None:
        assert known <= database


def test_it_moves_on_with_the_clocks_where_nobody_works() -> None:
    seen = Observation(Clocks(NOON, NOON), NOON - 2 * MINUTE)
    for passed in (timedelta(), 10 * MINUTE, timedelta(days=7)):
        now = Clocks(NOON + passed, NOON + passed)
        assert database_time(now, [seen]) == NOON - 2 * MINUTE + passed


def rows(*instants: datetime | None) -> pa.RecordBatch:
    return pa.record_batch({"_updated": pa.array(instants, pa.timestamp("us", tz="UTC"))})


def test_rows_read_late_prove_only_as_much_of_the_start() -> None:
    seconds = iter([0.0, 60.0, 600.0, 660.0])
    witness = Witness(Nowhere(), NOON, monotonic=lambda: next(seconds))
    witness.write("parts", rows(NOON - 5 * MINUTE, None))
    assert witness.newest == NOON - 6 * MINUTE
    # Changed nine minutes into the read, read after ten: the database's clock was at most a minute behind.
    witness.write("runs", rows(NOON + 9 * MINUTE))
    assert witness.newest == NOON - MINUTE
    # Dated ahead of every clock: it proves nothing, but the other row does.
    witness.write("runs", rows(datetime(2099, 1, 1, tzinfo=UTC), NOON + 9 * MINUTE))
    assert witness.newest == NOON - MINUTE


def test_a_read_that_is_gone_on_with_began_when_it_began() -> None:
    witness = Witness(Nowhere(), NOON, before=timedelta(hours=2), monotonic=lambda: 0.0)
    witness.write("parts", rows(NOON + 110 * MINUTE))
    assert witness.newest == NOON - 10 * MINUTE


def test_nothing_is_seen_without_a_clock_or_a_date() -> None:
    without, undated = Witness(Nowhere(), None), Witness(Nowhere(), NOON)
    without.write("parts", rows(NOON))
    undated.write("labels", pa.record_batch({"id": [1]}))
    undated.write("parts", rows(None))
    assert (without.newest, undated.newest) == (None, None)
    assert database_time(Clocks(NOON, NOON), []) is None
