"""HTTP to one ION tenant, GraphQL and files, and nothing else: transport, tokens, retries, rate control, errors.

    async with IonClient(config) as client:
        schema = await client.introspect()
        data = await client.execute(query, variables, operation="parts, page 1")

`FileHost` downloads files by the signed links that ION gives. The package knows nothing of entities, pages and rows:
those belong to `extract`.
"""

from ion_pipeline.client.body import Number
from ion_pipeline.client.client import ANSWER_DIGEST, Answer, ClientStats, Identity, IonClient, canonical_sdl
from ion_pipeline.client.config import ClientConfig
from ion_pipeline.client.download import Checksum, Download, FileHost
from ion_pipeline.client.errors import (
    AuthError,
    CertificateError,
    FileDamagedError,
    GraphQLError,
    IonApiError,
    LinkRefusedError,
    NoFileError,
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
    "ANSWER_DIGEST",
    "Answer",
    "AuthError",
    "CertificateError",
    "Checksum",
    "ClientConfig",
    "ClientStats",
    "Download",
    "FileDamagedError",
    "FileHost",
    "GraphQLError",
    "Identity",
    "IonApiError",
    "IonClient",
    "LinkRefusedError",
    "NoFileError",
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
