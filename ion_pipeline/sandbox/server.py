"""Starts a sandbox from its options, and writes the factory's world to disk."""

import asyncio
import gc
import os
import secrets
import socket
from collections.abc import Callable, Coroutine
from dataclasses import astuple, dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.sandbox.app import SandboxApp
from ion_pipeline.sandbox.computed import Computed
from ion_pipeline.sandbox.deliveries import Deliveries
from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.factory import build_plant, build_world
from ion_pipeline.sandbox.factory.clock import TODAY as FIXED_DATE
from ion_pipeline.sandbox.factory.live import Plant
from ion_pipeline.sandbox.file_host import FileHost
from ion_pipeline.sandbox.limits import Limits
from ion_pipeline.sandbox.live import keep_working
from ion_pipeline.sandbox.load import load_world
from ion_pipeline.sandbox.model import known_model, today_model
from ion_pipeline.sandbox.profiles import CONTROLLED, TODAY, WITHHELD, WORKING, served_schema
from ion_pipeline.sandbox.tokens import TokenIssuer
from ion_pipeline.sandbox.world import World, read_world, write_world

DEFAULT_CLIENT_ID = "ion-sandbox"
#: The parent passes the secret to the child in this variable, because every user can read command lines.
SECRET_VARIABLE = "ION_SANDBOX_CLIENT_SECRET"  # noqa: S105


class SandboxError(IonPipelineError):
    """The sandbox cannot be started."""


@dataclass(frozen=True)
class SandboxOptions:
    """What to serve, and at which address.

    Attributes:
        world: A directory of world files; without it the factory builds a world from `seed`, `scale` and `today`.
        today: The date that the factory's world is for; by default a fixed one, so that a test knows the world.
        profile: What the tenant's schema has (`profiles`).
        export_group: Whether the API key is in the export group; if not, controlled rows are missing in every answer.
        names: For the profile `today`, what the tenant has under another name: (name, other name).
        forbid: Root connections that the API key may not read.
        day_minutes: The plant keeps working, a day in this time; None: the rows stay as they are.
        webhooks: Address that receives an event of each change while the plant works; None: nobody does.
        webhook_secret: The secret that events are signed with.
        max_first: Maximum number of rows of one list in a request; a request for more is refused.
        cap_first: Maximum number of rows of one list in an answer; the rest is left out without an error.
        max_cost: Maximum cost of a request, in rows requested times fields of each; more is refused.
        port: The port; 0 takes a free one.
        client_secret: The secret; without it that of the environment, otherwise a new one for this process.
        token_lifetime: Seconds that a token is valid.
        link_lifetime: Seconds that a link to a file is valid.
        file_bytes: Bytes of each file; by default some kilobytes.
    """

    world: Path | None = None
    seed: int = 7
    scale: float = 1.0
    today: date = FIXED_DATE
    profile: str = "full"
    export_group: bool = True
    names: tuple[tuple[str, str], ...] = ()
    forbid: tuple[str, ...] = ()
    day_minutes: float | None = None
    webhooks: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    max_first: int | None = None
    cap_first: int | None = None
    max_cost: int | None = None
    host: str = "127.0.0.1"
    port: int = 0
    client_id: str = DEFAULT_CLIENT_ID
    client_secret: str | None = field(default=None, repr=False)
    token_lifetime: int = 300
    link_lifetime: int = 300
    file_bytes: int | None = None


@dataclass(frozen=True)
class SandboxAddress:
    """How to reach a running sandbox; token host and API host are the same server."""

    api_url: str
    auth_url: str
    client_id: str
    client_secret: str = field(repr=False)

    def environment(self) -> dict[str, str]:
        """The settings with which the pipeline connects to it."""
        return {
            "ION_ENVIRONMENT": "custom",
            "ION_API_URL": self.api_url,
            "ION_AUTH_URL": self.auth_url,
            "ION_CLIENT_ID": self.client_id,
            "ION_CLIENT_SECRET": self.client_secret,
        }


def serve(options: SandboxOptions, on_ready: Callable[[SandboxAddress], None]) -> None:
    """Serves until interrupted, and calls `on_ready` with the address when requests are accepted.

    Raises:
        WorldError: A file of the world is invalid.
        SettingsError: The profile or a forbidden entity does not exist, or a limit is less than 1.
        SandboxError: The address cannot be bound.
    """
    with _bound(options.host, options.port) as listener:
        secret = options.client_secret or os.environ.get(SECRET_VARIABLE) or secrets.token_urlsafe(24)
        app = build_app(options, secret)
        host, port = listener.getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        server = _Server(
            # Faults break connections on purpose, which uvicorn would report as errors. The client gives up an idle
            # connection after five seconds: a server that closes it first may meet the next request.
            uvicorn.Config(
                app.asgi,
                http="h11",
                loop="asyncio",
                lifespan="off",
                log_level="critical",
                access_log=False,
                timeout_keep_alive=75,
            ),
            lambda: on_ready(SandboxAddress(url, url, options.client_id, secret)),
            _plant_at_work(app, options),
        )
        server.run(sockets=[listener])
        server.raise_failure()


