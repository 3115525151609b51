"""Finds the rows under export control and keeps their keys in `raw_controlled.<table>`.

Both the flags in the models and the views without controlled rows use these keys. `controlled_search` finds them.
"""
# ruff: noqa: S608 -- names come from the catalog and are quoted; values are bound as parameters

from collections.abc import Iterable

import duckdb

from ion_pipeline.catalog.references import ENTITIES, References, WeakReference
from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.builds import first_versions_after
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.controlled_search import NewVersions, Search, found_rows, key_columns
from ion_pipeline.warehouse.schemas import CONTROLLED, HISTORY, RAW, RELEASED, RELEASED_HISTORY
from ion_pipeline.warehouse.sql import identifier
from ion_pipeline.warehouse.tables import TableLike, ensure_tables

#: The table of `raw` that records which sets of controlled rows changed.
CHANGES = "_ion_export_controlled"
_CHANGES = f"{RAW}.{CHANGES}"


def find_controlled(
    connection: duckdb.DuckDBPyConnection, references: References, tables: Iterable[TableLike], definition: str
) -> bool:
    """Update `raw_controlled` to the last applied load; do nothing if it is up to date.

    Args:
        connection: The warehouse, open for writing.
        references: The references to follow.
        tables: Every table of the catalog.
        definition: Digest of what counts as controlled; a different digest starts a new search.

    Returns:
        Whether a search was made.
    """
    catalog = {table.name: table for table in tables}
    ensure_tables(connection, catalog.values())
    _ensure(connection, references)
    last = _last_load(connection)
    if last is None or _is_done(connection, last, definition):
        return False
    with transaction(connection):
        search, new = Search(connection, references, catalog), _new_versions(connection, definition)
        extended = search.extend(new) if new else None
        found = search.run() if extended is None else extended
        for name in sorted(references.tables if extended is None else extended):
            earlier = _replace(connection, catalog[name], is_found=name in found)
            if earlier is not None:
                connection.execute(f"insert into {_CHANGES} values (?, ?, ?, ?, ?)", [*last, definition, name, earlier])
        # The rows are those of one definition: an earlier search for another one is not done any more.
        connection.execute(f"delete from {_CHANGES} where load_id = ? and table_name is null", [last[0]])
        connection.execute(f"insert into {_CHANGES} values (?, ?, ?, null, null)", [*last, definition])
        for name in {*found, ENTITIES}:
            connection.execute(f"drop table if exists {found_rows(name)}")
    return True


def is_search_current(connection: duckdb.DuckDBPyConnection, definition: str) -> bool:
    """Whether `raw_controlled` is up to date; True if nothing has been loaded.

    Args:
        connection: The warehouse; reading is enough.
        definition: As in `find_controlled`.
    """
    last = _last_load(connection)
    return last is None or (load_log.exists(connection, CHANGES) and _is_done(connection, last, definition))


def _last_load(connection: duckdb.DuckDBPyConnection) -> tuple[object, ...] | None:
    newest = load_log.last(connection)
    return (newest.load_id, newest.loaded_at) if newest else None


def is_controlled(table: TableLike) -> str:
    """SQL of whether a row of the table alias `rows` is controlled; `raw_controlled` has a table of that name."""
    row_id, row_key = key_columns(table)
    column, value = ("row_key", row_key) if row_key else ("id", row_id)
    controlled = f"select controlled.{column} from {identifier(CONTROLLED, table.name)} as controlled"
    return f"coalesce({value} in ({controlled}), false)"


def release(connection: duckdb.DuckDBPyConnection, references: References, tables: Iterable[TableLike]) -> None:
    """Recreate the views without controlled rows; they read `raw_controlled`, which `find_controlled` updates first."""
    with transaction(connection):
        connection.execute(f"create schema if not exists {RELEASED}; create schema if not exists {RELEASED_HISTORY}")
        for table in tables:
            for source, target in ((RAW, RELEASED), (HISTORY, RELEASED_HISTORY)):
                query = _query(source, table, references)
                connection.execute(f"create or replace view {identifier(target, table.name)} as {query}")
        for name, query in load_log.released():
            connection.execute(f"create or replace view {identifier(RELEASED, name)} as {query}")


