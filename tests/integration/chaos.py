"""A tenant behind a front that lies about the time and about how many rows one may ask for, as servers in the field do.

The sandbox breaks single answers on request; what is wrong with a whole server (its clock, its ceiling) is the front's.
"""

import re
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import orjson

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.sandbox.server import SandboxOptions, build_app
from ion_pipeline.sandbox.world import write_world
from tests.integration.changing_world import ENTITIES, PAGE, Change, ChangingWorld, Tenant, serving, small_factory
from tests.integration.conftest import settings_for

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_FIRST = re.compile(r"\bfirst: (\d+)")


@dataclass
class Front:
    """What stands before the tenant.

    Attributes:
        app: The tenant.
        ahead: How far the clock in `Date` is ahead of the one that stamps rows.
        at: The only answer (from 0, since `arm`) whose clock is wrong; None: all are.
        most: Rows that may be asked for at once; None: any number.
        refuses: Whether more than that is refused; otherwise as many are sent, and nothing is said.
        requests: GraphQL requests since `arm`.
        refused: Requests refused or cut down since `arm`.
    """

    app: Callable[[Message, Receive, Send], Awaitable[None]]
    ahead: timedelta = timedelta()
    at: int | None = None
    most: int | None = None
    refuses: bool = False
    requests: int = 0
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, ahead: timedelta = timedelta(), at: int | None = None) -> None:
        """Count requests anew, with this clock."""
        self.ahead, self.at, self.requests, self.refused = ahead, at, 0, 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        is_query = scope.get("path") == "/graphql"
        with self._lock:
            number = self.requests
            self.requests += is_query
        is_wrong = is_query and self.at in {None, number}
        now = datetime.now(UTC) + (self.ahead if is_wrong else timedelta())

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"date", format_datetime(now, usegmt=True).encode())]
            await send(message)

        if not is_query or self.most is None:
            await self.app(scope, receive, dated)
            return
        body = await _body(receive)
        asked = _sizes(body)
        if max(asked, default=0) > self.most:
            self.refused += 1
            if self.refuses:
                text = f"The page size of {max(asked)} exceeds the maximum of {self.most}."
                await _answer(dated, orjson.dumps({"data": None, "errors": [{"message": text}]}))
                return
            body = _cut(body, self.most)
        headers = [pair for pair in scope["headers"] if pair[0] != b"content-length"]
        scope["headers"] = [*headers, (b"content-length", str(len(body)).encode())]
        await self.app(scope, _once(body), dated)


async def _body(receive: Receive) -> bytes:
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _once(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


async def _answer(send: Send, content: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _sizes(body: bytes) -> list[int]:
    payload = orjson.loads(body)
    first = (payload.get("variables") or {}).get("first")
    return [*map(int, _FIRST.findall(payload["query"])), *([first] if first is not None else [])]


def _cut(body: bytes, most: int) -> bytes:
    payload = orjson.loads(body)
    payload["query"] = _FIRST.sub(lambda found: f"first: {min(int(found[1]), most)}", payload["query"])
    if (payload.get("variables") or {}).get("first") is not None:
        payload["variables"]["first"] = min(payload["variables"]["first"], most)
    return orjson.dumps(payload)


class Chaos:
    """A tenant that has been read once, and rounds of people's work, each read while something is wrong."""

    def __init__(self, tenant: Tenant, front: Front) -> None:
        self.tenant, self.front = tenant, front
        self._faults = f"{tenant.address.api_url}/_sandbox/faults"
        tenant.refresh()
        assert tenant.differences() == []

    def change(self, changes: list[Change], request: int | None = None) -> None:
        """People's work, now or just before a request of the refresh that comes."""
        if changes:
            self.tenant.change(*changes, before={"request": request} if request else None)

    def attempt(self) -> str:
        """Refresh: what came of it, in one word; what stays unsettled after success is read by one more refresh."""
        try:
            report = self.tenant.refresh()
        except IonPipelineError:
            return "stopped"
        if report.unread:
            return "unread"
        return "unsettled" if report.unsettled else "succeeded"

    def break_one(self, rule: dict[str, Any]) -> None:
        """Let one answer be wrong."""
        httpx.post(self._faults, json=[{"next": 1, **rule}]).raise_for_status()

    def fired(self) -> bool:
        """Whether it was; nothing is wrong from here on."""
        rules = httpx.get(self._faults).json()
        httpx.delete(self._faults).raise_for_status()
        return bool(rules) and all(rule["fired"] for rule in rules)

    def settle(self) -> list[str]:
        """Let all scheduled work come and read it with nothing wrong: where raw is not as the world then."""
        self.front.arm()
        self.tenant.pass_by()
        self.tenant.refresh()
        return self.tenant.differences()

    def heal(self) -> None:
        """Read everything, so that one wrong result does not make the next ones."""
        self.front.arm()
        self.tenant.refresh(full=True, accept_deletes=True)
        assert self.tenant.differences() == []


@contextmanager
def chaos(folder: Path, **overrides: Any) -> Iterator[Chaos]:
    """The small changing factory behind a front, read once."""
    world = small_factory()
    write_world(world, folder / "world")
    front = Front(build_app(SandboxOptions(world=folder / "world"), "a secret").asgi)
    with serving(front, date_header=False) as address:
        options = {"entities": ENTITIES, "page_size": PAGE, "max_concurrency": 4, **overrides}
        yield Chaos(Tenant(address, settings_for(address, folder / "data", **options), ChangingWorld(world)), front)
