"""CPU per page by transport: httpx's own, and aiohttp's behind httpx's interface.

    python -m benchmarks transports --requests 400

The replay server answers without latency; the measured process only fetches.
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from benchmarks.extraction.measure import replay_server
from ion_pipeline.client.transport import AiohttpTransport

_KINDS: dict[str, Callable[[], httpx.AsyncBaseTransport]] = {
    "httpx": lambda: httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=None, max_keepalive_connections=64)),
    "aiohttp": lambda: AiohttpTransport(keep_alive=30),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {Path(__file__).stem}")
    parser.add_argument("--requests", type=int, default=400)
    options = parser.parse_args(arguments)
    print("| in flight | transport | CPU ms a page | wall ms a page | kB a page |\n|--:|---|--:|--:|--:|")
    with replay_server({"entities": {"run_steps": 30_000}, "fields": 16, "latency": 0}) as server:
        for in_flight in (1, 8, 24):
            for kind in _KINDS:
                cpu, wall, size = asyncio.run(_fetch(server, kind, options.requests, in_flight))
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
