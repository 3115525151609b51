"""What may be published where export-controlled rows are left out: views over `raw` and `raw_history` without them.

`raw` stays whole. A view leaves out the controlled rows of its table in all their versions, and empties columns that
name such a row without belonging to it. The books lose what counts the rows that are left out.
"""
# ruff: noqa: S608 -- names come from the catalog and are quoted

from collections.abc import Iterable

import duckdb

from ion_pipeline.extract.references import Aside, References
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.controlled import CONTROLLED, key_columns
from ion_pipeline.warehouse.sql import identifier
from ion_pipeline.warehouse.tables import HISTORY, RAW, TableLike

RELEASED = "released"
RELEASED_HISTORY = "released_history"

# Counts of rows are ION's, controlled ones included. A value that only such rows may have had is their trace.
_COUNTS = (
    "rows_read", "total_count", "rows_inserted", "rows_updated", "rows_deleted", "rows_after", "rows_drifted",
)  # fmt: skip
_NOT_TOLD = ", ".join(f"cast(null as bigint) as {count}" for count in _COUNTS)
_BOOKS = {
    "_ion_loads": "select * from {book}",
    "_ion_load_tables": f"select * replace ({_NOT_TOLD}) from {{book}}",
    "_ion_schema_drift": "select * from {book} where kind <> 'new_enum_value'",
}


def release(connection: duckdb.DuckDBPyConnection, references: References, tables: Iterable[TableLike]) -> None:
    """Make the views anew, after `find_controlled`: what they leave out follows `raw_controlled` by itself."""
    with transaction(connection):
        connection.execute(f"create schema if not exists {RELEASED}; create schema if not exists {RELEASED_HISTORY}")
        for table in tables:
            for source, target in ((RAW, RELEASED), (HISTORY, RELEASED_HISTORY)):
                query = _query(source, table, references)
                connection.execute(f"create or replace view {identifier(target, table.name)} as {query}")
        for book, query in _BOOKS.items():
            view = query.format(book=identifier(RAW, book))
            connection.execute(f"create or replace view {identifier(RELEASED, book)} as {view}")


def _query(schema: str, table: TableLike, references: References) -> str:
    emptied = [_emptied(one) for one in references.aside if one.table == table.name]
    columns = f"rows.* replace ({', '.join(emptied)})" if emptied else "rows.*"
    query = f"select {columns} from {identifier(schema, table.name)} as rows"
    if table.name not in references.tables:
        return query
    row_id, row_key = key_columns(table)
    same = f"left_out.id is not distinct from {row_id}"
    if row_key is None:
        same = f"left_out.id = {row_id}"
    else:
        same += f" and left_out.row_key = {row_key}"
    return f"{query} where not exists (select 1 from {identifier(CONTROLLED, table.name)} as left_out where {same})"


def _emptied(one: Aside) -> str:
    """A column without the controlled rows that it names."""
    column = f"rows.{identifier(one.column)}"
    above = f"select above.id from {identifier(CONTROLLED, one.target)} as above"
    if not one.is_list:
        return f"case when {column} not in ({above}) then {column} end as {identifier(one.column)}"
    kept = (
        f"select list(named.id order by named.place) from (select unnest({column}) as id, "
        f"generate_subscripts({column}, 1) as place) as named where named.id not in ({above})"
    )
    return f"case when {column} is not null then coalesce(({kept}), []) end as {identifier(one.column)}"