def left_out_since(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The last load after which rows of earlier loads were found to be controlled; None if there is none.

    Anything published before that load may hold those rows, even if it left out the rows then known as controlled.
    """
    row = connection.execute(f"select max(load_id) from {_CHANGES} where has_earlier_rows").fetchone()
    return row[0] if row else None


def controlled_changed_since(connection: duckdb.DuckDBPyConnection, load_id: str) -> frozenset[str]:
    """Tables whose set of controlled rows changed after a load."""
    rows = connection.execute(
        f"select distinct table_name from {_CHANGES} where load_id > ? and table_name is not null", [load_id]
    ).fetchall()
    return frozenset(name for (name,) in rows)


def _replace(connection: duckdb.DuckDBPyConnection, table: TableLike, *, is_found: bool) -> bool | None:
    """Store the controlled rows of a table.

    Returns:
        Whether a newly controlled row is older than the last load; None if the set of rows did not change.
    """
    kept = identifier(CONTROLLED, table.name)
    found = f"(select id, row_key from {found_rows(table.name) if is_found else f'{kept} limit 0'})"
    added, removed = f"(from {found} except from {kept})", f"(from {kept} except from {found})"
    if not connection.execute(f"select 1 from ({added} union all {removed}) limit 1").fetchone():
        return None
    row_id, row_key = key_columns(table)
    same = f"added.id is not distinct from {row_id} and added.row_key is not distinct from {row_key or 'null'}"
    earlier = connection.execute(
        f"select 1 from {identifier(HISTORY, table.name)} as rows inner join {added} as added on {same} "
        "where rows.valid_from < ? limit 1",
        [load_log.latest_valid_from(connection)],
    ).fetchone()
    connection.execute(f"create or replace table {kept} as from {found} order by id, row_key")
    return earlier is not None


def _is_done(connection: duckdb.DuckDBPyConnection, last: tuple[object, ...], definition: str) -> bool:
    return bool(
        connection.execute(
            f"select 1 from {_CHANGES} where load_id = ? and loaded_at = ? and definition = ? and table_name is null",
            [*last, definition],
        ).fetchone()
    )


def _new_versions(connection: duckdb.DuckDBPyConnection, definition: str) -> NewVersions | None:
    """What loads added since the last search; None if that was for another definition, or `raw` was made anew since."""
    searches = f"(select * from {_CHANGES} where table_name is null)"
    found = connection.execute(
        f"select load_id, loaded_at, definition from {searches} where load_id = (select max(load_id) from {searches})"
    ).fetchall()
    if len(found) != 1 or found[0][2] != definition:
        return None
    [(load_id, loaded_at, _)] = found
    is_there = connection.execute(
        f"select 1 from {RAW}.{load_log.LOADS} where load_id = ? and loaded_at = ?", [load_id, loaded_at]
    ).fetchone()
    since = first_versions_after(connection, load_id)
    return NewVersions(load_log.changed_since(connection, load_id), since) if is_there and since else None


def _ensure(connection: duckdb.DuckDBPyConnection, references: References) -> None:
    connection.execute(f"create schema if not exists {CONTROLLED}")
    there = {
        name
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() where database_name = current_database() and schema_name = ?",
            [CONTROLLED],
        ).fetchall()
    }
    for name in sorted(references.tables - there):
        connection.execute(f"create table {identifier(CONTROLLED, name)} (id bigint, row_key varchar)")


def _query(schema: str, table: TableLike, references: References) -> str:
    replaced = [_without_controlled(one) for one in references.weak if one.table == table.name]
    columns = f"rows.* replace ({', '.join(replaced)})" if replaced else "rows.*"
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


def _without_controlled(one: WeakReference) -> str:
    """SQL of a column with its weak references to controlled rows removed."""
    column = f"rows.{identifier(one.column)}"
    controlled = f"select controlled.id from {identifier(CONTROLLED, one.target)} as controlled"
    if not one.is_list:
        return f"case when {column} not in ({controlled}) then {column} end as {identifier(one.column)}"
    kept = (
        f"select list(named.id order by named.place) from (select unnest({column}) as id, "
        f"generate_subscripts({column}, 1) as place) as named where named.id not in ({controlled})"
    )
    return f"case when {column} is not null then coalesce(({kept}), []) end as {identifier(one.column)}"
