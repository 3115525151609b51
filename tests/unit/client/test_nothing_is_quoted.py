"""Broken answers over a real socket: no row and no part of a secret reaches an error, a retry warning or a log."""

import asyncio
import gc
import gzip
import json
import logging
import traceback
from collections.abc import Callable, Iterator
from itertools import chain, repeat

import pytest
import structlog
from pydantic import SecretStr

from ion_pipeline.client import IonApiError, IonClient
from tests.unit.client.support import KINDS, config, request_of

ROW = "SN-0042-Xylophone-Quartz"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.Zm9vYmFyYmF6cXV4Mzc.c2lnbmF0dXJl"
SECRET = "kW7-pLq9_secret-of-the-key"
# As long as the shortest part of a secret that the redactor removes.
WIDTH = 8
# Larger than any buffer, so that some of it is unread when the answer ends too early.
BODY = json.dumps({"data": {"parts": [{"serialNumber": ROW, "note": ROW * 40}] * 50}}).encode()
ZIPPED = gzip.compress(BODY)

Answer = Callable[[str], bytes]


def http(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", *headers]
    lines += (
        [] if length is None and headers and "chunked" in headers[0] else [f"Content-Length: {length or len(body)}"]
    )
    return "\r\n".join([*lines, "", ""]).encode() + body


def said(message: str, status: str = "200 OK") -> bytes:
    return http(json.dumps({"errors": [{"message": message}]}).encode(), status=status)


CHUNKED = "Transfer-Encoding: chunked"
# ION's answers, as functions of the authorization header. The connection stays open unless the answer has to end it.
ION: dict[str, Answer] = {
    "a content-length too small": lambda _: http(BODY, length=len(BODY) - 300),
    "a content-length of half": lambda _: http(BODY, length=len(BODY) // 2),
    "a content-length of a whole result with rows behind it": lambda _: http(b'{"data": null}' + BODY, length=14),
    "a content-length too large": lambda _: http(BODY, "Connection: close", length=len(BODY) + 300),
    "a content-length that is a row": lambda _: f"HTTP/1.1 200 OK\r\nContent-Length: {ROW}\r\n\r\n".encode() + BODY,
    "chunks that end too early": lambda _: http(
        f"{len(BODY):x}\r\n".encode() + BODY[:999], CHUNKED, "Connection: close"
    ),
    "a row for a chunk's length": lambda _: http(f"{ROW}\r\n".encode() + BODY, CHUNKED),
    "a chunk longer than it says": lambda _: http(b"10\r\n" + BODY, CHUNKED),
    "gzip that is none": lambda _: http(BODY, "Content-Encoding: gzip"),
    "gzip cut off": lambda _: http(ZIPPED[: len(ZIPPED) // 2], "Content-Encoding: gzip"),
    "gzip of other bytes": lambda _: http(ZIPPED[:20] + BODY[:200] + ZIPPED[220:], "Content-Encoding: gzip"),
    "JSON cut off": lambda _: http(BODY[:-5]),
    "a row for a status line": lambda _: f"{ROW}\r\n\r\n".encode() + BODY,
    "a row for a reason": lambda _: http(b"", status=f"500 {ROW}", length=0),
    "a row for a header": lambda _: f"HTTP/1.1 200 OK\r\n{ROW}\r\n\r\n".encode() + BODY,
    "an error that quotes a row": lambda _: said(f'invalid row: "{ROW}"', "500 X"),
    "an error that quotes the token": lambda sent: said(f"Unable to parse authentication token {sent}", "401 X"),
    "an error that quotes the token late": lambda sent: said("x" * 280 + sent + "y" * 900, "500 X"),
    "a refusal that quotes the token": lambda sent: said("Syntax Error: " + "x" * 270 + sent + "y" * 900, "400 X"),
    "a throttle that quotes half the token": lambda sent: said(f"Rate limit of {sent[:24]}", "429 X"),
    "a redirect with the token": lambda sent: http(b"", f"Location: /x?{sent}", status="302 X", length=0),
    "the token for a reason": lambda sent: http(b"", status=f"502 {sent}", length=0),
}
# The token host's answers, as functions of the form that was sent.
GIVEN = json.dumps({"access_token": TOKEN, "expires_in": 300}).encode()
HOST: dict[str, Answer] = {
    "a content-length too small": lambda _: http(GIVEN, length=40),
    "a content-length too large": lambda _: http(GIVEN, "Connection: close", length=len(GIVEN) + 9),
    "chunks that end too early": lambda _: http(b"ff\r\n" + GIVEN, CHUNKED, "Connection: close"),
    "a token for a chunk's length": lambda _: http(TOKEN.encode() + b"\r\n" + GIVEN, CHUNKED),
    "gzip that is none": lambda _: http(GIVEN, "Content-Encoding: gzip"),
    "a token with a line break": lambda _: http(GIVEN.replace(TOKEN[:20].encode(), TOKEN[:20].encode() + rb"\n")),
    "a token in a list": lambda _: http(json.dumps({"access_token": [TOKEN]}).encode()),
    "an error with the form": lambda form: http(
        json.dumps({"error": SECRET.replace("-", "_"), "error_description": form}).encode(), status="400 X"
    ),
    "an error with a token": lambda _: http(json.dumps({"error": TOKEN.replace(".", "_")}).encode(), status="401 X"),
    "an error together with a token": lambda _: http(
        json.dumps({"error": "temporarily_unavailable", "access_token": TOKEN}).encode(), status="503 X"
    ),
    "the form for a reason": lambda form: http(b"", status=f"503 {form}", length=0),
    "the form for a status line": lambda form: f"{form}\r\n\r\n".encode(),
}


def parts(of: str) -> Iterator[str]:
    return (of[start : start + WIDTH] for start in range(len(of) - WIDTH + 1))


def quoted(shown: str) -> set[str]:
    """The parts of a row, the token or the secret that a text contains."""
    return {part for kept in (ROW, TOKEN, SECRET) for part in parts(kept) if part in shown}


async def ask(ion: Answer, host: Answer, kind: str) -> IonApiError:
    """The client's error messages for servers that always give this answer."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head, _, body = (await request_of(reader)).partition(b"\r\n\r\n")
                is_token = b"/token" in head.partition(b"\r\n")[0]
                sent = head.decode().lower().find("authorization: bearer ")
                text = body.decode() if is_token else head.decode()[sent + 22 :].partition("\r\n")[0]
                answer = (host if is_token else ion)(text)
                writer.write(answer)
                if b"Connection: close" in answer:
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client or the test has closed the connection
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    settings = config(
        api_url=address, auth_url=address, client_secret=SecretStr(SECRET), timeout=2.0, max_attempts=3, retry_seconds=9
    )
    async with server, IonClient(settings, transport=KINDS[kind]()) as client:
        with pytest.raises(IonApiError) as caught:
            await client.execute("{ parts }", operation="parts, page 3")
    return caught.value


@pytest.fixture(scope="module", autouse=True)
def _own_objects_only() -> None:
    # Each collection would walk through what the tests before have left: two seconds for each of these.
    gc.collect()
    gc.freeze()


def listen(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    if kind == "httpx":
        # Behind a proxy httpx sends the requests, and its debug log contains each status line as received.
        caplog.set_level(logging.WARNING, "httpx")


def everything(error: IonApiError, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> str:
    """All text that a person could see."""
    gc.collect()  # messages of asyncio and aiohttp about abandoned tasks and connections
    printed = capsys.readouterr()
    trace = "".join(traceback.format_exception(error))
    kept = repr(vars(error))
    logged = "\n".join(f"{record.getMessage()} {record.exc_text} {record.args!r}" for record in caplog.records)
    return "\n".join([repr(error), str(error), trace, kept, logged, caplog.text, printed.out, printed.err])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ION)
def test_nothing_of_ions_answers_is_quoted(
    fault: str, kind: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    listen(kind, caplog)
    error = asyncio.run(ask(ION[fault], lambda _: http(GIVEN), kind))
    shown = everything(error, caplog, capsys)
    assert "parts, page 3" in str(error)
    assert quoted(shown) == set()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", HOST)
def test_nothing_of_the_token_hosts_answers_is_quoted(
    fault: str, kind: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    listen(kind, caplog)
    error = asyncio.run(ask(lambda _: http(BODY), HOST[fault], kind))
    shown = everything(error, caplog, capsys)
    assert quoted(shown) == set()


def test_retries_give_warnings(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """Without these warnings the tests above would check nothing."""
    listen("aiohttp", caplog)
    with structlog.testing.capture_logs() as logged:
        error = asyncio.run(ask(ION["JSON cut off"], lambda _: http(GIVEN), "aiohttp"))
    warned = [entry for entry in logged if entry["event"] == "stamina.retry_scheduled"]
    assert len(warned) == 2
    assert all(error.message in entry["caused_by"] for entry in warned)
    assert quoted(repr(logged) + everything(error, caplog, capsys)) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_surplus_bytes_after_an_answer_do_not_corrupt_the_next(kind: str) -> None:
    answers = chain([ION["a content-length of half"]("")], repeat(http(b'{"data": {"parts": 7}}')))

    async def run() -> dict[str, object]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                while True:
                    writer.write(http(GIVEN) if b"/token" in await request_of(reader) else next(answers))
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # the client has closed the connection
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        settings = config(api_url=address, auth_url=address, timeout=5.0)
        async with server, IonClient(settings, transport=KINDS[kind]()) as client:
            return await client.execute("{ parts }", operation="parts, page 3")

    assert asyncio.run(run()) == {"parts": 7}
