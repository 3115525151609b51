"""Removes secrets, and parts of secrets, from texts that servers sent."""

from collections import deque
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

# A part of a secret that has at least this many characters is removed; shorter ones occur by chance.
_SHORTEST = 8
# A server may quote a token that was sent before the latest one.
_KEPT_TOKENS = 4
_MASK = "***"


class Redactor:
    """Knows the secrets of a client and removes them from texts.

    A server may shorten what it quotes, so parts count too: a text that shares eight consecutive characters with a
    secret is replaced there.

    Args:
        secrets: The secrets known at the start.
    """

    def __init__(self, secrets: Iterable[SecretStr | None] = ()) -> None:
        self._lasting = [secret for secret in secrets if secret]
        self._tokens: deque[SecretStr] = deque(maxlen=_KEPT_TOKENS)

    def learn(self, token: SecretStr) -> None:
        """Add a token; only the latest few are kept."""
        self._tokens.append(token)

    def redact(self, text: str) -> str:
        """The text with each secret, and each longer part of one, replaced by asterisks."""
        for secret in (*self._lasting, *self._tokens):
            value = secret.get_secret_value()
            for form in {value, quote(value, safe=""), quote_plus(value)}:
                text = _without(text, form)
        return text


def _without(text: str, secret: str) -> str:
    width = min(_SHORTEST, len(secret))
    if not width or len(text) < width:
        return text
    parts = {secret[start : start + width] for start in range(len(secret) - width + 1)}
    kept, shown_from, at = list[str](), 0, 0
    while at <= len(text) - width:
        if text[at : at + width] not in parts:
            at += 1
            continue
        kept += [text[shown_from:at], _MASK]
        end = at + width
        while end < len(text) and text[end - width + 1 : end + 1] in parts:
            end += 1
        shown_from = at = end
    return "".join([*kept, text[shown_from:]])
