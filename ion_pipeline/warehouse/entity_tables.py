"""The published tables of ION's entities and lists, as queries on the warehouse.

No model exists for these tables: the query of each follows from the catalog, so an adopted field or entity has its
column or table without further work. A publish executes the queries.
"""
# ruff: noqa: S608 -- names come from the catalog and are quoted

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from ion_pipeline.catalog.catalog import Catalog
from ion_pipeline.catalog.published import ATTRIBUTES, FLAG, PublishedColumn, PublishedTable, published_tables
from ion_pipeline.catalog.references import References
from ion_pipeline.warehouse.connection import transaction
from ion_pipeline.warehouse.export_control import CHANGES, is_controlled
from ion_pipeline.warehouse.load_log import LOAD_TABLES, LOADS
from ion_pipeline.warehouse.schemas import RAW, RELEASED
from ion_pipeline.warehouse.sql import duckdb_type, identifier, identifiers, literal

#: The table of `raw` with the columns of the entity tables.
COLUMNS = "_ion_entity_columns"
#: Name of the schema in the data dictionary, in PostgreSQL and as a folder of Parquet files.
ENTITY_SCHEMA = "ion"
_UNREAD = (
    "Empty, because no load has read it: the tenant does not have it, the API key may not read it, or it is not "
    "selected (ION_ENTITIES)."
)
_FLAG_DESCRIPTION = "Whether it is under export control, itself or through a record it belongs to (docs/security.md)."


@dataclass(frozen=True, slots=True)
class EntityColumn:
    """A column of an entity table.

    Attributes:
        name: Name of the column.
        type: Its type in DuckDB.
        description: What it holds.
        key_number: Its position in the key that identifies a row, from 1; None if it is no part of it.
        refers_to: The column whose value it holds, `schema.table.column`; None if it holds no key of another row.
    """

    name: str
    type: str
    description: str
    key_number: int | None = None
    refers_to: str | None = None


@dataclass(frozen=True, slots=True)
class EntityTable:
    """A published table of an entity or list.

    Attributes:
        name: Name of the table.
        description: Begins with what one row is.
        columns: Its columns.
        query: A query on the warehouse, with two-part names.
        order: The columns by which its rows are ordered.
        source: The table or view that has its rows.
        reads: Every table of `raw` that the query reads.
        controlled: The tables whose controlled rows change the result.
    """

    name: str
    description: str
    columns: tuple[EntityColumn, ...]
    query: str
    order: str
    source: str
    reads: frozenset[str]
    controlled: frozenset[str]

    @property
    def key_place(self) -> int:
        """The place of the first column of the key among the columns."""
        return next(place for place, column in enumerate(self.columns) if column.key_number == 1)


@dataclass(frozen=True, slots=True)
class EntityState:
    """What an entity table holds at the moment.

    Attributes:
        digest: Equal digests mean equal contents and comments.
        description: The table's description; it says so if the entity was never read.
    """

    digest: str
    description: str


def entity_tables(catalog: Catalog, references: References, *, released: bool = False) -> tuple[EntityTable, ...]:
    """The entity tables of a catalog.

    Args:
        catalog: The entities and lists.
        references: Say which tables may hold controlled rows.
        released: Whether the controlled rows are left out, as in the models.
    """
    schema = RELEASED if released else RAW
    tables = {table.name: table for table in published_tables(catalog)}
    return tuple(_entity_table(table, catalog, references, schema, tables) for table in tables.values())


