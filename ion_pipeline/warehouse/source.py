"""Reads files with older columns as rows of the current catalog: one SQL expression for each column.

A column that the files lack is null. A column of another type is converted if no value changes in a round trip.
"""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

import duckdb

from ion_pipeline.warehouse.errors import RetypedColumnError
from ion_pipeline.warehouse.sql import duckdb_type, identifier
from ion_pipeline.warehouse.tables import TableLike


def projection(connection: duckdb.DuckDBPyConnection, table: TableLike, files: list[str]) -> list[str]:
    """One SQL expression for each column of the table, over `read_parquet` of its files.

    Raises:
        RetypedColumnError: A conversion would change a value.
    """
    found = {
        row[0]: row[1]
        for row in connection.execute(
            "describe select * from read_parquet($files, hive_partitioning := false)", {"files": files}
        ).fetchall()
    }
    expressions = []
    for column in table.columns:
        name, wanted = identifier(column.name), duckdb_type(column.arrow_type)
        if column.name not in found:
            expressions.append(f"cast(null as {wanted}) as {name}")
        elif found[column.name] == wanted:
            expressions.append(name)
        else:
            _check_lossless(connection, table.name, column.name, (found[column.name], wanted), files)
            expressions.append(f"cast({name} as {wanted}) as {name}")
    return expressions


def _check_lossless(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, types: tuple[str, str], files: list[str]
) -> None:
    before, after = types
    name = identifier(column)
    row = connection.execute(
        f"select count(*) from read_parquet($files, hive_partitioning := false) "
        f"where try_cast(try_cast({name} as {after}) as {before}) is distinct from {name}",
        {"files": files},
    ).fetchone()
    if row is None or row[0]:
        raise RetypedColumnError(
            f"{table}.{column} is {before} in the lake and {after} in the catalog, and the conversion would change "
            f"{row and row[0]} of its values.",
            remedy="Give the column a wider type in the catalog's overrides. The load was not applied.",
        )
