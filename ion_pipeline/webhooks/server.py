"""The receiver's server: it limits the number and the time of connections that have not sent a complete request.

A client may open connections and send nothing, or one header a minute. uvicorn has no time limit for headers, and its
`limit_concurrency` counts such connections like any other, so that they lock out everybody else. Here they have a limit
of their own: if it is reached, the address with the most such connections loses its oldest one, and the new connection
is accepted. An event arrives completely within moments, so it never has to wait for another client's connection.
"""

import asyncio
from collections import Counter
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol


class WaitingRoom:
    """The connections of one server that have not sent a complete request.

    Args:
        places: How many there may be. Each uses a file descriptor, and at most the size of headers and body.
        seconds: How long a connection may take to send its headers.
    """

    def __init__(self, *, places: int = 256, seconds: float = 5.0) -> None:
        self._places, self._seconds = places, seconds
        # In the order of arrival.
        self._waiting: dict[GuardedProtocol, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def holds(self, connection: "GuardedProtocol") -> bool:
        """Whether a connection has a place."""
        return connection in self._waiting

    def enter(self, connection: "GuardedProtocol") -> None:
        """Give a place to a connection that has none; if all are taken, close another connection."""
        if connection in self._waiting:
            return
        if len(self._waiting) >= self._places:
            held = Counter(other.address for other in self._waiting)
            most = max(held.values())
            oldest = next(other for other in self._waiting if held[other.address] == most)
            self.leave(oldest)
            oldest.hang_up()
        timer = connection.loop.call_later(self._seconds, self._too_slow, connection)
        self._waiting[connection] = timer

    def headers_received(self, connection: "GuardedProtocol") -> None:
        """Stop the timer of a connection, which keeps its place: the application limits the time for the body."""
        if connection in self._waiting:
            self._waiting[connection].cancel()

    def leave(self, connection: "GuardedProtocol") -> None:
        """Free a connection's place, if it has one."""
        timer = self._waiting.pop(connection, None)
        if timer:
            timer.cancel()

    def _too_slow(self, connection: "GuardedProtocol") -> None:
        self.leave(connection)
        connection.hang_up()


class GuardedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, with a place in the waiting room until a request is complete."""

    def __init__(self, room: WaitingRoom, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._room = room

    @property
    def address(self) -> str:
        """The client's address without the port."""
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Enter the waiting room."""
        super().connection_made(transport)
        self._room.enter(self)

    def data_received(self, data: bytes) -> None:
        """Process data, and update the connection's place."""
        super().data_received(data)
        self._place()

    def on_response_complete(self) -> None:
        """Process data that arrived during the response, and update the connection's place."""
        super().on_response_complete()
        self._place()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the waiting room."""
        self._room.leave(self)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close the connection when the server stops, unless a complete request still has to be answered."""
        if self._room.holds(self):
            self.hang_up()
        else:
            super().shutdown()

    def hang_up(self) -> None:
        """Close the connection at once; data that is not sent yet is lost."""
        self.transport.abort()

    def _place(self) -> None:
        # uvicorn's `cycle` is None before the first request, although its annotation excludes it.
        cycle: Any = self.cycle
        if self.transport.is_closing():
            self._room.leave(self)
        elif cycle is None or cycle.response_complete:
            # Between two requests uvicorn's own keep-alive timeout applies.
            if cycle is None or self.conn.trailing_data[0]:
                self._room.enter(self)
            else:
                self._room.leave(self)
        elif cycle.more_body:
            self._room.enter(self)
            self._room.headers_received(self)
        else:
            self._room.leave(self)


def server(application: Starlette, host: str, port: int, room: WaitingRoom | None = None) -> uvicorn.Server:
    """A server for the receiver that incomplete requests cannot block.

    Args:
        application: The application to serve.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        room: The limits; by default those of `WaitingRoom`.
    """
    waiting = WaitingRoom() if room is None else room

    def protocol(*arguments: Any, **options: Any) -> GuardedProtocol:
        return GuardedProtocol(waiting, *arguments, **options)

    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        ws="none",
        access_log=False,
        server_header=False,
        # At `warning` uvicorn writes a line for each malformed request, so anybody could fill the log.
        log_level="error",
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
    )
    config.load()
    # uvicorn expects a class or a name, but it only calls it.
    config.http_protocol_class = protocol  # type: ignore[assignment]
    return uvicorn.Server(config)
