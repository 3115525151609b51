"""Everything that can go wrong between this package and ION, as one tree.

    IonPipelineError
    └── IonApiError                 a request to ION did not give what was asked for
        ├── AuthError               no token, or ION refuses the one it gave
        ├── PermissionDeniedError   the key's owner may not read this
        ├── ThrottledError          429, or an error that says so                       retried
        ├── ServerError             500, 503 and other 5xx, or an error in a body
        │                           that is not about the question                      retried
        ├── RequestTimeoutError     502, 504, no answer in time, or a time-out that
        │                           an error names: ask for less                        retried, with smaller pages
        ├── TransportError          no connection, a broken one, or half an answer,
        │                           the token host's included                           retried
        ├── CertificateError        the server's certificate is not trusted
        ├── NotGraphQLError         something else than ION answers at this address
        ├── NotJsonError            the answer is whole, and a value in it is not JSON
        ├── GraphQLError            ION understood the request and refuses it: the
        │   │                       query does not fit the tenant's schema
        │   ├── PartialDataError    `data` and `errors` together: rows would be lost    retried
        │   └── TooMuchError        a limit on size, cost or depth: ask for less        with smaller pages
        └── UnexpectedAnswerError   an answer, or a value in it, has another shape or type
                                    than was asked for

An error in a body is final only where it is about the question; whatever else it says, it may have passed a moment
later, and is retried as what it is (see `refusals`).

Only exceptions belong here. Every message says what happened and in which operation (entity and page), never a token, a
secret, or a URL with its query. Statuses and texts: vendor manual, error codes.
"""

from collections.abc import Sequence
from typing import ClassVar

from ion_pipeline.errors import IonPipelineError


class IonApiError(IonPipelineError):
    """A request to ION did not give what was asked for.

    Attributes:
        retryable: Asking the same again may help.
    """

    retryable: ClassVar[bool] = False


class AuthError(IonApiError):
    """No token could be had, or ION refuses the one it gave."""


class PermissionDeniedError(IonApiError):
    """The owner of the API key may not read this; other entities may well be readable."""


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
    """ION failed: a 5xx other than 502 and 504, or an error in the body of any answer that is not about the question.

    Attributes:
        status: HTTP status; 200 where only the body names the error.
        retry_after: Seconds ION asks to wait, None when it does not say.
    """

    retryable = True

    def __init__(self, message: str, *, status: int, retry_after: float | None = None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.retry_after = retry_after


class RequestTimeoutError(IonApiError):
    """The request took too long: ION ends one after 30 s with a 502, or nothing came in time."""

    retryable = True


class TransportError(IonApiError):
    """No connection, a broken one, or an answer that is not whole."""

    retryable = True


class CertificateError(IonApiError):
    """The server's certificate is not trusted; another attempt does not change that."""


class NotGraphQLError(IonApiError):
    """Something else than ION's GraphQL endpoint answers at the address."""


class NotJsonError(IonApiError):
    """An answer is whole and a value in it is not JSON: asking again would bring the same."""


class GraphQLError(IonApiError):
    """ION understood the request and refuses it.

    Attributes:
        messages: What ION says, in its words.
    """

    def __init__(self, message: str, *, messages: Sequence[str], remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.messages = tuple(messages)


class PartialDataError(GraphQLError):
    """`data` and `errors` came together: what is missing from the data cannot be told from what is not there."""

    retryable = True


class TooMuchError(GraphQLError):
    """ION refuses the size, cost or depth of what was asked for; less of it may be answered.

    Attributes:
        of_rows: It is about how many rows one list may give, which then goes for every list of the tenant.
        numbers: Whole numbers that ION's text names.
    """

    def __init__(
        self, message: str, *, messages: Sequence[str], of_rows: bool, numbers: Sequence[int] = (), remedy: str = ""
    ) -> None:
        super().__init__(message, messages=messages, remedy=remedy)
        self.of_rows = of_rows
        self.numbers = tuple(numbers)

    def smaller(self, asked: int) -> int:
        """How many rows to ask for next: what ION names, if that is less than was asked, or half; 1 at least."""
        fitting = [number for number in self.numbers if 0 < number < asked]
        return max(fitting, default=max(1, asked // 2))


class UnexpectedAnswerError(IonApiError):
    """An answer, or a value in it, does not have the shape or type that was asked for."""
