"""HTTP responses: correct ones, compressed if the client accepts it, and intentionally broken ones."""

import asyncio
import gzip
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_WORTH_COMPRESSING = 1_000
_PIECES = 20
_HTML = b"<html><head><title>%d</title></head><body><center><h1>%d %s</h1></center></body></html>\n"
_GATEWAY = {502: b"Bad Gateway", 503: b"Service Unavailable", 504: b"Gateway Time-out"}


def json_response(value: Any, *, status: int = 200, accept_encoding: str = "") -> Response:
    """A JSON response, compressed with gzip if that is accepted and the body is large enough."""
    body = orjson.dumps(value)
    headers = {"content-type": "application/json", "vary": "Accept-Encoding"}
    if "gzip" in accept_encoding and len(body) > _WORTH_COMPRESSING:
        # Level 1, so that the sandbox is not the bottleneck of tests and benchmarks.
        body = gzip.compress(body, compresslevel=1, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, status_code=status, headers=headers)


def error_response(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """ION's error response; for the statuses of a gateway, the HTML page that a gateway sends."""
    if status in _GATEWAY:
        page = _HTML % (status, status, _GATEWAY[status])
        return Response(page, status_code=status, headers=headers, media_type="text/html")
    return Response(
        orjson.dumps({"errors": [{"message": message}]}),
        status_code=status,
        headers=headers,
        media_type="application/json",
    )


def html_response() -> Response:
    """A proxy's login page, which a client receives in place of JSON."""
    return Response(b"<!doctype html><html><body>Please sign in.</body></html>", media_type="text/html")


class DatedResponse(Response):
    """A complete answer with a wrong `Date` header, as from a load balancer with a clock of its own.

    uvicorn sends its own `Date` before the headers of the application. The list of its headers is an attribute of the
    object that `receive` is bound to.
    """

    def __init__(self, response: Response, *, seconds: float) -> None:
        super().__init__(response.body, status_code=response.status_code, headers=dict(response.headers))
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        self.headers["date"] = format_datetime(at, usegmt=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the response without the server's own date."""
        cycle: Any = getattr(receive, "__self__", None)
        cycle.default_headers = [header for header in cycle.default_headers if header[0].lower() != b"date"]
        await super().__call__(scope, receive, send)


class DroppedResponse(Response):
    """Breaks the connection without an answer.

    ASGI cannot express that; uvicorn's `receive` is bound to the object that has the transport.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Aborts the transport."""
        del scope, send
        cycle: Any = getattr(receive, "__self__", None)
        cycle.transport.abort()
        cycle.disconnected = True


class BrokenResponse(Response):
    """Sends half of the body of a correct response and breaks the connection, or sends all of it in small pieces.

    Args:
        whole: The correct response.
        seconds: How long sending all pieces takes; ignored with `cut`.
        cut: Whether to stop in the middle and break the connection.
    """

    def __init__(self, whole: Response, *, seconds: float = 0.0, cut: bool = False) -> None:
        super().__init__(whole.body, status_code=whole.status_code)
        self.raw_headers = whole.raw_headers
        self._seconds, self._cut = seconds, cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the response in the requested way."""
        del scope
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        body = bytes(self.body)
        if self._cut:
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            cycle: Any = getattr(receive, "__self__", None)
            cycle.transport.close()
            cycle.disconnected = True
            return
        size = max(1, -(-len(body) // _PIECES))
        for start in range(0, len(body), size):
            await asyncio.sleep(self._seconds / _PIECES)
            await send(
                {
                    "type": "http.response.body",
                    "body": body[start : start + size],
                    "more_body": start + size < len(body),
                }
            )
