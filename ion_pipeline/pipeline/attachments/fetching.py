"""Downloads files from ION: asks for a link, downloads by it at once, and forgets it."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from pydantic import SecretStr

from ion_pipeline import logs
from ion_pipeline.client import (
    ClientConfig,
    FileDamagedError,
    FileHost,
    GraphQLError,
    IonApiError,
    IonClient,
    LinkRefusedError,
    NoFileError,
    NotGraphQLError,
    PermissionDeniedError,
)
from ion_pipeline.client.parts import Part as AnswerPart
from ion_pipeline.client.retry import Backoff, attempts
from ion_pipeline.lake import claim_tenant
from ion_pipeline.pipeline.attachments.folder import Folder, Part, Record
from ion_pipeline.pipeline.attachments.names import safe_name
from ion_pipeline.pipeline.tenant import reachable_tenant, tenant_host
from ion_pipeline.publish.attachments import Attachment
from ion_pipeline.settings import Settings
from ion_pipeline.task_group import task_group

_LINK = "query file($id: ID!) { fileAttachment(id: $id) { id _etag filename downloadUrl } }"
_AT_ONCE = 4
# A file host that has failed for so many files in a row is down for the others too.
_MOST_FAILURES_IN_A_ROW = 3
# A second link, or a second download, shows whether the first failure was chance.
_MOST_SECOND_TRIES = 1


@dataclass(frozen=True, slots=True)
class FileResult:
    """What has become of one file.

    Attributes:
        file_attachment_id: ION's id.
        status: `fetched`, `kept` if it was there already, or `failed`.
        path: Where it is; None if it failed.
        size: Its bytes; None if it failed.
        received: Bytes that were downloaded now, in all attempts; the rest was there.
        sha256: In hexadecimal; None if it failed.
        checked: What it was compared with: `sha256` or `md5` of the file host, or its `size`; empty if with nothing.
        encoding: How the file host has compressed it, if it has: it is stored as it was sent.
        owners: What it belongs to.
        error: Why it failed.
        remedy: What to do about it.
    """

    file_attachment_id: int
    status: Literal["fetched", "kept", "failed"]
    path: Path | None = None
    size: int | None = None
    received: int = 0
    sha256: str | None = None
    checked: str = ""
    encoding: str = ""
    owners: tuple[str, ...] = ()
    error: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class FetchReport:
    """What a fetch did.

    Attributes:
        folder: Where the files are.
        files: The result of each file, by id.
    """

    folder: Path
    files: tuple[FileResult, ...]

    def count(self, status: str) -> int:
        """How many files have a status."""
        return sum(file.status == status for file in self.files)

    @property
    def received(self) -> int:
        """Bytes that were downloaded."""
        return sum(file.received for file in self.files)


class FileProgress(Protocol):
    """Receives the progress of downloads."""

    def started(self, number: int, name: str, size: int | None, arrived: int) -> None:
        """A download begins, or resumes after the bytes that have arrived."""

    def advanced(self, number: int, size: int) -> None:
        """Bytes have arrived."""

    def finished(self, result: FileResult) -> None:
        """A file is there, or has failed."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """ION's answer about one file."""

    name: str
    etag: str
    link: SecretStr


@dataclass(slots=True)
class _Again(Backoff):
    """As between requests to ION; but a refused link and damaged bytes are tried once more, and at once."""

    second_tries: dict[type[Exception], int] = field(default_factory=dict)

    def __call__(self, error: Exception) -> bool | float:
        if isinstance(error, LinkRefusedError | FileDamagedError):
            tries = self.second_tries[type(error)] = self.second_tries.get(type(error), 0) + 1
            return 0.0 if tries <= _MOST_SECOND_TRIES else False
        # Not `super()`: a dataclass with slots is another class than the one that this method was compiled in.
        return Backoff.__call__(self, error)


def fetch(settings: Settings, files: Sequence[Attachment], folder: Path, progress: FileProgress) -> FetchReport:
    """Download files; those that are there already in ION's version are not downloaded again.

    A file that ION or the file host does not give fails alone; the others are downloaded.

    Args:
        settings: The tenant; the data directory says which one the files were published from.
        files: The files.
        folder: Where to; created if it does not exist.
        progress: Receives progress.

    Raises:
        TenantMismatchError: The API key belongs to another tenant than the published file.
        FileWriteError: A file cannot be written. What has arrived is kept.
        LockedError: Another process downloads to the folder.
        IonApiError: ION or the file host cannot be reached, or rejects the key. What has arrived is kept.
    """
    target = Folder(folder)
    with target.locked(settings.lock_wait_seconds), reachable_tenant(settings) as config:
        target.clean()
        results = asyncio.run(_fetch(settings, config, files, target, progress))
    return FetchReport(folder, tuple(sorted(results, key=lambda result: result.file_attachment_id)))


async def _fetch(
    settings: Settings, config: ClientConfig, files: Sequence[Attachment], folder: Folder, progress: FileProgress
) -> list[FileResult]:
    async with IonClient(config) as client, FileHost(config) as host:
        identity = await client.me()
        # An id names another file in another tenant.
        claim_tenant(settings.data_dir, identity.organization_id, tenant_host(settings, config))
        fetcher = _Fetcher(config, client, host, folder, progress)
        waiting = iter(files)
        async with task_group() as group:
            for _ in range(min(_AT_ONCE, config.max_concurrency)):
                group.create_task(fetcher.work(waiting))
        return fetcher.results


