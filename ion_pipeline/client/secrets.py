"""Takes secrets out of texts that came from outside, parts of secrets included."""

from collections import deque
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

# A part of a secret as long as this is taken out; shorter ones occur by chance.
_SHORTEST = 8
# Servers quote the token that was sent, which may not be the latest any more.
_KEPT_TOKENS = 4
_MASK = "***"


class Redactor:
    """Knows the secrets of a client.

    A server may clip what it quotes before it is clipped here, so parts count: whatever has eight characters in a row
    in common with a secret is replaced.

    Args:
        secrets: Those known from the beginning.
    """

    def __init__(self, secrets: Iterable[SecretStr | None] = ()) -> None:
        self._lasting = [secret for secret in secrets if secret]
        self._tokens: deque[SecretStr] = deque(maxlen=_KEPT_TOKENS)

    def learn(self, token: SecretStr) -> None:
        """Know one more token; of many only the latest are kept."""
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
