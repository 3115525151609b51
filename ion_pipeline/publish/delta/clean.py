"""Deletes what no publish that is kept needs: tables, data files, and the entries of old versions in the logs."""

from collections.abc import Iterable

from ion_pipeline.files.storage import Storage
from ion_pipeline.publish.delta.content import FOLDER
from ion_pipeline.publish.delta.log import LOG, log_of
from ion_pipeline.publish.delta.stage import Entry, entries_of, is_ours


def clean(storage: Storage, kept: Iterable[bytes]) -> None:
    """Delete the versions that no publish names, and the tables without any version that is named.

    A version between two that are named loses its file, but stays in the log. Tables of others are not touched.

    Args:
        storage: The published folder, or a target.
        kept: `latest.json` of every publish that is kept there.

    Raises:
        OSError: A file cannot be deleted.
    """
    named: dict[str, list[Entry]] = {}
    for document in kept:
        for path, entry in entries_of(document).items():
            named.setdefault(path, []).append(entry)
    for schema in storage.names(FOLDER):
        folder = f"{FOLDER}/{schema}"
        tables = storage.names(folder)
        for table in tables:
            path = f"{folder}/{table}"
            files = storage.names(path)
            if not files or not is_ours(files):
                continue
            if path in named:
                _trim(storage, path, files, named[path])
                continue
            # The log goes first: no reader finds a version without its file.
            storage.remove(f"{path}/{LOG}")
            storage.remove(path)
        if tables and not storage.names(folder):
            storage.remove(folder)


def _trim(storage: Storage, path: str, files: list[str], named: list[Entry]) -> None:
    for name in log_of(storage, path).outdated(min(entry.version for entry in named)):
        storage.remove(f"{path}/{LOG}/{name}")
    needed = {LOG, *(file.name for entry in named for file in entry.files)}
    for name in files:
        if name not in needed:
            storage.remove(f"{path}/{name}")
