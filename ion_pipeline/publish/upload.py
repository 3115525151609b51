"""Sends a publish to a URI that `pyarrow.fs` supports, with the layout of the published folder.

The files of a publish never change there, so a reader that starts with one publish can finish with it. `latest.json` is
written last, in one request: a reader that opens it first finds every file that it names.

Delta tables have a log and version numbers of their own at each target, which continue when the published folder is
created anew; `latest.json` names the versions of the target. Only one process may send to a target at a time.
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import pyarrow as pa

from ion_pipeline.counting import Count, OnCount, unheard
from ion_pipeline.errors import SettingsError
from ion_pipeline.files.storage import Storage, open_storage
from ion_pipeline.publish import delta, dictionary
from ion_pipeline.publish.errors import PublishError
from ion_pipeline.publish.latest import INCLUDED, export_control_of, with_versions
from ion_pipeline.publish.swap import DICTIONARY_JSON, LATEST, PUBLISHES
from ion_pipeline.rules import holds_password

_REMEDY = "Check the address, the credentials in the environment and the permissions; publish again."

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class SendReport:
    """What was sent.

    Attributes:
        target: The target, without credentials.
        publish_id: Id of the publish.
        files: Number of files sent; 0 if the target already had them.
        bytes: Size of the files sent.
    """

    target: str
    publish_id: str
    files: int
    bytes: int


def send(published_dir: Path, uri: str, *, keep: int = 2, on_count: OnCount = unheard) -> SendReport:
    """Copy the current publish to a URI, and delete older publishes there.

    Args:
        published_dir: The folder of the published files.
        uri: The target, such as `s3://bucket/prefix`; its file system reads credentials from the environment.
        keep: Number of publishes to keep there, this one included; at least two.
        on_count: Called with the bytes that are sent; then, if the publish has Delta tables, before each of them.

    Raises:
        SettingsError: It is not a URI, or it holds a password.
        MissingDriverError: The publish has Delta tables, and the library for them is not installed.
        PublishError: Nothing is published yet, or the target cannot be written; the publishes there are unchanged.
    """
    check_target(uri)
    publish_id, document = current_publish(published_dir)
    try:
        storage = open_storage(uri)
        if _is_there(storage, publish_id):
            return SendReport(redacted(uri), publish_id, 0, 0)
        files, size = _copy(published_dir / PUBLISHES / publish_id, storage, f"{PUBLISHES}/{publish_id}", on_count)
        if delta.entries_of(document):
            document, fresh = _send_delta(published_dir, publish_id, document, storage, on_count)
            files, size = (
                files + sum(len(entry.files) for entry in fresh),
                size + sum(file.bytes for entry in fresh for file in entry.files),
            )
        storage.put(f"{PUBLISHES}/{publish_id}/{LATEST}", document)
        files, size = files + 1, size + len(document)
        storage.put(LATEST, document)
        for old in _outdated(storage, publish_id, document, keep):
            storage.remove(f"{PUBLISHES}/{old}")
        if delta.FOLDER in storage.names(""):
            delta.clean(storage, _documents(storage))
    except (OSError, pa.ArrowException) as error:
        raise PublishError(
            f"{redacted(uri)} cannot be written ({error}).",
            remedy=_REMEDY,
        ) from error
    return SendReport(redacted(uri), publish_id, files, size)


def check_store(uri: str) -> None:
    """Check, before a publish, that it can be sent; write nothing to the target.

    Args:
        uri: As for `send`.

    Raises:
        SettingsError: With these settings, a publish can never be sent there.
        PublishError: At the moment, the store does not answer, refuses the credentials, or has no such bucket.
    """
    check_target(uri)
    try:
        storage = open_storage(uri)
        is_missing = not storage.names("") and not storage.has_root()
    except pa.ArrowInvalid as error:
        raise SettingsError(
            f"The target {redacted(uri)} cannot be used: {error}.",
            remedy="Write it as s3://bucket/prefix, gs://…, abfs://…, file:///folder or postgresql://user@host/database.",
        ) from None
    except (OSError, pa.ArrowException) as error:
        raise PublishError(f"{redacted(uri)} cannot be read ({error}).", remedy=_REMEDY) from error
    if is_missing:
        raise PublishError(f"The bucket of {redacted(uri)} does not exist.", remedy=_REMEDY)


def current_publish(published_dir: Path) -> tuple[str, bytes]:
    """Id of the current publish and the contents of `latest.json`.

    Raises:
        PublishError: Nothing is published.
    """
    latest = published_dir / LATEST
    if not latest.is_file():
        raise PublishError(f"Nothing is published in {published_dir}.", remedy="Run `ion-pipeline publish` first.")
    document = latest.read_bytes()
    return orjson.loads(document)["publish_id"], document


def check_target(uri: str) -> None:
    """Check that a target is a URI without a password, because settings are shown, logged and stored.

    Raises:
        SettingsError: It is not a URI, or it holds a password.
    """
    if holds_password(uri):
        raise SettingsError(
            f"The target {redacted(uri)} holds a password.",
            remedy="Remove it from the URI and set it in the environment variable that the target's client reads.",
        )
    if not urlsplit(uri).scheme:
        raise SettingsError(f"{uri} is not a URI.", remedy="Write a target as s3://bucket/prefix or file:///folder.")


def redacted(uri: str) -> str:
    """A URI without user, password and options, for messages."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _is_there(storage: Storage, publish_id: str) -> bool:
    if LATEST not in storage.names(""):
        return False
    is_same: bool = orjson.loads(storage.read(LATEST))["publish_id"] == publish_id
    return is_same


