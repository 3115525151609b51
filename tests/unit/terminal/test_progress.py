"""What people see of a step that takes long, on a terminal of 80 columns and in a log, by a clock of our own."""

import io
import re
from collections.abc import Callable, Iterator

import pytest

from ion_pipeline.counting import Count, counted
from ion_pipeline.pipeline.progress import Reporter
from ion_pipeline.terminal.pace import Pace
from ion_pipeline.terminal.progress import BarReporter, PlainReporter
from ion_pipeline.terminal.text import PlainConsole
from tests.clock import Clock

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
LONG = "model a_model_whose_name_is_much_longer_than_what_is_left_of_the_line_next_to_all_the_numbers"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def bars(stream: io.StringIO, clock: Clock) -> BarReporter:
    return BarReporter(PlainConsole(file=stream, width=80, force_terminal=True, color_system=None), clock)


@pytest.fixture
def lines(stream: io.StringIO, clock: Clock) -> PlainReporter:
    return PlainReporter(PlainConsole(file=stream, width=4_000), clock)


def shown(stream: io.StringIO) -> list[str]:
    return [line for line in re.split(r"[\r\n]+", _CONTROL.sub("", stream.getvalue())) if line.strip()]


def stopped_at(reporter: Reporter, title: str, steps: Callable[[], None]) -> None:
    """A phase that fails: the last frame is what was shown then."""

    def run() -> None:
        with reporter.phase(title):
            steps()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run()


def test_a_bar_says_how_far_how_fast_and_how_long_in_80_columns(
    bars: BarReporter, stream: io.StringIO, clock: Clock
) -> None:
    def steps() -> None:
        bars.counted(Count(0, 12_345, "nodes", name=LONG, share=0.0))
        clock.now += 40
        # Half of the nodes are a fifth of the work: the rest takes four times as long.
        bars.counted(Count(6_000, 12_345, "nodes", name=LONG, share=0.2))

    stopped_at(bars, "Building the models", steps)
    *_, bar, name, end = shown(stream)
    assert re.fullmatch(r"\S Building the models ━.* 6,000 of 12,345 nodes  150/s  2:40 left", bar), bar
    assert name.startswith("  model a_model_whose_name")
    assert name.endswith("…")
    assert end == "✗ Building the models  failed after 40.0 s  6,000 of 12,345 nodes"
    assert {len(line) <= 80 for line in shown(stream)} == {True}


def test_the_widest_numbers_of_a_read_fit_80_columns(bars: BarReporter, stream: io.StringIO, clock: Clock) -> None:
    entity = "a_part_instance_requirement_of_a_build_requirement"

    def steps() -> None:
        bars.started(entity, 98_765_432)
        clock.now += 1_000
        bars.advanced(entity, 12_345_678)

    stopped_at(bars, "Reading ION", steps)
    *_, overall, of_entity, _ = shown(stream)
    # 12,345,678 rows in 1,000 seconds: 86,419,754 rows take 7,000.0 seconds.
    numbers = "12,345,678 of 98,765,432 rows  12,346/s  1:56:40 left"
    assert overall.rstrip().endswith(numbers)
    assert of_entity.rstrip().endswith(numbers)
    assert of_entity.startswith("   a_part_instance")
    assert "…" in of_entity
    assert {len(line) <= 80 for line in shown(stream)} == {True}


def test_what_nobody_can_know_is_not_shown(bars: BarReporter, stream: io.StringIO, clock: Clock) -> None:
    def steps() -> None:
        bars.counted(Count(0, 10, "nodes"))
        clock.now += 30
        bars.counted(Count(6, 10, "nodes"))

    stopped_at(bars, "Building the models", steps)
    *_, bar, _ = shown(stream)
    assert bar.rstrip().endswith("6 of 10 nodes  12/min  0:30")


