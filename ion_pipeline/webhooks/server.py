"""The receiver's door: connections that have not sent a whole request are few, and end soon.

A client may open connections and send nothing, or a header a minute. uvicorn has no time limit for
headers, and its `limit_concurrency` counts such connections like any other, so that they lock everybody else out. Here
they have a budget of their own: where it is used up the oldest of the address that holds most of it goes, and the
newcomer is let in. An event comes whole within moments; it never waits for a stranger to leave.
"""

import asyncio
from collections import Counter
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol


class WaitingRoom:
    """The connections of one server that have not sent a whole request.

    Args:
        places: How many there may be. Each takes a file descriptor, and at most the size of headers and body.
        seconds: How long one may take for its headers.
    """

    def __init__(self, *, places: int = 256, seconds: float = 5.0) -> None:
        self._places, self._seconds = places, seconds
        # In the order in which they came.
        self._waiting: dict[GuardedProtocol, asyncio.TimerHandle] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def holds(self, connection: "GuardedProtocol") -> bool:
        """Whether a connection has a place."""
        return connection in self._waiting

    def enter(self, connection: "GuardedProtocol") -> None:
        """Give a place to a connection that has none; somebody else's if there is none left."""
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

    def headers_came(self, connection: "GuardedProtocol") -> None:
        """Stop the time of a connection, which keeps its place: the body has a time limit in the application."""
        if connection in self._waiting:
            self._waiting[connection].cancel()

    def leave(self, connection: "GuardedProtocol") -> None:
        """Take a connection's place from it, if it has one."""
        timer = self._waiting.pop(connection, None)
        if timer:
            timer.cancel()

    def _too_slow(self, connection: "GuardedProtocol") -> None:
        self.leave(connection)
        connection.hang_up()


class GuardedProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, in a waiting room until a request is there as a whole."""

    def __init__(self, room: WaitingRoom, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._room = room

    @property
    def address(self) -> str:
        """Who is at the other end, without the port."""
        return self.client[0] if self.client else ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Enter the room."""
        super().connection_made(transport)
        self._room.enter(self)

    def data_received(self, data: bytes) -> None:
        """Read on, and see how far the request has come."""
        super().data_received(data)
        self._place()

    def on_response_complete(self) -> None:
        """Go on with what came while the answer was made."""
        super().on_response_complete()
        self._place()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the room."""
        self._room.leave(self)
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End the connection with the server, unless a request is there as a whole: that one is still answered."""
        if self._room.holds(self):
            self.hang_up()
        else:
            super().shutdown()

    def hang_up(self) -> None:
        """Close the connection without a word; what is not sent yet is lost."""
        self.transport.abort()

    def _place(self) -> None:
        # uvicorn has no request there at first, whatever its annotation says.
        cycle: Any = self.cycle
        if self.transport.is_closing():
            self._room.leave(self)
        elif cycle is None or cycle.response_complete:
            # Between two requests uvicorn's own time for a kept connection runs.
            if cycle is None or self.conn.trailing_data[0]:
                self._room.enter(self)
            else:
                self._room.leave(self)
        elif cycle.more_body:
            self._room.enter(self)
            self._room.headers_came(self)
        else:
            self._room.leave(self)


def server(application: Starlette, host: str, port: int, room: WaitingRoom | None = None) -> uvicorn.Server:
    """The receiver as a server that strangers cannot fill.

    Args:
        application: What answers.
        host: Address to listen at.
        port: Port to listen at; 0 takes a free one.
        room: The limits; those of the class unless given.
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
        # At `warning` uvicorn writes a line for each malformed request: strangers would fill the log.
        log_level="error",
        timeout_keep_alive=5,
        timeout_graceful_shutdown=5,
    )
    config.load()
    # uvicorn takes a class or a name; what it does with it is to call it.
    config.http_protocol_class = protocol  # type: ignore[assignment]
    return uvicorn.Server(config)
