"""Downloads a file by its signed link, in pieces, from the host that the link names.

A signed link is a credential: it comes in a `SecretStr`, and no message, log line or request to another host contains
it. So requests are given to httpx's transport and not to its client, which logs addresses. The file host gets no token
of ION, no cookie and no referrer; neither does a host that it redirects to.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from ion_pipeline import __version__
from ion_pipeline.client.answers import retry_after
from ion_pipeline.client.config import ClientConfig
from ion_pipeline.client.errors import (
    CertificateError,
    IonApiError,
    LinkRefusedError,
    NoFileError,
    RequestTimeoutError,
    ServerError,
    ThrottledError,
    TransportError,
)
from ion_pipeline.client.file_transports import FileTransports
from ion_pipeline.client.secrets import Redactor
from ion_pipeline.client.surroundings import certificates_remedy
from ion_pipeline.client.transport import reason_of

Failure = httpx.TransportError | httpx.InvalidURL | TimeoutError

_MOST_REDIRECTS = 3
_CONNECT_SECONDS = 10.0
# Within the time-out of a request at least this much arrives, or the connection is given up.
_STRIDE = 1 << 16
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")
_MD5_TAG = re.compile(r'"([0-9a-f]{32})"')
# S3 answers 400 where the credentials have expired that a link was signed with.
_REFUSED = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the file host says about a file's content.

    Attributes:
        algorithm: `md5` or `sha256`.
        digest: In hexadecimal.
    """

    algorithm: str
    digest: str


@dataclass(slots=True)
class _Pace:
    """How long has been waited for the current stride of bytes."""

    waited: float = 0.0
    missing: int = _STRIDE

    def arrived(self, size: int, seconds: float) -> None:
        self.waited, self.missing = self.waited + seconds, self.missing - size
        if self.missing <= 0:
            self.waited, self.missing = 0.0, _STRIDE


