"""Versions as a snapshot of the lake holds them, back into `raw` and `raw_history`: no merging, only copying."""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb

from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.load_log import TableChange
from ion_pipeline.warehouse.schemas import HISTORY, RAW
from ion_pipeline.warehouse.source import projection
from ion_pipeline.warehouse.sql import identifier, identifiers
from ion_pipeline.warehouse.tables import VERSION_COLUMNS, TableLike


def clear(connection: duckdb.DuckDBPyConnection, tables: Iterable[TableLike]) -> None:
    """Empty the tables and the load log: a snapshot holds all that was in them, and what they lacked."""
    for table in tables:
        connection.execute(f"delete from {identifier(RAW, table.name)}; delete from {identifier(HISTORY, table.name)}")
    load_log.clear(connection)


def restore(connection: duckdb.DuckDBPyConnection, table: TableLike, files: Sequence[Path]) -> TableChange:
    """Fill an empty table and its history from a snapshot's files; columns the files lack are null.

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
