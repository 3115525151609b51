"""Pagers against a list that changes between requests, and the loop that drives them."""

import asyncio
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ion_pipeline.client import RequestTimeoutError, ServerError
from ion_pipeline.extract import PagingError, paging
from ion_pipeline.extract.paging import CursorPager, KeysetPager, Page
from ion_pipeline.extract.stream import PageSize, pages

changes = st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=4)


class ChangingList:
    """A list of ids that answers as ION does, and changes a little before each request.

    Args:
        ids: What is there at first.
        script: What is inserted (true) or deleted before each request.
        cursors: Give each row its cursor.

    Attributes:
        always: Ids that were there all the time.
        ever: Ids that were there at some time.
    """

    def __init__(self, ids: set[int], script: list[list[tuple[bool, int]]], *, cursors: bool = False) -> None:
        self.ids = set(ids)
        self.cursors = cursors
        self.always = set(ids)
        self.ever = set(ids)
        self._script = iter(script)

    async def ask(self, variables: Mapping[str, Any]) -> Page:
        for is_insert, identifier in next(self._script, []):
            if is_insert:
                self.ids.add(identifier)
                self.ever.add(identifier)
            else:
                self.ids.discard(identifier)
                self.always.discard(identifier)
        above = variables.get("filters", {}).get("id", {}).get("gt", -1)
        matching = sorted(identifier for identifier in self.ids if identifier > above)
        start = int(variables.get("after", -1)) + 1
        rows = matching[start : start + variables["first"]]
        return Page(
            nodes=[{"id": identifier} for identifier in rows],
            total=len(matching),
            has_next=start + len(rows) < len(matching),
            end_cursor=str(start + len(rows) - 1) if rows else None,
            cursors=[str(start + place) for place in range(len(rows))] if self.cursors else None,
        )


async def no_pause(failures: int) -> None:
    assert failures > 0


def read(pager: KeysetPager | CursorPager, source: ChangingList, size: int) -> list[int]:
    async def run() -> list[int]:
        return [node["id"] async for page in pages(pager, PageSize(size), source.ask, no_pause) for node in page.nodes]

    return asyncio.run(run())


@given(ids=st.sets(st.integers(0, 40)), script=st.lists(changes, max_size=30), size=st.integers(1, 7))
def test_keyset_paging_of_a_changing_list(ids: set[int], script: list[list[tuple[bool, int]]], size: int) -> None:
    source = ChangingList(ids, script)
    found = read(KeysetPager("parts"), source, size)
    assert found == sorted(set(found))
    assert source.always <= set(found) <= source.ever


@given(ids=st.sets(st.integers(0, 40)), script=st.lists(changes, max_size=30), size=st.integers(1, 7))
def test_cursor_paging_of_a_changing_list_is_right_or_refused(
    ids: set[int], script: list[list[tuple[bool, int]]], size: int
) -> None:
    """Unless a row goes and another comes between two requests, which offsets cannot show."""
    script = [[], *(step[:1] for step in script)]
    source = ChangingList(ids, script)
    totals: list[int] = []

    async def watched(variables: Mapping[str, Any]) -> Page:
        page = await ChangingList.ask(source, variables)
        totals.append(page.total)
        return page

    source.ask = watched  # type: ignore[method-assign]
    try:
        found = read(CursorPager("relations"), source, size)
    except PagingError:
        assert len(set(totals)) > 1
    else:
        # Each request makes one change at most, which changes the count by one: an equal count means an equal list.
        assert len(set(totals)) == 1
        assert found == sorted(source.always)
        assert source.always == source.ever


