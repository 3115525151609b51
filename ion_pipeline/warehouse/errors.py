"""Errors of the warehouse, and the translation of DuckDB's own errors into them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ion_pipeline.errors import IonPipelineError

# The remedy when the tables themselves are wrong.
REBUILD_REMEDY = "Run `ion-pipeline rebuild`, then `ion-pipeline build`: the lake holds all the data of the warehouse."


class WarehouseError(IonPipelineError):
    """The warehouse cannot be read or written. Its contents are unchanged."""


class WarehouseBusyError(WarehouseError):
    """Another process has locked the file."""


class WarehouseDamagedError(WarehouseError):
    """The file is not a DuckDB database that this version can open."""


class WarehouseMemoryError(WarehouseError):
    """DuckDB needs more memory than its limit allows."""


class WarehouseDiskFullError(WarehouseError):
    """No space left for the warehouse, the published files, or their temporary files."""


class DuplicateKeyError(WarehouseError):
    """A full read of a root connection holds a key more than once."""


class CountMismatchError(WarehouseError):
    """After a load, a table does not hold the expected number of rows."""


class RetypedColumnError(WarehouseError):
    """The type of a column has changed, and not all of its values fit the new type."""


class LoadOrderError(WarehouseError):
    """The lake holds a load that is older than a load that has already been applied."""


class MissingLoadError(WarehouseError):
    """The lake no longer holds a load that was applied to the warehouse."""


class CompactionError(WarehouseError):
    """The lake cannot be compacted; it is unchanged."""


@contextmanager
def translate_errors(doing: str, database: Path) -> Iterator[None]:
    """Translate DuckDB's errors in the block into those of this package.

    Args:
        doing: The operation, such as "Loading": the message begins with it.
        database: The file that the operation reads or writes.
    """
    try:
        yield
    except duckdb.Error as error:
        raise _translated(error, doing, database) from error


def is_locked(error: duckdb.Error) -> bool:
    """Whether the error says that another process has locked the file."""
    return "Could not set lock" in str(error)


def _translated(error: duckdb.Error, doing: str, database: Path) -> WarehouseError:
    text = " ".join(str(error).split())
    failure = f"{doing} failed: {text}"
    if is_locked(error):
        holder = text.partition("Conflicting lock is held in ")[2].partition(". See also")[0]
        return WarehouseBusyError(
            f"{database} is open in {holder or 'another process'}.",
            remedy="Close that program (SQL shells and BI tools should open published/ion.duckdb), or wait for the "
            "other refresh to end, then run again.",
        )
    if "different configuration" in text:
        return WarehouseBusyError(
            f"{database} is already open in this process with other settings.", remedy="Close that connection first."
        )
    if "No space left" in text or "Disk quota" in text or "File too large" in text or "max_temp_directory_size" in text:
        return WarehouseDiskFullError(
            f"No space left: {failure}",
            remedy="Free some space or move ION_DATA_DIR to a larger disk, then run again. Nothing was changed.",
        )
    if isinstance(error, duckdb.OutOfMemoryException):
        return WarehouseMemoryError(
            f"Not enough memory: {failure}", remedy="Raise ION_DUCKDB_MEMORY_LIMIT or lower ION_DUCKDB_THREADS."
        )
    if isinstance(error, duckdb.SerializationException) or "not a valid DuckDB database" in text:
        return WarehouseDamagedError(
            f"{database} cannot be opened: {text}",
            remedy="Move warehouse.duckdb away, then run `ion-pipeline rebuild` and `ion-pipeline build`: the lake "
            "holds all the data of the warehouse.",
        )
    return WarehouseError(failure, remedy="Nothing was changed. If the error happens again, please report it.")
