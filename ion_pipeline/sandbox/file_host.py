"""The host of ION's files: signed links that expire, and the bytes behind them, in the way of an object store.

A link needs no other proof, so a request with a token of ION is an error here: an object store answers it with
400, because it accepts one kind of authentication. Bytes follow from the file's id; there is nothing on disk.
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

from starlette.responses import Response

from ion_pipeline.sandbox.store import Store

PATH = "/_files"
#: The fields of a file attachment that are answered with a new link.
LINK_FIELDS = frozenset({"downloadUrl", "url"})
LINKED_TYPE = "FileAttachment"

_BLOCK = 1 << 16
_SMALLEST, _SPREAD, _STEP = 1_000, 60_000, 7_919
_NOT_IN_PATHS = re.compile(r"[^\w. -]")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass
class FileHost:
    """Signs links to the files of a store, and answers requests for them.

    Attributes:
        lifetime: Seconds that a link is valid.
        size: Bytes of each file; None: some kilobytes, another number for each.
        clock: Seconds since the epoch.
    """

    store: Store
    lifetime: int = 300
    size: int | None = None
    clock: Callable[[], float] = time.time
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _generation: int = 0

    def link(self, base: str, number: int, name: str | None) -> str:
        """A link to a file that is valid from now on.

        Args:
            base: Address of this server, as the client sees it.
            number: The file's id.
            name: Its name, which the path ends with.
        """
        expires = int(self.clock()) + self.lifetime
        path = f"{PATH}/{number}/{quote(_NOT_IN_PATHS.sub('_', name or 'file'), safe='')}"
        return f"{base.rstrip('/')}{path}?X-Amz-Expires={expires}&X-Amz-Signature={self._signature(number, expires)}"

    def expire_all(self) -> None:
        """Makes every link issued so far expired."""
        self._generation += 1

    def refusal(self, number: int, query: Mapping[str, str], headers: Mapping[str, str]) -> Response | None:
        """The answer to a request that gets no file; None if it gets one."""
        if "authorization" in headers:
            return _error(400, "InvalidArgument", "Only one auth mechanism allowed")
        expires = query.get("X-Amz-Expires", "")
        known = self._signature(number, int(expires)) if expires.isdecimal() else ""
        if not known or not hmac.compare_digest(known, query.get("X-Amz-Signature", "")):
            return _error(403, "AccessDenied", "Request has expired")
        if int(expires) <= self.clock():
            return _error(403, "AccessDenied", "Request has expired")
        if self.store.tables[LINKED_TYPE].get(number) is None:
            return _error(404, "NoSuchKey", "The specified key does not exist.")
        return None

    def answer(self, number: int, headers: Mapping[str, str], *, ignore_range: bool = False) -> Response:
        """The file, or the range of it that the request asks for: RFC 9110, sections 13.1.5 and 14."""
        size, tag = self.size_of(number), f'"{self.md5(number).hex()}"'
        known = {"etag": tag, "accept-ranges": "bytes", "x-amz-server-side-encryption": "AES256"}
        wanted = _RANGE.fullmatch(headers.get("range", ""))
        if wanted is None or ignore_range or headers.get("if-range", tag) != tag:
            return Response(self.content(number), headers=known, media_type="application/octet-stream")
        start, end = int(wanted[1]), min(int(wanted[2] or size - 1), size - 1)
        if start >= size:
            refused = _error(416, "InvalidRange", "The requested range is not satisfiable")
            refused.headers["content-range"] = f"bytes */{size}"
            return refused
        known["content-range"] = f"bytes {start}-{end}/{size}"
        body = self.content(number)[start : end + 1]
        return Response(body, status_code=206, headers=known, media_type="application/octet-stream")

    def size_of(self, number: int) -> int:
        """Bytes of a file."""
        return _SMALLEST + number * _STEP % _SPREAD if self.size is None else self.size

    def content(self, number: int) -> bytes:
        """The bytes of a file: the same for the same id and size."""
        return _content(number, self.size_of(number))

    def md5(self, number: int) -> bytes:
        """MD5 of a file: an object store's etag of what was uploaded in one piece."""
        return hashlib.md5(self.content(number), usedforsecurity=False).digest()

    def _signature(self, number: int, expires: int) -> str:
        text = f"{number}:{expires}:{self._generation}"
        return base64.b16encode(hmac.new(self._key, text.encode(), hashlib.sha256).digest()).decode().lower()


@lru_cache(maxsize=8)
def _content(number: int, size: int) -> bytes:
    blocks = (hashlib.shake_128(f"{number}:{start}".encode()).digest(_BLOCK) for start in range(0, size, _BLOCK))
    return b"".join(blocks)[:size]


def _error(status: int, code: str, message: str) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Response(body, status_code=status, media_type="application/xml")