@given(
    ids=st.sets(st.integers(0, 40)),
    script=st.lists(changes, max_size=30),
    size=st.integers(2, 7),
    known=st.sampled_from([paging._KNOWN_ROWS, 12]),
)
def test_no_row_that_stays_is_missed_however_cursors_shift(
    ids: set[int], script: list[list[tuple[bool, int]]], size: int, known: int
) -> None:
    source = ChangingList(ids, script, cursors=True)
    pager = CursorPager("relations", itemgetter("id"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "_KNOWN_ROWS", known)
        try:
            found = read(pager, source, size)
        except PagingError:
            assert known == 12
            return
    # A row that the pager has forgotten and that comes again is found by the check of the keys.
    assert known == 12 or len(found) == len(set(found))
    assert source.always <= set(found) <= source.ever
    assert pager.rows == len(found)


def test_pages_of_one_row_lead_on_while_nothing_changes() -> None:
    source = ChangingList({1, 2, 3}, [], cursors=True)
    assert read(CursorPager("relations", itemgetter("id")), source, 1) == [1, 2, 3]


def test_an_empty_page_without_cursors_of_rows_is_counted_like_those_before_it() -> None:
    pager = CursorPager("relations", itemgetter("id"))
    assert pager.accept(page(1, 2, total=2, has_next=True, end_cursor="a")).nodes == [{"id": 1}, {"id": 2}]
    with pytest.raises(PagingError, match="ION counted 2 rows and then 3"):
        pager.accept(page(total=3, end_cursor=None))


def test_a_server_that_takes_no_notice_of_cursors_is_given_up() -> None:
    pager = CursorPager("relations", itemgetter("id"))
    same = Page([{"id": 1}, {"id": 2}], total=9, has_next=True, end_cursor="b", cursors=["a", "b"])
    assert pager.accept(same).nodes == same.nodes
    assert [pager.accept(same).nodes for _ in range(100)] == [[]] * 100
    with pytest.raises(PagingError, match="no new row comes after 2 rows"):
        pager.accept(same)


def page(*ids: int, total: int | None = None, has_next: bool = False, end_cursor: str | None = "c") -> Page:
    return Page([{"id": identifier} for identifier in ids], len(ids) if total is None else total, has_next, end_cursor)


@pytest.mark.parametrize("answer", [page(3, 2), page(3, 3), page(2, 4, 3)])
def test_ids_that_do_not_ascend_are_refused(answer: Page) -> None:
    with pytest.raises(PagingError, match="although ids should ascend"):
        KeysetPager("parts").accept(answer)


def test_an_id_below_the_page_before_is_refused() -> None:
    pager = KeysetPager("parts")
    pager.accept(page(1, 5, total=4, has_next=True))
    with pytest.raises(PagingError, match="id 5 came after id 5"):
        pager.accept(page(5, 6))


def test_an_id_that_is_no_number_is_refused() -> None:
    with pytest.raises(PagingError, match="not a whole number"):
        KeysetPager("parts").accept(Page([{"id": "7"}], 1, has_next=False, end_cursor=None))


def test_the_end_is_not_believed_while_rows_are_counted() -> None:
    pager = KeysetPager("parts")
    pager.accept(page(1, 2, total=3, has_next=False))
    assert not pager.done
    assert pager.variables() == {"filters": {"id": {"gt": 2}}}
    pager.accept(page(3, total=1))
    assert pager.done
    assert (pager.rows, pager.total) == (3, 3)


def test_a_cursor_that_repeats_is_refused() -> None:
    pager = CursorPager("relations")
    pager.accept(page(1, total=9, has_next=True, end_cursor="a"))
    with pytest.raises(PagingError, match="no new cursor came after 2 rows"):
        pager.accept(page(2, total=9, has_next=True, end_cursor="a"))


def test_more_rows_than_counted_are_refused() -> None:
    pager = CursorPager("relations")
    pager.accept(page(1, 2, total=3, has_next=True, end_cursor="a"))
    with pytest.raises(PagingError, match="4 rows came, but ION counts 3"):
        pager.accept(page(2, 3, total=3))


def test_page_sizes_halve_and_recover_slowly_and_ever_more_slowly() -> None:
    size = PageSize(100)
    seen = []
    for _ in range(2):
        size.timed_out(size.size)
        steps = 0
        low = size.size
        while size.size == low:
            size.answered()
            steps += 1
        seen.append((low, steps, size.size))
    assert seen == [(50, 8, 62), (31, 16, 38)]
    for _ in range(1000):
        size.answered()
    assert size.size == 100
    for _ in range(20):
        size.timed_out(size.size)
    assert size.size == 1


def test_time_outs_are_waited_after_and_end_at_a_single_row() -> None:
    asked: list[int] = []
    waited: list[int] = []

    async def ask(variables: Mapping[str, Any]) -> Page:
        asked.append(variables["first"])
        raise RequestTimeoutError("too long")

    async def pause(failures: int) -> None:
        waited.append(failures)

    async def run() -> None:
        async for _ in pages(KeysetPager("parts"), PageSize(8), ask, pause):
            pass

    with pytest.raises(RequestTimeoutError):
        asyncio.run(run())
    assert asked == [8, 4, 2, 1, 1, 1]
    assert waited == [1, 2, 3, 4, 5]


def test_the_next_page_is_asked_for_while_one_is_worked_on() -> None:
    asked: list[int] = []

    async def ask(variables: Mapping[str, Any]) -> Page:
        asked.append(len(asked))
        return page(len(asked), total=4 - len(asked), has_next=len(asked) < 3)

    async def run() -> list[int]:
        ahead = []
        async for _ in pages(KeysetPager("parts"), PageSize(1), ask, no_pause):
            await asyncio.sleep(0)
            ahead.append(len(asked))
        return ahead

    assert asyncio.run(run()) == [2, 3, 3]


@pytest.mark.parametrize("failure", [ServerError("down", status=500), None])
def test_a_reader_who_stops_leaves_nothing_behind(failure: ServerError | None) -> None:
    source = ChangingList(set(range(10)), [])
    started = asyncio.Event()

    async def ask(variables: Mapping[str, Any]) -> Page:
        if "filters" in variables:
            started.set()
            if failure:
                raise failure
            await asyncio.sleep(60)
        return await source.ask(variables)

    async def run() -> int:
        stream = pages(KeysetPager("parts"), PageSize(3), ask, no_pause)
        await anext(stream)
        await started.wait()
        await stream.aclose()
        return len(asyncio.all_tasks())

    # Warnings are errors: an exception that nobody fetched would fail this too.
    assert asyncio.run(asyncio.wait_for(run(), 5)) == 2
