"""Reads and checks single values of ION's column types, with their defaults and canonical forms.

A value has one form in a world file, in memory and in an answer: the stored value is the JSON value that is sent, so
that answering only copies references. Rows, types and filters belong to other modules.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson

#: The value of `_created` if a world file has none: a fixed instant, so that the same files give the same answers.
DEFAULT_INSTANT = "2025-01-01T00:00:00.000000+00:00"

_INT_MAX = 2**31 - 1


def canonical_instant(value: Any) -> str:
    """An ISO 8601 text as UTC with microseconds and a fixed width, so that its order as text is its order in time.

    A text without an offset is UTC, as ION sends it (vendor manual: instants are ISO 8601 UTC).

    Raises:
        ValueError: It is not an ISO 8601 date or instant.
    """
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"{_show(value)} is not an ISO 8601 instant") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"  # noqa: PLR2004


def _int(value: object) -> int:
    if type(value) is not int:
        raise ValueError(f"{_show(value)} is not a whole number")
    if not -_INT_MAX - 1 <= value <= _INT_MAX:
        raise ValueError(f"{value} does not fit GraphQL's 32-bit Int")
    return value


def _float(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise ValueError(f"{_show(value)} is not a number")
    return float(value)  # type: ignore[arg-type]


def _boolean(value: object) -> bool:
    if type(value) is not bool:
        raise ValueError(f"{_show(value)} is not true or false")
    return value


def _string(value: object) -> str:
    if type(value) is not str:
        raise ValueError(f"{_show(value)} is not text")
    return value


def _id(value: object) -> str:
    if type(value) not in (int, str):
        raise ValueError(f"{_show(value)} is not an id (a whole number or text)")
    return str(value)


def _json_text(value: object) -> str:
    text = _string(value)
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{_show(value)} is not JSON text ({error})") from None
    return text


def _scalar_value(value: object) -> object:
    if type(value) is list:
        return [_string(item) for item in value]
    if type(value) not in (str, int, float, bool):
        raise ValueError(f"{_show(value)} is not text, a number, true or false, or a list of texts")
    return value


def _anything(value: object) -> object:
    return value


#: Scalar name in the schema → reader of one non-null value; raises ValueError with the reason.
READERS: dict[str, Callable[[Any], Any]] = {
    "Int": _int,
    "Float": _float,
    "Boolean": _boolean,
    "String": _string,
    "ID": _id,
    "DateTime": canonical_instant,
    "JSONString": _json_text,
    "ScalarValue": _scalar_value,
    "SlateContent": _anything,
}

#: The value of a non-null column if the world file has none, so that small worlds are short to write.
NEUTRAL: dict[str, Any] = {
    "Int": 0,
    "Float": 0.0,
    "Boolean": False,
    "String": "",
    "ID": "",
    "DateTime": DEFAULT_INSTANT,
}


def enum_reader(name: str, values: frozenset[str]) -> Callable[[Any], Any]:
    """A reader that accepts only the enum's values."""

    def read(value: object) -> object:
        if value not in values:
            raise ValueError(f"{_show(value)} is not one of {name}: {', '.join(sorted(values))}")
        return value

    return read


def list_reader(item: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A reader of a list whose items may be null."""

    def read(value: object) -> object:
        if type(value) is not list:
            raise ValueError(f"{_show(value)} is not a list")
        return [None if entry is None else item(entry) for entry in value]

    return read
