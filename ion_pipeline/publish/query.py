"""What readers of the published file share: rows by column name, and the names that are most like a mistyped one."""

from collections.abc import Mapping
from typing import Any

import duckdb

Row = dict[str, Any]

_SIMILAR = """
with names as ({names})

select label
from names
group by label
having max(jaro_winkler_similarity(lower(spelling), lower($name))) > 0.8
order by max(jaro_winkler_similarity(lower(spelling), lower($name))) desc, label
limit 5
"""


def rows_of(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    """All rows of a query as dictionaries by column name."""
    cursor = connection.execute(sql, dict(parameters or {}))
    columns = [column[0] for column in cursor.description or ()]
    return [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]


def similar(connection: duckdb.DuckDBPyConnection, names: str, name: str) -> list[str]:
    """Up to five names that are most like one, the most like it first.

    Args:
        connection: A connection to the published file.
        names: A select with the columns `label`, what to show, and `spelling`, what to compare; ours, without values.
        name: What a person wrote.
    """
    return [row["label"] for row in rows_of(connection, _SIMILAR.format(names=names), {"name": name})]
