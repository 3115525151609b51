"""What an HTTP answer from ION means: its data, or one of our errors. Pure functions.

ION reports GraphQL failures with status 200, and errors in bodies come with other statuses too, so the body is read at
every status (vendor manual: error codes).
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import orjson

from ion_pipeline.client.errors import (
    AuthError,
    GraphQLError,
    IonApiError,
    NotGraphQLError,
    PartialDataError,
    PermissionDeniedError,
    RequestTimeoutError,
    ServerError,
    ThrottledError,
    TransportError,
)

# Vendor manual: error codes, 401.
_AUTH_TEXTS = re.compile(
    r"please provide proper credentials|unable to parse authentication token"
    r"|unable to find appropriate rsa key|unable to validate authentication token|token is expired",
    re.IGNORECASE,
)
_PERMISSION_TEXT = re.compile(r"does not have permission", re.IGNORECASE)
_OUT_OF_TIME = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT})
_PASSING = _OUT_OF_TIME | {httpx.codes.TOO_MANY_REQUESTS}
_LONGEST_MESSAGE = 300
_MOST_MESSAGES = 5

AUTH_REMEDY = "Check ION_CLIENT_ID and ION_CLIENT_SECRET (or ION_TOKEN), and that they belong to this environment."


def is_auth_failure(status: int, content: bytes) -> bool:
    """Whether ION refuses the token: a 401, or one of its texts among the errors of any answer."""
    if status == httpx.codes.UNAUTHORIZED:
        return True
    return b'"errors"' in content and _is_auth_text(error_messages(_parse(content)))


def read_answer(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    operation: str,
    *,
    redact: Callable[[str], str] = str,
) -> dict[str, Any] | IonApiError:
    """Give the `data` of an answer, or what is wrong with it.

    The error is given and not raised: a traceback would lead through the body, which may quote the request's token.

    Args:
        status: HTTP status.
        headers: Answer headers, looked up without regard to case.
        content: The decoded body.
        operation: What was asked for, as messages name it ("parts, page 3").
        redact: Takes secrets out of the server's texts, which may quote the request.

    Returns:
        The data, or the fitting leaf of the tree in `errors`.
    """
    body = _parse(content)
    messages = tuple(map(redact, error_messages(body)))
    if error := _error_by_status(status, headers, messages, operation):
        return error
    if not isinstance(body, dict) or not ("data" in body or messages):
        return TransportError(
            f"ION's answer to {operation} is not whole: {len(content)} bytes that are no GraphQL result.",
            remedy="If it stays, check ION_API_URL, and what stands between here and ION.",
        )
    data = body.get("data")
    if messages:
        return _error_by_message(data, messages, operation)
    if not isinstance(data, dict):
        return GraphQLError(f"ION answered {operation} with neither data nor errors.", messages=())
    return data


def error_messages(body: Any) -> tuple[str, ...]:
    """The texts under `errors` in a parsed body, clipped; empty when there are none."""
    errors = body.get("errors") if isinstance(body, dict) else None
    if not errors:
        return ()
    if not isinstance(errors, list):
        errors = [errors]
    texts = [str(error.get("message", error)) if isinstance(error, dict) else str(error) for error in errors]
    return tuple(text[:_LONGEST_MESSAGE] for text in texts[:_MOST_MESSAGES])


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks to wait, in either of its forms; None when absent or unreadable.

    A date is taken against the answer's own `Date`, so that a wrong clock on this side does not matter.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value)) if value.lower() not in {"nan", "inf", "infinity"} else None
    except ValueError:
        at = http_date(value)
    if at is None:
        return None
    now = http_date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (at - now).total_seconds())


def http_date(value: str) -> datetime | None:
    """An HTTP date header as an instant in UTC; None when absent or unreadable."""
    try:
        instant = parsedate_to_datetime(value)
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _parse(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _is_auth_text(messages: tuple[str, ...]) -> bool:
    return any(_AUTH_TEXTS.search(message) for message in messages)


def _error_by_status(
    status: int, headers: Mapping[str, str], messages: tuple[str, ...], operation: str
) -> IonApiError | None:
    said = f": {_joined(messages)}" if messages else ""
    if status == httpx.codes.UNAUTHORIZED or _is_auth_text(messages):
        return AuthError(f"ION refuses the token for {operation} ({status}){said}.", remedy=AUTH_REMEDY)
    if status == httpx.codes.FORBIDDEN:
        return _permission_denied(messages, operation)
    if status in _PASSING or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return _passing_error(status, headers, said, operation)
    if status >= httpx.codes.BAD_REQUEST and messages:
        return GraphQLError(f"ION refuses {operation} ({status}){said}.", messages=messages)
    if not httpx.codes.is_success(status):
        return NotGraphQLError(
            f"No GraphQL endpoint answers {operation}: status {status}.",
            remedy="Check ION_ENVIRONMENT or ION_API_URL (the base, without /graphql).",
        )
    return None


def _passing_error(status: int, headers: Mapping[str, str], said: str, operation: str) -> IonApiError:
    wait = retry_after(headers)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        asks = "" if wait is None else f" and asks to wait {wait:g} s"
        return ThrottledError(
            f"ION throttles requests (429) at {operation}{asks}{said}.",
            retry_after=wait,
            remedy="Lower ION_REQUESTS_PER_SECOND or ION_MAX_CONCURRENCY, or try again later.",
        )
    if status in _OUT_OF_TIME:
        return RequestTimeoutError(
            f"ION ended {operation} with {status}, as it does with a request that runs for 30 s{said}.",
            remedy="Lower ION_PAGE_SIZE, or try again later.",
        )
    return ServerError(
        f"ION failed at {operation} with {status}{said}.",
        status=status,
        retry_after=wait,
        remedy="This is at ION's side: try again later.",
    )


def _error_by_message(data: Any, messages: tuple[str, ...], operation: str) -> IonApiError:
    if all(_PERMISSION_TEXT.search(message) for message in messages):
        return _permission_denied(messages, operation)
    said = _joined(messages)
    if isinstance(data, dict):
        return PartialDataError(
            f"ION answered {operation} with data and errors together: {said}.",
            messages=messages,
            remedy="Nothing of it was kept. Try again; if it stays, leave the entity out and tell ION's support.",
        )
    return GraphQLError(
        f"ION refuses {operation}: {said}.",
        messages=messages,
        remedy="The query does not fit this tenant's schema; `ion-pipeline check` compares the two.",
    )


def _permission_denied(messages: tuple[str, ...], operation: str) -> PermissionDeniedError:
    said = _joined(messages) or "403"
    return PermissionDeniedError(
        f"ION does not allow {operation}: {said}.",
        remedy="Give the API key's owner read access, or leave the entity out of ION_ENTITIES.",
    )


def _joined(messages: tuple[str, ...]) -> str:
    """ION's texts inside one of our sentences, which brings its own full stop."""
    return "; ".join(message.rstrip(". ") for message in messages)
