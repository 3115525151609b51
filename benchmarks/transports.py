"""CPU of one page by the transport that carries it: httpx's own, and two that put aiohttp behind httpx's interface.

    python -m benchmarks transports --requests 400

`AiohttpTransport` is ours; `httpx-aiohttp` is the package of that name. The replay server answers without latency; the
process that is measured does nothing but fetch. The transports take turns, and the round with the least CPU counts, for
other work on the machine can only add to it.
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import httpx_aiohttp

from benchmarks.extraction.measure import replay_server
from ion_pipeline.client.transport import AiohttpTransport

_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=64)
_KINDS: dict[str, Callable[[], httpx.AsyncBaseTransport]] = {
    "httpx": lambda: httpx.AsyncHTTPTransport(limits=_LIMITS),
    "AiohttpTransport": lambda: AiohttpTransport(keep_alive=30),
    "httpx-aiohttp": lambda: httpx_aiohttp.AiohttpTransport(limits=_LIMITS),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {Path(__file__).stem}")
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    print("| in flight | transport | CPU ms a page | wall ms a page | kB a page |\n|--:|---|--:|--:|--:|")
    with replay_server({"entities": {"run_steps": 30_000}, "fields": 16, "latency": 0}) as server:
        for in_flight in (1, 8, 24):
            rounds = [
                {kind: asyncio.run(_fetch(server, kind, options.requests, in_flight)) for kind in _KINDS}
                for _ in range(options.rounds)
            ]
            for kind in _KINDS:
                cpu, wall, size = min(each[kind] for each in rounds)
                print(f"| {in_flight} | {kind} | {cpu * 1e3:.2f} | {wall * 1e3:.2f} | {size / 1e3:.0f} |")


async def _fetch(server: dict[str, Any], kind: str, requests: int, in_flight: int) -> tuple[float, float, float]:
    document = server["entities"]["run_steps"]["document"]
    sizes: list[int] = []
    async with httpx.AsyncClient(
        transport=_KINDS[kind](), base_url=server["url"], timeout=60, trust_env=False
    ) as client:

        async def fetch(number: int) -> None:
            variables = {"first": 500, "filters": {"id": {"gt": number % 60 * 500}}}
            answer = await client.post("/graphql", json={"query": document, "variables": variables})
            sizes.append(len(answer.content))

        async def stream(numbers: Any) -> None:
            for number in numbers:
                await fetch(number)

        await fetch(0)
        cpu, wall, numbers = time.process_time(), time.perf_counter(), iter(range(requests))
        await asyncio.gather(*(stream(numbers) for _ in range(in_flight)))
        return (
            (time.process_time() - cpu) / requests,
            (time.perf_counter() - wall) / requests,
            sum(sizes) / len(sizes),
        )
