"""What can go wrong with files of the data directory, whatever they hold."""

import errno

from ion_pipeline.errors import IonPipelineError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class FileWriteError(IonPipelineError):
    """A file could not be written; what it belongs to was abandoned as a whole, and nothing of it is visible."""


class LockedError(IonPipelineError):
    """Another process holds the lock."""


def write_error(error: OSError, what: str) -> FileWriteError:
    """Say what failed to be written and why; a full disk gets its own remedy.

    Args:
        error: What the operating system answered.
        what: What was being written, with its place.
    """
    if error.errno in _FULL:
        return FileWriteError(
            f"No space left while writing {what} ({error.strerror}).",
            remedy="Free some space or set ION_DATA_DIR to a larger disk, then run again: nothing was committed.",
        )
    return FileWriteError(
        f"{what} could not be written ({error.strerror or error}).",
        remedy="Mend the cause and run again: nothing was committed.",
    )
