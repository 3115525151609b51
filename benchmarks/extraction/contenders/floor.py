"""The floor: the same requests with the same number in flight over bare sockets; the bodies are discarded.

Nothing is parsed, because ids are known to be 1 to n. Only the server's time, the latency and the network remain.
"""

import asyncio
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_CHUNK = 1 << 20


class Connection:
    """One keep-alive connection."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> None:
        """Send one request, and read and discard its answer."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address, limit=_CHUNK)
        reader, writer = self._streams
        writer.write(
            b"POST /graphql HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        left = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        while left:
            left -= len(await reader.read(min(left, _CHUNK)))


async def main(job: Mapping[str, Any]) -> None:
    address = urlsplit(job["url"])

    async def stream(bodies: Iterable[bytes]) -> None:
        connection = Connection(address.hostname or "", address.port or 0)
        for body in bodies:
            await connection.post(body)

    streams = [list(pages(entity, job["page_size"])) for entity in job["entities"].values()]
    if job["ranges"]:
        # All streams take their next page from this one generator.
        queue = (body for bodies in streams for body in bodies)
        await asyncio.gather(*(stream(queue) for _ in range(job["in_flight"])))
    else:
        await asyncio.gather(*map(stream, streams))


def pages(entity: Mapping[str, Any], size: int) -> Iterable[bytes]:
    """Return the bodies of the requests for all pages of an entity, by keyset."""
    for last in range(0, entity["rows"], size):
        variables: dict[str, Any] = {"first": size, **({"filters": {"id": {"gt": last}}} if last else {})}
        yield json.dumps({"query": entity["document"], "variables": variables}).encode()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