def test_a_log_has_two_lines_of_a_phase_and_one_a_minute(
    lines: PlainReporter, stream: io.StringIO, clock: Clock
) -> None:
    with lines.phase("Publishing"):
        for done in range(8):
            lines.counted(Count(done, 8, "tables", "writing Parquet", f"ops.t{done}", done / 8))
            clock.now += 25
        lines.counted(Count(8, 8, "tables", "writing Parquet", share=1.0))
    assert shown(stream) == [
        "Publishing ...",
        "Publishing: writing Parquet  ops.t3, 3 of 8 tables, 2/min, 2:05 left",
        "Publishing: writing Parquet  ops.t6, 6 of 8 tables, 2/min, 0:50 left",
        "Publishing: done in 200.0 s, 8 tables",
    ]


def test_a_log_says_at_once_what_a_phase_waits_for(lines: PlainReporter, stream: io.StringIO, clock: Clock) -> None:
    with lines.phase("Building the models"):
        lines.counted(Count(0, 0, "nodes", "dbt starts, which took 9 s last time"))
        clock.now += 8
        lines.counted(Count(0, 2, "nodes", name="model a"))
    assert shown(stream) == [
        "Building the models ...",
        "Building the models: dbt starts, which took 9 s last time",
        "Building the models: done in 8.0 s, 0 of 2 nodes",
    ]


def test_a_log_says_how_far_a_phase_was_that_failed(lines: PlainReporter, stream: io.StringIO, clock: Clock) -> None:
    def steps() -> None:
        lines.counted(Count(1_500_000, 6_000_000, "bytes", share=0.25))
        clock.now += 3

    stopped_at(lines, "Sending the publish", steps)
    assert shown(stream) == [
        "Sending the publish ...",
        "Sending the publish: failed after 3.0 s, 1.5 MB of 6.0 MB",
    ]


def test_the_pace_is_that_of_the_last_minute_and_of_one_thing(clock: Clock) -> None:
    pace = Pace(clock)
    # A slow hour, then ten a second: the rest is estimated by what is fast now.
    for second in range(3_600):
        clock.now += 1
        pace.heard(Count(second // 36, 1_100, "rows", share=second // 36 / 1_100))
    for second in range(70):
        clock.now += 1
        pace.heard(Count(100 + second * 10, 1_100, "rows", share=(100 + second * 10) / 1_100))
    assert pace.words() == "790 of 1,100 rows  10/s  0:31 left"
    # Another thing is done with the same tables: nothing is known of it yet.
    pace.heard(Count(5, 10, "rows", "checking", share=0.5))
    assert pace.words() == "5 of 10 rows"
    # Nothing comes any more: the rate falls.
    clock.now += 10
    pace.heard(Count(6, 10, "rows", "checking", share=0.6))
    clock.now += 90
    assert pace.words() == "6 of 10 rows  1/min  6:40 left"


def test_the_time_left_is_that_of_the_phase_whatever_is_done_with_its_tables(clock: Clock) -> None:
    pace = Pace(clock)
    for doing, before, left in (("copying", 0.0, "0:15"), ("checking", 0.4, "0:05")):
        for done in range(11):
            pace.heard(Count(done, 10, "tables", doing, share=before + done * 0.04))
            clock.now += 1 if done < 10 else 0
        assert pace.words() == f"10 tables  {left} left"


def items() -> Iterator[tuple[Count, str]]:
    """Items and what was said before each."""
    heard = list[Count]()
    for item in counted(["a", "b", "c"], heard.append, unit="tables", doing="checking", work=[1, 6, 3], before=2):
        yield heard[-1], item
    yield heard[-1], ""


def test_items_are_counted_by_their_work() -> None:
    assert list(items()) == [
        (Count(2, 5, "tables", "checking", "a", 0.0), "a"),
        (Count(3, 5, "tables", "checking", "b", 0.1), "b"),
        (Count(4, 5, "tables", "checking", "c", 0.7), "c"),
        (Count(5, 5, "tables", "checking", "", 1.0), ""),
    ]
