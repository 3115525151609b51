"""Parses an event's body: checks the fields that are kept and ignores all others."""

from dataclasses import dataclass
from typing import Any

import orjson

from ion_pipeline.errors import IonPipelineError

_LONGEST = 200


class MalformedEventError(IonPipelineError):
    """A body is not an event."""


@dataclass(frozen=True, slots=True)
class Event:
    """The used fields of one event.

    Attributes:
        event_id: ION's id of the event; the same for every delivery.
        resource: ION's name of the table that changed.
        subscription_id: The subscription that the event belongs to; empty if it names none.
    """

    event_id: str
    resource: str
    subscription_id: str = ""


def parse(body: bytes) -> Event:
    """Parse a body (vendor manual: webhooks; it has `event_id`, `subscription_id` and `resource`).

    Raises:
        MalformedEventError: The body is not a JSON object with an id and a resource of limited length.
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
        raise MalformedEventError(f"{name} is missing, or is not a short text or number.")
    return text
