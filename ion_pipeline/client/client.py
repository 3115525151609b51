"""The client: one authenticated, rate-limited, retried GraphQL request at a time; no knowledge of entities or pages."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx
import orjson
from graphql import GraphQLError as InvalidSchemaError
from graphql import GraphQLSchema, build_client_schema, get_introspection_query, lexicographic_sort_schema, print_schema

from ion_pipeline import __version__
from ion_pipeline.client.answers import http_date, read_answer
from ion_pipeline.client.auth import IonAuth
from ion_pipeline.client.clock import ServerClock
from ion_pipeline.client.concurrency import AdaptiveLimiter
from ion_pipeline.client.config import ClientConfig
from ion_pipeline.client.errors import (
    CertificateError,
    GraphQLError,
    IonApiError,
    RequestTimeoutError,
    ServerError,
    ThrottledError,
    TransportError,
)
from ion_pipeline.client.page_limit import PageLimit
from ion_pipeline.client.parts import Part
from ion_pipeline.client.retry import Backoff, attempts, full_jitter
from ion_pipeline.client.surroundings import certificates_remedy
from ion_pipeline.client.transport import default_transport, reason_of

_CONNECT_SECONDS = 10.0
# Shorter than the idle time of common load balancers (60 s), so that no request uses a connection they just closed.
_KEEP_ALIVE_SECONDS = 30.0
#: The key in a schema's `extensions` of the digest of the answer that it was read from.
ANSWER_DIGEST = "ion_answer_digest"
_ME = "query me { me { id name email organization { id domain } } }"
_CLOCK = "query clock { __typename }"


@dataclass(slots=True)
class ClientStats:
    """Counters of a client's work so far.

    Attributes:
        requests: GraphQL requests sent, retries included.
        token_requests: Requests to the token host.
        retries: Requests sent again after a failure.
        throttled: Answers with status 429.
        bytes: Bytes of bodies received, before decompression.
    """

    requests: int = 0
    token_requests: int = 0
    retries: int = 0
    throttled: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of one operation.

    Attributes:
        data: The `data` of the GraphQL result.
        requests: Requests sent for it, retries included.
        bytes: Bytes of the body, before decompression.
    """

    data: dict[str, Any]
    requests: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Identity:
    """The user and the tenant that the credentials belong to.

    Attributes:
        user_id: Id of the user.
        name: Name of the user.
        email: E-mail address of the user.
        organization_id: Id of the tenant.
        organization_domain: Domain of the tenant.
    """

    user_id: str
    name: str | None
    email: str | None
    organization_id: str
    organization_domain: str | None

    @property
    def user_number(self) -> int | None:
        """The user's id as a number, as tables refer to users; None if it is not one."""
        return int(self.user_id) if self.user_id.isdecimal() else None


