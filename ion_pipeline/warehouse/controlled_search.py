"""The search for rows under export control: over all rows, or from what new row versions add to the last search.

It starts with the rows whose latest version has the flag. A row that refers to a controlled row is controlled too, over
any number of steps. The references of all versions of a row count: a line that was uninstalled since still named a
controlled unit. So new versions can only add rows, unless one of them takes a flag away.
"""
# ruff: noqa: S608 -- names come from the catalog and are quoted

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import duckdb
import pyarrow as pa

from ion_pipeline.catalog.references import ENTITIES, FLAG, Reference, References
from ion_pipeline.warehouse.schemas import CONTROLLED, HISTORY
from ion_pipeline.warehouse.sql import identifier, literal
from ion_pipeline.warehouse.tables import TableLike


@dataclass(frozen=True, slots=True)
class NewVersions:
    """The row versions that loads added since the last search.

    Attributes:
        tables: The tables in which they are.
        since: The earliest `valid_from` of them.
    """

    tables: Collection[str]
    since: datetime

    @property
    def condition(self) -> str:
        """SQL of whether a version of the table alias `rows` is one of them."""
        return f"rows.valid_from >= timestamptz {literal(self.since.isoformat())}"


def key_columns(table: TableLike) -> tuple[str, str | None]:
    """SQL of `id` and `row_key` of a row of the table alias `rows`; `row_key` is None if the id is the whole key."""
    types = {column.name: column.arrow_type for column in table.columns}
    first, *more = table.key
    parts = ", ".join(f"coalesce(cast(rows.{identifier(name)} as varchar), '')" for name in table.key)
    text = f"concat_ws(chr(31), {parts})"
    if not pa.types.is_integer(types[first]):
        return "cast(null as bigint)", text
    return f"rows.{identifier(first)}", text if more else None


def found_rows(table: str) -> str:
    """The temporary table in which a search stores the keys of the controlled rows of a table."""
    return identifier(f"_controlled_{table}")