@dataclass(frozen=True)
class Download:
    """An open answer with a file, or with the rest of one.

    Attributes:
        start: Index of the first byte that it holds.
        size: Bytes of the whole file; None if the host does not say.
        validator: The host's strong etag: a later request can resume only what has the same one; empty if none.
        checksum: Of the whole file; None if the host does not give one.
        encoding: How the host has compressed the bytes; empty if it has not.
    """

    start: int
    size: int | None
    validator: str
    checksum: Checksum | None
    encoding: str
    _response: httpx.Response
    _timeout: float
    _failed: Callable[[Failure], IonApiError] = field(repr=False)
    _pace: _Pace = field(default_factory=_Pace, repr=False)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes in the order of the file, as they arrive.

        Raises:
            TransportError: The connection broke, or ended before the last byte.
            RequestTimeoutError: Nothing, or next to nothing, arrived in time.
        """
        pieces = self._response.aiter_raw()
        while (piece := await self._next(pieces)) is not None:
            yield piece

    async def _next(self, pieces: AsyncIterator[bytes]) -> bytes | None:
        clock, failure = asyncio.get_running_loop(), None
        began = clock.time()
        try:
            async with asyncio.timeout(self._timeout - self._pace.waited):
                piece = await anext(pieces, None)
        except (TimeoutError, httpx.TransportError) as error:
            failure = self._failed(error)
        else:
            self._pace.arrived(len(piece or b""), clock.time() - began)
            return piece
        # Raised outside the handler, as everywhere in this package.
        raise failure


class FileHost:
    """Opens downloads, as an async context manager that closes their connections.

    Args:
        config: The tenant: its time-out, and whether it is on this machine.
    """

    def __init__(self, config: ClientConfig) -> None:
        self._config = config
        self._transports = FileTransports(config)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transports.aclose()

    @asynccontextmanager
    async def open(self, link: SecretStr, what: str, *, start: int = 0, validator: str = "") -> AsyncIterator[Download]:
        """Ask for a file, or for the rest of one.

        Args:
            link: The signed link.
            what: The file, as error messages name it ("file 53").
            start: Bytes that are there already.
            validator: The etag that they had; without it the whole file is requested.

        Returns:
            The open answer. It holds the whole file (`start` is 0) if the file has changed or the host has no ranges.

        Raises:
            LinkRefusedError: The link has expired, or is not accepted for another reason.
            NoFileError: There is no file, or the link is none that may be followed.
            IonApiError: The host cannot be reached, or does not answer as it should.
        """
        wanted = {"Range": f"bytes={start}-", "If-Range": validator} if start and validator else {}
        response = await self._answer(link, what, wanted)
        if wanted and _is_of_another_file(response, validator):
            await response.aclose()
            response = await self._answer(link, what, wanted := {})
        try:
            yield self._download(response, link, what, start if wanted else 0)
        finally:
            await response.aclose()

    async def _answer(self, link: SecretStr, what: str, wanted: dict[str, str]) -> httpx.Response:
        for _ in range(_MOST_REDIRECTS + 1):
            self._check(link, what)
            response = await self._send(link, what, wanted)
            if not response.has_redirect_location:
                return response
            link = _target(link, response)
            await response.aclose()
        raise NoFileError(f"The file host redirects the request for {what} more than {_MOST_REDIRECTS} times.")

    def _check(self, link: SecretStr, what: str) -> None:
        """Refuse a link that is less protected than ION itself."""
        scheme, host, _ = _parts(link)
        if not host or scheme not in {"https", urlsplit(self._config.api_url).scheme}:
            raise NoFileError(
                f"The link to {what} is not an https address.",
                remedy="Nothing was sent to it. Report the file to ION's support.",
            )

    async def _send(self, link: SecretStr, what: str, wanted: dict[str, str]) -> httpx.Response:
        timeout = self._config.timeout
        seconds = {"connect": min(_CONNECT_SECONDS, timeout), "read": timeout, "write": timeout, "pool": timeout}
        headers = {"User-Agent": f"ion-pipeline/{__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
        transport = self._transports.of(link)
        try:
            return await transport.handle_async_request(
                httpx.Request("GET", link.get_secret_value(), headers=headers | wanted, extensions={"timeout": seconds})
            )
        except (httpx.TransportError, httpx.InvalidURL) as error:
            failure = self._failure(error, link, what)
        raise failure

    def _download(self, response: httpx.Response, link: SecretStr, what: str, start: int) -> Download:
        if error := self._refusal(response, link, what):
            raise error
        size, begins = _extent(response)
        if begins not in {0, start}:
            raise TransportError(
                f"The file host {_parts(link)[1]} answers with another range of {what} than requested."
            )
        tag = response.headers.get("etag", "")
        return Download(
            start=begins,
            size=size,
            validator=tag if tag.startswith('"') else "",
            checksum=_checksum(response.headers),
            encoding=response.headers.get("content-encoding", "").replace("identity", ""),
            _response=response,
            _timeout=self._config.timeout,
            _failed=lambda error: self._failure(error, link, what),
        )

    def _refusal(self, response: httpx.Response, link: SecretStr, what: str) -> IonApiError | None:
        status, host = response.status_code, _parts(link)[1]
        if status in {httpx.codes.OK, httpx.codes.PARTIAL_CONTENT}:
            return None
        if status in _REFUSED:
            return LinkRefusedError(
                f"The file host {host} refuses the link to {what} ({status}), although ION has just given it.",
                remedy="Compare this machine's clock with the time; otherwise ask ION's support about the file.",
            )
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return ThrottledError(
                f"The file host {host} throttles requests (429) at {what}.", retry_after=retry_after(response.headers)
            )
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.REQUEST_TIMEOUT:
            return ServerError(
                f"The file host {host} failed at {what} with {status}.",
                status=status,
                retry_after=retry_after(response.headers),
                remedy="Try again later.",
            )
        return NoFileError(
            f"The file host {host} does not give {what} ({status}).",
            remedy="The file may have been deleted since the last refresh.",
        )

    def _failure(self, error: Failure, link: SecretStr, what: str) -> IonApiError:
        host = _parts(link)[1]
        if isinstance(error, httpx.InvalidURL):
            return NoFileError(f"The link to {what} is not a valid address.")
        if isinstance(error, TimeoutError | httpx.ReadTimeout | httpx.WriteTimeout | httpx.PoolTimeout):
            return RequestTimeoutError(
                f"The file host {host} has sent next to nothing of {what} for {self._config.timeout:g} s.",
                remedy="Raise ION_REQUEST_TIMEOUT_SECONDS, or try again later: the download resumes.",
            )
        reason = reason_of(error, Redactor((link,)).redact)
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return CertificateError(
                f"The certificate of the file host {host} is not trusted: {reason}.", remedy=certificates_remedy()
            )
        return TransportError(
            f"The connection to the file host {host} failed at {what}: {reason} ({type(error).__name__}).",
            remedy="Check the network and the proxy, then run again: the download resumes.",
        )


def _parts(link: SecretStr) -> tuple[str, str, str]:
    """Scheme, host with port, and path; empty texts for what is no address."""
    try:
        url = httpx.URL(link.get_secret_value())
    except httpx.InvalidURL:
        return "", "", ""
    return url.scheme, f"{url.host}:{url.port}" if url.port else url.host, url.path


def _target(link: SecretStr, response: httpx.Response) -> SecretStr:
    """Where a redirect leads, which may be a signed link too."""
    try:
        return SecretStr(str(httpx.URL(link.get_secret_value()).join(response.headers["location"])))
    except (httpx.InvalidURL, ValueError):
        return SecretStr("")


def _is_of_another_file(response: httpx.Response, validator: str) -> bool:
    """Whether a range was requested of a file that has changed: it is shorter now, or the host ignores `If-Range`."""
    if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        return True
    return response.status_code == httpx.codes.PARTIAL_CONTENT and response.headers.get("etag") != validator


def _extent(response: httpx.Response) -> tuple[int | None, int]:
    """Bytes of the whole file, and the index of the first byte of the answer."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        found = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", ""))
        return (int(found[2]), int(found[1])) if found else (None, -1)
    length = response.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() else None, 0


def _checksum(headers: httpx.Headers) -> Checksum | None:
    """S3's SHA-256; otherwise its etag, which is an MD5 if S3's own keys encrypt the object (S3's API: Object)."""
    try:
        given = base64.b64decode(headers.get("x-amz-checksum-sha256", ""), validate=True)
    except (binascii.Error, ValueError):
        # A checksum of checksums, of a file that was uploaded in parts.
        given = b""
    if given:
        return Checksum("sha256", given.hex())
    tag = _MD5_TAG.fullmatch(headers.get("etag", ""))
    return Checksum("md5", tag[1]) if tag and headers.get("x-amz-server-side-encryption") == "AES256" else None
