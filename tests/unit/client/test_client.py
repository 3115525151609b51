"""The complete client: retries, limits, and the requests it sends to ION."""

import asyncio
import gzip
import random
from datetime import UTC, datetime

import httpx
import pytest
from graphql import build_schema, graphql_sync
from hypothesis import given
from hypothesis import strategies as st

from ion_pipeline.client import (
    GraphQLError,
    IonApiError,
    IonClient,
    NotGraphQLError,
    PartialDataError,
    RequestTimeoutError,
    ServerError,
    ThrottledError,
    TransportError,
    canonical_sdl,
)
from ion_pipeline.client.retry import Backoff, full_jitter
from tests.unit.client.support import Handler, Tenant, config, data, errors, in_turn


async def ask(client: IonClient, **options: bool) -> dict[str, object]:
    async with client:
        return (await client.request("{ x }", operation="x", **options)).data


def test_a_request_is_the_documented_post() -> None:
    seen: list[httpx.Request] = []

    def graphql(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return data(part={"id": 7})

    async def run() -> dict[str, object]:
        async with Tenant(graphql).client(api_url="https://api.ion.test/") as client:
            return await client.execute("query part($id: ID!) { part(id: $id) { id } }", {"id": 7}, operation="part 7")

    assert asyncio.run(run()) == {"part": {"id": 7}}
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://api.ion.test/graphql")
    assert request.headers["content-type"] == "application/json"
    assert "gzip" in request.headers["accept-encoding"]
    sent = httpx.Response(200, content=request.content).json()
    assert sent == {"query": "query part($id: ID!) { part(id: $id) { id } }", "variables": {"id": 7}}


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(429, headers={"Retry-After": "0"}),
        httpx.Response(500),
        httpx.Response(502),
        httpx.Response(
            503, headers={"Retry-After": "Mon, 02 Mar 2026 10:00:00 GMT", "Date": "Mon, 02 Mar 2026 10:00:00 GMT"}
        ),
        httpx.Response(200, text='{"data": {"x": '),
        errors("resolver failed", data={"x": None}),
        httpx.ConnectError("refused"),
        httpx.ReadError("reset by peer"),
        httpx.ReadTimeout("too slow"),
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
    ],
    ids=repr,
)
def test_transient_errors_are_retried(failure: httpx.Response | Exception) -> None:
    if isinstance(failure, httpx.HTTPError):
        failure.request = httpx.Request("POST", "https://api.ion.test/graphql")
    client = Tenant(in_turn(failure, failure, data(x=1))).client()
    assert asyncio.run(ask(client)) == {"x": 1}
    assert (client.stats.requests, client.stats.retries, client.stats.token_requests) == (3, 2, 1)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_refusal_is_not_retried(status: int) -> None:
    client = Tenant(lambda _: errors("no", status=status)).client()
    with pytest.raises(IonApiError, match="no"):
        asyncio.run(ask(client))
    assert (client.stats.requests, client.stats.retries) == (1, 0)


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (lambda _: httpx.Response(503), ServerError),
        (lambda _: httpx.Response(429), ThrottledError),
        (lambda _: errors("half", data={"x": 1}), PartialDataError),
        (lambda _: httpx.Response(200, text="<html>"), TransportError),
    ],
)
def test_attempts_are_bounded(handler: Handler, kind: type[IonApiError]) -> None:
    client = Tenant(handler).client(max_attempts=3)
    with pytest.raises(kind):
        asyncio.run(ask(client))
    assert (client.stats.requests, client.stats.retries) == (3, 2)


def test_total_time_is_bounded() -> None:
    client = Tenant(lambda _: httpx.Response(503)).client(
        max_attempts=1000, retry_seconds=0.2, backoff_initial=0.05, backoff_max=0.05
    )
    with pytest.raises(ServerError):
        asyncio.run(asyncio.wait_for(ask(client), 5))
    assert 2 < client.stats.requests < 200


def test_a_retry_after_beyond_the_time_limit_is_an_error_at_once() -> None:
    client = Tenant(lambda _: httpx.Response(429, headers={"Retry-After": "3600"})).client()
    with pytest.raises(ThrottledError, match="3600 s") as caught:
        asyncio.run(asyncio.wait_for(ask(client), 5))
    assert caught.value.retry_after == 3600
    assert (client.stats.requests, client.stats.throttled) == (1, 1)


def test_retry_after_is_waited_for() -> None:
    client = Tenant(in_turn(httpx.Response(429, headers={"Retry-After": "0.3"}), data(x=1))).client()

    async def run() -> float:
        began = asyncio.get_running_loop().time()
        assert await ask(client) == {"x": 1}
        return asyncio.get_running_loop().time() - began

    assert 0.3 <= asyncio.run(run()) < 3


def test_a_host_that_never_answers_is_given_up_soon() -> None:
    def graphql(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Name or service not known", request=request)

    client = Tenant(graphql).client(max_attempts=50)
    with pytest.raises(TransportError, match=r"api\.ion\.test failed during x: Name or service not known.*ION_API_URL"):
        asyncio.run(ask(client))
    assert client.stats.requests == 3


def test_a_time_out_is_not_retried_for_a_caller_that_asks_for_less() -> None:
    client = Tenant(lambda _: httpx.Response(502)).client()
    with pytest.raises(RequestTimeoutError, match="ION_PAGE_SIZE"):
        asyncio.run(ask(client, retry_timeouts=False))
    assert client.stats.requests == 1


def test_a_slow_trickle_of_bytes_is_a_time_out() -> None:
    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self):  # type: ignore[no-untyped-def]
            while True:
                await asyncio.sleep(0.01)
                yield b" "

    client = Tenant(lambda _: httpx.Response(200, stream=Trickle())).client(timeout=0.1)
    with pytest.raises(RequestTimeoutError, match=r"within 0\.1 s"):
        asyncio.run(asyncio.wait_for(ask(client, retry_timeouts=False), 5))