class IonClient:
    """An ION tenant, as an async context manager.

        async with IonClient(ClientConfig(api_url=..., auth_url=..., client_id=..., client_secret=...)) as client:
            data = await client.execute("query { parts(first: 1) { pageInfo { totalCount } } }", operation="parts")

    Args:
        config: The tenant's addresses, credentials and limits.
        transport: Carries the requests; by default `default_transport`. Tests and other HTTP stacks pass their own.
    """

    def __init__(self, config: ClientConfig, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.config = config
        self.stats = ClientStats()
        self.clock = ServerClock()
        """ION's clock, from the `Date` headers of its answers."""
        self.page_limit = PageLimit(config.page_size, config.known_page_size)
        """How many rows of one list a request may ask for; lowered when the tenant's answers show a limit."""
        self._was_reached = False
        self._limiter = AdaptiveLimiter(
            max_concurrency=config.max_concurrency, requests_per_second=config.requests_per_second
        )
        self._auth = IonAuth(config, on_token_request=self._count_token_request)
        self._http = httpx.AsyncClient(
            auth=self._auth,
            headers={"User-Agent": f"ion-pipeline/{__version__}", "Accept": "application/json"},
            timeout=httpx.Timeout(config.timeout, connect=min(_CONNECT_SECONDS, config.timeout), pool=None),
            limits=httpx.Limits(
                max_connections=None,
                max_keepalive_connections=config.max_concurrency + 1,
                keepalive_expiry=_KEEP_ALIVE_SECONDS,
            ),
            transport=transport or default_transport(config, keep_alive=_KEEP_ALIVE_SECONDS),
            # The transport reads the environment.
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, trace)

    @property
    def max_concurrency(self) -> int:
        """Requests in flight at most."""
        return self.config.max_concurrency

    async def execute(
        self, query: str, variables: Mapping[str, Any] | None = None, *, operation: str
    ) -> dict[str, Any]:
        """Run a query and return its `data`.

        Args:
            query: A GraphQL document with one operation.
            variables: Its variables. Values enter a query only as variables.
            operation: What is requested, as error messages name it.

        Raises:
            IonApiError: The request failed, and so did the retries that this kind of failure allows.
        """
        return (await self.request(query, variables, operation=operation)).data

    async def request(
        self,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        operation: str,
        retry_timeouts: bool = True,
        retry_partial: bool = True,
    ) -> Answer:
        """Run a query and return its `data` with the requests and bytes it took.

        Args:
            query: A GraphQL document with one operation.
            variables: Its variables.
            operation: What is requested, as error messages name it.
            retry_timeouts: False if the caller responds to a `RequestTimeoutError` by asking for less.
            retry_partial: False for a query for one row: data and errors together then mean that ION does not give it.

        Raises:
            IonApiError: The request failed, and so did the retries that this kind of failure allows.
        """
        payload = {"query": query, "variables": dict(variables or {})}
        requests = 0
        backoff = Backoff(self.config, retry_timeouts, lambda: self._was_reached, retry_partial)
        async for attempt in attempts(backoff):
            with attempt:
                requests += 1
                self.stats.retries += requests > 1
                data, received = await self._attempt(payload, operation)
                return Answer(data, requests, received)
        raise AssertionError("stamina raises the last failure")  # pragma: no cover

    async def me(self) -> Identity:
        """The user and the tenant that the credentials belong to.

        Raises:
            GraphQLError: ION accepts the token but names no user or organisation for it.
            UnexpectedAnswerError: The answer has another shape.
        """
        operation = "the query for the API key's user"
        me = Part(await self.execute(_ME, operation=operation), operation).part("me")
        organization = me.part("organization") if me.value is not None else me
        if organization.value is None or not (me.part("id").value and organization.part("id").value):
            raise GraphQLError(
                "ION accepts the token but names no user or organisation for it.",
                messages=(),
                remedy="Use the key of a user who belongs to an organisation.",
            )
        return Identity(
            user_id=me.part("id").identifier(),
            name=me.part("name").text_or_null(),
            email=me.part("email").text_or_null(),
            organization_id=organization.part("id").identifier(),
            organization_domain=organization.part("domain").text_or_null(),
        )

    async def introspect(self) -> GraphQLSchema:
        """The tenant's schema with deprecated fields and without descriptions.

        `extensions` has the digest of ION's answer under `ANSWER_DIGEST`: equal answers give equal schemas.

        Raises:
            GraphQLError: ION refuses introspection, or the result is not a valid schema.
        """
        data = await self.execute(get_introspection_query(descriptions=False), operation="the schema query")
        try:
            schema = build_client_schema(data)  # type: ignore[arg-type]
        except (TypeError, KeyError, AttributeError, ValueError, InvalidSchemaError) as error:
            # All that graphql-core raises if a part of an introspection is missing or has another type.
            raise GraphQLError(
                f"ION's schema cannot be read ({type(error).__name__}).",
                messages=(),
                remedy="Report it to ION's support: no entity can be read without the schema.",
            ) from None
        schema.extensions[ANSWER_DIGEST] = hashlib.sha256(orjson.dumps(data)).hexdigest()
        return schema

    @property
    def server_time(self) -> datetime | None:
        """The earliest instant that ION's clock may show now; None before the first answer with a `Date` header."""
        return self.clock.now

    async def read_clock(self) -> datetime | None:
        """`server_time`, after a request if there was none yet. None if ION sends no `Date` header."""
        if self.server_time is None:
            await self.execute(_CLOCK, operation="the clock query")
        return self.server_time

    async def pause(self, failures: int) -> None:
        """Wait for a random time that grows with consecutive failures, as the client does between its own attempts."""
        await asyncio.sleep(full_jitter(self.config, failures))

    async def _attempt(self, payload: Mapping[str, Any], operation: str) -> tuple[dict[str, Any], int]:
        async with self._limiter.slot():
            started_at = self._limiter.now()
            try:
                response = await self._post(payload, operation)
                answer = read_answer(
                    response.status_code, response.headers, response.content, operation, redact=self._auth.redact
                )
                if isinstance(answer, IonApiError):
                    raise answer
            except (ThrottledError, ServerError, RequestTimeoutError) as refusal:
                self.stats.throttled += isinstance(refusal, ThrottledError)
                self._limiter.refused(started_at=started_at, pause=getattr(refusal, "retry_after", None) or 0.0)
                raise
            self._limiter.answered(started_at=started_at)
            return answer, response.num_bytes_downloaded

    async def _post(self, payload: Mapping[str, Any], operation: str) -> httpx.Response:
        self.stats.requests += 1
        failure: IonApiError
        try:
            # httpx's own time-outs apply to each read, so a slow trickle of bytes would never reach them.
            async with asyncio.timeout(self.config.timeout):
                response = await self._http.post(self.config.graphql_url, json=payload)
        except httpx.ConnectTimeout as error:
            failure = self._broken(error, operation)
        except (TimeoutError, httpx.TimeoutException):
            failure = RequestTimeoutError(
                f"No complete answer to {operation} within {self.config.timeout:g} s.",
                remedy="Lower ION_PAGE_SIZE, or raise ION_REQUEST_TIMEOUT_SECONDS.",
            )
        except httpx.HTTPError as error:
            failure = self._broken(error, operation)
        else:
            self._was_reached = True
            self.stats.bytes += response.num_bytes_downloaded
            self.clock.observe(http_date(response.headers.get("date", "")))
            return response
        # Raised outside the handler, so that the library's exception, which may quote a body, is not its context.
        raise failure

    def _broken(self, error: httpx.HTTPError, operation: str) -> IonApiError:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return CertificateError(
                f"The certificate of {error.request.url.netloc.decode()} is not trusted during {operation}: "
                f"{reason_of(error, self._auth.redact)}.",
                remedy=certificates_remedy(),
            )
        return TransportError(
            f"The connection to {error.request.url.netloc.decode()} failed during {operation}: "
            f"{reason_of(error, self._auth.redact)} ({type(error).__name__}).",
            remedy="Check the network, ION_ENVIRONMENT, ION_API_URL and ION_AUTH_URL.",
        )

    def _count_token_request(self) -> None:
        self.stats.token_requests += 1


def canonical_sdl(schema: GraphQLSchema) -> str:
    """The schema as text, sorted, so that equal schemas give equal texts in whatever order they list their types."""
    return print_schema(lexicographic_sort_schema(schema))
