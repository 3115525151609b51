"""Primary keys and indexes of the tables in PostgreSQL, as the data dictionary of the publish declares them.

A publish deletes and inserts rows, which keeps the indexes. Foreign keys would be checked for each inserted row, and
ION may refer to rows that it no longer has or does not show; so what a column refers to is said in its comment only.
"""
# ruff: noqa: S608 -- names come from the published file and are quoted

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb

from ion_pipeline.publish.names import schema_in_file
from ion_pipeline.warehouse.sql import identifier, identifiers, literal

#: A table with fewer rows is read as a whole as fast as through an index.
INDEXED_ROWS = 1_000
#: PostgreSQL's limit for a row of such an index is 2,704 bytes, of which other columns of the key need a part.
KEY_BYTES = 2_000
# People look up rows by these numbers, also by `parent_serial_number`.
_NUMBERS = ("part_number", "serial_number", "lot_number")


@dataclass(frozen=True, slots=True)
class Declared:
    """What the data dictionary declares about the tables of a publish.

    Attributes:
        keys: The columns that identify a row, by (schema, table).
        targets: The column that a column refers to, `schema.table.column`, by (schema, table, column).
    """

    keys: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    targets: Mapping[tuple[str, str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Indexed:
    """The indexes that a table should have.

    Attributes:
        key: Columns of the primary key; empty if there is none.
        columns: Columns with an index of their own, and its kind.
    """

    key: tuple[str, ...]
    columns: Mapping[str, str]


def declared(source: duckdb.DuckDBPyConnection, columns: Collection[str]) -> Declared:
    """Read the declarations from a published file.

    Args:
        source: The published file.
        columns: The columns of its table `ops.data_dictionary`; earlier versions and other files lack some or all.
    """
    if not {"key_number", "refers_to"} <= set(columns):
        return Declared()
    keys: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    targets = {}
    for schema, table, column, key_number, refers_to in source.execute(
        "select table_schema, table_name, column_name, key_number, refers_to from ops.data_dictionary "
        "where key_number is not null or refers_to is not null order by table_schema, table_name, key_number"
    ).fetchall():
        if key_number:
            keys[schema, table].append(column)
        if refers_to:
            targets[schema, table, column] = refers_to
    return Declared({table: tuple(names) for table, names in keys.items()}, targets)


def indexed(
    source: duckdb.DuckDBPyConnection, of: Declared, table: tuple[str, str], types: Mapping[str, str]
) -> Indexed:
    """Decide on the indexes of a table.

    Args:
        source: The published file.
        of: The declarations.
        table: Public schema and name of the table.
        types: PostgreSQL's types of its columns.
    """
    quoted = identifier(schema_in_file(table[0]), table[1])
    key = of.keys.get(table, ())
    texts = [name for name in key if types[name] == "text"]
    if texts and _longest(source, quoted, texts) > KEY_BYTES:
        key = ()
    candidates = {
        # A hash has the same size for a text of any length.
        name: "hash" if kind == "text" else "btree"
        for name, kind in types.items()
        if name not in key[:1] and ((*table, name) in of.targets or name.endswith(_NUMBERS))
    }
    if candidates and row_count(source, quoted) < INDEXED_ROWS:
        candidates = {}
    return Indexed(key, candidates)


@dataclass(frozen=True, slots=True)
class Keyed:
    """Tables of earlier publishes, before their rows are replaced.

    Attributes:
        now: They have the primary key that they should have.
        not_yet: They cannot have it in this publish: an index that is created also holds the rows that the same
            transaction has deleted, and one of these is too long for it.
    """

    now: frozenset[tuple[str, str]]
    not_yet: frozenset[tuple[str, str]]


def prepare_keys(cursor: Any, wanted: Mapping[tuple[str, str], Indexed]) -> Keyed:
    """Drop the primary keys that the new rows need not satisfy, and say which tables have theirs."""
    keyed = set()
    for table, name, columns, is_key in _existing(cursor):
        if is_key and table in wanted and columns != wanted[table].key:
            cursor.execute(f"alter table {identifier(*table)} drop constraint {identifier(name)}")
        elif is_key:
            keyed.add(table)
    too_early = set()
    for table, of in wanted.items():
        if of.key and table not in keyed:
            # By name, because the table of an earlier publish may lack the column.
            length = " + ".join(f"coalesce(octet_length(to_jsonb(t) ->> {literal(name)}), 0)" for name in of.key)
            cursor.execute(f"select coalesce(max({length}), 0) > {KEY_BYTES} from {identifier(*table)} as t")
            too_early |= {table} if cursor.fetchone()[0] else set()
    return Keyed(frozenset(keyed), frozenset(too_early))


def add_indexes(
    cursor: Any, wanted: Mapping[tuple[str, str], Indexed], without_key: Collection[tuple[str, str]]
) -> None:
    """Create the indexes that are missing; those that others have created count, and stay."""
    existing: defaultdict[tuple[str, str], set[tuple[str, bool]]] = defaultdict(set)
    for table, _, columns, is_key in _existing(cursor):
        existing[table].add((columns[0], is_key))
    for table, of in wanted.items():
        first = {column for column, _ in existing[table]}
        for column, kind in of.columns.items():
            if column not in first:
                cursor.execute(f"create index on {identifier(*table)} using {kind} ({identifier(column)})")
    # Last, for it needs a lock that readers wait for: a table that had no key keeps them waiting only until the commit.
    for table, of in wanted.items():
        if of.key and table not in without_key and not any(is_key for _, is_key in existing[table]):
            cursor.execute(f"alter table {identifier(*table)} add primary key ({identifiers(of.key)})")


def row_count(cursor: Any, quoted: str) -> int:
    """Rows of a table, in PostgreSQL or in the published file."""
    cursor.execute(f"select count(*) from {quoted}")
    [(rows,)] = cursor.fetchall()
    return int(rows)


def _longest(source: duckdb.DuckDBPyConnection, quoted: str, texts: Collection[str]) -> int:
    """Bytes of the longest key."""
    length = " + ".join(f"strlen({identifier(name)})" for name in texts)
    [(longest,)] = source.execute(f"select coalesce(max({length}), 0) from {quoted}").fetchall()
    return int(longest)


def _existing(cursor: Any) -> list[tuple[tuple[str, str], str, tuple[str, ...], bool]]:
    """Table, name and columns of each index on columns, and whether it is the primary key."""
    cursor.execute(
        "select n.nspname, c.relname, x.relname, i.indisprimary, (select array_agg(a.attname::text order by k.place) "
        "from unnest(i.indkey) with ordinality as k (number, place) "
        "join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number) "
        "from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid "
        "join pg_namespace n on n.oid = c.relnamespace "
        "where i.indisvalid and i.indpred is null and i.indexprs is null "
        "and n.nspname not in ('pg_catalog', 'pg_toast')"
    )
    return [
        ((schema, table), name, tuple(columns), is_key) for schema, table, name, is_key, columns in cursor.fetchall()
    ]
