"""What can go wrong in the lake. The tenant guard's `TenantMismatchError` is in `ion_pipeline.errors`."""

import errno

from ion_pipeline.errors import IonPipelineError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LakeError(IonPipelineError):
    """The lake cannot be read or written."""


class LakeWriteError(LakeError):
    """A load could not be written. It was abandoned whole: nothing of it is visible."""


class LakeCorruptionError(LakeError):
    """A committed load is not what its manifest says: a file is missing, cut short or altered."""


class LakeBusyError(LakeError):
    """Another process is writing here."""


def write_error(error: OSError, what: str) -> LakeWriteError:
    """Say what failed to be written and why; a full disk gets its own remedy.

    Args:
        error: What the operating system answered.
        what: What was being written, with its place.
    """
    if error.errno in _FULL:
        return LakeWriteError(
            f"No space left while writing {what} ({error.strerror}).",
            remedy="Free some space or set ION_DATA_DIR to a larger disk, then run again: nothing was committed.",
        )
    return LakeWriteError(
        f"{what} could not be written ({error.strerror or error}).",
        remedy="Mend the cause and run again: nothing was committed.",
    )