def _outdated(storage: Storage, publish_id: str, document: bytes, keep: int) -> list[str]:
    """Publishes to delete at the target: the oldest ones, and those with rows that the current one leaves out."""
    others = [name for name in storage.names(PUBLISHES) if name != publish_id]
    old = set(others[: max(0, len(others) + 1 - max(2, keep))])
    current = export_control_of(document)
    if current != INCLUDED:
        old |= {name for name in others if _export_control_at(storage, name) != current}
    return sorted(old)


def _export_control_at(storage: Storage, publish: str) -> str | None:
    """The value of `export_controlled` of a publish at the target; None if it was not sent completely."""
    if LATEST not in storage.names(f"{PUBLISHES}/{publish}"):
        return None
    return export_control_of(storage.read(f"{PUBLISHES}/{publish}/{LATEST}"))


def _send_delta(
    published_dir: Path, publish_id: str, document: bytes, storage: Storage, on_count: OnCount
) -> tuple[bytes, list[delta.Entry]]:
    """Send the Delta tables that have changed; return `latest.json` with the target's versions, and the new ones."""
    local = delta.entries_of(document)
    tables = dictionary.from_json((published_dir / PUBLISHES / publish_id / DICTIONARY_JSON).read_bytes())
    wanted = delta.contents_of(tables, {path: entry.digest for path, entry in local.items()})
    named = delta.entries_of(storage.read(LATEST)) if LATEST in storage.names("") else {}

    def data(content: delta.Content) -> list[Path]:
        return [published_dir / one.file for one in local[content.path].files]

    staged = delta.stage(storage, wanted, named, data, on_count)
    staged.commit(on_count)
    return with_versions(document, staged.entries), staged.fresh


def _documents(storage: Storage) -> list[bytes]:
    """`latest.json` of every publish at the target."""
    folders = [f"{PUBLISHES}/{name}" for name in storage.names(PUBLISHES)]
    return [storage.read(f"{folder}/{LATEST}") for folder in folders if LATEST in storage.names(folder)]


def _copy(folder: Path, storage: Storage, target: str, on_count: OnCount) -> tuple[int, int]:
    """Copy the files of a publish except `latest.json`; return their number and size."""
    storage.remove(target)
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != LATEST]
    done, size = 0, sum(path.stat().st_size for path in paths)
    for path in paths:
        name = path.relative_to(folder).as_posix()
        with path.open("rb") as source, storage.create(f"{target}/{name}") as stream:
            while piece := source.read(_PIECE):
                on_count(Count(done, size, "bytes", name=name, share=done / size))
                stream.write(piece)
                done += len(piece)
    on_count(Count(done, size, "bytes", share=1.0))
    return len(paths), size
