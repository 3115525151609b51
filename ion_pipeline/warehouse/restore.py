"""Versions as a fold of the lake holds them, back into `raw`, `raw_history` and the books: no merging, only copying."""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from ion_pipeline.warehouse.merge import TableChange
from ion_pipeline.warehouse.source import projection
from ion_pipeline.warehouse.sql import identifier, identifiers
from ion_pipeline.warehouse.tables import HISTORY, RAW, VERSION_COLUMNS, TableLike

# What the books hold about each load. When it was applied is a warehouse's own affair, and no part of a fold.
BOOKS = {"_ion_loads": "* exclude (loaded_at)", "_ion_load_tables": "*", "_ion_schema_drift": "*"}


def clear(connection: duckdb.DuckDBPyConnection, tables: Iterable[TableLike]) -> None:
    """Empty the tables and the books: a fold holds all that was in them, and what they lacked."""
    for table in tables:
        connection.execute(f"delete from {identifier(RAW, table.name)}; delete from {identifier(HISTORY, table.name)}")
    for book in BOOKS:
        connection.execute(f"delete from {identifier(RAW, book)}")


def restore(connection: duckdb.DuckDBPyConnection, table: TableLike, files: Sequence[Path]) -> TableChange:
    """Fill an empty table and its history from a fold's files; columns the files lack are null.

    Raises:
        RetypedColumnError: Values of a column do not fit the catalog's type.
    """
    paths = [str(path) for path in files]
    raw, history = identifier(RAW, table.name), identifier(HISTORY, table.name)
    own = identifiers([*(column.name for column in table.columns), *VERSION_COLUMNS])
    values = ", ".join([*projection(connection, table, paths), *VERSION_COLUMNS])
    connection.execute(
        f"insert into {history} ({own}, valid_from, valid_to, is_current) "
        f"select {values}, valid_from, valid_to, valid_to is null "
        "from read_parquet($files, hive_partitioning := false)",
        {"files": paths},
    )
    connection.execute(f"insert into {raw} ({own}) select {own} from {history} where is_current")
    ((versions, current),) = connection.execute(
        f"select count(*), count(*) filter (is_current) from {history}"
    ).fetchall()
    return TableChange(table.name, versions, current, 0, 0, current)


def restore_books(connection: duckdb.DuckDBPyConnection, files: Mapping[str, Sequence[Path]]) -> None:
    """Note the loads that the fold stands for, as they were noted when they were applied one by one."""
    for book in BOOKS:
        if book in files:
            connection.execute(
                f"insert into {identifier(RAW, book)} by name select * from "
                "read_parquet($files, hive_partitioning := false)",
                {"files": [str(path) for path in files[book]]},
            )
    connection.execute(f"update {RAW}._ion_loads set loaded_at = now() where loaded_at is null")
