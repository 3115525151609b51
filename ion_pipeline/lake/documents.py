"""Copies of the documents of committed loads, where reading one takes a request: they never change.

A refresh looks for the last load of each entity, which may be thousands of loads ago.
"""

import hashlib
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from ion_pipeline.files.storage import Storage, replace_file

_FOLDER = "lake_documents"


class Documents:
    """Reads documents of an object store, each at most once on this machine.

    Args:
        storage: The lake.
        near: A file next to which copies are kept; None to keep none.
    """

    def __init__(self, storage: Storage, near: Path | None) -> None:
        self._storage = storage
        place = hashlib.sha256(storage.location.encode()).hexdigest()[:16]
        self._folder = near.with_name(_FOLDER) / place if near else None

    def read(self, path: str) -> bytes:
        """The content of a document. Raises FileNotFoundError and ObjectStoreError."""
        copy = self._folder / path.rpartition("/")[2] if self._folder else None
        if copy is not None and copy.is_file():
            return copy.read_bytes()
        data = self._storage.read(path)
        if copy is not None:
            # Who may only read the data directory reads the store again each time.
            with suppress(OSError):
                copy.parent.mkdir(parents=True, exist_ok=True)
                replace_file(copy, data)
        return data

    def keep(self, names: Collection[str]) -> None:
        """Delete the copies of documents that no longer exist."""
        if self._folder is None or not self._folder.is_dir():
            return
        for copy in self._folder.iterdir():
            if copy.name not in names:
                with suppress(OSError):
                    copy.unlink(missing_ok=True)
