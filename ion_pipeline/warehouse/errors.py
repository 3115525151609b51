"""What can go wrong in the warehouse, and DuckDB's own errors in words a person can act on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ion_pipeline.errors import IonPipelineError

# What helps where the tables themselves are wrong.
MAKE_ANEW = "Run `ion-pipeline rebuild`, then `ion-pipeline build`: the lake holds all the warehouse held."


class WarehouseError(IonPipelineError):
    """The warehouse cannot be read or written. What stood in it before still stands."""


class WarehouseBusyError(WarehouseError):
    """Another process has the file open in a way that excludes this one."""


class WarehouseDamagedError(WarehouseError):
    """The file is not a DuckDB database that this version can open."""


class WarehouseMemoryError(WarehouseError):
    """DuckDB needs more memory than it may use."""


class WarehouseDiskFullError(WarehouseError):
    """No space left for the warehouse, the published files, or their temporary files."""


class DuplicateKeyError(WarehouseError):
    """A full read of a root connection holds a key more than once."""


class CountMismatchError(WarehouseError):
    """After a load a table does not hold the rows it should."""


class RetypedColumnError(WarehouseError):
    """A column has changed its type, and its values do not all fit the new one."""


class LoadOrderError(WarehouseError):
    """The lake holds a load that should have been applied before one that already was."""


class MissingLoadError(WarehouseError):
    """The lake no longer holds a load that the warehouse was made of."""


class CompactionError(WarehouseError):
    """The lake cannot be compacted; it is as it was."""


@contextmanager
def translate_errors(doing: str, database: Path) -> Iterator[None]:
    """Turn DuckDB's errors into this package's.

    Args:
        doing: What was being done, as in "loading parts": it begins the message.
        database: The file it was done to.
    """
    try:
        yield
    except duckdb.Error as error:
        raise _explain(error, doing, database) from error


def is_locked(error: duckdb.Error) -> bool:
    """Whether another process has the file open in a way that excludes this one."""
    return "Could not set lock" in str(error)


def _explain(error: duckdb.Error, doing: str, database: Path) -> WarehouseError:
    text = " ".join(str(error).split())
    failure = f"{doing} failed: {text}"
    if is_locked(error):
        holder = text.partition("Conflicting lock is held in ")[2].partition(". See also")[0]
        return WarehouseBusyError(
            f"{database} is open in {holder or 'another process'}.",
            remedy="Close that program (SQL shells and BI tools belong on published/ion.duckdb), or wait for the other "
            "refresh, then run again.",
        )
    if "different configuration" in text:
        return WarehouseBusyError(
            f"{database} is already open in this process with other settings.", remedy="Close that connection first."
        )
    if "No space left" in text or "Disk quota" in text or "File too large" in text or "max_temp_directory_size" in text:
        return WarehouseDiskFullError(
            f"No space left: {failure}",
            remedy="Free some space or move ION_DATA_DIR to a larger disk, then run again: nothing was changed.",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return WarehouseMemoryError(
            f"Not enough memory: {failure}", remedy="Raise ION_DUCKDB_MEMORY_LIMIT or lower ION_DUCKDB_THREADS."
        )
    if isinstance(error, duckdb.SerializationException) or "not a valid DuckDB database" in text:
        return WarehouseDamagedError(
            f"{database} cannot be opened: {text}",
            remedy="Move warehouse.duckdb away, then run `ion-pipeline rebuild` and `ion-pipeline build`: the lake "
            "holds all it held.",
        )
    return WarehouseError(failure, remedy="Nothing was changed. If it happens again, please report it.")
