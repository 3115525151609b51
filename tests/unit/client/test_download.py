"""Downloads over a real socket: bytes come as they arrive, and no link reaches an error, a log or another host."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from ion_pipeline.client import (
    CertificateError,
    Checksum,
    FileHost,
    IonApiError,
    LinkRefusedError,
    NoFileError,
    RequestTimeoutError,
    ServerError,
    ThrottledError,
    TransportError,
)
from tests.unit.client.support import config

SIGNATURE = "5f1c9e7702ab43d8-of-the-link"
TAG = '"0cc175b9c0f1b6a831c399e269772661"'
Send = Callable[[bytes], Awaitable[None]]
Serve = Callable[[bytes, Send], Awaitable[None]]


def http(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


@asynccontextmanager
async def file_server(serve: Serve) -> AsyncIterator[str]:
    """A file host: `serve` gets each request's head and a function that sends."""
    tasks = set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            tasks.add(task)

        async def send(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        try:
            await serve(await reader.readuntil(b"\r\n\r\n"), send)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def downloaded(base: str, *, start: int = 0, validator: str = "", patience: float = 5.0) -> tuple[int, bytes]:
    link = SecretStr(f"{base}/file?X-Amz-Signature={SIGNATURE}")
    async with (
        FileHost(config(api_url=base, timeout=patience)) as host,
        host.open(link, "file 53", start=start, validator=validator) as answer,
    ):
        return answer.start, b"".join([piece async for piece in answer.pieces()])


def test_bytes_come_before_the_answer_is_complete() -> None:
    seen = asyncio.Event()

    async def serve(head: bytes, send: Send) -> None:
        await send(http(b"first", length=9))
        # The rest is sent only when the first has been received: a body that is read as a whole would never come.
        await seen.wait()
        await send(b"rest")

    async def both() -> list[bytes]:
        pieces = []
        async with (
            file_server(serve) as base,
            FileHost(config(api_url=base)) as host,
            host.open(SecretStr(f"{base}/file"), "file 53") as answer,
        ):
            async for piece in answer.pieces():
                pieces.append(piece)
                seen.set()
        return pieces

    assert asyncio.run(asyncio.wait_for(both(), 20)) == [b"first", b"rest"]


async def stall(head: bytes, send: Send) -> None:
    await send(http(b"first", length=9))
    await asyncio.Event().wait()


async def trickle(head: bytes, send: Send) -> None:
    await send(http(b"", length=1 << 20))
    while True:
        await send(b"x")
        await asyncio.sleep(0.02)


def answering(*answers: bytes) -> Serve:
    waiting = list(answers)

    async def serve(head: bytes, send: Send) -> None:
        await send(waiting.pop(0) if len(waiting) > 1 else waiting[0])

    return serve


FAILURES: dict[str, tuple[Serve, type[IonApiError]]] = {
    "nothing more arrives": (stall, RequestTimeoutError),
    "next to nothing arrives": (trickle, RequestTimeoutError),
    "cut off": (answering(http(b"first", length=9)), TransportError),
    "a status line that is the link": (answering(f"{SIGNATURE}\r\n\r\n".encode()), TransportError),
    "a length that is the link": (
        answering(f"HTTP/1.1 200 OK\r\nContent-Length: {SIGNATURE}\r\n\r\n".encode()), TransportError,
    ),
    "an error that quotes the link": (answering(http(SIGNATURE.encode(), status=f"500 {SIGNATURE}")), ServerError),
    "expired": (answering(http(SIGNATURE.encode(), status="403 Forbidden")), LinkRefusedError),
    "credentials expired": (answering(http(b"<Error>", status="400 Bad")), LinkRefusedError),
    "gone": (answering(http(SIGNATURE.encode(), status="410 Gone")), NoFileError),
    "throttled": (answering(http(b"", "Retry-After: 1", status="429 Slow")), ThrottledError),
    "led to another kind of address": (
        answering(http(b"", f"Location: gopher://files.example/{SIGNATURE}", status="302 X")), NoFileError,
    ),
    "led to no address": (answering(http(b"", "Location: https://", status="302 X")), NoFileError),
    "led round": (answering(http(b"", f"Location: /x?{SIGNATURE}", status="307 X")), NoFileError),
    "another range": (
        answering(http(b"x", f"ETag: {TAG}", "Content-Range: bytes 7-7/9", status="206 Partial")), TransportError,
    ),
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_an_error_without_the_link(failure: str, caplog: pytest.LogCaptureFixture) -> None:
    serve, kind = FAILURES[failure]

    async def run() -> None:
        async with file_server(serve) as base:
            await downloaded(base, start=4, validator=TAG, patience=0.3)

    with caplog.at_level(logging.DEBUG), pytest.raises(IonApiError) as raised:
        asyncio.run(asyncio.wait_for(run(), 20))
    assert type(raised.value) is kind
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value)
    shown += "".join(record.getMessage() for record in caplog.records)
    assert SIGNATURE[:8] not in shown


@pytest.mark.parametrize("link", ["http://files.example/53", "file:///etc/passwd", "not a link", "//host/x", ""])
def test_a_link_less_protected_than_ion_is_not_followed(link: str) -> None:
    async def run() -> None:
        async with FileHost(config()) as host, host.open(SecretStr(link), "file 53"):
            pass

    with pytest.raises(NoFileError, match="is not an https address"):
        asyncio.run(run())


def test_a_certificate_that_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> httpx.Response:
        raise httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", refuse)

    async def run() -> None:
        link = SecretStr(f"http://127.0.0.1:1/x?{SIGNATURE}")
        async with FileHost(config(api_url="http://127.0.0.1:1")) as host, host.open(link, "file 53"):
            pass

    with pytest.raises(CertificateError, match=r"file host .* is not trusted"):
        asyncio.run(run())


RESUMED: dict[str, tuple[list[bytes], tuple[int, bytes], int]] = {
    # The answers to the requests, what arrives from which byte on, and how many requests it takes.
    "the rest": (
        [http(b"rest", f"ETag: {TAG}", "Content-Range: bytes 5-8/9", status="206 Partial")], (5, b"rest"), 1,
    ),
    "no ranges": ([http(b"firstrest", f"ETag: {TAG}")], (0, b"firstrest"), 1),
    "another file": (
        [http(b"rest", 'ETag: "other"', "Content-Range: bytes 5-8/9", status="206 Partial"), http(b"other")],
        (0, b"other"), 2,
    ),
    "a shorter file": ([http(b"", "Content-Range: bytes */3", status="416 Range"), http(b"new")], (0, b"new"), 2),
}  # fmt: skip


@pytest.mark.parametrize("case", RESUMED)
def test_the_rest_of_a_file(case: str) -> None:
    answers, expected, requests = RESUMED[case]
    heads: list[bytes] = []
    serve = answering(*answers)

    async def recording(head: bytes, send: Send) -> None:
        heads.append(head.lower())
        await serve(head, send)

    async def run() -> tuple[int, bytes]:
        async with file_server(recording) as base:
            return await downloaded(base, start=5, validator=TAG)

    assert asyncio.run(run()) == expected
    assert len(heads) == requests
    assert b"range: bytes=5-\r\n" in heads[0]
    assert f"if-range: {TAG}\r\n".encode() in heads[0]
    assert [b"range:" in head for head in heads[1:]] == [False] * (requests - 1)
    assert not [head for head in heads if b"authorization" in head or b"cookie" in head or b"referer" in head]


CHECKSUMS = {
    "MD5 under S3's own key": ([f"ETag: {TAG}", "x-amz-server-side-encryption: AES256"], ("md5", TAG.strip('"'))),
    "an etag under another key": ([f"ETag: {TAG}", "x-amz-server-side-encryption: aws:kms"], None),
    "an etag of parts": ([f'ETag: {TAG[:-1]}-3"', "x-amz-server-side-encryption: AES256"], None),
    "SHA-256": (["x-amz-checksum-sha256: q80="], ("sha256", "abcd")),
    "a checksum of parts": (["x-amz-checksum-sha256: q80=-3"], None),
}


@pytest.mark.parametrize("case", CHECKSUMS)
def test_a_checksum_is_used_where_it_is_of_the_content(case: str) -> None:
    headers, expected = CHECKSUMS[case]

    async def run() -> Checksum | None:
        async with (
            file_server(answering(http(b"a", *headers))) as base,
            FileHost(config(api_url=base)) as host,
            host.open(SecretStr(f"{base}/file"), "file 53") as answer,
        ):
            return answer.checksum

    found = asyncio.run(run())
    assert (found and (found.algorithm, found.digest)) == expected