def states(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[EntityTable], *, catalog: str
) -> dict[str, EntityState]:
    """The state of each entity table, by name.

    Args:
        connection: A connection that the warehouse is attached to.
        tables: The tables.
        catalog: The alias that it is attached under.
    """
    log, loads = identifier(catalog, RAW, LOAD_TABLES), identifier(catalog, RAW, LOADS)
    # A rebuild applies the loads again: the time at which a load was applied is a part of the state.
    changes = _by_table(
        connection,
        "max(load_id), arg_max(loads.loaded_at, load_id)",
        f"{log} inner join {loads} as loads using (load_id) "
        "where rows_inserted + rows_updated + rows_deleted is distinct from 0",
    )
    # Each change of the controlled rows of a table adds a row.
    searches = _by_table(
        connection, "count(*), max(load_id), max(loaded_at)", f"{identifier(catalog, RAW, CHANGES)} where true"
    )
    read = {name for (name,) in connection.execute(f"select distinct table_name from {log}").fetchall()}
    return {table.name: _state(table, changes, searches, is_read=table.name in read) for table in tables}


def record_columns(connection: duckdb.DuckDBPyConnection, tables: Sequence[EntityTable]) -> None:
    """Write the columns of the entity tables to `raw`, for the data dictionary; do nothing if they are there.

    Args:
        connection: The warehouse, open for writing.
        tables: The entity tables.
    """
    digest = columns_digest(tables)
    is_there = connection.execute(
        "select 1 from duckdb_tables() where database_name = current_database() and schema_name = ? "
        "and table_name = ? and comment = ?",
        [RAW, COLUMNS, digest],
    ).fetchone()
    if is_there:
        return
    rows = [
        {
            "table_schema": ENTITY_SCHEMA,
            "table_name": table.name,
            "column_number": number,
            "column_name": column.name,
            "data_type": column.type.lower(),
            "is_never_null": column.name == FLAG,
            "key_number": column.key_number,
            "refers_to": column.refers_to,
            "column_description": " ".join(column.description.split()),
            "table_description": table.description,
        }
        for table in tables
        for number, column in enumerate(table.columns, 1)
    ]
    columns = pa.Table.from_pylist(rows)
    connection.register("_entity_columns", columns)
    with transaction(connection):
        connection.execute(f"create or replace table {RAW}.{COLUMNS} as from _entity_columns")
        connection.execute(f"comment on table {RAW}.{COLUMNS} is {literal(digest)}")
    connection.unregister("_entity_columns")


def columns_digest(tables: Sequence[EntityTable]) -> str:
    """Digest of what the data dictionary says about the entity tables."""
    described = [(table.name, table.description, table.columns) for table in tables]
    return hashlib.sha256(repr(described).encode()).hexdigest()


def _by_table(connection: duckdb.DuckDBPyConnection, values: str, source: str) -> dict[str, tuple[object, ...]]:
    rows = connection.execute(
        f"select table_name, {values} from {source} and table_name is not null group by table_name"
    ).fetchall()
    return {name: tuple(found) for name, *found in rows}


def _state(
    table: EntityTable,
    changes: Mapping[str, tuple[object, ...]],
    searches: Mapping[str, tuple[object, ...]],
    *,
    is_read: bool,
) -> EntityState:
    description = table.description if is_read else f"{table.description} {_UNREAD}"
    inputs = (
        table.query,
        description,
        table.columns,
        [(name, changes.get(name)) for name in sorted(table.reads)],
        [(name, searches.get(name)) for name in sorted(table.controlled)],
    )
    return EntityState(hashlib.sha256(repr(inputs).encode()).hexdigest(), description)


