"""A tenant whose file host counts what it is asked for, and short ways to download from it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ion_pipeline.pipeline.attachments import FetchReport, FileResult, fetch
from ion_pipeline.publish.attachments import Attachment, Choice, open_attachments
from ion_pipeline.sandbox.app import SandboxApp
from ion_pipeline.sandbox.server import SandboxAddress, SandboxOptions, build_app
from ion_pipeline.settings import Settings
from tests.integration.conftest import Built, settings_for
from tests.integration.support.changing_world import serving
from tests.oracle.world import Row


class Front:
    """The sandbox, and what it is asked for about files: the headers of each request, in lower case."""

    def __init__(self, app: SandboxApp) -> None:
        self.app = app
        self.asked: list[dict[str, str]] = []
        self.links: list[str] = []
        self.on_sent: Callable[[int], None] = lambda _: None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        sent = 0

        async def counted(message: Any) -> None:
            nonlocal sent
            await send(message)
            sent += len(message.get("body", b""))
            self.on_sent(sent)

        if not scope["path"].startswith("/_files/"):
            await self.app.asgi(scope, receive, send)
            return
        self.asked.append({name.decode(): value.decode() for name, value in scope["headers"]})
        self.links.append(scope["query_string"].decode())
        await self.app.asgi(scope, receive, counted)


@dataclass
class FileTenant:
    """A served world, and what its file host was asked for."""

    front: Front
    address: SandboxAddress

    @property
    def app(self) -> SandboxApp:
        return self.front.app

    def content(self, number: int) -> bytes:
        return self.app.files.content(number)

    def reset(self) -> None:
        """Take back what an earlier test has set, and forget what it asked for."""
        self.app.faults.clear()
        self.app.files.size = None
        self.front.asked.clear()
        self.front.links.clear()
        self.front.on_sent = lambda _: None


class Quiet:
    """No progress."""

    def started(self, number: int, name: str, size: int | None, arrived: int) -> None:
        pass

    def advanced(self, number: int, size: int) -> None:
        pass

    def finished(self, result: FileResult) -> None:
        pass


@contextmanager
def serving_files(world: Path) -> Iterator[FileTenant]:
    """A sandbox in this process that serves a world and its files."""
    front = Front(build_app(SandboxOptions(world=world, profile="today"), "a secret"))
    with serving(front) as address:
        yield FileTenant(front, address)


def settings_with(tenant: FileTenant, built: Built, data_dir: Path) -> Settings:
    """Settings of a new data directory that has published what another one has."""
    data_dir.mkdir()
    (data_dir / "published").symlink_to(built.data_dir / "published")
    return settings_for(tenant.address, data_dir, max_attempts=4)


def chosen(settings: Settings, **choice: Any) -> list[Attachment]:
    with open_attachments(settings.published_dir) as published:
        return published.chosen(Choice(**choice))


def fetched(settings: Settings, *numbers: int) -> FetchReport:
    files = chosen(settings, ids=numbers)
    return fetch(settings, files, settings.data_dir / "files", Quiet())


def one(settings: Settings, number: int) -> FileResult:
    (result,) = fetched(settings, number).files
    return result


def named(folder: Path) -> dict[str, bytes]:
    """The files of a folder, without what the program knows of them."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def files_in(value: Any) -> Iterator[Row]:
    """Every file of a world, wherever it is."""
    if isinstance(value, dict):
        if "s3Key" in value:
            yield value
        for part in value.values():
            yield from files_in(part)
    elif isinstance(value, list):
        for part in value:
            yield from files_in(part)
