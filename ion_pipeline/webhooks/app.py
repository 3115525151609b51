"""The receiver's HTTP interface: accepts small signed bodies at a limited rate, and stores an event before it answers.

An answer discloses nothing: no reason for a refused signature, no content of an event. A client without a valid
signature cannot use up what signed requests need: it takes no token of the rate limit, keeps no connection and does not
get a log line for each request.
"""

import asyncio
import math
import sqlite3
import time
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ion_pipeline.logs import logger
from ion_pipeline.plain import visible
from ion_pipeline.webhooks.event import MalformedEventError, parse
from ion_pipeline.webhooks.inbox import Inbox
from ion_pipeline.webhooks.rate import TokenBucket
from ion_pipeline.webhooks.signature import Algorithm, is_signed

PATH = "/ion/webhooks"
_SECONDS_FOR_A_BODY = 10.0
_CLOSE = {"Connection": "close"}
_LINES_PER_SECOND = 1 / 60
_LINES_AT_ONCE = 5
# Refusals that only a signed request can get.
_SIGNED = frozenset({429, 503})
_log = logger()


@dataclass(frozen=True, slots=True)
class ReceiverOptions:
    """The secret and the limits of the receiver.

    Attributes:
        secret: The secret shared with ION.
        algorithm: Hash algorithm of the signature.
        max_bytes: Maximum size of a body.
        per_second: Signed requests accepted per second; twice as many in a burst.
    """

    secret: str
    algorithm: Algorithm = "sha256"
    max_bytes: int = 65_536
    per_second: float = 50.0

    def __repr__(self) -> str:
        return f"ReceiverOptions(algorithm={self.algorithm!r}, max_bytes={self.max_bytes})"


def receiver(inbox: Inbox, options: ReceiverOptions) -> Starlette:
    """The application: `POST /ion/webhooks`, and `GET /healthz` for monitoring.

    The signature is checked before the rate: a flood of requests without the secret gets 401, and takes no capacity
    from ION's events. A refused request is also disconnected.

    Answers: 200 `{"status": "stored"}` or `{"status": "known"}`; 400 not an event; 401 not signed; 408 too slow; 413
    too large; 429 too many, with `Retry-After`; 503 not stored, ION should deliver it again.

    Args:
        inbox: Stores the events.
        options: The secret and the limits.
    """
    bucket = TokenBucket(options.per_second, 2 * options.per_second)
    refusals = _Refusals()

    async def receive(request: Request) -> Response:
        signature = request.headers.get("x-ion-signature", "")
        # Without a signature the body is not read.
        body = await _body(request, options.max_bytes) if signature else b""
        if not signature or not is_signed(body, signature, options.secret, options.algorithm):
            refusals.note(request.client.host if request.client else "")
            raise HTTPException(401, "not signed")
        wait = bucket.take(time.monotonic())
        if wait:
            raise HTTPException(429, "too many requests", {"Retry-After": str(math.ceil(wait))})
        try:
            is_new = await run_in_threadpool(inbox.store, parse(body))
        except MalformedEventError as error:
            raise HTTPException(400, error.message) from None
        except (sqlite3.Error, OSError) as error:
            _log.error("an event was not stored", error=type(error).__name__)
            raise HTTPException(503, "not stored", {"Retry-After": "30"}) from None
        return JSONResponse({"status": "stored" if is_new else "known"})

    async def health(request: Request) -> Response:  # noqa: ARG001 -- Starlette passes it
        return JSONResponse({"status": "ok"}, headers=_CLOSE)

    return Starlette(
        routes=[Route(PATH, receive, methods=["POST"]), Route("/healthz", health, methods=["GET"])],
        exception_handlers={HTTPException: _refused},
    )


async def _body(request: Request, limit: int) -> bytes:
    """The body, read up to the limit, whatever its Content-Length header says."""
    declared = request.headers.get("content-length", "")
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS_FOR_A_BODY):
            if not (declared.isdecimal() and int(declared) > limit):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        break
                else:
                    return bytes(body)
    except (TimeoutError, ClientDisconnect):
        raise HTTPException(408, "the body did not come") from None
    raise HTTPException(413, "too large")


class _Refusals:
    """Log lines about refused signatures: the first few, then one a minute with the number of refusals."""

    def __init__(self) -> None:
        self._bucket = TokenBucket(_LINES_PER_SECOND, _LINES_AT_ONCE)
        self._unlogged = 0

    def note(self, client: str) -> None:
        self._unlogged += 1
        if not self._bucket.take(time.monotonic()):
            # The address may come from a proxy's header, so anybody can choose it.
            _log.warning("signature refused", client=visible(client), refused=self._unlogged)
            self._unlogged = 0


def _refused(request: Request, error: Exception) -> Response:  # noqa: ARG001 -- Starlette passes it
    if not isinstance(error, HTTPException):
        raise error
    # After 429 and 503 ION delivers again, and may use the same connection.
    headers = dict(error.headers or {}) if error.status_code in _SIGNED else {**(error.headers or {}), **_CLOSE}
    return JSONResponse({"error": error.detail}, status_code=error.status_code, headers=headers)
