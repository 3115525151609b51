"""A transport for httpx that sends requests with aiohttp, which needs a third of the CPU to read a page.

httpx stays the interface and handles redirects, decoding, cookies and authentication; aiohttp does none of that. A body
is read completely before the response is returned, because pages are processed as a whole.
"""

import asyncio
import ssl
from collections.abc import Callable
from functools import cached_property
from typing import Any

import aiohttp
import httpx
from multidict import CIMultiDict
from yarl import URL

from ion_pipeline.client.config import ClientConfig
from ion_pipeline.client.refusals import clipped
from ion_pipeline.client.surroundings import proxied_transport, proxy_for, ssl_context

# From the most specific to the most general: the first match is what httpx would have raised.
_ERRORS: tuple[tuple[type[Exception], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (TimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ServerDisconnectedError, httpx.RemoteProtocolError),
    (aiohttp.ClientPayloadError, httpx.RemoteProtocolError),
    (aiohttp.ClientResponseError, httpx.RemoteProtocolError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.ClientError, httpx.ReadError),
    (OSError, httpx.ReadError),
)
# The libraries' own texts may quote what they could not read, and that may be rows, so these texts are used instead.
_REASONS: tuple[tuple[type[httpx.HTTPError], str], ...] = (
    (httpx.ConnectTimeout, "no connection in time"),
    (httpx.ProxyError, "the proxy refuses it"),
    (httpx.UnsupportedProtocol, "the address is not an HTTP address"),
    (httpx.LocalProtocolError, "the request is not valid HTTP"),
    (httpx.RemoteProtocolError, "the answer is not a complete HTTP response"),
    (httpx.DecodingError, "the encoding of the body does not match its headers"),
    (httpx.WriteError, "it broke while the request was sent"),
    (httpx.ReadError, "it broke while the answer was read"),
    (httpx.TooManyRedirects, "too many redirects"),
)
# httpx has already set the headers.
_NOT_ADDED = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


def default_transport(config: ClientConfig, *, keep_alive: float) -> httpx.AsyncBaseTransport:
    """The default transport for a tenant's requests; httpx's own for hosts that have a proxy.

    Raises:
        SettingsError: The proxy or the certificates named by the environment cannot be used.
    """
    direct = AiohttpTransport(keep_alive=keep_alive, trust_env=not config.is_local)
    if config.is_local:
        return direct
    certificates = direct.certificates
    limits = httpx.Limits(
        max_connections=None, max_keepalive_connections=config.max_concurrency + 1, keepalive_expiry=keep_alive
    )
    proxied = {
        httpx.URL(url).host: proxied_transport(proxy, url, certificates, limits)
        for url in (config.api_url, config.auth_url)
        if url and (proxy := proxy_for(url))
    }
    return _ByHost(proxied, direct) if proxied else direct


class _ByHost(httpx.AsyncBaseTransport):
    """Sends requests for some hosts through a proxy, and all others directly."""

    def __init__(self, proxied: dict[str, httpx.AsyncHTTPTransport], direct: "AiohttpTransport") -> None:
        self.proxied = proxied
        self._direct = direct

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        carrier = self.proxied.get(request.url.host, self._direct)
        return await carrier.handle_async_request(request)

    async def aclose(self) -> None:
        for carrier in (*self.proxied.values(), self._direct):
            await carrier.aclose()


def reason_of(error: httpx.HTTPError, redact: Callable[[str], str]) -> str:
    """Why a request failed, in our own words.

    Only the system's text about a connection that was never established is quoted: it contains nothing of an answer.
    """
    if isinstance(error, httpx.ConnectError):
        return clipped(str(error), redact) or "no reason given"
    return next((reason for kind, reason in _REASONS if isinstance(error, kind)), "no reason known")


class AiohttpTransport(httpx.AsyncBaseTransport):
    """HTTP/1.1 with keep-alive over aiohttp. Certificates are checked as httpx checks them; proxies are not used.

    Args:
        keep_alive: Seconds that an idle connection is kept open.
        trust_env: Whether `SSL_CERT_FILE` and `SSL_CERT_DIR` are read.
    """

    def __init__(self, *, keep_alive: float, trust_env: bool = True) -> None:
        self._keep_alive = keep_alive
        self._trust_env = trust_env
        self._session: aiohttp.ClientSession | None = None

    @cached_property
    def certificates(self) -> ssl.SSLContext:
        """The trusted certificates. A transport whose requests are not encrypted never spends the time to read them.

        Raises:
            SettingsError: The certificates named by the environment cannot be used.
        """
        return ssl_context(trust_env=self._trust_env)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the complete response without decoding it.

        Raises:
            httpx.TransportError: The one httpx's own transport raises in the same case.
        """
        body = await request.aread()
        await _see_closed_connections()
        try:
            async with self._open_session().request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=CIMultiDict(_text_headers(request)),
                data=body or None,
                allow_redirects=False,
                ssl=self.certificates if request.url.scheme == "https" else True,
                timeout=_timeout(request.extensions.get("timeout", {})),
            ) as answer:
                content = await answer.read()
                return httpx.Response(
                    answer.status,
                    headers=answer.raw_headers,
                    stream=httpx.ByteStream(content),
                    extensions={"http_version": b"HTTP/1.1"},
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            kind = next(ours for theirs, ours in _ERRORS if isinstance(error, theirs))
            failure = kind(_text(error), request=request)
        # Raised outside the handler, so that aiohttp's exception, which may quote the body, is not its context.
        raise failure

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open_session(self) -> aiohttp.ClientSession:
        # Created by the first request, because a session belongs to the event loop it is created in.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=self._keep_alive),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=_NOT_ADDED,
                read_bufsize=1 << 18,
            )
        return self._session


async def _see_closed_connections() -> None:
    """Let the loop notice which idle connections the server has closed while computing kept the loop busy.

    A request on such a connection fails and is sent again. One round of the loop reads the end of the connection, the
    next begins with it closed.
    """
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def _text(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return str(error)
    return type(error).__name__


def _text_headers(request: httpx.Request) -> list[tuple[str, str]]:
    encoding = request.headers.encoding
    return [(name.decode(encoding), value.decode(encoding)) for name, value in request.headers.raw]


def _timeout(seconds: dict[str, Any]) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=None, sock_connect=seconds.get("connect"), sock_read=seconds.get("read"))