@dataclass
class _Fetcher:
    config: ClientConfig
    client: IonClient
    host: FileHost
    folder: Folder
    progress: FileProgress
    results: list[FileResult] = field(default_factory=list)
    _received: Counter[int] = field(default_factory=Counter)
    _was_reached: bool = False
    _failures: int = 0

    async def work(self, waiting: Iterator[Attachment]) -> None:
        """Download one file after the other."""
        for file in waiting:
            began = time.monotonic()
            result = await self._result(file)
            self.results.append(result)
            self.progress.finished(result)
            if result.status == "kept":
                continue
            logs.log_done(
                "attachment",
                level="error" if result.status == "failed" else "info",
                file_attachment_id=file.file_attachment_id,
                status=result.status,
                bytes=result.received,
                seconds=time.monotonic() - began,
            )

    async def _result(self, file: Attachment) -> FileResult:
        number = file.file_attachment_id
        known = self.folder.record(number)
        if known and file.etag and file.etag == known.etag:
            return self._kept(file, known)
        again = _Again(self.config, retry_timeouts=True, was_reached=lambda: self._was_reached)
        failure: IonApiError | None = None
        try:
            async for attempt in attempts(again):
                # Outside of the attempt: the client has attempts of its own. Each download has a new link.
                asked = await self._ask(file)
                if known and asked.etag == known.etag:
                    return self._kept(file, known)
                with attempt:
                    try:
                        found = await self._download(file, asked)
                    except IonApiError as error:
                        failure = error
                        raise
                    self._failures = 0
                    return found
        except IonApiError as error:
            return self._given_up(file, error, of_host=error is failure)
        raise AssertionError("stamina raises the last failure")  # pragma: no cover

    def _given_up(self, file: Attachment, error: IonApiError, *, of_host: bool) -> FileResult:
        """The result of a file that failed alone; any other error ends the fetch."""
        if not isinstance(error, LinkRefusedError | NoFileError | FileDamagedError):
            self._failures += of_host
            if not of_host or self._failures >= _MOST_FAILURES_IN_A_ROW:
                raise error
        return FileResult(
            file.file_attachment_id, "failed", owners=file.owners, error=error.message, remedy=error.remedy
        )

    async def _ask(self, file: Attachment) -> _Asked:
        number = file.file_attachment_id
        what = f"file {number}"
        try:
            answer = await self.client.request(_LINK, {"id": number}, operation=what, retry_partial=False)
        except (GraphQLError, NotGraphQLError, PermissionDeniedError) as error:
            raise NoFileError(
                f"ION does not give {what}. {error.message}",
                remedy="It may have been deleted since the last refresh, or the API key may not read it.",
            ) from None
        found = AnswerPart(answer.data, what).part("fileAttachment")
        if found.value is None:
            raise NoFileError(f"ION has no {what}.", remedy="It was deleted since the last refresh.")
        if found.part("id").identifier() != str(number):
            raise NoFileError(f"ION answers with another file than {what}.", remedy="Report it to ION's support.")
        link = SecretStr(found.part("downloadUrl").text_or_null() or "")
        if not link.get_secret_value():
            raise NoFileError(
                f"ION gives no link to {what}.", remedy="Another system may keep it: see integration_id in its list."
            )
        name = found.part("filename").text_or_null() or file.filename
        return _Asked(safe_name(number, name), found.part("_etag").text_or_null() or "", link)

    async def _download(self, file: Attachment, asked: _Asked) -> FileResult:
        part, what, encoding = self.folder.part(file.file_attachment_id), f"file {file.file_attachment_id}", ""
        try:
            await asyncio.to_thread(part.open)
            if not part.is_complete:
                encoding = await self._receive(part, what, asked)
            part.verify(what)
            # Without a journal: the file gets its name next.
            await asyncio.to_thread(part.flush)
        finally:
            self._received[part.number] += part.received
            part.close()
        record = self.folder.keep(part, asked.name, asked.etag)
        return FileResult(
            part.number,
            "fetched",
            self.folder.path / record.name,
            record.size,
            self._received[part.number],
            record.sha256,
            record.checked,
            encoding,
            file.owners,
        )

    async def _receive(self, part: Part, what: str, asked: _Asked) -> str:
        async with self.host.open(asked.link, what, start=part.size, validator=part.validator) as answer:
            self._was_reached = True
            part.begin(start=answer.start, total=answer.size, validator=answer.validator, checksum=answer.checksum)
            self.progress.started(part.number, asked.name, part.total, part.size)
            async for piece in answer.pieces():
                part.write(piece)
                self.progress.advanced(part.number, len(piece))
                if part.is_due:
                    await asyncio.to_thread(part.checkpoint)
            return answer.encoding

    def _kept(self, file: Attachment, record: Record) -> FileResult:
        return FileResult(
            file.file_attachment_id,
            "kept",
            self.folder.path / record.name,
            record.size,
            sha256=record.sha256,
            checked=record.checked,
            owners=file.owners,
        )
