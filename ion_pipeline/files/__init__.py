"""Files of the data directory: atomic writes to a disk or an object store, and locks between processes."""

from ion_pipeline.files.errors import FileWriteError, LockedError, ObjectStoreError, write_error
from ion_pipeline.files.lock import Lock, WriterLock
from ion_pipeline.files.storage import replace_file

__all__ = ["FileWriteError", "Lock", "LockedError", "ObjectStoreError", "WriterLock", "replace_file", "write_error"]
