"""Compares rows that were just read with those of `raw`, by the values of the columns that were read."""
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
    """Find the differences between given rows and the same columns of `raw`.

    Nulls are equal to each other, and repeated rows count once.

    Args:
        connection: The warehouse.
        table: Name of the table.
        key: Columns that identify a difference.
        rows: All rows that `raw` should hold within the bounds.
        above: Exclusive lower bound of the first key column in `raw`; None for no bound.
        until: Inclusive upper bound of the first key column in `raw`; None for no bound.

    Returns:
        Each key that has differences, with two flags: a row is only among the given rows, a row is only in `raw`.
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
            f"select {names}, bool_or(is_given), bool_or(not is_given) from differing "
            f"group by {names} order by {names}",
            {"above": above, "until": until},
        ).fetchall()
    finally:
        connection.unregister("_ion_given")
    return [(row[: len(key)], row[-2], row[-1]) for row in found]
