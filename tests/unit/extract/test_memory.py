"""Pages in memory: bounded by the streams that read, never by the rows there are."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx
import pytest

from ion_pipeline.extract.page_reader import PageReader
from ion_pipeline.extract.paging import Page
from tests.unit.extract.mini_ion import MiniIon
from tests.unit.extract.support import Read, parts

# Turns of the event loop in which everybody gets to where they wait for an answer.
_TURNS = 50


class Nodes(list[dict[str, Any]]):
    """The rows of a page, counted for as long as somebody holds them."""

    alive = 0
    most = 0

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        super().__init__(rows)
        Nodes.alive += 1
        Nodes.most = max(Nodes.most, Nodes.alive)

    def __del__(self) -> None:
        Nodes.alive -= 1


@pytest.fixture(autouse=True)
def _counted(monkeypatch: pytest.MonkeyPatch) -> None:
    ask = PageReader.page

    async def counted(self: PageReader, variables: Mapping[str, Any]) -> Page:
        page = await ask(self, variables)
        return replace(page, nodes=Nodes(page.nodes))

    monkeypatch.setattr(PageReader, "page", counted)
    Nodes.alive = Nodes.most = 0


class SlowIon(MiniIon):
    """Answers when everybody has got to waiting for it, and notes how many pages there are then."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.alive: list[int] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        self.alive.append(Nodes.alive)
        return await super().handle_async_request(request)


def test_nobody_holds_a_page_while_waiting_for_the_next() -> None:
    ion = SlowIon({"parts": parts(40)})
    read = Read(ion, ["parts"], page_size=4, max_concurrency=1)
    assert read.results["parts"].pages == 10
    assert len(ion.alive) > 10
    assert set(ion.alive) == {0}


@pytest.mark.parametrize("count", [200, 800])
def test_pages_in_memory_are_bounded_by_the_streams(count: int) -> None:
    streams = 3
    read = Read(MiniIon({"parts": parts(count)}), ["parts"], page_size=4, max_concurrency=streams)
    assert read.results["parts"].pages >= count // 4
    # Two more streams than requests are allowed; each has a page at work and one that has come.
    assert 1 <= Nodes.most <= 2 * (streams + 2)
    assert Nodes.alive == 0
