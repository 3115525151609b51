"""A tenant made of plain functions, as a transport for httpx."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import httpx
from pydantic import SecretStr

from ion_pipeline.client import ClientConfig, IonClient
from ion_pipeline.client.transport import AiohttpTransport

SECRET = "s3cr3t-of-the-key"
TOKEN = "token-number"
TOKEN_PATH = "/realms/api-keys/protocol/openid-connect/token"
DATE = "Mon, 02 Mar 2026 10:00:00 GMT"


@cache
def certificates() -> ssl.SSLContext:
    """The trusted certificates, read once: that takes longer than a test's requests."""
    return httpx.create_ssl_context()


KINDS: dict[str, Callable[[], httpx.AsyncBaseTransport]] = {
    "aiohttp": lambda: AiohttpTransport(keep_alive=30),
    "httpx": lambda: httpx.AsyncHTTPTransport(verify=certificates()),
}

Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


def config(**changes: Any) -> ClientConfig:
    """A configuration that retries without waiting."""
    values: dict[str, Any] = {
        "api_url": "https://api.ion.test",
        "auth_url": "https://auth.ion.test",
        "client_id": "key-1",
        "client_secret": SecretStr(SECRET),
        "backoff_initial": 0.0,
        "max_attempts": 4,
    }
    return ClientConfig(**{**values, **changes})


class Tenant(httpx.AsyncBaseTransport):
    """Answers the token endpoint properly and GraphQL requests with a given handler.

    Args:
        graphql: Answers `POST /graphql`; an exception it raises simulates a network failure.
        expires_in: Lifetime of the tokens, in seconds.
        token_path: The only path at which tokens are served.
    """

    def __init__(
        self,
        graphql: Handler,
        *,
        expires_in: float | None = 300,
        token_path: str = TOKEN_PATH,
        token_answer: Callable[[httpx.Request], httpx.Response] | None = None,
    ) -> None:
        self.graphql = graphql
        self.expires_in = expires_in
        self.token_path = token_path
        self.token_answer = token_answer
        self.token_paths_asked: list[str] = []
        self.forms: list[dict[str, list[str]]] = []
        self.authorizations: list[str] = []
        self.issued = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.ion.test":
            return self._token(request)
        assert request.url.path == "/graphql"
        self.authorizations.append(request.headers["authorization"])
        response = self.graphql(request)
        return response if isinstance(response, httpx.Response) else await response

    def _token(self, request: httpx.Request) -> httpx.Response:
        self.token_paths_asked.append(request.url.path)
        if request.url.path != self.token_path:
            return httpx.Response(404, text="no such page")
        if self.token_answer:
            return self.token_answer(request)
        self.forms.append(parse_qs(request.content.decode()))
        self.issued += 1
        answer = {"access_token": f"{TOKEN}-{self.issued}", "token_type": "Bearer"}
        if self.expires_in is not None:
            answer["expires_in"] = self.expires_in  # type: ignore[assignment]
        return httpx.Response(200, json=answer)

    def client(self, **changes: Any) -> IonClient:
        """A client of this tenant."""
        return IonClient(config(**changes), transport=self)


def data(**fields: Any) -> httpx.Response:
    """A GraphQL success."""
    return httpx.Response(200, json={"data": fields}, headers={"Date": DATE})


def errors(*messages: str, status: int = 200, **body: Any) -> httpx.Response:
    """A GraphQL failure in ION's form."""
    return httpx.Response(status, json={"errors": [{"message": message} for message in messages], **body})


def in_turn(*answers: httpx.Response | Exception) -> Handler:
    """Give the answers one after the other, and the last one for all further requests."""
    remaining: Iterator[httpx.Response | Exception] = iter(answers)
    last = answers[-1]

    def handler(request: httpx.Request) -> httpx.Response:
        answer = next(remaining, last)
        if isinstance(answer, Exception):
            raise answer
        # A response can be read only once, so return a copy.
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    return handler


async def request_of(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    return head + await reader.readexactly(length)
