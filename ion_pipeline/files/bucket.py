"""A lake's bytes in an object store that several machines may write to: S3, Google Cloud Storage, Azure Blob Storage.

A store has no renames and no locks, but conditional writes: "only if there is no such object" and "only if the object
is still the one that I know". A document that makes something visible is first reserved, by a small object in its
place. `put` replaces the reservation only if it is still this writer's own. A second writer replaces the reservation
before it touches any file of the first one. So a writer that was stopped for an hour and then continues cannot make
visible what the second writer has deleted meanwhile: its `put` fails.

An answer may be lost after the store has done what was asked. The client repeats the request, which then finds its own
object there; an object with the same content counts as the one that was asked for, because each reservation and each
document is unique.

`obstore` is imported when the first lake in a store is opened: other lakes do not need it.
"""

import os
import random
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeVar, cast

from ion_pipeline.errors import SettingsError
from ion_pipeline.files.errors import ObjectStoreError, TakenOverError
from ion_pipeline.files.store_errors import is_bucket_missing, is_silence, store_error
from ion_pipeline.files.upload import Upload

T = TypeVar("T")

SCHEMES = ("s3://", "gs://", "abfs://", "abfss://")
# The client's own variables, which options given to it replace.
_ALLOW_HTTP = ("AWS_ALLOW_HTTP", "AZURE_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP")
_RESERVED = b"reserved by "
_RESERVED_BYTES = len(_RESERVED) + 32
_CLOCK = "_clock"
_CONNECT = timedelta(seconds=10)
_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 10.0
# Larger files are sent in parts of this size, of which four at a time are held in memory.
_PART_BYTES = 16 << 20
_PARTS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Patience:
    """For how long a store may fail.

    Attributes:
        request: Maximum duration of one request.
        repeating: For how long a failing request is repeated, with growing pauses.
    """

    request: timedelta = timedelta(seconds=60)
    repeating: timedelta = timedelta(minutes=3)


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class Version:
    """Which content an object has; a later content has another version."""

    e_tag: str | None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An object as it was read."""

    data: bytes
    version: Version
    written_at: datetime


class Bucket:
    """A prefix in a store.

    Args:
        location: `s3://bucket/prefix`, `gs://bucket/prefix` or `abfs://container@account.dfs.core.windows.net/prefix`.
            Credentials, endpoint and region come from the environment.
        patience: For how long the store may fail.

    Raises:
        SettingsError: The library is not installed, or the URI is not one of a store.
    """

    renames = False

    def __init__(self, location: str, patience: Patience | None = None) -> None:
        patience = patience or PATIENCE
        self.location = location.rstrip("/")
        self.suffix = f"-{secrets.token_hex(4)}"
        self._held: dict[str, Version] = {}
        self._repeating = patience.repeating.total_seconds()
        self._client = _library("obstore")
        errors = _library("obstore.exceptions")
        self._errors: type[Exception] = errors.BaseError
        self._conflicts = (errors.AlreadyExistsError, errors.PreconditionError)
        try:
            self._store = _library("obstore.store").from_url(
                self.location,
                client_options={
                    "timeout": patience.request,
                    "connect_timeout": min(patience.request, _CONNECT),
                    "allow_http": any(os.environ.get(name, "").lower() == "true" for name in _ALLOW_HTTP),
                },
                retry_config={"max_retries": 1000, "retry_timeout": patience.repeating},
            )
        except (errors.BaseError, ValueError) as error:
            raise SettingsError(
                f"ION_LAKE_URI: {self.location} cannot be used ({str(error).partition(chr(10))[0].rstrip('.')}).",
                remedy="Write s3://bucket/prefix, gs://bucket/prefix or abfs://container@account.dfs.core.windows.net/prefix.",
            ) from None

    def create(self, path: str) -> BinaryIO:
        """Open a new object; it exists when the stream has been closed."""
        return cast("BinaryIO", Upload(lambda file: self._send(path, file)))

    def read(self, path: str) -> bytes:
        """The content of an object; a reserved document does not exist yet."""
        data: bytes = self._asked(lambda: bytes(self._client.get(self._store, path).bytes()))
        if _is_reservation(data):
            raise FileNotFoundError(path)
        return data

    def put(self, path: str, data: bytes) -> None:
        """Write an object in one request, if it is reserved only in the place of the reservation.

        Raises:
            TakenOverError: Another writer has replaced the reservation; nothing was written.
        """
        held = self._held.get(path)
        if held is None:
            self._asked(lambda: self._client.put(self._store, path, data, use_multipart=False))
            return
        self.put_if(path, data, held)
        del self._held[path]

    def put_if(self, path: str, data: bytes, known: Version | None) -> Version:
        """Write an object only if it still has this version, or does not exist if None. The content must be unique.

        Raises:
            TakenOverError: It has another version; nothing was written.
        """
        mode: Any = "create" if known is None else {k: v for k, v in asdict(known).items() if v is not None}
        try:
            written = self._repeated(lambda: self._client.put(self._store, path, data, mode=mode, use_multipart=False))
        except self._conflicts:
            # An attempt before this one may have written it, and its answer was lost.
            if (found := self.found(path)) and found.data == data:
                return found.version
            raise TakenOverError(
                f"{self.location}/{path} has been written by another process meanwhile.",
                remedy="Run again when the other process has finished.",
            ) from None
        except (self._errors, OSError) as error:
            return self._in_doubt(path, data, error)
        return Version(written["e_tag"], written["version"])

    def found(self, path: str) -> Found | None:
        """An object with its version; None if there is none."""

        def get() -> Found:
            answer = self._client.get(self._store, path)
            meta = answer.meta
            return Found(bytes(answer.bytes()), Version(meta["e_tag"], meta["version"]), meta["last_modified"])

        try:
            return self._asked(get)
        except FileNotFoundError:
            return None

    def now(self) -> datetime:
        """The time by the store's clock: that of an object which is written to ask for it."""
        self.put(_CLOCK, secrets.token_bytes(8))
        return self._written_at(_CLOCK)

    def move(self, source: str, target: str) -> None:
        """Not supported: files are written to their final place."""
        raise NotImplementedError(f"{source} is not moved to {target}")

    def remove(self, path: str) -> None:
        """Delete an object, and everything under it as a prefix."""

        def delete() -> None:
            below = [meta["path"] for page in self._client.list(self._store, f"{path}/") for meta in page]
            if below:
                self._client.delete(self._store, below)
            self._client.delete(self._store, path)

        with suppress(FileNotFoundError):
            self._asked(delete)

    def names(self, path: str) -> list[str]:
        """Names directly under a prefix, sorted, without reserved documents."""
        return sorted(name for name, is_reserved in self._entries(path) if not is_reserved)

    def reservations(self, path: str) -> list[str]:
        """Names of the reserved documents under a prefix, sorted."""
        return sorted(name for name, is_reserved in self._entries(path) if is_reserved)

    def has_root(self) -> bool:
        """Always true: a missing bucket is an error of every request."""
        return True

    def reserve(self, path: str) -> None:
        """Put a reservation in the place of the document, or of another writer's reservation."""
        data = _RESERVED + secrets.token_hex(16).encode()
        found = self.found(path)
        if found is not None and not _is_reservation(found.data):
            raise TakenOverError(
                f"{self.location}/{path} has been written by another process meanwhile.", remedy="Run again."
            )
        self._held[path] = self.put_if(path, data, found.version if found else None)

    def withdraw(self, path: str) -> bool:
        """Delete this writer's reservation; False if it is no longer this writer's, or never was."""
        held = self._held.pop(path, None)
        if held is None:
            return False
        try:
            # A request that is still on its way would find the version that it names: no longer.
            self.put_if(path, _RESERVED + secrets.token_hex(16).encode(), held)
        except TakenOverError:
            return False
        self.remove(path)
        return True

    def is_older(self, path: str, age: timedelta) -> bool:
        """Whether an object was written longer ago than this."""
        return self.now() - self._written_at(path) > age

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A temporary folder."""
        with tempfile.TemporaryDirectory(prefix="ion-lake-") as folder:
            yield Path(folder)

    def fetch(self, path: str, scratch: Path) -> Path:
        """Download an object to `scratch`, under its own path."""
        target = scratch / path
        target.parent.mkdir(parents=True, exist_ok=True)

        def download() -> None:
            answer = self._client.get(self._store, path)
            with target.open("wb") as file:
                for chunk in cast("Iterable[bytes]", answer.stream()):
                    file.write(chunk)

        self._asked(download)
        return target

    def _send(self, path: str, file: IO[bytes]) -> None:
        def send() -> None:
            file.seek(0)
            self._client.put(self._store, path, file, chunk_size=_PART_BYTES, max_concurrency=_PARTS_AT_ONCE)

        self._asked(send)

    def _written_at(self, path: str) -> datetime:
        written_at: datetime = self._asked(lambda: self._client.head(self._store, path)["last_modified"])
        return written_at

    def _entries(self, path: str) -> Iterator[tuple[str, bool]]:
        """Each name under a prefix, with whether it is a reservation: its size says so, and then its content."""
        listed = self._asked(lambda: self._client.list_with_delimiter(self._store, path or None))
        for prefix in listed["common_prefixes"]:
            yield prefix.rpartition("/")[2], False
        for meta in listed["objects"]:
            is_reserved = meta["size"] == _RESERVED_BYTES and self._is_reserved(meta["path"])
            yield meta["path"].rpartition("/")[2], is_reserved

    def _is_reserved(self, path: str) -> bool:
        found = self.found(path)
        # None: it has been withdrawn since it was listed.
        return found is None or _is_reservation(found.data)

    def _in_doubt(self, path: str, data: bytes, error: Exception) -> Version:
        """The version, if the store has written the object although it answered with an error or not at all."""
        try:
            found = self.found(path)
        except ObjectStoreError:
            found = None
        if found is not None and found.data == data:
            return found.version
        raise self._error(error) from None

    def _asked(self, work: Callable[[], T]) -> T:
        """Ask the store, with errors in the form of this package; a missing object stays a FileNotFoundError."""
        try:
            return self._repeated(work)
        except FileNotFoundError as error:
            if is_bucket_missing(error):
                raise self._error(error) from None
            raise FileNotFoundError(str(error).partition("\n")[0]) from None
        except self._errors as error:
            raise self._error(error) from None

    def _repeated(self, work: Callable[[], T]) -> T:
        """Repeat work that was not answered. The client repeats by itself only what was answered with an error."""
        deadline, pause = time.monotonic() + self._repeating, _PAUSE_SECONDS
        while True:
            try:
                return work()
            except self._errors as error:
                if not is_silence(error) or time.monotonic() + pause > deadline:
                    raise
            time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 -- spreads load, guards nothing
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _error(self, error: Exception) -> ObjectStoreError:
        return store_error(error, self.location, waited=f"{self._repeating:g} s")


def _is_reservation(data: bytes) -> bool:
    return data.startswith(_RESERVED) and len(data) == _RESERVED_BYTES


def _library(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise SettingsError(
            "ION_LAKE_URI: the library for object stores is not installed.",
            remedy="pip install 'ion-pipeline[object-store]'",
        ) from error
