"""Tenants that give or accept fewer rows at once than are asked for: all that is there comes all the same."""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from ion_pipeline.catalog import known_catalog, negotiate
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.client import IonClient, PageLimit, TooMuchError
from ion_pipeline.extract import TenantRestoredError, check_restored
from ion_pipeline.extract.decide import Task
from ion_pipeline.extract.errors import PagingError
from ion_pipeline.extract.paging import KeysetPager, Page
from ion_pipeline.extract.state import EntityState, Held, NoRows, State
from ion_pipeline.extract.stream import PageSize, pages, rows_by_id
from tests.unit.extract.parts import Parts, search


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

    with pytest.raises(PagingError, match="ids were not requested"):
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


def test_one_short_answer_shrinks_nothing() -> None:
    """A row was hidden or deleted between the count and the list: the answer is short, and no ceiling."""

    class Losing(Parts):
        def _answer(self, first: int, filters: Mapping[str, Any] | None) -> dict[str, Any]:
            answer = super()._answer(first, filters)
            if first > 1 and 7 in self.ids and any(edge["node"]["id"] == 7 for edge in answer["edges"]):
                self.ids.remove(7)
                answer["edges"] = [edge for edge in answer["edges"] if edge["node"]["id"] != 7]
            return answer

    known = set(range(1, 151))
    parts = Losing(known - {5})
    found = search(known, parts)
    assert (found.gone, found.unknown, found.overflow) == ({5, 7}, set(), False)
    assert (parts.page_limit.rows, parts.page_limit.learned) == (5000, None)


def test_a_search_learns_a_ceiling_from_two_answers() -> None:
    class Capped(Parts):
        def _answer(self, first: int, filters: Mapping[str, Any] | None) -> dict[str, Any]:
            return super()._answer(min(first, 30), filters)

    known = set(range(1, 151))
    parts = Capped(known - {5})
    assert search(known, parts).gone == {5}
    assert parts.page_limit.learned == 30


@pytest.mark.parametrize("is_restored", [False, True])
def test_rows_beyond_a_ceiling_are_not_gone(is_restored: bool) -> None:
    """One of the rows that changed last is deleted, so 200 more are looked at, of which 30 come at once."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    rows = {row_id: Held(at, "e", recent=row_id == 1) for row_id in range(1, 251)}
    there = set(range(2, 251)) if not is_restored else set(range(240, 251))

    class Capped(Parts):
        async def execute(self, document: str, variables: Mapping[str, Any], *, operation: str) -> dict[str, Any]:
            wanted = {name: set(filters["id"]["in"]) & there for name, filters in variables.items()}
            return {f"q{name[1:]}": self._some(ids) for name, ids in wanted.items()}

        def _some(self, ids: set[int]) -> dict[str, Any]:
            nodes = [{"id": row_id, "_updated": at.isoformat(), "_etag": "e"} for row_id in sorted(ids)[:30]]
            return {"pageInfo": {"totalCount": len(ids)}, "edges": [{"node": node} for node in nodes]}

    class Latest(NoRows):
        def latest(self, entities: Iterable[str], rows_wanted: int) -> Mapping[str, Mapping[int, Held]]:
            assert list(entities) == ["parts"]
            return {"parts": {row_id: rows[row_id] for row_id in range(1, rows_wanted + 1)}}

    state = State({"parts": EntityState(250, at + timedelta(1), "", sample={1: rows[1]})}, Latest())
    plan = negotiate(known_schema(), known_catalog(), ["parts"])
    task = Task(plan.by_name["parts"], "deletes", "", sampled=[])
    asked = check_restored(cast("IonClient", Capped(there)), plan, [task], state, page_size=500)
    if is_restored:
        with pytest.raises(TenantRestoredError, match="200 of 200 rows compared are gone"):
            asyncio.run(asked)
    else:
        asyncio.run(asked)


def test_a_known_limit_holds_from_the_first_request() -> None:
    assert PageLimit(500, 100).rows == 100
    assert PageLimit(50, 100).rows == 50
