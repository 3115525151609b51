"""Which rows are under export control, kept as keys in `raw_controlled.<table>`: one definition for flags and releases.

The roots are rows whose latest version carries the flag. What refers to a controlled row hangs below it, and so on
until nothing more is found. References count in every version of a row: a line uninstalled since named the unit.
"""
# ruff: noqa: S608 -- names come from the catalog and are quoted; values are bound as parameters

from collections.abc import Collection, Iterable, Mapping

import duckdb
import pyarrow as pa

from ion_pipeline.catalog.references import ENTITIES, FLAG, Reference, References, WeakReference
from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.schemas import CONTROLLED, HISTORY, RAW, RELEASED, RELEASED_HISTORY
from ion_pipeline.warehouse.sql import identifier
from ion_pipeline.warehouse.tables import TableLike, ensure_tables

_CHANGES = f"{RAW}._ion_export_controlled"


def find_controlled(
    connection: duckdb.DuckDBPyConnection, references: References, tables: Iterable[TableLike], definition: str
) -> bool:
    """Bring `raw_controlled` up to the last load that was applied; does nothing if it is.

    Args:
        connection: The warehouse, open for writing.
        references: What hangs below what.
        tables: Every table of the catalog.
        definition: Digest of what is looked for: with another, all is found anew.

    Returns:
        Whether it was looked for.
    """
    catalog = {table.name: table for table in tables}
    ensure_tables(connection, catalog.values())
    _ensure(connection, references)
    newest = load_log.last(connection)
    last = (newest.load_id, newest.loaded_at) if newest else None
    if last is None or _is_done(connection, last, definition):
        return False
    with transaction(connection):
        found = _Search(connection, references, catalog).run()
        for name in sorted(references.tables):
            earlier = _replace(connection, catalog[name], is_found=name in found)
            if earlier is not None:
                connection.execute(f"insert into {_CHANGES} values (?, ?, ?, ?, ?)", [*last, definition, name, earlier])
        connection.execute(f"insert into {_CHANGES} values (?, ?, ?, null, null)", [*last, definition])
        for name in {*found, ENTITIES}:
            connection.execute(f"drop table if exists {_found(name)}")
    return True


def _key_columns(table: TableLike) -> tuple[str, str | None]:
    """SQL of a row's `id` and `row_key`, the table being called `rows`; no `row_key` where the id is the whole key."""
    types = {column.name: column.arrow_type for column in table.columns}
    first, *more = table.key
    parts = ", ".join(f"coalesce(cast(rows.{identifier(name)} as varchar), '')" for name in table.key)
    text = f"concat_ws(chr(31), {parts})"
    if not pa.types.is_integer(types[first]):
        return "cast(null as bigint)", text
    return f"rows.{identifier(first)}", text if more else None


def release(connection: duckdb.DuckDBPyConnection, references: References, tables: Iterable[TableLike]) -> None:
    """Make the views anew, after `find_controlled`: what they leave out follows `raw_controlled` by itself."""
    with transaction(connection):
        connection.execute(f"create schema if not exists {RELEASED}; create schema if not exists {RELEASED_HISTORY}")
        for table in tables:
            for source, target in ((RAW, RELEASED), (HISTORY, RELEASED_HISTORY)):
                query = _query(source, table, references)
                connection.execute(f"create or replace view {identifier(target, table.name)} as {query}")
        for name, query in load_log.released():
            connection.execute(f"create or replace view {identifier(RELEASED, name)} as {query}")


def left_out_since(connection: duckdb.DuckDBPyConnection) -> str | None:
    """The last load after which rows that had been there before were found to be controlled; None if there is none.

    What was published before that may hold them, though controlled rows were left out.
    """
    row = connection.execute(f"select max(load_id) from {_CHANGES} where has_earlier_rows").fetchone()
    return row[0] if row else None


def controlled_changed_since(connection: duckdb.DuckDBPyConnection, load_id: str) -> frozenset[str]:
    """Tables whose controlled rows are others than they were as of a load."""
    rows = connection.execute(
        f"select distinct table_name from {_CHANGES} where load_id > ? and table_name is not null", [load_id]
    ).fetchall()
    return frozenset(name for (name,) in rows)


