"""Finds values of enum columns that the catalog's enum does not have, so that they are reported as schema drift.

The values are loaded unchanged; nothing is rejected here.
"""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from ion_pipeline.lake import SchemaDrift
from ion_pipeline.warehouse.source import projection
from ion_pipeline.warehouse.sql import identifier
from ion_pipeline.warehouse.tables import ColumnLike, TableLike


def unknown_values(
    connection: duckdb.DuckDBPyConnection, table: TableLike, entity: str, files: Sequence[Path]
) -> list[SchemaDrift]:
    """Find the unknown values of all enum columns in a table's files, in one query.

    Args:
        connection: Any DuckDB connection.
        table: The table, whose columns list the members of their enums.
        entity: Entity that the table was read with.
        files: The table's files of one load.

    Returns:
        One entry for each column and unknown value, ordered by column and value.
    """
    enums = [column for column in table.columns if column.members]
    if not enums:
        return []
    paths = [str(path) for path in files]
    members = {f"m{number}": list(column.members) for number, column in enumerate(enums)}
    queries = [
        f"select {number} as place, {_elements(column)} as found from incoming" for number, column in enumerate(enums)
    ]
    known = " ".join(f"when {number} then list_contains($m{number}::varchar[], found)" for number in range(len(enums)))
    rows = connection.execute(
        f"with incoming as (select {', '.join(projection(connection, table, paths))} "
        f"from read_parquet($files, hive_partitioning := false)), found_values as ({' union '.join(queries)}) "
        f"select place, found from found_values where found is not null and not case place {known} end order by all",
        {"files": paths, **members},
    ).fetchall()
    return [
        SchemaDrift(entity, "new_enum_value", f"{table.name}.{enums[place].name}", tenant_type=value)
        for place, value in rows
    ]


def _elements(column: ColumnLike) -> str:
    name = identifier(column.name)
    return f"unnest({name})" if pa.types.is_list(column.arrow_type) else name