def _entity_table(
    table: PublishedTable, catalog: Catalog, references: References, schema: str, tables: Mapping[str, PublishedTable]
) -> EntityTable:
    read = list(_columns(table, references, tables))
    columns = [column for column, _ in read]
    selected = [f"{value} as {identifier(column.name)}" for column, value in read]
    source = identifier(schema, table.name)
    joined = ""
    if table.attributes:
        described = f"Custom attributes as texts by their keys, without their types. As rows: ion.{table.attributes}."
        columns.append(EntityColumn(ATTRIBUTES, "MAP(VARCHAR, VARCHAR)", described))
        selected.append(f"custom.{ATTRIBUTES}")
        joined = f" left join ({_attributes(schema, table)}) as custom on rows.id = custom.owner_id"
    controlled = {one.target for one in references.weak if one.table == table.name} if schema == RELEASED else set()
    if table.name in references.tables:
        columns.append(EntityColumn(FLAG, "BOOLEAN", _FLAG_DESCRIPTION))
        selected.append(f"{is_controlled(catalog.tables[table.name])} as {FLAG}")
        controlled |= {table.name, table.attributes}
    return EntityTable(
        name=table.name,
        description=table.description,
        columns=tuple(columns),
        query=f"select {', '.join(selected)} from {source} as rows{joined}",
        order=identifiers(column.name for column in _key(table)),
        source=source,
        reads=frozenset({table.name, table.attributes} - {""}),
        controlled=frozenset(controlled - {""}),
    )


def _columns(
    table: PublishedTable, references: References, tables: Mapping[str, PublishedTable]
) -> Iterator[tuple[EntityColumn, str]]:
    """The columns and their values; after a list, the same as one text, for tools without lists."""
    key = [column.name for column in _key(table)]
    for column in table.columns:
        target = tables.get(references.keys.get((table.name, column.raw.name), ""))
        data_type, is_list = _type(column, target), pa.types.is_list(column.raw.arrow_type)
        value = f"rows.{identifier(column.raw.name)}"
        described = EntityColumn(
            column.name,
            data_type,
            f"{column.description} As text: {column.name}_text." if is_list else column.description,
            key_number=key.index(column.name) + 1 if column.name in key else None,
            refers_to=_referred(column, target),
        )
        as_read = data_type == duckdb_type(column.raw.arrow_type)
        yield described, value if as_read else f"try_cast({value} as {data_type.lower()})"
        if is_list:
            said = f"{column.name} as one text, separated by commas; null if there are none."
            as_text = f"nullif(array_to_string(cast({value} as varchar[]), ', '), '')"
            yield EntityColumn(f"{column.name}_text", "VARCHAR", said), as_text


def _key(table: PublishedTable) -> list[PublishedColumn]:
    """The columns that identify a row."""
    # Reversed: where two columns are read from one, the first is meant.
    columns = {column.raw.name: column for column in reversed(table.columns)}
    return [columns[name] for name in table.key]


def _type(column: PublishedColumn, target: PublishedTable | None) -> str:
    """The type of a column in DuckDB. A text with the id of a row has the type of that row's own id."""
    if column.is_text_instant:
        return "TIMESTAMP WITH TIME ZONE"
    key = _key(target) if target else []
    is_id = column.raw.graphql_type == "ID" and not pa.types.is_list(column.raw.arrow_type)
    return duckdb_type(key[0].raw.arrow_type if is_id and len(key) == 1 else column.raw.arrow_type)


def _referred(column: PublishedColumn, target: PublishedTable | None) -> str | None:
    """The column that another one refers to; None if it cannot be joined with it, as a list."""
    key = _key(target) if target else []
    if target and len(key) == 1 and duckdb_type(key[0].raw.arrow_type) == _type(column, target):
        return f"{ENTITY_SCHEMA}.{target.name}.{key[0].name}"
    return None


def _attributes(schema: str, table: PublishedTable) -> str:
    """One row per owner with its attributes as a map; the text of a value is that of `reference.attributes`."""
    owner = identifier(table.attributes_owner)
    # A number is not parsed: DuckDB's JSON functions convert it to a double, which has fewer digits than a text.
    text = (
        r"case when regexp_matches(value, '^\s*[-0-9\[{]') then regexp_replace(value, '^\s+|\s+$', '', 'g') "
        "else json_extract_string(value, '$') end"
    )
    return (
        f"select {owner} as owner_id, map(list(key order by key), list({text} order by key)) as {ATTRIBUTES} "
        f"from {identifier(schema, table.attributes)} group by {owner}"
    )
