"""The one place that opens the warehouse.

Every connection is in UTC, keeps to its memory and threads, spills beside the database, and never downloads or loads
an extension by itself: a refresh works without the internet.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb

from ion_pipeline.warehouse.errors import is_locked, translate_errors
from ion_pipeline.warehouse.sql import literal

_POLL_SECONDS = 0.2

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Resources:
    """What DuckDB may use.

    Attributes:
        memory_limit: As DuckDB writes it: "4GB". Larger work spills to disk.
        threads: Threads.
        wait_seconds: How long to wait for another process to close the file.
    """

    memory_limit: str = "4GB"
    threads: int = 2
    wait_seconds: float = 0.0


@contextmanager
def connect(
    database: Path, resources: Resources | None = None, *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB file.

    Args:
        database: The file. A writer creates it, and its folder, if need be.
        resources: Memory and threads.
        read_only: Open for reading. DuckDB allows one writer or several readers at a time.

    Raises:
        WarehouseBusyError: Another process has it open; the message says which.
        WarehouseDamagedError: It is not a database.
    """
    if not read_only:
        database.parent.mkdir(parents=True, exist_ok=True)
    resources = resources or Resources()
    config = _config(database.parent, resources)
    with translate_errors(f"Opening {database}", database):
        connection = _once_free(
            lambda: duckdb.connect(str(database), read_only=read_only, config=config), resources.wait_seconds
        )
    with connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


@contextmanager
def connect_memory(scratch: Path, resources: Resources | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database in memory to which files will be attached; it spills below `scratch`."""
    with duckdb.connect(":memory:", config=_config(scratch, resources or Resources())) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All or nothing: commit at the end, roll back on any exception."""
    connection.execute("begin transaction")
    try:
        yield
    except BaseException:
        # A fatal error has already ended the transaction; the error on its way says what happened.
        with suppress(duckdb.Error):
            connection.execute("rollback")
        raise
    connection.execute("commit")


def attach(
    connection: duckdb.DuckDBPyConnection,
    database: Path,
    alias: str,
    *,
    read_only: bool = False,
    storage_version: str | None = None,
    wait_seconds: float = 0.0,
) -> None:
    """Attach a file under a name; a storage version is for a file to be created.

    Raises:
        WarehouseBusyError: Another process has it open, after the wait too.
    """
    options = ["READ_ONLY"] if read_only else []
    if storage_version is not None:
        options.append(f"STORAGE_VERSION {literal(storage_version)}")
    suffix = f" ({', '.join(options)})" if options else ""
    with translate_errors(f"Opening {database}", database):
        statement = f'attach {literal(str(database))} as "{alias}"{suffix}'
        _once_free(lambda: connection.execute(statement), wait_seconds)


def _once_free(opening: Callable[[], _T], wait_seconds: float) -> _T:
    """Open a file, again and again for as long as another process has it."""
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return opening()
        except duckdb.IOException as error:
            if not is_locked(error) or time.monotonic() >= deadline:
                raise
        time.sleep(_POLL_SECONDS)


def _config(folder: Path, resources: Resources) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "memory_limit": resources.memory_limit,
        "threads": resources.threads,
        "temp_directory": str(folder.absolute() / "duckdb_tmp"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
