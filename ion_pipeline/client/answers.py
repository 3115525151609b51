"""Reads an HTTP answer from ION: gives its data or one of our errors. Pure functions.

ION reports GraphQL failures with status 200, and errors in bodies come with other statuses too, so the body is read at
every status (vendor manual: error codes).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from ion_pipeline.client.body import decoded
from ion_pipeline.client.errors import (
    AuthError,
    GraphQLError,
    IonApiError,
    NotGraphQLError,
    NotJsonError,
    PartialDataError,
    PermissionDeniedError,
    RequestTimeoutError,
    ServerError,
    ThrottledError,
    TooMuchError,
    TransportError,
)
from ion_pipeline.client.refusals import Refusal, joined, meaning_of, refusals
from ion_pipeline.client.unreadable import Unreadable

_OUT_OF_TIME = frozenset({httpx.codes.REQUEST_TIMEOUT, httpx.codes.BAD_GATEWAY, httpx.codes.GATEWAY_TIMEOUT})
_TRANSIENT = _OUT_OF_TIME | {httpx.codes.TOO_MANY_REQUESTS}
_TOO_LARGE = httpx.codes.REQUEST_ENTITY_TOO_LARGE

_ASK_FOR_LESS = "Lower ION_PAGE_SIZE, or try again later."
_TRY_LATER = "The failure is on ION's side: try again later."

AUTH_REMEDY = "Check ION_CLIENT_ID and ION_CLIENT_SECRET (or ION_TOKEN), and that they belong to this environment."


def is_auth_failure(status: int, content: bytes) -> bool:
    """Whether ION refuses the token: with a 401, or with one of its authentication texts in the body of any answer."""
    if status == httpx.codes.UNAUTHORIZED:
        return True
    return b'"errors"' in content and _is_auth_text(refusals(decoded(content)))


def read_answer(
    status: int,
    headers: Mapping[str, str],
    content: bytes,
    operation: str,
    *,
    redact: Callable[[str], str] = str,
) -> dict[str, Any] | IonApiError:
    """Return the `data` of an answer, or an error that says what is wrong with it.

    The error is returned, not raised: a traceback would include the body, which may quote the request's token.

    Args:
        status: HTTP status.
        headers: Answer headers; the lookup ignores case.
        content: The decoded body.
        operation: What was requested, as messages name it ("parts, page 3").
        redact: Removes secrets from the server's texts, which may quote the request.

    Returns:
        The data, or an instance of the matching class in `errors`.
    """
    body = decoded(content)
    refused = refusals(body, redact)
    if error := _error_by_status(status, headers, refused, operation):
        return error
    if isinstance(body, Unreadable) and body.is_whole:
        return NotJsonError(
            f"ION's answer to {operation} is complete, but it is not valid JSON: {body.what}.",
            remedy="The answer was discarded. Correct the value in ION or leave the entity out of ION_ENTITIES, and "
            "report it to ION's support.",
        )
    if not isinstance(body, dict) or not ("data" in body or refused):
        return TransportError(
            f"ION's answer to {operation} is incomplete: {len(content)} bytes that are not a GraphQL result.",
            remedy="If the error persists, check ION_API_URL, and any proxy or gateway between this machine and ION.",
        )
    data = body.get("data")
    if refused:
        return _error_by_message(status, headers, data, refused, operation)
    if not isinstance(data, dict):
        return GraphQLError(f"ION answered {operation} with neither data nor errors.", messages=())
    return data


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that `Retry-After` asks to wait, from either of its forms; None when absent or unreadable.

    A date is compared with the answer's own `Date`, so that a wrong local clock does not matter.
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


def _is_auth_text(refused: tuple[Refusal, ...]) -> bool:
    return any(refusal.meaning == "auth" for refusal in refused)


def _error_by_status(  # noqa: PLR0911 - a table
    status: int, headers: Mapping[str, str], refused: tuple[Refusal, ...], operation: str
) -> IonApiError | None:
    said = _said(refused)
    if status == httpx.codes.UNAUTHORIZED or _is_auth_text(refused):
        return AuthError(f"ION refuses the token for {operation} ({status}){said}.", remedy=AUTH_REMEDY)
    if status == httpx.codes.FORBIDDEN:
        return _permission_denied(refused, operation)
    if status == _TOO_LARGE:
        return _too_much(refused, operation)
    if status in _TRANSIENT or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return _transient_error(status, headers, said, operation)
    if status >= httpx.codes.BAD_REQUEST and refused:
        return _error_of_query(status, headers, refused, operation)
    if not httpx.codes.is_success(status):
        return NotGraphQLError(
            f"No GraphQL endpoint answers {operation}: status {status}.",
            remedy="Check ION_ENVIRONMENT or ION_API_URL (the base, without /graphql).",
        )
    return None


def _error_of_query(
    status: int, headers: Mapping[str, str], refused: tuple[Refusal, ...], operation: str
) -> IonApiError:
    """The error for a 4xx with an error text: the query is at fault unless the text says otherwise."""
    meaning = meaning_of(refused)
    if meaning in {"transient", "out of time", "throttled", "too much"}:
        return _error_by_message(status, headers, None, refused, operation)
    return GraphQLError(
        f"ION refuses {operation} ({status}){_said(refused)}.", messages=[refusal.text for refusal in refused]
    )


def _transient_error(status: int, headers: Mapping[str, str], said: str, operation: str) -> IonApiError:
    wait = retry_after(headers)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        return _throttled(status, wait, said, operation)
    if status in _OUT_OF_TIME:
        return RequestTimeoutError(
            f"ION ended {operation} with {status}, which it does when a request runs for 30 s{said}.",
            remedy=_ASK_FOR_LESS,
        )
    return ServerError(
        f"ION failed at {operation} with {status}{said}.", status=status, retry_after=wait, remedy=_TRY_LATER
    )


def _error_by_message(  # noqa: PLR0911 - a table
    status: int, headers: Mapping[str, str], data: Any, refused: tuple[Refusal, ...], operation: str
) -> IonApiError:
    """The error for a body with errors whose status does not explain them."""
    meaning, said, wait = meaning_of(refused), _said(refused), retry_after(headers)
    messages = [refusal.text for refusal in refused]
    if meaning == "permission":
        return _permission_denied(refused, operation)
    if meaning == "too much":
        return _too_much(refused, operation)
    if meaning == "throttled":
        return _throttled(status, wait, said, operation)
    if meaning == "out of time":
        return RequestTimeoutError(f"ION ran out of time at {operation}{said}.", remedy=_ASK_FOR_LESS)
    if isinstance(data, dict) or any(refusal.meaning == "permission" for refusal in refused):
        contents = "data and errors together" if isinstance(data, dict) else "errors of several kinds"
        return PartialDataError(
            f"ION answered {operation} with {contents}{said}.",
            messages=messages,
            remedy="The answer was discarded. Try again; if the error persists, leave the entity out of ION_ENTITIES "
            "and report it to ION's support.",
        )
    if meaning == "invalid":
        return GraphQLError(
            f"ION refuses {operation}{said}.",
            messages=messages,
            remedy="The query does not match this tenant's schema; `ion-pipeline check` lists the differences.",
        )
    return ServerError(
        f"ION failed at {operation} with {status}{said}.", status=status, retry_after=wait, remedy=_TRY_LATER
    )


def _throttled(status: int, wait: float | None, said: str, operation: str) -> ThrottledError:
    asks = "" if wait is None else f" and asks to wait {wait:g} s"
    return ThrottledError(
        f"ION throttles requests ({status}) at {operation}{asks}{said}.",
        retry_after=wait,
        remedy="Lower ION_REQUESTS_PER_SECOND or ION_MAX_CONCURRENCY, or try again later.",
    )


def _too_much(refused: tuple[Refusal, ...], operation: str) -> TooMuchError:
    return TooMuchError(
        f"ION refuses the size or cost of {operation}{_said(refused)}.",
        messages=[refusal.text for refusal in refused],
        of_rows=any(refusal.of_rows for refusal in refused),
        numbers=[number for refusal in refused for number in refusal.numbers],
        remedy="ION refuses even the smallest query: leave the entity out of ION_ENTITIES and contact ION's support.",
    )


def _permission_denied(refused: tuple[Refusal, ...], operation: str) -> PermissionDeniedError:
    return PermissionDeniedError(
        f"ION does not allow {operation}{_said(refused) or ': 403'}.",
        remedy="Give the API key's owner read access, or leave the entity out of ION_ENTITIES.",
    )


def _said(refused: tuple[Refusal, ...]) -> str:
    text = joined(refused)
    return f": {text}" if text else ""
