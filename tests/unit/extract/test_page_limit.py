"""Tenants that give or accept fewer rows at once than are asked for: all that is there comes all the same."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from ion_pipeline.client import PageLimit, TooMuchError
from ion_pipeline.extract.errors import PagingError
from ion_pipeline.extract.paging import KeysetPager, Page
from ion_pipeline.extract.stream import PageSize, pages, rows_by_id
from tests.unit.extract.test_deletes import Parts, search


class Server:
    """Rows 1 to 150, with a ceiling that is announced or silent."""

    def __init__(
        self, *, refuse_above: int = 10**9, cap: int = 10**9, honest: bool = True, of_rows: bool = True
    ) -> None:
        self.refuse_above, self.cap, self.honest, self.of_rows = refuse_above, cap, honest, of_rows
        self.there = set(range(1, 151))
        self.firsts: list[int] = []

    async def ask(self, variables: Mapping[str, Any]) -> Page:
        first = variables["first"]
        self.firsts.append(first)
        if first > self.refuse_above:
            raise TooMuchError("No.", messages=(), of_rows=self.of_rows, numbers=[self.refuse_above])
        condition = variables.get("filters", {}).get("id", {})
        wanted = set(condition.get("in", self.there)) & self.there
        found = sorted(row for row in wanted if row > condition.get("gt", 0))
        sent = found[: min(first, self.cap)]
        return Page([{"id": row} for row in sent], len(found), self.honest and len(sent) < len(found), None)

    async def pause(self, failures: int) -> None:
        raise AssertionError(failures)

    async def by_id(self, ids: list[int], size: PageSize) -> list[int]:
        found = rows_by_id(ids, size, self.ask, self.pause, entity="parts")
        return [node["id"] async for nodes in found for node in nodes]

    async def all(self, size: PageSize) -> list[int]:
        return [
            node["id"] async for page in pages(KeysetPager("parts"), size, self.ask, self.pause) for node in page.nodes
        ]


@pytest.mark.parametrize("honest", [True, False])
@pytest.mark.parametrize("ceiling", [{"cap": 100}, {"cap": 7}, {"refuse_above": 100}, {"refuse_above": 1}, {}])
def test_rows_asked_for_by_id_all_come(ceiling: dict[str, Any], honest: bool) -> None:
    server = Server(**ceiling, honest=honest)
    wanted = [*range(1, 151), 900]
    assert asyncio.run(server.by_id(wanted, PageSize(200))) == wanted[:-1]


def test_rows_that_were_not_asked_for_are_no_answer() -> None:
    class Unfiltered(Server):
        async def ask(self, variables: Mapping[str, Any]) -> Page:
            return await super().ask({"first": variables["first"]})

    with pytest.raises(PagingError, match="not asked for by id"):
        asyncio.run(Unfiltered().by_id([3, 4], PageSize(200)))


def test_a_refused_size_is_never_asked_for_again_by_anybody() -> None:
    server, limit = Server(refuse_above=20), PageLimit(100)
    assert asyncio.run(server.all(PageSize(100, limit))) == sorted(server.there)
    assert asyncio.run(server.by_id(sorted(server.there), PageSize(100, limit))) == sorted(server.there)
    assert [first for first in server.firsts if first > 20] == [100]
    assert limit.learned == 20


def test_what_one_query_costs_is_no_limit_of_the_tenant() -> None:
    server, limit = Server(refuse_above=20, of_rows=False), PageLimit(100)
    assert asyncio.run(server.all(PageSize(100, limit))) == sorted(server.there)
    assert [first for first in server.firsts if first > 20] == [100]
    assert limit.learned is None


def test_what_is_refused_at_one_row_is_refused() -> None:
    server, limit = Server(refuse_above=0), PageLimit(100)
    with pytest.raises(TooMuchError):
        asyncio.run(server.all(PageSize(100, limit)))
    assert limit.learned is None


def test_a_silent_ceiling_is_learned_from_two_pages_and_not_from_one() -> None:
    limit = PageLimit(100)
    for rows in (40, 39, 100, 40):
        limit.came(100, rows, has_next=True)
    assert limit.rows == 100
    limit.came(100, 40, has_next=True)
    assert limit.rows == limit.learned == 40


@pytest.mark.parametrize("silent", [True, False])
def test_deletes_are_found_below_a_ceiling(silent: bool) -> None:
    class Small(Parts):
        async def execute(self, document: str, variables: Mapping[str, Any], *, operation: str) -> dict[str, Any]:
            if not silent and f"first: {self.page_limit.rows}" in document and self.page_limit.rows > 100:
                raise TooMuchError("No.", messages=(), of_rows=True, numbers=[100])
            return await super().execute(document, variables, operation=operation)

        def _answer(self, first: int, filters: Mapping[str, Any] | None) -> dict[str, Any]:
            return super()._answer(min(first, 100), filters)

    known = set(range(1, 2001))
    found = search(known, Small(known - {5, 1999} | {2500}))
    assert (found.gone, found.unknown, found.overflow) == ({5, 1999}, {2500}, False)


def test_a_known_limit_holds_from_the_first_request() -> None:
    assert PageLimit(500, 100).rows == 100
    assert PageLimit(50, 100).rows == 50
