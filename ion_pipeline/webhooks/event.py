"""What is taken of an event's body. Strict about what is kept, silent about what else is in it."""

from dataclasses import dataclass
from typing import Any

import orjson

from ion_pipeline.errors import IonPipelineError

_LONGEST = 200


class MalformedEventError(IonPipelineError):
    """A body is no event."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as far as it is of use.

    Attributes:
        event_id: ION's id of it; the same however often it is delivered.
        resource: The table that changed, in ION's words.
        subscription_id: Which subscription it belongs to; empty if it says none.
    """

    event_id: str
    resource: str
    subscription_id: str = ""


def parse(body: bytes) -> Event:
    """Read a body (vendor manual: webhooks; it has `event_id`, `subscription_id` and `resource`).

    Raises:
        MalformedEventError: It is no JSON object with an id and a resource of reasonable length.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise MalformedEventError("The body is not JSON.") from None
    if not isinstance(document, dict):
        raise MalformedEventError("The body is not a JSON object.")
    return Event(
        event_id=_text(document, "event_id"),
        resource=_text(document, "resource"),
        subscription_id=_text(document, "subscription_id") if document.get("subscription_id") is not None else "",
    )


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise MalformedEventError(f"{name} is missing, or is no short text or number.")
    return text
