"""GraphQL over HTTP to one ION tenant, and nothing else: transport, tokens, retries, rate control, errors.

    async with IonClient(config) as client:
        schema = await client.introspect()
        data = await client.execute(query, variables, operation="parts, page 1")

What an entity is, how pages follow each other and what rows look like is `extract`'s business.
"""

from ion_pipeline.client.body import Number
from ion_pipeline.client.client import Answer, ClientStats, Identity, IonClient, canonical_sdl
from ion_pipeline.client.config import ClientConfig
from ion_pipeline.client.errors import (
    AuthError,
    CertificateError,
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
    UnexpectedAnswerError,
)
from ion_pipeline.client.page_limit import PageLimit

__all__ = [
    "Answer",
    "AuthError",
    "CertificateError",
    "ClientConfig",
    "ClientStats",
    "GraphQLError",
    "Identity",
    "IonApiError",
    "IonClient",
    "NotGraphQLError",
    "NotJsonError",
    "Number",
    "PageLimit",
    "PartialDataError",
    "PermissionDeniedError",
    "RequestTimeoutError",
    "ServerError",
    "ThrottledError",
    "TooMuchError",
    "TransportError",
    "UnexpectedAnswerError",
    "canonical_sdl",
]
