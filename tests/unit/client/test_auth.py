"""Tokens are requested, kept, refreshed in time, refreshed once if they are refused, and never shown."""

import asyncio
import logging
import traceback

import httpx
import pytest
from pydantic import SecretStr

from ion_pipeline.client import AuthError, IonApiError, PartialDataError, ServerError, TransportError
from ion_pipeline.client.auth import IonAuth
from tests.unit.client.support import SECRET, TOKEN, Tenant, config, data, errors, in_turn

OLDER_PATH = "/auth/realms/api-keys/protocol/openid-connect/token"


def ask(tenant: Tenant, times: int = 1, **changes: object) -> list[dict[str, object]]:
    async def run() -> list[dict[str, object]]:
        async with tenant.client(**changes) as client:
            return [await client.execute("{ x }", operation="x") for _ in range(times)]

    return asyncio.run(run())


def test_the_token_is_fetched_once_with_the_documented_form() -> None:
    tenant = Tenant(lambda _: data(x=1))
    assert ask(tenant, times=3) == [{"x": 1}] * 3
    assert tenant.forms == [
        {"grant_type": ["client_credentials"], "client_id": ["key-1"], "client_secret": [SECRET]},
    ]
    assert tenant.authorizations == [f"Bearer {TOKEN}-1"] * 3


def test_the_older_token_path_is_tried_on_404_and_remembered() -> None:
    tenant = Tenant(in_turn(data(x=1), errors("Token is expired."), data(x=2)), token_path=OLDER_PATH)
    assert ask(tenant, times=2) == [{"x": 1}, {"x": 2}]
    assert tenant.token_paths_asked == ["/realms/api-keys/protocol/openid-connect/token", OLDER_PATH, OLDER_PATH]


def test_a_token_is_refreshed_before_it_expires() -> None:
    now = 0.0
    tenant = Tenant(lambda _: data(x=1), expires_in=300)
    auth = IonAuth(config(), clock=lambda: now)

    async def run() -> None:
        nonlocal now
        async with httpx.AsyncClient(transport=tenant, auth=auth) as http:
            for now in (0.0, 269.0, 271.0, 272.0):  # noqa: B007
                await http.post("https://api.ion.test/graphql", json={})

    asyncio.run(run())
    assert tenant.authorizations == [f"Bearer {TOKEN}-1"] * 2 + [f"Bearer {TOKEN}-2"] * 2


def test_a_short_lived_token_is_used_for_most_of_its_lifetime() -> None:
    now = 0.0
    tenant = Tenant(lambda _: data(x=1), expires_in=10)
    auth = IonAuth(config(), clock=lambda: now)

    async def run() -> None:
        nonlocal now
        async with httpx.AsyncClient(transport=tenant, auth=auth) as http:
            for now in (0.0, 8.9, 9.1):  # noqa: B007
                await http.post("https://api.ion.test/graphql", json={})

    asyncio.run(run())
    assert tenant.issued == 2


@pytest.mark.parametrize("refusal", [httpx.Response(401), errors("Token is expired.", status=200, data=None)])
def test_a_refused_token_is_refreshed_once_in_the_middle_of_a_read(refusal: httpx.Response) -> None:
    tenant = Tenant(in_turn(data(x=1), refusal, data(x=2)))
    assert ask(tenant, times=2) == [{"x": 1}, {"x": 2}]
    assert tenant.authorizations == [f"Bearer {TOKEN}-1", f"Bearer {TOKEN}-1", f"Bearer {TOKEN}-2"]


def test_a_token_that_stays_refused_is_an_error_after_one_refresh() -> None:
    tenant = Tenant(lambda _: httpx.Response(401, json={"errors": [{"message": "Unable to find appropriate RSA key"}]}))
    with pytest.raises(AuthError, match=r"Unable to find appropriate RSA key.*ION_CLIENT_SECRET"):
        ask(tenant)
    assert tenant.issued == 2
    assert len(tenant.authorizations) == 2


