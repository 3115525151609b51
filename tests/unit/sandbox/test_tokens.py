"""The token exchange and the texts of all refusals."""

import base64
import json

import pytest

from ion_pipeline.sandbox.tokens import AuthenticationError, TokenIssuer, TokenRequestError
from tests.clock import Clock

SECRET = "s3cret-of-the-test"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> TokenIssuer:
    return TokenIssuer("client", SECRET, lifetime=300, clock=clock)


def form(**changes: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", "client_id": "client", "client_secret": SECRET} | changes


def token_of(issuer: TokenIssuer) -> str:
    return str(issuer.issue(form())["access_token"])


def test_an_answer_is_what_keycloak_answers(issuer: TokenIssuer, clock: Clock) -> None:
    answer = issuer.issue(form(audience="https://api.example/graphql", refresh_token=""))
    assert (answer["expires_in"], answer["token_type"]) == (300, "Bearer")
    head, claims, signature = answer["access_token"].split(".")
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert decoded["exp"] == clock.now + 300
    assert json.loads(base64.urlsafe_b64decode(head + "=="))["typ"] == "JWT"
    assert signature
    assert SECRET not in json.dumps(answer) + json.dumps(decoded) + repr(issuer)


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", "Token ", ""])
def test_header_forms(issuer: TokenIssuer, prefix: str) -> None:
    issuer.check(prefix + token_of(issuer))


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "unauthorized_client"),
        ({"client_secret": ""}, 401, "unauthorized_client"),
        ({"client_id": "other"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": ""}, 400, "invalid_request"),
    ],
)
def test_refused_token_requests(issuer: TokenIssuer, changes: dict[str, str], status: int, error: str) -> None:
    with pytest.raises(TokenRequestError) as refused:
        issuer.issue(form(**changes))
    assert (refused.value.status, refused.value.body["error"]) == (status, error)
    assert refused.value.body["error_description"]


def refusal(issuer: TokenIssuer, header: str | None) -> str:
    with pytest.raises(AuthenticationError) as refused:
        issuer.check(header)
    return str(refused.value)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz"])
def test_no_token(issuer: TokenIssuer, header: str | None) -> None:
    assert refusal(issuer, header) == "Please provide proper credentials"


@pytest.mark.parametrize("token", ["garbage", "a.b", "a.b.c", "W10.W10.x", "e30.!!!.x"])
def test_garbage(issuer: TokenIssuer, token: str) -> None:
    assert refusal(issuer, f"Bearer {token}") == "Unable to parse authentication token"


def test_a_token_of_another_process(issuer: TokenIssuer) -> None:
    other = TokenIssuer("client", SECRET)
    assert refusal(issuer, token_of(other)) == "Unable to find appropriate RSA key"


def test_a_changed_token(issuer: TokenIssuer) -> None:
    head, claims, signature = token_of(issuer).split(".")
    forged = base64.urlsafe_b64decode(claims + "==").replace(b'"azp":"client"', b'"azp":"admin1"')
    text = base64.urlsafe_b64encode(forged).rstrip(b"=").decode()
    assert text != claims
    assert refusal(issuer, f"{head}.{text}.{signature}") == "Unable to validate authentication token"


def test_expiry(issuer: TokenIssuer, clock: Clock) -> None:
    token = token_of(issuer)
    clock.now += 299
    issuer.check(token)
    clock.now += 1
    assert refusal(issuer, token) == "Token is expired."


def test_all_tokens_so_far_can_expire_at_once(issuer: TokenIssuer) -> None:
    old = token_of(issuer)
    issuer.expire_all()
    assert refusal(issuer, old) == "Token is expired."
    issuer.check(token_of(issuer))
