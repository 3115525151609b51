"""All errors of requests to ION, as one tree.

    IonPipelineError
    └── IonApiError                 a request to ION failed
        ├── AuthError               no token was issued, or ION refuses the token
        ├── PermissionDeniedError   the key's owner may not read this
        ├── ThrottledError          429, or an error that says so                       retried
        ├── ServerError             500, 503 and other 5xx, or an error in a body
        │                           that is not about the query                         retried
        ├── RequestTimeoutError     502, 504, no answer in time, or a time-out that
        │                           an error names: ask for less                        retried, with smaller pages
        ├── TransportError          no connection, a broken one, or an incomplete
        │                           answer; also of the token host                      retried
        ├── CertificateError        the server's certificate is not trusted
        ├── NotGraphQLError         another server than ION answers at this address
        ├── NotJsonError            the answer is complete, but a value in it is not JSON
        ├── GraphQLError            ION understood the request and refuses it: the
        │   │                       query does not match the tenant's schema
        │   ├── PartialDataError    `data` and `errors` together: rows would be lost    retried
        │   └── TooMuchError        a limit on size, cost or depth: ask for less        with smaller pages
        ├── LinkRefusedError          the file host refuses a signed link          retried with a new link
        ├── NoFileError               the file host has no such file, or the link leads nowhere
        ├── FileDamagedError          the bytes of a file do not match its size or
        │                             checksum                                     retried from the start
        └── UnexpectedAnswerError     a field has another type than in the catalog

An error in a body is final only if it is about the query. Any other error may be transient, and is retried (see
`refusals`).

This module contains only exceptions. Every message says what happened and in which operation (entity and page). None
contains a token, a secret, or a URL with its query. Statuses and texts: vendor manual, error codes.
"""

from collections.abc import Sequence
from typing import ClassVar

from ion_pipeline.errors import IonPipelineError


class IonApiError(IonPipelineError):
    """A request to ION failed.

    Attributes:
        retryable: Whether the same request may succeed later.
    """

    retryable: ClassVar[bool] = False


class AuthError(IonApiError):
    """No token was issued, or ION refuses the token."""


class PermissionDeniedError(IonApiError):
    """The owner of the API key may not read this; other entities may be readable."""


class ThrottledError(IonApiError):
    """ION asks to slow down (429).

    Attributes:
        retry_after: Seconds ION asks to wait, None when it does not say.
    """

    retryable = True

    def __init__(self, message: str, *, retry_after: float | None = None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after = retry_after


class ServerError(IonApiError):
    """ION failed: a 5xx other than 502 and 504, or an error in the body of any answer that is not about the query.

    Attributes:
        status: HTTP status; 200 if only the body names the error.
        retry_after: Seconds ION asks to wait, None when it does not say.
    """

    retryable = True

    def __init__(self, message: str, *, status: int, retry_after: float | None = None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.retry_after = retry_after


class RequestTimeoutError(IonApiError):
    """The request took too long: ION ended it after 30 s with a 502, or no answer arrived in time."""

    retryable = True


class TransportError(IonApiError):
    """No connection, a broken connection, or an incomplete answer."""

    retryable = True


class CertificateError(IonApiError):
    """The server's certificate is not trusted; another attempt does not change that."""


class NotGraphQLError(IonApiError):
    """Another server than ION's GraphQL endpoint answers at the address."""


class NotJsonError(IonApiError):
    """An answer is complete, but a value in it is not valid JSON; another attempt would return the same."""


class GraphQLError(IonApiError):
    """ION understood the request and refuses it.

    Attributes:
        messages: ION's error texts.
    """

    def __init__(self, message: str, *, messages: Sequence[str], remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.messages = tuple(messages)


class PartialDataError(GraphQLError):
    """An answer has both `data` and `errors`: a value that is missing cannot be distinguished from one that is null."""

    retryable = True


class TooMuchError(GraphQLError):
    """ION refuses the size, cost or depth of a query; a smaller one may be answered.

    Attributes:
        of_rows: Whether the limit is on the rows of one list; it then applies to every list of the tenant.
        numbers: Integers in ION's text.
    """

    def __init__(
        self, message: str, *, messages: Sequence[str], of_rows: bool, numbers: Sequence[int] = (), remedy: str = ""
    ) -> None:
        super().__init__(message, messages=messages, remedy=remedy)
        self.of_rows = of_rows
        self.numbers = tuple(numbers)

    def smaller(self, asked: int) -> int:
        """How many rows to ask for next: the number that ION names if it is smaller, otherwise half; at least 1."""
        fitting = [number for number in self.numbers if 0 < number < asked]
        return max(fitting, default=max(1, asked // 2))


class LinkRefusedError(IonApiError):
    """The file host refuses a signed link: it has expired, or its signature is not accepted."""

    retryable = True


class NoFileError(IonApiError):
    """The file host does not give the file, or ION gives no link to it that may be followed."""


class FileDamagedError(IonApiError):
    """The bytes of a file that have arrived do not match the size or the checksum that its host gives."""

    retryable = True


class UnexpectedAnswerError(IonApiError):
    """A field, or a value in it, has another type than in the catalog and cannot be converted without loss."""
