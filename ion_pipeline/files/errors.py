"""Errors about files of the data directory, whatever they contain."""

import errno

from ion_pipeline.errors import IonPipelineError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FileWriteError(IonPipelineError):
    """A file could not be written. The operation that it belongs to was abandoned, and none of its files is visible."""


class StoreWriteError(FileWriteError):
    """An object store did not take a file. What it has taken is kept there, invisible, for the next run."""


class LockedError(IonPipelineError):
    """Another process holds the lock."""


class ObjectStoreError(IonPipelineError, OSError):
    """An object store does not answer, refuses a request, or lacks a condition that the lake needs."""


class TakenOverError(ObjectStoreError):
    """Another process has written an object since, so this process may no longer replace it."""


def write_error(error: OSError, what: str) -> FileWriteError:
    """Make an error that says what could not be written and why; a full disk gets its own remedy.

    Args:
        error: The error from the operating system.
        what: What was being written, with its location.
    """
    if isinstance(error, ObjectStoreError):
        return StoreWriteError(f"{what} could not be written: {error.message}", remedy=error.remedy)
    if error.errno in _FULL:
        return FileWriteError(
            f"No space left while writing {what} ({error.strerror}).",
            remedy="Free some space or set ION_DATA_DIR to a larger disk, then run again. Nothing was committed.",
        )
    return FileWriteError(
        f"{what} could not be written ({error.strerror or error}).",
        remedy="Correct the cause and run again. Nothing was committed.",
    )
