"""Files of the data directory: written whole or not at all, on a disk or an object store, by one process at a time."""

from ion_pipeline.files.errors import FileWriteError, LockedError, write_error
from ion_pipeline.files.lock import WriterLock
from ion_pipeline.files.storage import replace_file

__all__ = ["FileWriteError", "LockedError", "WriterLock", "replace_file", "write_error"]
