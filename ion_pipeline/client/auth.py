"""Bearer tokens for httpx: requested with an API key, or supplied ready-made.

Tokens and secrets stay in `SecretStr`. They are unwrapped only where a request is built, in functions that cannot fail
afterwards, so that neither a message nor a traceback with local variables can show them.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from ion_pipeline.client.answers import AUTH_REMEDY, is_auth_failure, retry_after
from ion_pipeline.client.config import ClientConfig
from ion_pipeline.client.errors import AuthError, IonApiError, ServerError, ThrottledError, TransportError
from ion_pipeline.client.parts import kind_of
from ion_pipeline.client.refusals import clipped
from ion_pipeline.client.secrets import Redactor

# Older deployments have `/auth` before `/realms` (Keycloak before version 17).
_TOKEN_PATHS = (
    "/realms/api-keys/protocol/openid-connect/token",
    "/auth/realms/api-keys/protocol/openid-connect/token",
)
# Keycloak's own default, used when the answer does not say how long its token is valid.
_DEFAULT_LIFETIME = 60.0
_LONGEST_MARGIN = 30.0
# Ten years; a longer lifetime is not plausible and is ignored.
_LONGEST_LIFETIME = 3e8
# RFC 6749 4.1.2.1, and Keycloak: the host cannot answer at the moment, whatever the status is.
_TRANSIENT_CODES = frozenset({"server_error", "temporarily_unavailable", "unknown_error"})
_CHECK_HOST = "If the error persists, check ION_ENVIRONMENT or ION_AUTH_URL (the base, without /realms)."


@dataclass(frozen=True, slots=True)
class Token:
    """An access token.

    Attributes:
        value: The token.
        refresh_at: When to request the next one, on the monotonic clock; shortly before this one expires.
    """

    value: SecretStr
    refresh_at: float = float("inf")


class IonAuth(httpx.Auth):
    """Adds a bearer token to each request, and requests a new one when the token expires or is refused.

    One refresh runs at a time, however many requests need it. A refusal (401, or an authentication text in the body of
    a 200) leads to one refresh and one more attempt per request. A ready-made token cannot be refreshed.

    Args:
        config: Token host and credentials.
        clock: Monotonic seconds.
        on_token_request: Called before each request to the token host.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_token_request: Callable[[], None] = lambda: None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._on_token_request = on_token_request
        self._token = Token(config.token) if config.token else None
        self._redactor = Redactor((config.client_secret, config.token))
        self._paths: tuple[str, ...] = _TOKEN_PATHS
        self._refreshing = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Yield requests and receive their responses: the protocol of `httpx.Auth`."""
        for last_try in (False, True):
            async with self._refreshing:
                if self._token is None or self._clock() >= self._token.refresh_at:
                    # Not in a function of its own: an async generator cannot delegate to another one.
                    response = yield self._token_request()
                    if await self._switch_to_older_path(response):
                        response = yield self._token_request()
                    self._token = await self._read_token(response)
                used = self._token
            _authorize(request, used)
            response = yield request
            if last_try or self._config.token or not is_auth_failure(response.status_code, await response.aread()):
                return
            if self._token is used:
                self._token = None

    def redact(self, text: str) -> str:
        """Remove tokens and the secret, and parts of them, from a text that a server sent."""
        return self._redactor.redact(text)

    def _token_request(self) -> httpx.Request:
        self._on_token_request()
        secret = self._config.client_secret
        return httpx.Request(
            "POST",
            self._config.auth_url.rstrip("/") + self._paths[0],
            data={
                "grant_type": "client_credentials",
                "client_id": self._config.client_id,
                "client_secret": secret.get_secret_value() if secret else "",
            },
            headers={"Accept": "application/json"},
        )

    async def _switch_to_older_path(self, response: httpx.Response) -> bool:
        if response.status_code != httpx.codes.NOT_FOUND or len(self._paths) == 1:
            return False
        await response.aread()
        self._paths = self._paths[1:]
        return True

    async def _read_token(self, response: httpx.Response) -> Token:
        await response.aread()
        answer = _TokenAnswer.read(response.content)
        # The token is secret even if the rest of the answer is invalid.
        if answer.token:
            self._redactor.learn(answer.token)
        if error := _token_error(response, answer, self.redact):
            raise error
        if answer.token is None:
            raise AssertionError("a token answer without a token is an error")
        margin = min(_LONGEST_MARGIN, answer.lifetime * 0.1)
        return Token(answer.token, refresh_at=self._clock() + answer.lifetime - margin)


def _authorize(request: httpx.Request, token: Token) -> None:
    request.headers["Authorization"] = f"Bearer {token.value.get_secret_value()}"


@dataclass(frozen=True, slots=True)
class _TokenAnswer:
    """What a body from the token host contains.

    Attributes:
        wrong: Why it contains no usable token, in a few words; empty if it does.
        token: The token.
        lifetime: Seconds the token is valid; the default if the answer gives no plausible number.
        code: The OAuth2 error code; empty if there is none.
        is_json: Whether the body is JSON.
    """

    wrong: str
    token: SecretStr | None = None
    lifetime: float = _DEFAULT_LIFETIME
    code: str = ""
    is_json: bool = True

    @classmethod
    def read(cls, content: bytes) -> "_TokenAnswer":
        try:
            # Not orjson: `json` skips a byte order mark, and reads the token even if the body also has a NaN.
            answer = json.loads(content)
        except (ValueError, RecursionError):
            return cls(f"{len(content)} bytes that are not JSON", is_json=False)
        if not isinstance(answer, dict):
            return cls(f"{kind_of(answer)} instead of an object")
        code = answer.get("error")
        # A text without the form of an RFC 6749 code may quote what we sent, or the token.
        code = code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,40}", code) else ""
        token = answer.get("access_token")
        if not token:
            return cls("no access token", code=code)
        if not isinstance(token, str):
            return cls(f"an access token that is {kind_of(token)}", code=code)
        # RFC 6750 2.1 allows even fewer characters; any other cannot be sent in a header.
        if not re.fullmatch(r"[!-~]+", token):
            return cls("an access token with characters that a header cannot contain", SecretStr(token), code=code)
        lifetime = answer.get("expires_in")
        if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or not 0 < lifetime < _LONGEST_LIFETIME:
            lifetime = _DEFAULT_LIFETIME
        return cls("", SecretStr(token), float(lifetime), code)


def _token_error(response: httpx.Response, answer: _TokenAnswer, redact: Callable[[str], str]) -> IonApiError | None:
    """The error for a token answer, if any. It quotes the OAuth2 code only: other texts may contain secrets."""
    host, status, code = response.request.url.host, response.status_code, answer.code
    said = f" ({clipped(code, redact)})" if code else ""
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return ThrottledError(
            f"The token host {host} throttles requests (429).", retry_after=retry_after(response.headers)
        )
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT or code in _TRANSIENT_CODES:
        return ServerError(
            f"The token host {host} failed with {status}{said}.",
            status=status,
            retry_after=retry_after(response.headers),
        )
    if status in {httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        return AuthError(f"The token host {host} refuses the API key: {status}{said}.", remedy=AUTH_REMEDY)
    if httpx.codes.is_success(status) and not answer.is_json:
        # It may be a gateway's page or a truncated answer, so the host may still be the right one.
        return TransportError(f"The answer of the token host {host} is incomplete: {answer.wrong}.", remedy=_CHECK_HOST)
    if not httpx.codes.is_success(status) or answer.wrong:
        return AuthError(
            f"The host {host} does not answer as a token host does: status {status}{said}, "
            f"{answer.wrong or 'not a success'}.",
            remedy=_CHECK_HOST,
        )
    return None
