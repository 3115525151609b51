"""From settings to a tenant that can be asked: the one place that knows that `embedded` starts the sandbox."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from ion_pipeline.client import ClientConfig
from ion_pipeline.endpoints import Endpoints
from ion_pipeline.settings import Settings


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