class Search:
    """A breadth-first search: each round finds the rows that refer to rows of the round before."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, references: References, catalog: Mapping[str, TableLike]
    ) -> None:
        self._connection = connection
        self._references = references
        self._catalog = catalog
        self._tables: set[str] = set()
        self._round = 0
        self._extends = False

    def run(self) -> frozenset[str]:
        """Search all rows; return the tables with controlled rows. `found_rows` names their keys."""
        return self._closed({name for name in self._references.roots if self._add(name, _flagged(self._catalog[name]))})

    def extend(self, new: NewVersions) -> frozenset[str] | None:
        """Add to the rows of the last search, which `raw_controlled` holds, those that new versions lead to.

        Returns:
            The tables to which rows may have been added; None if a row may have to leave, which only `run` finds out.
        """
        if self._loses_flag(new) or self._changes_handle(new):
            return None
        self._extends, self._round = True, 1
        found = {
            name
            for name in self._references.roots
            if name in new.tables and self._add(name, _flagged(self._catalog[name]))
        }
        for one in self._references.strong:
            is_looked_up = one.lookup is not None and one.lookup.table in new.tables
            if is_looked_up or one.via in new.tables:
                rows = self._referring(one, self._controlled_before(one.target))
                if self._add(one.table, rows if is_looked_up else f"{rows} and {new.condition}"):
                    found.add(one.table)
        return self._closed(found)

    def _closed(self, found: set[str]) -> frozenset[str]:
        """Search from the rows of this round, in these tables, until a round finds nothing; return all tables."""
        while found:
            found |= self._add_handles(found)
            self._round += 1
            found = {
                one.table
                for one in self._references.strong
                if one.target in found and self._add(one.table, self._referring(one, self._last_round(one.target)))
            }
        return frozenset(self._tables - {ENTITIES})

    def _loses_flag(self, new: NewVersions) -> bool:
        """Whether a new version of a row that has had the flag lacks it."""
        return any(
            self._any(
                f"select 1 from {identifier(HISTORY, name)} as rows where {new.condition} "
                f"and rows.{identifier(FLAG)} is distinct from true "
                f"and rows.id in (select id from {identifier(HISTORY, name)} where {identifier(FLAG)})"
            )
            for name in self._references.roots
            if name in new.tables
        )

    def _changes_handle(self, new: NewVersions) -> bool:
        """Whether a controlled row has a handle that it has not had before: rows of any age may refer to that."""
        return any(
            self._any(
                f"select 1 from {identifier(HISTORY, name)} as rows where {new.condition} "
                f"and rows.id in (select id from {identifier(CONTROLLED, name)}) and rows.entity_id is not null "
                f"and not exists (select 1 from {identifier(HISTORY, name)} as earlier where earlier.id = rows.id "
                "and earlier.entity_id = rows.entity_id and earlier.valid_from < rows.valid_from)"
            )
            for name in self._references.handles
            if name in new.tables and name in self._references.tables
        )

    def _any(self, sql: str) -> bool:
        return self._connection.execute(f"{sql} limit 1").fetchone() is not None

    def _controlled_before(self, target: str) -> str:
        """SQL of the ids of the controlled rows of the last search; of their handles if the target is `ENTITIES`."""
        if target != ENTITIES:
            return f"select id from {identifier(CONTROLLED, target)}"
        return " union all ".join(
            f"select {self._as_id(table, 'entity_id')} from {identifier(HISTORY, table)} as rows "
            f"where rows.id in (select id from {identifier(CONTROLLED, table)})"
            for table in self._references.handles
            if table in self._references.tables
        )

    def _last_round(self, target: str) -> str:
        """SQL of the ids that the round before has found."""
        return f"select id from {found_rows(target)} where round = {self._round - 1}"

    def _add_handles(self, found: Collection[str]) -> set[str]:
        """Add the entity handles of the rows that the last round found in these tables."""
        added = False
        for table in self._references.handles:
            if table in found:
                handle = self._as_id(table, "entity_id")
                new = f"select id from {found_rows(table)} where round = {self._round}"
                added |= self._add(
                    ENTITIES,
                    f"select {handle} as id, cast(null as varchar) as row_key "
                    f"from {identifier(HISTORY, table)} as rows where rows.id in ({new})",
                )
        return {ENTITIES} if added else set()

    def _as_id(self, table: str, column: str) -> str:
        """SQL of a column as a bigint: some links hold ids as text, and some handles are floating-point numbers."""
        types = {one.name: one.arrow_type for one in self._catalog[table].columns}
        name = f"rows.{identifier(column)}"
        return name if pa.types.is_int64(types[column]) else f"try_cast({name} as bigint)"

    def _add(self, table: str, rows: str) -> bool:
        """Store the new rows of a query of ids and keys; return whether there were any."""
        if table not in self._tables:
            if not self._any(f"select 1 from ({rows})"):
                return False
            self._connection.execute(
                f"create or replace temp table {found_rows(table)} (id bigint, row_key varchar, round integer)"
            )
            if self._extends and table != ENTITIES:
                self._connection.execute(
                    f"insert into {found_rows(table)} select id, row_key, 0 from {identifier(CONTROLLED, table)}"
                )
            self._tables.add(table)
        ((count,),) = self._connection.execute(
            f"insert into {found_rows(table)} select id, row_key, {self._round} from "
            f"(({rows}) except select id, row_key from {found_rows(table)})"
        ).fetchall()
        return bool(count)

    def _referring(self, one: Reference, controlled: str) -> str:
        """SQL of the keys of the rows that refer to rows with these ids."""
        column = self._as_id(one.via, one.column)
        if one.lookup:
            lookup = one.lookup
            controlled = (
                f"select {identifier(lookup.to_column)} from {identifier(HISTORY, lookup.table)} "
                f"where {identifier(lookup.from_column)} in ({controlled})"
            )
        row_id, row_key = key_columns(self._catalog[one.table])
        if one.own:
            row_id, row_key = f"rows.{identifier(one.own)}", None
        return (
            f"select {row_id} as id, {row_key or 'cast(null as varchar)'} as row_key "
            f"from {identifier(HISTORY, one.via)} as rows where {column} in ({controlled})"
        )


def _flagged(table: TableLike) -> str:
    """SQL of the keys of rows whose latest version has the flag; deleted rows count too."""
    row_id, row_key = key_columns(table)
    keys = f"{row_id} as id, {row_key or 'cast(null as varchar)'} as row_key"
    name = identifier(HISTORY, table.name)
    return (
        f"select id, row_key from (select {keys}, rows.{identifier(FLAG)} as flag, rows.valid_from from {name} as rows "
        f"where {row_id} in (select {row_id} from {name} as rows where rows.{identifier(FLAG)})) "
        "group by id, row_key having arg_max(flag, valid_from)"
    )