def test_many_requests_share_one_refresh() -> None:
    expired = {f"Bearer {TOKEN}-1"}

    async def graphql(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return httpx.Response(401) if request.headers["authorization"] in expired else data(x=1)

    tenant = Tenant(graphql)

    async def run() -> list[dict[str, object]]:
        async with tenant.client() as client:
            return await asyncio.gather(*(client.execute("{ x }", operation="x") for _ in range(20)))

    assert asyncio.run(run()) == [{"x": 1}] * 20
    assert tenant.issued == 2


def test_a_cancelled_refresh_does_not_block_the_next() -> None:
    tenant = Tenant(lambda _: data(x=1))
    hang = asyncio.Event()

    class Hanging(Tenant):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.host == "auth.ion.test" and not hang.is_set():
                hang.set()
                await asyncio.sleep(60)
            return await super().handle_async_request(request)

    tenant = Hanging(lambda _: data(x=1))

    async def run() -> dict[str, object]:
        async with tenant.client() as client:
            first = asyncio.create_task(client.execute("{ x }", operation="x"))
            await hang.wait()
            first.cancel()
            async with asyncio.timeout(5):
                return await client.execute("{ x }", operation="x")

    assert asyncio.run(run()) == {"x": 1}


def test_a_ready_token_is_used_and_not_refreshed() -> None:
    tenant = Tenant(in_turn(data(x=1), httpx.Response(401)))
    with pytest.raises(AuthError, match="ION_TOKEN"):
        ask(tenant, times=2, token=SecretStr("given"), client_secret=None)
    assert tenant.authorizations == ["Bearer given"] * 2
    assert tenant.token_paths_asked == []


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), AuthError, "refuses the API key: 401 (invalid_client)"),
        (httpx.Response(400, json={"error": "unauthorized_client"}), AuthError, "400 (unauthorized_client)"),
        (httpx.Response(200, text="<html>Sign in</html>"), TransportError, "ION_AUTH_URL"),
        (httpx.Response(200, json={"access_token": ""}), AuthError, "no access token"),
        (httpx.Response(404, text="nothing here"), AuthError, "ION_AUTH_URL"),
        (httpx.Response(503), ServerError, "token host auth.ion.test failed with 503"),
    ],
)
def test_what_the_token_host_can_answer(answer: httpx.Response, kind: type[IonApiError], said: str) -> None:
    tenant = Tenant(lambda _: data(x=1), token_answer=lambda _: httpx.Response(answer.status_code, text=answer.text))
    with pytest.raises(kind) as caught:
        ask(tenant)
    assert said in str(caught.value)
    assert tenant.authorizations == []


@pytest.mark.parametrize("passing", ["<html>Back soon</html>", '{"access_token": "eyJhb'])
def test_an_incomplete_token_answer_is_retried(passing: str) -> None:
    answers = iter([passing, '{"access_token": "late", "expires_in": 60}'])
    tenant = Tenant(lambda _: data(x=1), token_answer=lambda _: httpx.Response(200, text=next(answers)))
    assert ask(tenant) == [{"x": 1}]
    assert tenant.authorizations == ["Bearer late"]


def test_a_failing_token_host_is_retried() -> None:
    answers = iter([503, 429, 200])

    def token(_: httpx.Request) -> httpx.Response:
        return httpx.Response(next(answers), json={"access_token": "late", "expires_in": 60})

    tenant = Tenant(lambda _: data(x=1), token_answer=token)
    assert ask(tenant) == [{"x": 1}]
    assert tenant.authorizations == ["Bearer late"]


def _echo(request: httpx.Request) -> httpx.Response:
    return errors(f"Unable to read header {request.headers['authorization']}", status=500)


def _echo_partially(request: httpx.Request) -> httpx.Response:
    return errors(f"bad header {request.headers['authorization']}", data={"x": 1})


def _refuse_connection(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError(f"cannot send {request.headers['authorization']}", request=request)


@pytest.mark.parametrize(
    ("graphql", "kind"),
    [(_echo, ServerError), (_echo_partially, PartialDataError), (_refuse_connection, TransportError)],
)
def test_no_secret_in_messages_tracebacks_reprs_or_logs(
    graphql: object, kind: type[IonApiError], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    tenant = Tenant(graphql)  # type: ignore[arg-type]
    shown: list[str] = []

    async def run() -> None:
        async with tenant.client() as client:
            with pytest.raises(kind) as caught:
                await client.execute("{ x }", operation="x")
            error = caught.value
            chain = traceback.TracebackException.from_exception(error, capture_locals=True)
            shown.extend([*chain.format(chain=True), repr(error), str(error), repr(vars(error))])
            shown.extend(repr(thing) for thing in (client.config, client.stats, vars(client), vars(client._auth)))

    asyncio.run(run())
    assert tenant.issued == 1
    captured = capsys.readouterr()
    everything = "\n".join([*shown, caplog.text, captured.out, captured.err])
    assert any(words in everything for words in ("failed at x", "failed during x", "ION answered x"))
    assert SECRET not in everything
    assert TOKEN not in everything


def test_no_secret_when_the_token_is_refused_or_unreadable() -> None:
    def token(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"error": SECRET, "error_description": request.content.decode()})

    with pytest.raises(AuthError) as caught:
        ask(Tenant(lambda _: data(x=1), token_answer=token))
    chain = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert SECRET not in "".join(chain.format())
