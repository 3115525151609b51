"""What the client itself reads of answers, given everything that may stand where something else belongs."""

import asyncio
import json
from collections.abc import Collection, Mapping
from typing import Any

import httpx
import pytest
from graphql import build_schema, get_introspection_query, graphql_sync

from ion_pipeline.client import AuthError, GraphQLError, IonApiError, IonClient, UnexpectedAnswerError
from ion_pipeline.client.auth import IonAuth
from ion_pipeline.client.client import Identity
from tests.unit.client.support import Tenant, config, data
from tests.unit.wrong_shapes import NUMBERS, SECRET, TEXTS, wrong_answers

ME = {"id": 3, "name": "Ada", "email": "ada@acme.test", "organization": {"id": "12", "domain": None}}
TEXT_OR_NULL = ["null", *TEXTS]
# An id that is null or empty is nobody's, and the message says so; text and numbers are how an ID may come.
AN_ID = [*TEXTS, *NUMBERS, "negative"]
SDL = "enum E { P } input I { x: Int = 1 } type Query { a(i: I, e: E): [Part!]! } type Part { id: Int! }"
RIGHT: Mapping[str, Collection[str]] = {
    "me.id": AN_ID,
    "me.organization.id": AN_ID,
    **dict.fromkeys(("me.name", "me.email", "me.organization.domain"), TEXT_OR_NULL),
}
NOBODY = {("me", "null"), ("me.organization", "null")} | {
    (path, name) for path in ("me.id", "me.organization.id") for name in ("null", "list", "object")
}


def test_who_we_are() -> None:
    answers: list[Any] = [{"me": ME}]
    wrong = list(wrong_answers(answers[0], RIGHT))

    async def run() -> None:
        async with Tenant(lambda _: data(**answers[0])).client() as client:
            assert await client.me() == Identity("3", "Ada", "ada@acme.test", "12", None)
            for path, name, answer in wrong:
                answers[0] = answer
                kind, said = (GraphQLError, "no user") if (path, name) in NOBODY else (UnexpectedAnswerError, path)
                with pytest.raises(kind) as caught:
                    await client.me()
                assert said in str(caught.value), f"{path} is {name}: {caught.value}"
                assert SECRET not in str(caught.value)
                assert caught.value.remedy

    asyncio.run(run())
    assert len(wrong) > 50


def test_the_schema() -> None:
    good = graphql_sync(build_schema(SDL), get_introspection_query(descriptions=False)).data
    assert good
    query = f".types[{[kind['name'] for kind in good['__schema']['types']].index('Query')}]"
    inside = ("", ".kind", ".name", ".fields", ".fields[0]", ".fields[0].args", ".fields[0].args[0].type")
    places = {f"__schema{place}" for place in ("", ".queryType", ".types", *(query + name for name in inside))}
    # graphql-core decides what it can do without; whatever it cannot is one error of ours.
    values = {"missing", "null", "text", "list", "text in a list"}
    wrong = [answer for _, name, answer in wrong_answers(good, {}, at=places) if name in values]
    answers: list[Any] = [good]

    async def refusal(client: IonClient) -> GraphQLError | None:
        try:
            await client.introspect()
        except GraphQLError as error:
            return error
        return None

    async def run() -> list[GraphQLError]:
        refused = []
        async with Tenant(lambda _: httpx.Response(200, json={"data": answers[0]})).client() as client:
            assert await refusal(client) is None
            for answers[0] in wrong:
                if error := await refusal(client):
                    refused.append(error)
        return refused

    refused = asyncio.run(run())
    assert len(refused) > 30
    assert all("schema cannot be read" in str(error) and error.remedy for error in refused)
    assert not any(SECRET in str(error) for error in refused)


def token_of(content: bytes) -> tuple[str, IonApiError | None]:
    """What the client sends after such an answer of the token host, or what it says."""
    tenant = Tenant(lambda _: data(x=1), token_answer=lambda _: httpx.Response(200, content=content))

    async def run() -> IonApiError | None:
        async with tenant.client(max_attempts=2) as client:
            try:
                await client.execute("{ x }", operation="x")
            except IonApiError as error:
                return error
        return None

    error = asyncio.run(run())
    return "".join(tenant.authorizations), error


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbf{"access_token": "tok", "expires_in": 60}',
        b'{"access_token": "tok", "expires_in": NaN}',
        b'{"access_token": "tok", "expires_in": 1e400}',
        b'{"access_token": "tok", "expires_in": -Infinity}',
        b'{"access_token": "tok", "expires_in": null}',
        b'{"access_token": "tok", "expires_in": "60"}',
        b'{"access_token": "tok", "expires_in": [60]}',
        b'{"access_token": "tok", "expires_in": true, "error": ["none"]}',
        b'{"access_token": "tok", "expires_in": 12345678901234567890123456789012345678901234567890}',
    ],
)
def test_a_token_is_read_whatever_stands_beside_it(content: bytes) -> None:
    assert token_of(content) == ("Bearer tok", None)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "null instead of an object"),
        ([], "a list instead of an object"),
        (SECRET, "text instead of an object"),
        ({}, "no access token"),
        ({"access_token": None}, "no access token"),
        ({"access_token": [SECRET]}, "no access token but a list"),
        ({"access_token": 1.5, "error": {"x": SECRET}}, "no access token but a number"),
        ({"access_token": f"{SECRET}\n"}, "characters that no header takes"),
        ({"access_token": f"{SECRET}\u00e9"}, "characters that no header takes"),
        ({"access_token": f"{SECRET}\ud800"}, "characters that no header takes"),
        ({"access_token": f"{SECRET} and more"}, "characters that no header takes"),
    ],
)
def test_what_is_no_token_is_one_error(answer: Any, said: str) -> None:
    sent, error = token_of(json.dumps(answer).encode())
    assert sent == ""
    assert isinstance(error, AuthError)
    assert said in str(error)
    assert "ION_AUTH_URL" in str(error)
    assert SECRET not in f"{error!r} {error.__cause__!r} {error.__context__!r}"


def test_how_long_a_token_lives_is_believed_only_where_it_can_be() -> None:
    # A token said to live for a thousand years would not be renewed until it is refused.
    asked: list[float] = []

    def token(_: httpx.Request) -> httpx.Response:
        asked.append(now)
        return httpx.Response(200, content=b'{"access_token": "tok", "expires_in": 1e300}')

    now = 0.0
    tenant = Tenant(lambda _: data(x=1), token_answer=token)

    async def run() -> None:
        nonlocal now
        async with httpx.AsyncClient(transport=tenant, auth=IonAuth(config(), clock=lambda: now)) as http:
            for now in (0.0, 53.0, 55.0):  # noqa: B007
                await http.post("https://api.ion.test/graphql", json={})

    asyncio.run(run())
    assert asked == [0.0, 55.0]
