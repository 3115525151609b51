"""Connects to the tenant of the settings; in `embedded`, starts the sandbox."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta

from pydantic import SecretStr

from ion_pipeline.client import ClientConfig, IonClient
from ion_pipeline.client.clock import machine_time
from ion_pipeline.endpoints import Endpoints
from ion_pipeline.lake import LearnedPageSize, keep_page_size, read_page_size
from ion_pipeline.pipeline.sandbox_world import today, with_world
from ion_pipeline.settings import Settings

# How long a detected page size is used before ION_PAGE_SIZE is tried again: the tenant's limit may have been raised.
_PAGE_SIZE_VALID_FOR = timedelta(days=7)


@contextmanager
def reachable_tenant(settings: Settings) -> Iterator[ClientConfig]:
    """The client configuration of the tenant; in `embedded`, a sandbox runs during the block.

    Raises:
        SettingsError: The file with the secret cannot be used.
        SandboxError: The sandbox did not start.
    """
    if settings.environment != "embedded":
        yield _config(settings, settings.endpoints, settings.client_id or "", settings.read_client_secret())
        return
    # Imported here because a real tenant does not need it, and the import takes time and memory.
    from ion_pipeline.sandbox.process import running_sandbox  # noqa: PLC0415

    world = with_world(settings)
    # What a tenant has in 2026, so that a trial shows what a refresh of one is like.
    with running_sandbox(
        seed=world.sandbox_seed,
        scale=world.sandbox_scale,
        today=world.sandbox_today or today(),
        profile="today",
    ) as sandbox:
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
    """The host that identifies a tenant; `embedded` for the embedded sandbox, whose port changes with each start."""
    return "embedded" if settings.environment == "embedded" else config.api_host


@asynccontextmanager
async def tenant_client(
    settings: Settings, config: ClientConfig, note: Callable[[str], None]
) -> AsyncIterator[IonClient]:
    """A connected client that uses the tenant's detected page size, and stores a newly detected one.

    A detected page size is used for seven days, with the same ION_PAGE_SIZE and host. After that, ION_PAGE_SIZE is
    tried again. If the limit still applies, that costs one rejected request or two short pages.

    Args:
        settings: The settings, with the data directory that the page size is stored in.
        config: The configuration from `reachable_tenant`.
        note: Receives a message if a page size was detected.
    """
    host = tenant_host(settings, config)
    known = known_page_size(settings)
    if known and known.api_host == host:
        config = replace(config, known_page_size=known.accepted)
    async with IonClient(config) as client:
        try:
            yield client
        finally:
            # Also after an error, so that the next run does not have to detect it again.
            accepted = client.page_limit.learned
            if accepted is not None and accepted != config.known_page_size:
                learned = LearnedPageSize(settings.page_size, accepted, host, machine_time())
                note(
                    f"ION returns at most {accepted:,} rows in a page, not ION_PAGE_SIZE ({settings.page_size:,}): "
                    f"this page size is used for {_PAGE_SIZE_VALID_FOR.days} days."
                )
                try:
                    keep_page_size(settings.data_dir, learned)
                except OSError as error:
                    note(
                        f"The page size cannot be stored in {settings.data_dir} ({error.strerror}): "
                        "the next run detects it again."
                    )


def known_page_size(settings: Settings) -> LearnedPageSize | None:
    """The tenant's detected page size; None if it is not below ION_PAGE_SIZE, or was detected too long ago."""
    known = read_page_size(settings.data_dir)
    if known is None or known.asked != settings.page_size:
        return None
    return known if timedelta() <= machine_time() - known.learned_at < _PAGE_SIZE_VALID_FOR else None
