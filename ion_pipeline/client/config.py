"""How to reach a tenant, and the limits on requests and retries. Values only; `settings` reads them."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """One tenant, one set of credentials and the limits on requests.

    Attributes:
        api_url: Base of the API; requests go to `{api_url}/graphql`.
        auth_url: Base of the token host; not used with a ready-made `token`.
        client_id: Id of the API key.
        client_secret: Secret of the API key.
        token: A ready-made access token, used instead of the key.
        timeout: Seconds one request may take in total. ION itself ends one after 30.
        max_concurrency: Maximum number of requests in flight.
        requests_per_second: Maximum number of requests started per second; None for no maximum.
        max_attempts: Attempts per request.
        retry_seconds: Seconds after which no further attempt is started.
        backoff_initial: Upper end of the first random pause, in seconds; doubles with each attempt.
        backoff_max: Largest upper end of a random pause, in seconds.
        page_size: Maximum number of rows of one list that a request asks for.
        known_page_size: A smaller maximum that an earlier run found; None if there is none.
    """

    api_url: str
    auth_url: str = ""
    client_id: str = ""
    client_secret: SecretStr | None = None
    token: SecretStr | None = None
    timeout: float = 60.0
    max_concurrency: int = 8
    requests_per_second: float | None = None
    max_attempts: int = 8
    retry_seconds: float = 300.0
    backoff_initial: float = 0.5
    backoff_max: float = 30.0
    page_size: int = 5000
    known_page_size: int | None = None

    @property
    def graphql_url(self) -> str:
        """Where queries are posted."""
        return f"{self.api_url.rstrip('/')}/graphql"

    @property
    def api_host(self) -> str:
        """Host (and port) of the API, as error messages and the data directory use it."""
        return urlsplit(self.api_url).netloc.rpartition("@")[2]

    @property
    def is_local(self) -> bool:
        """Whether the API is on this machine; then no proxy is used."""
        return urlsplit(self.api_url).hostname in {"127.0.0.1", "::1", "localhost"}