def build_app(options: SandboxOptions, client_secret: str) -> SandboxApp:
    """The application, with the world in memory.

    Raises:
        WorldError: A file of the world is invalid.
        SettingsError: The profile or a forbidden entity does not exist, or a limit is less than 1.
    """
    schema = served_schema(options.profile, options.names)
    is_today = options.profile == TODAY
    model = today_model() if is_today else known_model()
    unknown = sorted(set(options.forbid) - model.roots.keys())
    if unknown:
        raise SettingsError(
            f"ION has no entity {', '.join(unknown)} to forbid.",
            remedy="Name root connections, such as partInventories.",
        )
    limits = Limits(options.max_first, options.cap_first, options.max_cost)
    if any(limit is not None and limit < 1 for limit in astuple(limits)):
        raise SettingsError("A limit of the sandbox is less than 1.", remedy="Set a whole number from 1, or no limit.")
    _check_plant(options)
    if options.webhooks and (options.day_minutes is None or not options.webhook_secret):
        raise SettingsError(
            "Events are of the changes of a plant that works, and are signed with a secret.",
            remedy="Use --live, and set ION_WEBHOOK_SECRET to the secret that the receiver has.",
        )
    if options.webhooks and not options.webhooks.startswith(("http://", "https://")):
        raise SettingsError(
            f"{options.webhooks} is not an address.", remedy="Write it as http://host:port/ion/webhooks."
        )
    # Millions of long-lived rows: there is no garbage while they are loaded, and later collections skip them.
    gc.disable()
    plant = None
    if options.day_minutes is not None:
        world, factory = build_plant(seed=options.seed, scale=options.scale, today=options.today, todays_ion=is_today)
        plant = Plant(factory, datetime.now(UTC), _day_length(options))
    else:
        world = read_world(options.world, model) if options.world else _built(options)
    withheld = WITHHELD.get(options.profile, frozenset()) if options.export_group else CONTROLLED
    store = load_world(world, withheld, model)
    computed = Computed(store) if is_today else None
    if computed:
        computed.begin()
    engine = Engine(store, schema, frozenset(options.forbid), limits)
    del world
    gc.enable()
    gc.freeze()
    issuer = TokenIssuer(options.client_id, client_secret, options.token_lifetime)
    files = FileHost(store, options.link_lifetime, options.file_bytes)
    return SandboxApp(engine, issuer, seed=options.seed, computed=computed, files=files, plant=plant)


def _check_plant(options: SandboxOptions) -> None:
    if options.day_minutes is None:
        return
    if options.world or options.day_minutes <= 0:
        raise SettingsError(
            "A factory keeps working (--live) in its own world only, and a day takes it some time.",
            remedy="Leave out --world, and name more than 0 minutes.",
        )
    if options.profile not in WORKING:
        raise SettingsError(
            f'The profile "{options.profile}" also serves generation 1 of the as-built BOM, which a factory that keeps '
            "working (--live) does not write.",
            remedy=f"Use one of these profiles: {', '.join(sorted(WORKING))}.",
        )


def export_world(
    directory: Path, *, seed: int = 7, scale: float = 1.0, today: date = FIXED_DATE, profile: str = "full"
) -> World:
    """Writes the factory's world as files for `SandboxOptions.world`, together with its planted truths."""
    world = _built(SandboxOptions(seed=seed, scale=scale, today=today, profile=profile))
    write_world(world, directory)
    return world


def _built(options: SandboxOptions) -> World:
    return build_world(seed=options.seed, scale=options.scale, today=options.today, todays_ion=options.profile == TODAY)


def _day_length(options: SandboxOptions) -> timedelta:
    return timedelta(minutes=options.day_minutes or 0)


def _plant_at_work(app: SandboxApp, options: SandboxOptions) -> Callable[[], Coroutine[Any, Any, None]] | None:
    plant = app.plant
    if not plant:
        return None
    deliveries = Deliveries(options.webhooks, options.webhook_secret or "") if options.webhooks else None
    return partial(keep_working, plant, app.changes.post, _day_length(options), deliveries)


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], None],
        background: Callable[[], Coroutine[Any, Any, None]] | None,
    ) -> None:
        super().__init__(config)
        self._on_started = on_started
        self._background = background
        self._task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()
        if self._background:
            self._task = asyncio.create_task(self._background())
            self._task.add_done_callback(self._ended)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._task:
            self._task.cancel()
        await super().shutdown(sockets)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del task
        self.should_exit = True

    def raise_failure(self) -> None:
        """Raises the error that ended the work in the background, if any did."""
        if self._task and self._task.done() and not self._task.cancelled():
            self._task.result()


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, _ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # If the protocol is named, asyncio disables Nagle's algorithm, which saves 40 ms for each small answer.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        raise SandboxError(
            f"The sandbox cannot listen on {host}:{port} ({error.strerror}).", remedy="Use port 0 for a free one."
        ) from None
    return listener
