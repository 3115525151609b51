"""From settings to a tenant that can be asked: the one place that knows that `embedded` starts the sandbox."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta

from pydantic import SecretStr

from ion_pipeline.client import ClientConfig, IonClient
from ion_pipeline.client.clock import machine_time
from ion_pipeline.endpoints import Endpoints
from ion_pipeline.lake import LearnedPageSize, keep_page_size, read_page_size
from ion_pipeline.settings import Settings

# So long a smaller page size is used before the one that is set is tried again: a tenant's limit may be raised.
_KEPT = timedelta(days=7)


@contextmanager
def reachable_tenant(settings: Settings) -> Iterator[ClientConfig]:
    """How to reach the tenant of the settings; in `embedded` a sandbox runs for as long as the block does.

    Raises:
        SettingsError: The secret's file cannot be used.
        SandboxError: The sandbox did not start.
    """
    if settings.environment != "embedded":
        yield _config(settings, settings.endpoints, settings.client_id or "", settings.read_client_secret())
        return
    # Not above: whoever reads a real tenant needs neither the time nor the memory of it.
    from ion_pipeline.sandbox.process import running_sandbox  # noqa: PLC0415

    with running_sandbox(seed=settings.sandbox_seed, scale=settings.sandbox_scale) as sandbox:
        endpoints = Endpoints(sandbox.api_url, sandbox.auth_url)
        yield _config(settings, endpoints, sandbox.client_id, SecretStr(sandbox.client_secret))


def _config(settings: Settings, endpoints: Endpoints, client_id: str, client_secret: SecretStr | None) -> ClientConfig:
    return ClientConfig(
        api_url=endpoints.api_url,
        auth_url=endpoints.auth_url,
        client_id=client_id,
        client_secret=client_secret,
        token=settings.token if settings.environment != "embedded" else None,
        timeout=settings.request_timeout_seconds,
        max_concurrency=settings.max_concurrency,
        requests_per_second=settings.requests_per_second,
        max_attempts=settings.max_attempts,
        page_size=settings.page_size,
    )


def tenant_host(settings: Settings, config: ClientConfig) -> str:
    """The host that names a tenant. The embedded sandbox has another port each time and is one tenant all the same."""
    return "embedded" if settings.environment == "embedded" else config.api_host


@asynccontextmanager
async def tenant_client(
    settings: Settings, config: ClientConfig, note: Callable[[str], None]
) -> AsyncIterator[IonClient]:
    """A tenant, open, that is asked for no more rows at once than it was found to give; what it shows is kept.

    What was learned holds for seven days, for the page size and the host that it was learned with. After that the size
    that is set is tried again, which costs a refused request, or two short pages, where the limit still stands.

    Args:
        settings: Whose data directory knows.
        config: From `reachable_tenant`.
        note: Receives a message when something was learned.
    """
    host = tenant_host(settings, config)
    known = known_page_size(settings)
    if known and known.api_host == host:
        config = replace(config, known_page_size=known.accepted)
    async with IonClient(config) as client:
        try:
            yield client
        finally:
            # Also when the run fails: the next one is spared what this one learned.
            accepted = client.page_limit.learned
            if accepted is not None and accepted != config.known_page_size:
                learned = LearnedPageSize(settings.page_size, accepted, host, machine_time())
                note(
                    f"ION gives at most {accepted:,} rows of a list at once, less than ION_PAGE_SIZE "
                    f"({settings.page_size:,}): no more are asked for, for {_KEPT.days} days."
                )
                try:
                    keep_page_size(settings.data_dir, learned)
                except OSError as error:
                    note(f"The next run learns it again: {settings.data_dir} cannot be written ({error.strerror}).")


def known_page_size(settings: Settings) -> LearnedPageSize | None:
    """How many rows the tenant gives at once; None where it gives the page size set, or what is known is too old."""
    known = read_page_size(settings.data_dir)
    if known is None or known.asked != settings.page_size:
        return None
    return known if timedelta() <= machine_time() - known.learned_at < _KEPT else None
