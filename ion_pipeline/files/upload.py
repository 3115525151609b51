"""A file for an object store while it is being written: half of it never reaches the store."""

import tempfile
from collections.abc import Callable
from typing import IO


class Upload:
    """A temporary file on this machine, sent when it is closed.

    Args:
        send: Sends the file; called once.
    """

    def __init__(self, send: Callable[[IO[bytes]], None]) -> None:
        self._file = tempfile.TemporaryFile(prefix="ion-lake-")  # noqa: SIM115 -- closed by `close` or `abandon`
        self._send = send

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, data: bytes | memoryview) -> int:
        """Write all of the data."""
        return self._file.write(data)

    def close(self) -> None:
        """Send the file. Raises ObjectStoreError."""
        try:
            self._send(self._file)
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Discard what was written."""
        self._file.close()
