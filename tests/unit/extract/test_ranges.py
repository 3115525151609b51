"""One entity in several id ranges: nothing lost, nothing twice, whatever the ids and however ION behaves."""

from itertools import pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.extract.ranges import Cutter, IdRange
from tests.examples import examples
from tests.unit.extract.mini_ion import MiniIon
from tests.unit.extract.support import Read

# Dense, sparse, and clustered ids: densities that change by orders of magnitude within one entity.
ids_of_any_density = st.lists(
    st.tuples(st.integers(0, 10_000), st.sampled_from([1, 1, 2, 50, 1000]), st.integers(1, 60)), min_size=1, max_size=4
).map(lambda runs: {start + step * number for start, step, count in runs for number in range(count)})


def part(identifier: int) -> dict[str, Any]:
    return {"id": identifier, "partNumber": f"P-{identifier}", "attributes": []}


def tenant(ids: set[int] | range, **options: Any) -> MiniIon:
    return MiniIon({"parts": [part(identifier) for identifier in ids]}, **options)


@given(
    ids=st.sets(st.integers(-50, 400), min_size=1, max_size=20).map(sorted),
    left=st.integers(0, 2000),
    beyond=st.none() | st.integers(1, 5000),
    page_size=st.integers(1, 20),
    streams=st.integers(1, 24),
)
def test_pieces_cover_what_is_left_without_gap_or_overlap(
    ids: list[int], left: int, beyond: int | None, page_size: int, streams: int
) -> None:
    until = None if beyond is None else ids[-1] + beyond
    pieces = Cutter(page_size, streams).pieces(ids, left, until)
    if not pieces:
        assert streams == 1 or left <= 8 * page_size + left / streams
        return
    assert pieces[0].above == ids[-1]
    assert pieces[-1].until == until
    for one, other in pairwise(pieces):
        assert one.until == other.above
    assert all(piece.until is None or (piece.above or 0) < piece.until for piece in pieces)


def test_without_gaps_between_ids_pieces_are_whole_pages() -> None:
    pieces = Cutter(page_size=500, streams=24).pieces(range(1, 501), 299_500, None)
    assert 24 <= len(pieces) <= 48
    assert {((piece.until or 0) - (piece.above or 0)) % 500 for piece in pieces[:-1]} == {0}


def test_pieces_are_cut_again_a_bounded_number_of_times() -> None:
    cutter, cuts = Cutter(page_size=1, streams=8), 0
    while cutter.pieces([1], 100_000, None):
        cutter, cuts = cutter.further(100_000), cuts + 1
    assert 0 < cuts < 10


@pytest.mark.slow
@settings(max_examples=examples(40))
@given(ids=ids_of_any_density, page_size=st.integers(1, 6), streams=st.integers(2, 6), too_many=st.integers(1, 6))
def test_every_row_once(ids: set[int], page_size: int, streams: int, too_many: int) -> None:
    ion = tenant(ids, too_many=too_many)
    read = Read(ion, ["parts"], page_size=page_size, max_concurrency=streams)
    assert sorted(read.rows.of("parts", "id")) == sorted(ids)
    assert read.results["parts"].total_count == len(ids)
    assert not read.heard.notes


def test_ids_without_gaps_cost_no_request_more() -> None:
    read = Read(tenant(range(1, 201)), ["parts"], page_size=2, max_concurrency=8)
    assert read.results["parts"].requests == 100
    assert read.results["parts"].pages == 100
    assert read.rows.of("parts", "id") != sorted(read.rows.of("parts", "id"))  # really side by side
    assert [event[2] for event in read.heard.events if event[0] == "started"] == [200]


def test_a_tenant_that_ignores_the_filter_is_read_by_its_cursors() -> None:
    read = Read(tenant(range(1, 101), respects_filters=False), ["parts"], page_size=2)
    assert read.rows.of("parts", "id") == list(range(1, 101))
    assert read.results["parts"].paging == "cursor"
    assert read.rows.discarded == ["parts", "part_attributes"]
    assert "again" in read.heard.notes[0]


def test_rows_that_go_meanwhile_are_counted_again() -> None:
    ion = tenant(range(1, 101))

    def shrink(connection: str, number: int) -> httpx.Response | None:
        if number == 9:
            ion.rows["parts"] = [row for row in ion.rows["parts"] if row["id"] % 10]
        return None

    ion.before = shrink
    read = Read(ion, ["parts"], page_size=2)
    found = set(read.rows.of("parts", "id"))
    assert found >= {number for number in range(1, 101) if number % 10}
    assert len(read.rows.of("parts", "id")) == len(found)


@pytest.mark.slow
@pytest.mark.parametrize("failure", [429, 502, 503])
def test_failures_in_the_middle_lose_and_double_nothing(failure: int) -> None:
    ion = tenant(range(1, 301))
    ion.before = lambda _, number: httpx.Response(failure, headers={"Retry-After": "0"}) if number % 7 == 0 else None
    read = Read(ion, ["parts"], page_size=4, max_concurrency=6)
    assert sorted(read.rows.of("parts", "id")) == list(range(1, 301))


def test_one_stream_if_nothing_else_is_allowed() -> None:
    read = Read(tenant(range(1, 101)), ["parts"], page_size=2, max_concurrency=1)
    assert read.rows.of("parts", "id") == list(range(1, 101))


def test_an_empty_range_is_no_range() -> None:
    assert Cutter(page_size=5, streams=4).pieces([], 0, None) == []
    assert IdRange() == IdRange(None, None)
