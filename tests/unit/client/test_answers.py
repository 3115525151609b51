"""Every status and text of the vendor manual's error table becomes the right kind of error."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from ion_pipeline.client import (
    AuthError,
    GraphQLError,
    IonApiError,
    NotGraphQLError,
    PartialDataError,
    PermissionDeniedError,
    RequestTimeoutError,
    ServerError,
    ThrottledError,
    TooMuchError,
    TransportError,
)
from ion_pipeline.client.answers import http_date, is_auth_failure, read_answer, retry_after
from ion_pipeline.client.secrets import Redactor
from ion_pipeline.errors import IonPipelineError


def body(*messages: str, **rest: object) -> bytes:
    return orjson.dumps({"errors": [{"message": message} for message in messages], **rest})


def test_data_is_returned_unchanged() -> None:
    assert read_answer(200, {}, b'{"data": {"parts": {"a": [1, null]}}}', "parts") == {"parts": {"a": [1, None]}}


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (400, body("Syntax Error: Unexpected Name"), GraphQLError),
        (401, b"", AuthError),
        (401, body("Please provide proper credentials"), AuthError),
        (200, body("Token is expired."), AuthError),
        (200, body("Unable to parse authentication token", data=None), AuthError),
        (200, body("Unable to find appropriate RSA key"), AuthError),
        (500, body("Unable to validate authentication token"), AuthError),
        (403, b"", PermissionDeniedError),
        (200, body("User does not have permission to read issues", data=None), PermissionDeniedError),
        (200, body("User does not have permission to read issues", data={"issues": None}), PermissionDeniedError),
        (404, b"<html>", NotGraphQLError),
        (301, b"", NotGraphQLError),
        (408, b"", RequestTimeoutError),
        (409, body("CONCURRENCY_ERROR"), GraphQLError),
        (422, body("quantity must be positive"), GraphQLError),
        (429, b"", ThrottledError),
        (500, b"oops", ServerError),
        (502, b"<html>Bad gateway</html>", RequestTimeoutError),
        (503, body("down for maintenance"), ServerError),
        (504, b"", RequestTimeoutError),
        (200, body("Cannot query field 'x' on type 'Part'."), GraphQLError),
        (200, body("resolver failed", data={"parts": None}), PartialDataError),
        (200, body("resolver failed", "User does not have permission to x", data={"a": 1}), PartialDataError),
        (200, b'{"data": null}', GraphQLError),
        (200, b'{"data": {"parts": {"edges": [', TransportError),
        (200, body("Internal server error.", data=None), ServerError),
        (200, body("FATAL: sorry, too many connections for role", data=None), ServerError),
        (200, body("server closed the connection unexpectedly", data=None), ServerError),
        (200, body("THROTTLED", data=None), ThrottledError),
        (200, orjson.dumps({"errors": [{"message": "No.", "extensions": {"code": "THROTTLED"}}]}), ThrottledError),
        (400, body("Rate limit exceeded"), ThrottledError),
        (200, body("canceling statement due to statement timeout", data=None), RequestTimeoutError),
        (200, body("canceling statement due to statement timeout", data={"parts": None}), RequestTimeoutError),
        (200, body("Unknown argument 'first' on field 'Query.parts'."), GraphQLError),
        (200, body("Requesting 500 records exceeds the `first` limit of 100 records.", data=None), TooMuchError),
        (200, body("Requesting 500 records exceeds the `first` limit.", data={"parts": None}), TooMuchError),
        (400, body("Query cost 5200 is too high"), TooMuchError),
        (400, body("'parts' exceeds maximum operation depth of 10"), TooMuchError),
        (413, b"", TooMuchError),
        (200, b"", TransportError),
        (200, b"<html>Sign in</html>", TransportError),
        (200, b"[]", TransportError),
        (200, b"{}", TransportError),
    ],
)
def test_kind_of_error(status: int, content: bytes, kind: type[IonApiError]) -> None:
    error = read_answer(status, {}, content, "parts, page 3")
    assert type(error) is kind
    assert isinstance(error, IonApiError)
    assert isinstance(error, IonPipelineError)
    assert "parts, page 3" in str(error)


def test_graphql_errors_keep_ions_text_clipped() -> None:
    text = "Cannot query field " + "x" * 1000
    error = read_answer(200, {}, body(text, *[text] * 10), "parts")
    assert isinstance(error, GraphQLError)
    assert error.messages == (text[:300],) * 5


@pytest.mark.parametrize("odd", [{"errors": "boom"}, {"errors": ["boom"]}, {"errors": {"code": "boom"}}])
def test_errors_in_unusual_forms_are_errors(odd: dict[str, object]) -> None:
    error = read_answer(200, {}, orjson.dumps(odd), "parts")
    assert isinstance(error, ServerError)
    assert "parts" in str(error)


def test_an_authentication_text_inside_data_is_data() -> None:
    content = orjson.dumps({"data": {"issue": {"title": 'Token is expired. "errors"'}}})
    assert not is_auth_failure(200, content)
    assert is_auth_failure(200, body("Token is expired."))
    assert read_answer(200, {}, content, "issue") == {"issue": {"title": 'Token is expired. "errors"'}}


@given(seconds=st.integers(0, 10**6))
def test_retry_after_in_seconds(seconds: int) -> None:
    assert retry_after({"retry-after": str(seconds)}) == seconds


@given(
    now=st.integers(946_684_800, 4_102_444_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    seconds=st.integers(-1000, 10**6),
)
def test_retry_after_as_a_date_is_compared_with_the_servers_clock(now: datetime, seconds: int) -> None:
    headers = httpx.Headers(
        {
            "Date": format_datetime(now, usegmt=True),
            "Retry-After": format_datetime(now + timedelta(seconds=seconds), usegmt=True),
        }
    )
    assert retry_after(headers) == max(0, seconds)


def test_retry_after_as_a_date_without_a_server_clock_uses_ours() -> None:
    at = datetime.now(UTC) + timedelta(seconds=100)
    wait = retry_after({"retry-after": format_datetime(at, usegmt=True)})
    assert wait is not None
    assert 95 < wait <= 100


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "Mon, 99 Foo 2026"])
def test_an_unreadable_retry_after_is_none(value: str) -> None:
    assert retry_after({"retry-after": value}) is None


def test_a_negative_retry_after_is_no_wait() -> None:
    assert retry_after({"retry-after": "-5"}) == 0


def test_http_date() -> None:
    assert http_date("Mon, 02 Mar 2026 10:00:00 GMT") == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert http_date("Mon, 02 Mar 2026 10:00:00 +0200") == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert http_date("yesterday") is None
    assert http_date("") is None


SECRETS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=20, max_size=400)


@example(secret="0000pipeline00000000", before=0, cut=8, status=200)
@given(
    secret=SECRETS, before=st.integers(0, 700), cut=st.integers(8, 400), status=st.sampled_from([200, 400, 401, 500])
)
def test_no_part_of_a_secret_is_printed_wherever_a_text_is_clipped(
    secret: str, before: int, cut: int, status: int
) -> None:
    redactor = Redactor([SecretStr(secret)])

    def printed(quoted: str) -> str:
        text = "Cannot query field " + "~" * before + quoted
        error = read_answer(status, {}, body(text), "the counts", redact=redactor.redact)
        assert isinstance(error, IonApiError)
        return f"{error} {getattr(error, 'messages', '')}"

    # The server may already have clipped what it quotes, before the client clips it.
    shown, ours = printed(f"{secret[:cut]}~ {secret}"), printed("")
    # A secret may contain a word of our own text.
    parts = {secret[at : at + 8] for at in range(len(secret) - 7)}
    assert not any(part in shown and part not in ours for part in parts)


def test_a_token_that_was_replaced_is_still_known() -> None:
    redactor = Redactor()
    for number in range(3):
        redactor.learn(SecretStr(f"{number}-token-of-a-while"))
    assert redactor.redact("bad: 0-token-of-a-while!") == "bad: ***!"


@pytest.mark.parametrize("status", [200, 422, 500])
def test_values_that_a_failure_quotes_from_a_row_are_left_out(status: int) -> None:
    said = "invalid literal for int() with base 10: 'SN-TOP-SECRET' in Key (serial)=(SN-TOP-SECRET)"
    error = read_answer(status, {}, body(said), "parts, page 3")
    assert "invalid literal for int" in str(error)
    assert "SN-TOP" not in f"{error!r} {error} {getattr(error, 'messages', '')}"


@pytest.mark.parametrize(
    ("said", "asked", "smaller"),
    [
        ("Requesting 500 records on the `parts` connection exceeds the `first` limit of 100 records.", 500, 100),
        ("first must be at most 1,000", 5000, 1000),
        ("Query cost 5200 exceeds the limit of 100", 500, 250),
        ("exceeds maximum operation depth of 10", 500, 250),
        ("page size too large", 3, 1),
        ("page size too large", 1, 1),
    ],
)
def test_the_next_smaller_page_size(said: str, asked: int, smaller: int) -> None:
    error = read_answer(400, {}, body(said), "parts")
    assert isinstance(error, TooMuchError)
    assert error.smaller(asked) == smaller
