"""Starting a sandbox: which world, behind which schema, on which address; and writing a world to disk."""

import gc
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from pathlib import Path

import uvicorn

from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.sandbox.app import SandboxApp
from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.factory import build_world
from ion_pipeline.sandbox.limits import Limits
from ion_pipeline.sandbox.load import load_world
from ion_pipeline.sandbox.model import known_model
from ion_pipeline.sandbox.profiles import WITHHELD, served_schema
from ion_pipeline.sandbox.tokens import TokenIssuer
from ion_pipeline.sandbox.world import World, read_world, write_world

DEFAULT_CLIENT_ID = "ion-sandbox"
#: The secret's way from parent to child: never the command line, which every user of the machine can read.
SECRET_VARIABLE = "ION_SANDBOX_CLIENT_SECRET"  # noqa: S105


class SandboxError(IonPipelineError):
    """The sandbox cannot be started."""


@dataclass(frozen=True)
class SandboxOptions:
    """What to serve, and where.

    Attributes:
        world: A directory of world files; without it the factory builds one from `seed` and `scale`.
        forbid: Root connections that nobody may read.
        max_first: Rows of one list that may be asked for at once; a request for more is refused.
        cap_first: Rows of one list that are given at once; the rest is left out without a word.
        max_cost: What a request may cost, in rows asked for times fields of each; more is refused.
        port: 0 takes a free one.
        client_secret: Without it, the environment's, else a new one for this process.
        token_lifetime: Seconds.
    """

    world: Path | None = None
    seed: int = 7
    scale: float = 1.0
    profile: str = "full"
    forbid: tuple[str, ...] = ()
    max_first: int | None = None
    cap_first: int | None = None
    max_cost: int | None = None
    host: str = "127.0.0.1"
    port: int = 0
    client_id: str = DEFAULT_CLIENT_ID
    client_secret: str | None = field(default=None, repr=False)
    token_lifetime: int = 300


@dataclass(frozen=True)
class SandboxAddress:
    """How to reach a running sandbox; token host and API host are the same server."""

    api_url: str
    auth_url: str
    client_id: str
    client_secret: str = field(repr=False)

    def environment(self) -> dict[str, str]:
        """The settings that point the pipeline at it."""
        return {
            "ION_ENVIRONMENT": "custom",
            "ION_API_URL": self.api_url,
            "ION_AUTH_URL": self.auth_url,
            "ION_CLIENT_ID": self.client_id,
            "ION_CLIENT_SECRET": self.client_secret,
        }


def serve(options: SandboxOptions, on_ready: Callable[[SandboxAddress], None]) -> None:
    """Serves until interrupted; tells the address once requests are accepted.

    Raises:
        WorldError: The world's files cannot be served.
        SettingsError: Profile or forbidden entity do not exist, or a limit is none.
        SandboxError: The address cannot be bound.
    """
    with _bound(options.host, options.port) as listener:
        secret = options.client_secret or os.environ.get(SECRET_VARIABLE) or secrets.token_urlsafe(24)
        app = build_app(options, secret)
        host, port = listener.getsockname()[:2]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        server = _Server(
            # Faults break connections on purpose, which uvicorn would report as errors.
            uvicorn.Config(
                app.asgi, http="h11", loop="asyncio", lifespan="off", log_level="critical", access_log=False
            ),
            lambda: on_ready(SandboxAddress(url, url, options.client_id, secret)),
        )
        server.run(sockets=[listener])


def build_app(options: SandboxOptions, client_secret: str) -> SandboxApp:
    """The application, with the world in memory.

    Raises:
        WorldError: The world's files cannot be served.
        SettingsError: Profile or forbidden entity do not exist, or a limit is none.
    """
    unknown = sorted(set(options.forbid) - known_model().roots.keys())
    if unknown:
        raise SettingsError(
            f"ION has no entity {', '.join(unknown)} to forbid.",
            remedy="Give root connections, such as partInventories.",
        )
    limits = Limits(options.max_first, options.cap_first, options.max_cost)
    if any(limit is not None and limit < 1 for limit in astuple(limits)):
        raise SettingsError("A limit of the sandbox is a whole number from 1.")
    schema = served_schema(options.profile)
    # Millions of long-lived rows: nothing to collect while they come in, and never to be looked at again.
    gc.disable()
    world = read_world(options.world) if options.world else build_world(seed=options.seed, scale=options.scale)
    store = load_world(world, WITHHELD.get(options.profile, frozenset()))
    engine = Engine(store, schema, frozenset(options.forbid), limits)
    del world
    gc.enable()
    gc.freeze()
    issuer = TokenIssuer(options.client_id, client_secret, options.token_lifetime)
    return SandboxApp(engine, issuer, seed=options.seed)


def export_world(directory: Path, *, seed: int = 7, scale: float = 1.0) -> World:
    """Writes the factory's world as files that `SandboxOptions.world` takes, planted truths beside them."""
    world = build_world(seed=seed, scale=scale)
    write_world(world, directory)
    return world


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, _ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # With its protocol named, asyncio turns Nagle's algorithm off: 40 ms less for each small answer.
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        raise SandboxError(
            f"The sandbox cannot listen on {host}:{port} ({error.strerror}).", remedy="Use port 0 for a free one."
        ) from None
    return listener
