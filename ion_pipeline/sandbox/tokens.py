"""Issues and checks access tokens: Keycloak's client credentials grant, as ION's API keys use it.

Tokens have the form of a JWT and are signed with a key of this process (with HMAC; ION uses RSA). Error texts are those
of ION (vendor manual: error codes), and those of Keycloak for the token endpoint.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

REALM_PATH = "/realms/api-keys/protocol/openid-connect/token"
TOKEN_PATHS = (REALM_PATH, f"/auth{REALM_PATH}")

_PARTS = 3


class AuthenticationError(Exception):
    """A request's token is not accepted: HTTP 401 with this text."""


class TokenRequestError(Exception):
    """A token request is refused, with an HTTP status and Keycloak's error body."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.body = {"error": error, "error_description": description}


@dataclass
class TokenIssuer:
    """Issues and checks the tokens of one client.

    Attributes:
        lifetime: Seconds that a token is valid.
        clock: Seconds since the epoch.
    """

    client_id: str
    client_secret: str = field(repr=False)
    lifetime: int = 300
    clock: Callable[[], float] = time.time
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _key_id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    _generation: int = 0

    def issue(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Answers a token request; `audience`, `scope` and an empty `refresh_token` are accepted and ignored.

        Raises:
            TokenRequestError: The grant is not client credentials, or the client or its secret is wrong.
        """
        grant = form.get("grant_type")
        if not grant:
            raise TokenRequestError(400, "invalid_request", "Missing form parameter: grant_type")
        if grant != "client_credentials":
            raise TokenRequestError(400, "unsupported_grant_type", "Unsupported grant_type")
        if form.get("client_id") != self.client_id:
            raise TokenRequestError(401, "invalid_client", "Invalid client or Invalid client credentials")
        if not hmac.compare_digest(form.get("client_secret", "").encode(), self.client_secret.encode()):
            raise TokenRequestError(401, "unauthorized_client", "Invalid client or Invalid client credentials")
        now = int(self.clock())
        claims = {
            "exp": now + self.lifetime,
            "iat": now,
            "jti": secrets.token_hex(8),
            "azp": self.client_id,
            "typ": "Bearer",
            "generation": self._generation,
        }
        signed = f"{_encode({'alg': 'HS256', 'typ': 'JWT', 'kid': self._key_id})}.{_encode(claims)}"
        return {
            "access_token": f"{signed}.{self._sign(signed)}",
            "expires_in": self.lifetime,
            "refresh_expires_in": 0,
            "token_type": "Bearer",
            "not-before-policy": 0,
            "scope": "email profile",
        }

    def check(self, header: str | None) -> None:
        """Accepts an Authorization header: `Bearer <token>`, `Token <token>` or the bare token.

        Raises:
            AuthenticationError: The token is missing or invalid; the text is ION's.
        """
        scheme, _, rest = (header or "").strip().partition(" ")
        token = rest.strip() if scheme.lower() in ("bearer", "token") else scheme if not rest else ""
        if not token:
            raise AuthenticationError("Please provide proper credentials")
        parts = token.split(".")
        head, claims = (_decode(part) for part in parts[:2]) if len(parts) == _PARTS else (None, None)
        if head is None or claims is None:
            raise AuthenticationError("Unable to parse authentication token")
        if head.get("kid") != self._key_id:
            raise AuthenticationError("Unable to find appropriate RSA key")
        if not hmac.compare_digest(parts[2].encode(), self._sign(f"{parts[0]}.{parts[1]}").encode()):
            raise AuthenticationError("Unable to validate authentication token")
        if claims["exp"] <= self.clock() or claims["generation"] != self._generation:
            raise AuthenticationError("Token is expired.")

    def expire_all(self) -> None:
        """Makes every token issued so far expired."""
        self._generation += 1

    def _sign(self, text: str) -> str:
        return _urlsafe(hmac.new(self._key, text.encode(), hashlib.sha256).digest())


def _urlsafe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _encode(value: dict[str, Any]) -> str:
    return _urlsafe(orjson.dumps(value))


def _decode(part: str) -> dict[str, Any] | None:
    try:
        value = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        return None
    return value if isinstance(value, dict) else None
