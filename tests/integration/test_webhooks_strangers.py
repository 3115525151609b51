"""Who does not know the secret costs ION's events nothing: floods and slow connections, over a real socket."""

import contextlib
import hashlib
import hmac
import logging
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import orjson
import pytest

from ion_pipeline.webhooks import Inbox, ReceiverOptions, receiver
from ion_pipeline.webhooks.server import WaitingRoom, server

SECRET = "shared-with-ion-only"
PLACES = 64


@contextlib.contextmanager
def serving(folder: Path, room: WaitingRoom | None = None, *, per_second: float = 10_000.0) -> Iterator[int]:
    """A receiver in a thread; gives its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        port: int = listener.getsockname()[1]
        application = receiver(Inbox(folder / "webhooks.sqlite"), ReceiverOptions(SECRET, per_second=per_second))
        running = server(application, "127.0.0.1", port, room)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield port
        finally:
            running.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def deliver(client: httpx.Client, port: int, event_id: str, *, secret: str = SECRET) -> int:
    body = orjson.dumps({"event_id": event_id, "subscription_id": 3, "resource": "parts"})
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    url = f"http://127.0.0.1:{port}/ion/webhooks"
    return client.post(url, content=body, headers={"x-ion-signature": signature}).status_code


def is_closed(connection: socket.socket) -> bool:
    """Whether the other end hangs up; waits for it."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_flood_of_unsigned_requests_takes_no_place_from_signed_events(tmp_path: Path) -> None:
    """30 events fit the burst of 40 alone, and not with 300 strangers who take from it too."""
    with serving(tmp_path, per_second=20.0) as port, httpx.Client(timeout=20) as client, httpx.Client() as other:

        def stranger(number: int) -> int:
            headers = {} if number % 2 else {"x-ion-signature": "0" * 64}
            return other.post(f"http://127.0.0.1:{port}/ion/webhooks", content=b"{}", headers=headers).status_code

        with ThreadPoolExecutor(4) as pool:
            strangers = pool.map(stranger, range(300))
            events = [deliver(client, port, f"e{number}") for number in range(30)]
            assert Counter(strangers) == {401: 300}
        assert Counter(events) == {200: 30}
    assert len(Inbox(tmp_path / "webhooks.sqlite").after(0)) == 30


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /ion/webhooks HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        b"POST /ion/webhooks HTTP/1.1\r\nHost: x\r\nx-ion-signature: 00\r\nContent-Length: 60000\r\n\r\n{",
    ],
    ids=["nothing", "half a header", "half a body"],
)
def test_slow_connections_keep_nobody_out_and_are_bounded(tmp_path: Path, sent: bytes) -> None:
    room = WaitingRoom(places=PLACES, seconds=3600)
    with serving(tmp_path, room) as port, contextlib.ExitStack() as opened:
        slow = []
        for _ in range(250):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            with contextlib.suppress(OSError):
                connection.sendall(sent)
            slow.append(connection)
        with httpx.Client(timeout=20) as client:
            assert [deliver(client, port, f"e{number}") for number in range(20)] == [200] * 20
        assert len(room) <= PLACES
        assert all(is_closed(connection) for connection in slow[: 250 - PLACES])


def test_headers_that_do_not_come_end_the_connection(tmp_path: Path) -> None:
    """A trickle does not extend the time."""
    with (
        serving(tmp_path, WaitingRoom(places=PLACES, seconds=0.2)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as silent,
        socket.create_connection(("127.0.0.1", port), timeout=20) as slow,
    ):
        slow.sendall(b"POST /ion/webhooks HTTP/1.1\r\nX-Slow: a")
        assert is_closed(silent)
        assert is_closed(slow)


def test_a_kept_connection_that_begins_another_request_slowly_is_ended(tmp_path: Path) -> None:
    body = b'{"event_id": "e1", "resource": "parts"}'
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    head = (
        f"POST /ion/webhooks HTTP/1.1\r\nHost: x\r\nx-ion-signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with (
        serving(tmp_path, WaitingRoom(places=PLACES, seconds=0.5)) as port,
        socket.create_connection(("127.0.0.1", port), timeout=20) as connection,
    ):
        for status in (b"stored", b"known"):
            connection.sendall(head.encode() + body)
            answer = b""
            while not answer.endswith(b"}"):
                answer += connection.recv(4096)
            assert b"200 OK" in answer
            assert status in answer
        connection.sendall(b"POST /ion")
        assert is_closed(connection)


def test_the_address_with_the_most_slow_connections_loses_one(tmp_path: Path) -> None:
    """A slow event from elsewhere keeps its place although it came first."""
    with (
        serving(tmp_path, WaitingRoom(places=3, seconds=3600)) as port,
        contextlib.ExitStack() as opened,
    ):

        def connect(source: str) -> socket.socket:
            return opened.enter_context(
                socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(source, 0))
            )

        ours = connect("127.0.0.2")
        strangers = [connect("127.0.0.3") for _ in range(10)]
        assert all(is_closed(connection) for connection in strangers[:8])
        body = b'{"event_id": "late", "resource": "parts"}'
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        ours.sendall(
            f"POST /ion/webhooks HTTP/1.1\r\nHost: x\r\nx-ion-signature: {signature}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        assert b"200 OK" in ours.recv(4096)


def test_refused_requests_are_disconnected_and_do_not_fill_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path) as port, httpx.Client(timeout=20) as client, caplog.at_level(logging.WARNING):
        for path, status in (("/healthz", 200), ("/nothing", 404), ("/ion/webhooks", 405)):
            answer = client.get(f"http://127.0.0.1:{port}{path}")
            assert (answer.status_code, answer.headers["connection"]) == (status, "close")
        for _ in range(100):
            answer = client.post(f"http://127.0.0.1:{port}/ion/webhooks", content=b"{}")
            assert (answer.status_code, answer.headers["connection"]) == (401, "close")
            with socket.create_connection(("127.0.0.1", port), timeout=20) as malformed:
                malformed.sendall(b"\x00\x01\r\n\r\n")
                assert malformed.recv(4096)
    captured = capsys.readouterr()
    written = captured.out + captured.err + caplog.text
    assert 1 <= written.count("signature refused") <= 6
    assert len(written.splitlines()) < 20
