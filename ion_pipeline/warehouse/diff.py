"""Rows read just now against those of `raw`: which are not the same, by the values of the columns read."""
# ruff: noqa: S608 -- names are quoted by `sql.identifier`, values are bound as parameters

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from ion_pipeline.warehouse.schemas import RAW
from ion_pipeline.warehouse.sql import identifier, identifiers


def diff_rows(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    key: Sequence[str],
    rows: pa.Table,
    *,
    above: int | None,
    until: int | None,
) -> list[tuple[tuple[Any, ...], bool, bool]]:
    """Find what differs between given rows and the same columns of `raw`. Nulls are equal, and so are repeated rows.

    Args:
        connection: The warehouse.
        table: Name of the table.
        key: Columns to name differences by.
        rows: All rows there should be within the bounds.
        above: Rows of `raw` count whose first key column is greater than this; None for no bound.
        until: And not greater than this.

    Returns:
        Each key with differences: is anything among the given rows alone, is anything in `raw` alone.
    """
    columns, names, first = identifiers(rows.column_names), identifiers(key), identifier(key[0])
    raw = identifier(RAW, table)
    connection.register("_ion_given", rows)
    try:
        found = connection.execute(
            f"with given as (select {columns} from _ion_given), kept as (select {columns} from {raw} "
            f"where ($above is null or {first} > $above) and ($until is null or {first} <= $until)), "
            "differing as (select *, true as is_given from (from given except from kept) "
            "union all select *, false from (from kept except from given)) "
            f"select {names}, bool_or(is_given), bool_or(not is_given) from differing group by {names} order by {names}",
            {"above": above, "until": until},
        ).fetchall()
    finally:
        connection.unregister("_ion_given")
    return [(row[: len(key)], row[-2], row[-1]) for row in found]
