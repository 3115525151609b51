"""A publish to somewhere else: any place that `pyarrow.fs` reaches by URI, with the layout of the published folder.

The files of a publish never change their names or content there, so a reader that has begun with one ends with it.
`latest.json` comes last, in one put: who reads it first finds every file that it names.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pyarrow as pa

from ion_pipeline.errors import SettingsError
from ion_pipeline.files.storage import Storage, open_storage
from ion_pipeline.publish.errors import PublishError
from ion_pipeline.publish.latest import INCLUDED, export_control_of
from ion_pipeline.publish.swap import LATEST, PUBLISHES
from ion_pipeline.rules import holds_password

_REMEDY = "Check the address, the credentials in the environment and the permissions; publish again."


@dataclass(frozen=True, slots=True)
class SendReport:
    """What was sent.

    Attributes:
        target: Where to, without credentials.
        publish_id: Which publish.
        files: Files sent; 0 where they were there already.
        bytes: Their size.
    """

    target: str
    publish_id: str
    files: int
    bytes: int


def send(published_dir: Path, uri: str, *, keep: int = 2) -> SendReport:
    """Copy the current publish to a URI, and delete older ones there.

    Args:
        published_dir: Where it was published.
        uri: Such as `s3://bucket/prefix`; credentials come from the environment as that file system takes them.
        keep: So many publishes stay there, this one included; two at least.

    Raises:
        SettingsError: The URI is none, or holds a password.
        PublishError: Nothing is published yet, or the target cannot be written; what was there before stays.
    """
    check_target(uri)
    publish_id, document = current_publish(published_dir)
    try:
        storage = open_storage(uri)
        if _is_there(storage, publish_id):
            return SendReport(shown(uri), publish_id, 0, 0)
        files, size = _copy(published_dir / PUBLISHES / publish_id, storage, f"{PUBLISHES}/{publish_id}")
        storage.put(LATEST, document)
        for old in _superfluous(storage, publish_id, document, keep):
            storage.remove(f"{PUBLISHES}/{old}")
    except (OSError, pa.ArrowException) as error:
        raise PublishError(
            f"{shown(uri)} could not be written ({error}).",
            remedy=_REMEDY,
        ) from error
    return SendReport(shown(uri), publish_id, files, size)


def check_store(uri: str) -> None:
    """Find out what would keep a publish from being sent, before it is made; writes nothing there.

    Args:
        uri: As for `send`.

    Raises:
        SettingsError: It can never be sent there.
        PublishError: The store does not answer, refuses the credentials, or has no such bucket: now.
    """
    check_target(uri)
    try:
        storage = open_storage(uri)
        is_missing = not storage.names("") and not storage.has_root()
    except pa.ArrowInvalid as error:
        raise SettingsError(
            f"The target {shown(uri)} is none that can be written ({error}).",
            remedy="Write it as s3://bucket/prefix, gs://…, abfs://…, file:///folder or postgresql://user@host/database.",
        ) from None
    except (OSError, pa.ArrowException) as error:
        raise PublishError(f"{shown(uri)} cannot be read ({error}).", remedy=_REMEDY) from error
    if is_missing:
        raise PublishError(f"{shown(uri)} has no bucket of that name.", remedy=_REMEDY)


def current_publish(published_dir: Path) -> tuple[str, bytes]:
    """Id of the publish that readers see, and the `latest.json` that says so.

    Raises:
        PublishError: There is none.
    """
    latest = published_dir / LATEST
    if not latest.is_file():
        raise PublishError(f"Nothing is published in {published_dir}.", remedy="Run `ion-pipeline publish` first.")
    document = latest.read_bytes()
    return orjson.loads(document)["publish_id"], document


def check_target(uri: str) -> None:
    """Refuse what is no URI, and passwords in one: settings are shown, logged and kept.

    Raises:
        SettingsError: See above.
    """
    if holds_password(uri):
        raise SettingsError(
            f"The target {shown(uri)} holds a password.",
            remedy="Leave it out of the URI and give it in the environment, as the target's client takes it.",
        )
    if not urlsplit(uri).scheme:
        raise SettingsError(f"{uri} is no URI.", remedy="Write a target as s3://bucket/prefix or file:///folder.")


def shown(uri: str) -> str:
    """A URI as it may be printed: without user, password and options."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _is_there(storage: Storage, publish_id: str) -> bool:
    if LATEST not in storage.names(""):
        return False
    there: bool = orjson.loads(storage.read(LATEST))["publish_id"] == publish_id
    return there


def _superfluous(storage: Storage, publish_id: str, document: bytes, keep: int) -> list[str]:
    """Publishes to delete at the target: the oldest, and all that hold rows which the current one leaves out."""
    there = [name for name in storage.names(PUBLISHES) if name != publish_id]
    old = set(there[: max(0, len(there) + 1 - max(2, keep))])
    said = export_control_of(document)
    if said != INCLUDED:
        old |= {name for name in there if _said(storage, name) != said}
    return sorted(old)


def _said(storage: Storage, publish: str) -> str | None:
    """What a publish at the target says about export control; None if it was not sent to its end."""
    if LATEST not in storage.names(f"{PUBLISHES}/{publish}"):
        return None
    return export_control_of(storage.read(f"{PUBLISHES}/{publish}/{LATEST}"))


def _copy(folder: Path, storage: Storage, target: str) -> tuple[int, int]:
    storage.remove(target)
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in paths:
        with path.open("rb") as source, storage.create(f"{target}/{path.relative_to(folder).as_posix()}") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
    return len(paths), sum(path.stat().st_size for path in paths)
