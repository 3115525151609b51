"""Both transports over real sockets: the behaviour that the client needs, and equal exceptions for equal failures."""

import asyncio
import gzip
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import httpx
import pytest

from ion_pipeline.client.transport import AiohttpTransport, default_transport
from tests.unit.client.support import KINDS, config, request_of

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
every_kind = pytest.mark.parametrize("kind", KINDS)


@asynccontextmanager
async def serving(serve: Serve, kind: str, **options: object) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server made of one function."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client closes the connection early in some tests
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        client = httpx.AsyncClient(
            transport=KINDS[kind](), base_url=f"http://127.0.0.1:{port}", trust_env=False, **options
        )
        async with client:
            yield client


def answer(body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@every_kind
def test_requests_and_responses_are_transported_unchanged(kind: str) -> None:
    seen: list[bytes] = []
    connections = 0
    body = b'{"data": {"x": "' + b"y" * 10_000 + b'"}}'

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            seen.append(await request_of(reader))
            writer.write(
                answer(gzip.compress(body), "Content-Encoding: gzip", "Set-Cookie: a=b", "X-Twice: 1", "X-Twice: 2")
            )

    async def run() -> list[httpx.Response]:
        async with serving(serve, kind, headers={"User-Agent": "ion-pipeline/0", "X-Case": "Kept"}) as client:
            first = await client.post("/graphql?a=%2Fb&c=d%20e", json={"query": "{ x }"})
            client.cookies.clear()
            return [first, await client.post("/graphql", json={})]

    first, second = asyncio.run(run())
    assert first.content == body
    assert second.content == body
    assert first.num_bytes_downloaded == len(gzip.compress(body))
    assert first.headers.get_list("x-twice") == ["1", "2"]
    assert first.http_version == "HTTP/1.1"
    assert connections == 1  # kept alive
    head, _, sent = seen[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /graphql?a=%2Fb&c=d%20e HTTP/1.1"
    names = [line.partition(":")[0].lower() for line in lines[1:]]
    assert len(names) == len(set(names))
    assert "X-Case: Kept" in lines
    assert "User-Agent: ion-pipeline/0" in lines
    assert any(line.lower().startswith("accept-encoding:") and "gzip" in line for line in lines)
    assert "content-type: application/json" in [line.lower() for line in lines]
    assert sent == b'{"query":"{ x }"}'
    assert b"cookie" not in seen[1].lower()


@every_kind
def test_a_connection_that_was_closed_while_the_loop_was_busy_is_not_used(kind: str) -> None:
    close, closed = threading.Event(), threading.Event()

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(answer(b"{}"))
                assert close.wait(60)
            closed.set()

    async def run(port: int) -> list[int]:
        async with httpx.AsyncClient(transport=KINDS[kind](), trust_env=False) as client:
            first = await client.post(f"http://127.0.0.1:{port}/")
            close.set()
            # Blocks the loop, as computing between two requests does.
            assert closed.wait(60)
            return [first.status_code, (await client.post(f"http://127.0.0.1:{port}/")).status_code]

    with ThreadPoolExecutor(1) as pool, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        served = pool.submit(serve, listener)
        assert asyncio.run(run(listener.getsockname()[1])) == [200, 200]
        served.result(60)


@every_kind
@pytest.mark.parametrize("status", [204, 302, 401, 404, 503])
def test_every_status_is_returned_and_redirects_are_not_followed(kind: str, status: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(f"HTTP/1.1 {status} X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n".encode())

    async def run() -> int:
        async with serving(serve, kind) as client:
            return (await client.get("/")).status_code

    assert asyncio.run(run()) == status


async def _reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)


async def _half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(answer(b'{"data": ', length=500))


async def _no_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(b"220 ready when you are\r\n\r\n")


async def _half_chunked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    await reader.read()


async def _stuck(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request_of(reader)
    writer.write(answer(b'{"data": ', length=500))
    await reader.read()


@every_kind
@pytest.mark.parametrize(
    ("serve", "kinds"),
    [
        (_reset, (httpx.ReadError, httpx.RemoteProtocolError)),
        (_hang_up, httpx.RemoteProtocolError),
        (_half, httpx.RemoteProtocolError),
        (_half_chunked, httpx.RemoteProtocolError),
        (_no_http, httpx.RemoteProtocolError),
        (_silent, httpx.ReadTimeout),
        (_stuck, httpx.ReadTimeout),
    ],
)
def test_failures_are_httpx_exceptions(kind: str, serve: Serve, kinds: type[Exception]) -> None:
    async def run() -> None:
        async with serving(serve, kind, timeout=httpx.Timeout(5, read=0.3)) as client:
            await client.post("/graphql", json={})

    with pytest.raises(kinds) as caught:
        asyncio.run(run())
    assert isinstance(caught.value, httpx.TransportError)
    assert caught.value.request.url.path == "/graphql"


@every_kind
@pytest.mark.parametrize("host", ["127.0.0.1:1", "no-such-host.invalid"])
def test_a_closed_port(kind: str, host: str) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(transport=KINDS[kind](), trust_env=False) as client:
            await client.post(f"http://{host}/graphql")

    with pytest.raises(httpx.ConnectError):
        asyncio.run(run())


@every_kind
def test_a_connection_that_is_not_established_in_time(kind: str) -> None:
    async def run() -> None:
        # The server's connection queue is full, so further connections are never accepted.
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            waiting = [socket.socket() for _ in range(4)]
            for one in waiting:
                one.setblocking(False)
                one.connect_ex(full.getsockname())
            await asyncio.sleep(0.05)
            async with httpx.AsyncClient(
                transport=KINDS[kind](), trust_env=False, timeout=httpx.Timeout(5, connect=0.3)
            ) as client:
                try:
                    await client.post(f"http://127.0.0.1:{full.getsockname()[1]}/graphql")
                finally:
                    for one in waiting:
                        one.close()

    with pytest.raises(httpx.ConnectTimeout):
        asyncio.run(run())


@every_kind
def test_after_a_cancelled_request_answers_still_belong_to_their_requests(kind: str) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await request_of(reader)
            if b"slow" in request:
                await asyncio.sleep(0.2)
            writer.write(answer(b"slow" if b"slow" in request else b"quick"))

    async def run() -> bytes:
        async with serving(serve, kind) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.post("/slow")
            return (await client.post("/quick")).content

    assert asyncio.run(run()) == b"quick"


def test_certificates_are_checked() -> None:
    assert AiohttpTransport(keep_alive=1).certificates.check_hostname


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_behind_a_proxy_httpx_carries_the_requests_itself(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert isinstance(default_transport(config(), keep_alive=1), AiohttpTransport)
    monkeypatch.setenv(variable, "http://proxy.test:3128")
    assert not isinstance(default_transport(config(), keep_alive=1), AiohttpTransport)
    assert isinstance(default_transport(config(api_url="http://127.0.0.1:1"), keep_alive=1), AiohttpTransport)