def test_a_redirect_is_not_followed() -> None:
    client = Tenant(lambda _: httpx.Response(302, headers={"Location": "https://elsewhere.test/"})).client()
    with pytest.raises(NotGraphQLError, match="ION_API_URL"):
        asyncio.run(ask(client))


def test_bytes_are_counted_before_decompression() -> None:
    packed = gzip.compress(b'{"data": {"x": "' + b"a" * 10_000 + b'"}}')

    class Body(httpx.AsyncByteStream):
        async def __aiter__(self):  # type: ignore[no-untyped-def]
            yield packed

    def graphql(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Body(), headers={"Content-Encoding": "gzip"})

    client = Tenant(graphql).client()
    assert asyncio.run(ask(client)) == {"x": "a" * 10_000}
    assert client.stats.bytes == len(packed)


def test_in_flight_never_exceeds_the_bound() -> None:
    busy = most = 0

    async def graphql(_: httpx.Request) -> httpx.Response:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.001)
        busy -= 1
        return data(x=1)

    async def run() -> None:
        async with Tenant(graphql).client(max_concurrency=6) as client:
            await asyncio.gather(*(client.execute("{ x }", operation="x") for _ in range(100)))

    asyncio.run(run())
    assert most == 6


def test_me() -> None:
    answer = {"id": 3, "name": "Ada", "email": None, "organization": {"id": 12, "domain": "acme.test"}}

    async def run(client: IonClient) -> object:
        async with client:
            return await client.me()

    me = asyncio.run(run(Tenant(lambda _: data(me=answer)).client()))
    assert (me.user_id, me.name, me.email, me.organization_id, me.organization_domain) == (  # type: ignore[attr-defined]
        "3",
        "Ada",
        None,
        "12",
        "acme.test",
    )
    with pytest.raises(GraphQLError, match="no user"):
        asyncio.run(run(Tenant(lambda _: data(me=None)).client()))


def test_the_schema_is_introspected_and_its_hash_ignores_order() -> None:
    one = build_schema("type Query { a: Int @deprecated b(x: Int): Part } type Part { id: Int! } enum E { P Q }")
    other = build_schema("enum E { Q P } type Part { id: Int! } type Query { b(x: Int): Part a: Int @deprecated }")
    third = build_schema("enum E { Q P } type Part { id: Int! } type Query { b(x: Int): Part a: Float @deprecated }")

    def graphql(request: httpx.Request) -> httpx.Response:
        query = httpx.Response(200, content=request.content).json()["query"]
        return httpx.Response(200, json={"data": graphql_sync(one, query).data})

    async def run() -> object:
        async with Tenant(graphql).client() as client:
            return await client.introspect()

    read = asyncio.run(run())
    assert read.query_type.fields["a"].deprecation_reason  # type: ignore[attr-defined]
    assert canonical_sdl(read) == canonical_sdl(one) == canonical_sdl(other)  # type: ignore[arg-type]
    assert canonical_sdl(third) != canonical_sdl(one)


def test_an_invalid_schema_is_refused() -> None:
    async def run() -> None:
        async with Tenant(lambda _: data(__schema=None)).client() as client:
            await client.introspect()

    with pytest.raises(GraphQLError, match="schema cannot be read"):
        asyncio.run(run())


def test_the_servers_clock() -> None:
    async def run() -> tuple[object, object, int]:
        async with Tenant(lambda _: data(__typename="Query")).client() as client:
            before = client.server_time
            first, again = await client.read_clock(), await client.read_clock()
            assert first == again
            return before, first, client.stats.requests

    assert asyncio.run(run()) == (None, datetime(2026, 3, 2, 10, tzinfo=UTC), 1)


@given(failures=st.integers(1, 60))
def test_jitter_is_full_and_bounded(failures: int) -> None:
    settings = config(backoff_initial=0.5, backoff_max=20.0)
    random.seed(failures)
    pauses = [full_jitter(settings, failures) for _ in range(200)]
    ceiling = min(20.0, 0.5 * 2 ** (failures - 1))
    assert 0 <= min(pauses) < 0.1 * ceiling
    assert 0.9 * ceiling < max(pauses) <= ceiling


def test_the_wait_is_retry_after_plus_jitter() -> None:
    backoff = Backoff(config(backoff_initial=1.0), retry_timeouts=True, was_reached=lambda: True)
    wait = backoff(ThrottledError("slow", retry_after=7.0))
    assert 7.0 <= wait <= 8.0
    assert backoff(GraphQLError("no", messages=())) is False
    assert backoff(ValueError("a bug")) is False


@pytest.mark.parametrize("kind", [httpx.RemoteProtocolError, httpx.ReadError, httpx.DecodingError, httpx.ProxyError])
def test_what_a_library_quotes_from_a_body_is_not_shown(
    kind: type[httpx.RequestError], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    def quoting(request: httpx.Request) -> httpx.Response:
        raise kind("Bad status line b'SERIAL-OF-A-ROW'", request=request)

    async def run() -> None:
        async with Tenant(quoting).client(max_attempts=3) as client:
            await client.execute("{ x }", operation="parts, page 3")

    with pytest.raises(TransportError) as caught:
        asyncio.run(run())
    shown = f"{caught.value!r} {caught.value} {caught.value.__cause__!r} {caught.value.__context__!r}"
    printed = capsys.readouterr()
    assert "SERIAL" not in shown + caplog.text + printed.out + printed.err
    assert kind.__name__ in str(caught.value)