def _replace(connection: duckdb.DuckDBPyConnection, table: TableLike, *, is_found: bool) -> bool | None:
    """Keep what was found of a table; whether what is new to it is older than the last load, None without news."""
    kept = identifier(CONTROLLED, table.name)
    found = f"(select id, row_key from {_found(table.name) if is_found else f'{kept} limit 0'})"
    came, went = f"(from {found} except from {kept})", f"(from {kept} except from {found})"
    if not connection.execute(f"select 1 from ({came} union all {went}) limit 1").fetchone():
        return None
    row_id, row_key = _key_columns(table)
    same = f"came.id is not distinct from {row_id} and came.row_key is not distinct from {row_key or 'null'}"
    earlier = connection.execute(
        f"select 1 from {identifier(HISTORY, table.name)} as rows inner join {came} as came on {same} "
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


def _found(table: str) -> str:
    return identifier(f"_controlled_{table}")


def _query(schema: str, table: TableLike, references: References) -> str:
    emptied = [_emptied(one) for one in references.weak if one.table == table.name]
    columns = f"rows.* replace ({', '.join(emptied)})" if emptied else "rows.*"
    query = f"select {columns} from {identifier(schema, table.name)} as rows"
    if table.name not in references.tables:
        return query
    row_id, row_key = _key_columns(table)
    same = f"left_out.id is not distinct from {row_id}"
    if row_key is None:
        same = f"left_out.id = {row_id}"
    else:
        same += f" and left_out.row_key = {row_key}"
    return f"{query} where not exists (select 1 from {identifier(CONTROLLED, table.name)} as left_out where {same})"


def _emptied(one: WeakReference) -> str:
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


class _Search:
    """Rounds of a search: each looks at what refers to what the one before it found."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, references: References, catalog: Mapping[str, TableLike]
    ) -> None:
        self._connection = connection
        self._references = references
        self._catalog = catalog
        self._tables: set[str] = set()
        self._round = 0

    def run(self) -> frozenset[str]:
        """Find all; gives the tables with such rows. What was found is in temporary tables, see `_found`."""
        fresh = {name for name in self._references.roots if self._add(name, _flagged(self._catalog[name]))}
        while fresh:
            fresh |= self._handles(fresh)
            self._round += 1
            fresh = {
                one.table
                for one in self._references.strong
                if one.target in fresh and self._add(one.table, self._below(one))
            }
        return frozenset(self._tables - {ENTITIES})

    def _handles(self, fresh: Collection[str]) -> set[str]:
        """Take up the handles of what a round brought."""
        taken = False
        for table in self._references.handles:
            if table in fresh:
                handle = self._as_id(table, "entity_id")
                new = f"select id from {_found(table)} where round = {self._round}"
                taken |= self._add(
                    ENTITIES,
                    f"select {handle} as id, cast(null as varchar) as row_key "
                    f"from {identifier(HISTORY, table)} as rows where rows.id in ({new})",
                )
        return {ENTITIES} if taken else set()

    def _as_id(self, table: str, column: str) -> str:
        """SQL of a column as a number: some links hold ids as text, some handles are fractions."""
        types = {one.name: one.arrow_type for one in self._catalog[table].columns}
        name = f"rows.{identifier(column)}"
        return name if pa.types.is_int64(types[column]) else f"try_cast({name} as bigint)"

    def _add(self, table: str, rows: str) -> bool:
        """Keep what is new of a query of ids and keys; whether there was any."""
        if table not in self._tables:
            if not self._connection.execute(f"select 1 from ({rows}) limit 1").fetchone():
                return False
            self._connection.execute(
                f"create or replace temp table {_found(table)} (id bigint, row_key varchar, round integer)"
            )
            self._tables.add(table)
        ((count,),) = self._connection.execute(
            f"insert into {_found(table)} select id, row_key, {self._round} from "
            f"(({rows}) except select id, row_key from {_found(table)})"
        ).fetchall()
        return bool(count)

    def _below(self, one: Reference) -> str:
        above = f"select id from {_found(one.target)} where round = {self._round - 1}"
        column = self._as_id(one.via, one.column)
        if one.lookup:
            lookup = one.lookup
            above = (
                f"select {identifier(lookup.to_column)} from {identifier(HISTORY, lookup.table)} "
                f"where {identifier(lookup.from_column)} in ({above})"
            )
        row_id, row_key = _key_columns(self._catalog[one.table])
        if one.own:
            row_id, row_key = f"rows.{identifier(one.own)}", None
        return (
            f"select {row_id} as id, {row_key or 'cast(null as varchar)'} as row_key "
            f"from {identifier(HISTORY, one.via)} as rows where {column} in ({above})"
        )


def _flagged(table: TableLike) -> str:
    """Rows whose latest version has the flag, whether they are still there or not."""
    row_id, row_key = _key_columns(table)
    keys = f"{row_id} as id, {row_key or 'cast(null as varchar)'} as row_key"
    name = identifier(HISTORY, table.name)
    return (
        f"select id, row_key from (select {keys}, rows.{identifier(FLAG)} as flag, rows.valid_from from {name} as rows "
        f"where {row_id} in (select {row_id} from {name} as rows where rows.{identifier(FLAG)})) "
        "group by id, row_key having arg_max(flag, valid_from)"
    )
