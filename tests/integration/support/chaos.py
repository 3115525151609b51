"""A tenant behind a front that lies about the time, as servers in the field do.

The sandbox breaks single answers and refuses what is too much; a clock that is wrong in all answers is the front's.
"""

import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.sandbox.app import SandboxApp
from ion_pipeline.sandbox.limits import Limits
from ion_pipeline.sandbox.server import SandboxOptions, build_app
from ion_pipeline.sandbox.world import write_world
from tests.integration.conftest import settings_for
from tests.integration.support.changing_world import (
    ENTITIES,
    PAGE,
    Change,
    ChangingWorld,
    Tenant,
    serving,
    small_factory,
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_FAULTS = "/_sandbox/faults"


@dataclass
class Front:
    """A proxy in front of the tenant.

    Attributes:
        app: The tenant.
        ahead: How far the clock in `Date` is ahead of the one that stamps rows.
        at: The only answer (from 0, since `arm`) whose clock is wrong; None: all are.
        requests: GraphQL requests since `arm`.
    """

    app: SandboxApp
    ahead: timedelta = timedelta()
    at: int | None = None
    requests: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def arm(self, ahead: timedelta = timedelta(), at: int | None = None) -> None:
        """Count requests anew, with this clock."""
        self.ahead, self.at, self.requests, self.app.stats.limited = ahead, at, 0, 0

    @property
    def limited(self) -> int:
        """Operations refused or cut short since `arm`, because of the limits."""
        return self.app.stats.limited

    def limit(self, **limits: int) -> None:
        """Give only so much at once from now on; no limits, everything."""
        self.app.engine.limits = Limits(**limits)

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

        await self.app.asgi(scope, receive, dated)


class Chaos:
    """A tenant that has been read once, and rounds of people's work, each read while something is wrong.

    Attributes:
        stops: Refreshes that stopped, by what the command line would exit with and the error.
    """

    def __init__(self, tenant: Tenant, front: Front) -> None:
        self.tenant, self.front = tenant, front
        self.stops = Counter[str]()
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
        except IonPipelineError as error:
            self.stops[f"exit {error.exit_code}: {type(error).__name__}"] += 1
            return "stopped"
        if report.unread:
            return "unread"
        return "unsettled" if report.unsettled else "succeeded"

    def break_one(self, rule: dict[str, Any]) -> None:
        """Let one answer be wrong."""
        self.tenant.ask("POST", _FAULTS, json=[{"next": 1, **rule}]).raise_for_status()

    def fired(self) -> bool:
        """Whether it was; nothing is wrong from here on."""
        rules = self.tenant.ask("GET", _FAULTS).json()
        self.tenant.ask("DELETE", _FAULTS).raise_for_status()
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
    front = Front(build_app(SandboxOptions(world=folder / "world", profile="today"), "a secret"))
    with serving(front, date_header=False) as address:
        options = {"entities": ENTITIES, "page_size": PAGE, "max_concurrency": 4, **overrides}
        yield Chaos(Tenant(address, settings_for(address, folder / "data", **options), ChangingWorld(world)), front)
