"""The transports that carry downloads: one for each proxy, and one without; made when a link first needs it."""

import logging
import ssl
from functools import cached_property

import httpx
from pydantic import SecretStr

from ion_pipeline.client.config import ClientConfig
from ion_pipeline.client.surroundings import proxied_transport, proxy_for, ssl_context

# At its most verbose it logs the headers of answers, and that of a redirect is a signed link.
logging.getLogger("httpcore.http11").setLevel(logging.INFO)
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=30.0)


class FileTransports:
    """Transports by proxy. Unlike the one for queries, they give a body while it arrives.

    Args:
        config: The tenant; if it is on this machine, proxies and certificates of the environment are not used.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._is_local = config.is_local
        self._known: dict[tuple[str, str], httpx.AsyncHTTPTransport] = {}

    def of(self, link: SecretStr) -> httpx.AsyncHTTPTransport:
        """The transport for requests to a link.

        Raises:
            SettingsError: The proxy or the certificates that the environment names cannot be used.
        """
        url = httpx.URL(link.get_secret_value())
        # Without the path and the signature: an error about the proxy may quote this.
        origin = f"{url.scheme}://{url.netloc.decode()}"
        proxy = None if self._is_local else proxy_for(origin)
        key = url.scheme, str(proxy.url) if proxy else ""
        if key not in self._known:
            certificates = self._certificates if url.scheme == "https" or proxy else self._no_certificates
            if proxy:
                self._known[key] = proxied_transport(proxy, origin, certificates, _LIMITS)
            else:
                self._known[key] = httpx.AsyncHTTPTransport(verify=certificates, trust_env=False, limits=_LIMITS)
        return self._known[key]

    async def aclose(self) -> None:
        """Close all connections."""
        for transport in self._known.values():
            await transport.aclose()

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        return ssl_context(trust_env=not self._is_local)

    @cached_property
    def _no_certificates(self) -> ssl.SSLContext:
        # Nothing is encrypted, and to read those of all authorities takes longer than a request.
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
