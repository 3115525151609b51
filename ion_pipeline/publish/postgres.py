"""Sends a publish to PostgreSQL, for tools that need a server.

All tables change in one transaction. Readers see the previous publish until the transaction commits, and never wait,
because rows are deleted and inserted rather than tables replaced. This also keeps views, grants and indexes. A table
with the same rows is left alone, and where there is a primary key, only rows that differ are replaced: each row costs
as much again for each index. Only tables that ion-pipeline created are changed; the schema `ion_pipeline` records
which. The client is ADBC, which sends columns by COPY.
"""
# ruff: noqa: S608 -- names come from the published file and are quoted

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import duckdb

from ion_pipeline.counting import OnCount, counted, unheard
from ion_pipeline.errors import SettingsError
from ion_pipeline.publish.errors import MissingDriverError, PublishError
from ion_pipeline.publish.names import public_schema, schema_in_file
from ion_pipeline.publish.postgres_comments import existing_comments, write_comments
from ion_pipeline.publish.postgres_functions import write_functions
from ion_pipeline.publish.postgres_keys import Indexed, add_indexes, declared, indexed, prepare_keys, row_count
from ion_pipeline.publish.swap import DATABASE
from ion_pipeline.publish.upload import SendReport, check_target, current_publish, redacted
from ion_pipeline.warehouse import FINGERPRINT
from ion_pipeline.warehouse.connection import Resources, connect
from ion_pipeline.warehouse.sql import identifier, identifiers, literal

_PUBLISHED_TABLES = '"ion_pipeline"."published_tables"'
_TYPES = {
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "double precision",
    "INTEGER": "integer",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "VARCHAR": "text",
}
_BATCH_ROWS = 50_000
_CONNECT_SECONDS = 10
# libpq's messages about a malformed URI, before it connects to a server.
_MALFORMED = re.compile(r"(invalid (integer value|port number|URI|percent|\w+ value)|matching \"\]\" in IPv6).*")


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    source: str
    comment: str | None

    @property
    def type(self) -> str:
        """PostgreSQL's type of the column; jsonb if it has no equivalent type."""
        element, dimensions = re.subn(r"\[\]$", "", self.source)
        if element in _TYPES:
            return _TYPES[element] + "[]" * dimensions
        return "numeric" if self.source == "HUGEINT" or self.source.startswith("DECIMAL") else "jsonb"

    @property
    def selected(self) -> str:
        """SQL that reads the column in a form that COPY accepts."""
        name = identifier(self.name)
        if self.type == "jsonb":
            return f"to_json({name})::varchar as {name}"
        return f"{name}::varchar as {name}" if self.type == "numeric" else name

    @property
    def is_cast(self) -> bool:
        return self.type in {"jsonb", "numeric"}


@dataclass(frozen=True, slots=True)
class _Table:
    schema: str
    name: str
    comment: str | None
    columns: tuple[_Column, ...]
    indexed: Indexed

    @property
    def quoted(self) -> str:
        return identifier(self.schema, self.name)

    @property
    def source(self) -> str:
        """Quoted name in the published file."""
        return identifier(schema_in_file(self.schema), self.name)


def send_to_postgres(
    published_dir: Path, uri: str, *, resources: Resources | None = None, on_count: OnCount = unheard
) -> SendReport:
    """Replace the tables in a PostgreSQL database by those of the current publish.

    Args:
        published_dir: The folder of the published files.
        uri: `postgresql://user@host/database`; the password comes from PGPASSWORD or a password file.
        resources: Memory and threads for reading the published file.
        on_count: Called before each table.

    Returns:
        What was sent; `files` is the number of tables.

    Raises:
        SettingsError: The URI holds a password, or PostgreSQL's client cannot parse it.
        MissingDriverError: The driver is not installed.
        PublishError: Nothing is published, a table of that name was created by others, or PostgreSQL reports an error;
            nothing was changed.
    """
    check_target(uri)
    publish_id, _ = current_publish(published_dir)
    dbapi, driver_error = _driver()
    try:
        with (
            connect(published_dir / DATABASE, resources, read_only=True) as source,
            dbapi.connect(_with_connect_timeout(uri)) as target,
            target.cursor() as cursor,
        ):
            tables = _tables(source)
            created = _created_tables(cursor)
            content = {table.quoted: _content(source, table) for table in tables}
            by_name = {(table.schema, table.name): table for table in tables}
            wanted = {one: table.indexed for one, table in by_name.items()}
            keyed = prepare_keys(
                cursor, {(table.schema, table.name): table.indexed for table in tables if table.quoted in created}
            )
            comments = existing_comments(cursor)
            work = [
                1 + row_count(source, one.source) * (created.get(one.quoted) != content[one.quoted]) for one in tables
            ]
            for table in counted(tables, on_count, unit="tables", name=attrgetter("name"), work=work):
                has_key = (table.schema, table.name) in keyed.now
                before = created.get(table.quoted)
                is_same = before == content[table.quoted]
                _send(source, cursor, table, before is not None, is_same=is_same, has_key=has_key, comments=comments)
            for outdated in created.keys() - content.keys():
                cursor.execute(f"drop table if exists {outdated}")
            add_indexes(cursor, wanted, keyed.not_yet)
            types = {one: [(column.name, column.type) for column in table.columns] for one, table in by_name.items()}
            write_functions(cursor, types)
            _record(cursor, tables, publish_id, content)
            target.commit()
    except driver_error as error:
        raise _translated(uri, error) from error
    return SendReport(redacted(uri), publish_id, len(tables), 0)


def check_postgres(uri: str) -> None:
    """Check, before a publish, that it can be sent.

    Args:
        uri: As for `send_to_postgres`.

    Raises:
        SettingsError, MissingDriverError: With these settings, a publish can never be sent there.
        PublishError: The server does not answer or refuses the connection at the moment.
    """
    check_target(uri)
    dbapi, driver_error = _driver()
    try:
        with dbapi.connect(_with_connect_timeout(uri)) as target, target.cursor() as cursor:
            cursor.execute("select 1")
    except driver_error as error:
        raise _translated(uri, error) from error


def _with_connect_timeout(uri: str) -> str:
    """The URI with a connect timeout, which libpq does not have by default."""
    parts = urlsplit(uri)
    if "connect_timeout" in dict(parse_qsl(parts.query, keep_blank_values=True)) or "PGCONNECT_TIMEOUT" in os.environ:
        return uri
    return f"{uri}{'&' if parts.query else '' if uri.endswith('?') else '?'}connect_timeout={_CONNECT_SECONDS}"


def _driver() -> tuple[Any, type[Exception]]:
    """ADBC's client for PostgreSQL and the error that it raises; imported here because the driver is optional."""
    try:
        dbapi = import_module("adbc_driver_postgresql.dbapi")
        manager = import_module("adbc_driver_manager")
    except ImportError as error:
        raise MissingDriverError(
            "The driver for PostgreSQL is not installed.", remedy="pip install 'ion-pipeline[postgres]'"
        ) from error
    return dbapi, manager.Error


def _translated(uri: str, error: Exception) -> PublishError | SettingsError:
    if malformed := _MALFORMED.search(str(error)):
        return SettingsError(
            f"The target {redacted(uri)} cannot be used: {malformed[0]}.",
            remedy="Write it as postgresql://user@host:port/database?option=value.",
        )
    return PublishError(
        f"PostgreSQL at {redacted(uri)} reports an error: {' '.join(str(error).split())}",
        remedy="Nothing was changed there. Check the address, PGPASSWORD, the user's privileges, and the objects that "
        "depend on a table named in the message.",
    )


def _tables(source: duckdb.DuckDBPyConnection) -> list[_Table]:
    columns: dict[tuple[str, str], list[tuple[str, str, str | None]]] = {}
    for schema, table, *column in source.execute(
        "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() where not internal "
        "order by schema_name, table_name, column_index"
    ).fetchall():
        columns.setdefault((schema, table), []).append((column[0], column[1], column[2]))
    of = declared(source, [name for name, *_ in columns.get(("ops", "data_dictionary"), [])])
    tables = []
    for schema, name, comment in source.execute(
        "select schema_name, table_name, comment from duckdb_tables() order by all"
    ).fetchall():
        table = (public_schema(schema), name)
        described = tuple(
            _Column(column, data_type, _with_target(said, of.targets.get((*table, column))))
            for column, data_type, said in columns[schema, name]
        )
        indexes = indexed(source, of, table, {column.name: column.type for column in described})
        tables.append(_Table(*table, comment, described, indexes))
    return tables


def _with_target(comment: str | None, target: str | None) -> str | None:
    return f"{comment or ''} Refers to {target}.".lstrip() if target else comment


def _content(source: duckdb.DuckDBPyConnection, table: _Table) -> str:
    """Equal contents mean equal rows."""
    [(rows, hash_sum)] = source.execute(f"select {FINGERPRINT} from {table.source} as t").fetchall()
    return f"{rows} {hash_sum} {duckdb.__version__}"


def _created_tables(cursor: Any) -> dict[str, str]:
    """The tables that earlier publishes created, quoted, and their content; an earlier version has not recorded it.

    Locks the list: only one process sends at a time.
    """
    cursor.execute("create schema if not exists ion_pipeline")
    cursor.execute(
        f"create table if not exists {_PUBLISHED_TABLES} "
        "(table_schema text, table_name text, publish_id text, published_at timestamptz, content text)"
    )
    cursor.execute(f"lock table {_PUBLISHED_TABLES} in exclusive mode")
    cursor.execute(
        f"select 1 from pg_attribute where attrelid = {literal(_PUBLISHED_TABLES)}::regclass and attname = 'content'"
    )
    if cursor.fetchone() is None:
        cursor.execute(f"alter table {_PUBLISHED_TABLES} add column content text")
    cursor.execute(f"select table_schema, table_name, content from {_PUBLISHED_TABLES}")
    return {identifier(schema, table): content or "" for schema, table, content in cursor.fetchall()}


def _send(
    source: duckdb.DuckDBPyConnection,
    cursor: Any,
    table: _Table,
    is_created_here: bool,
    *,
    is_same: bool,
    has_key: bool,
    comments: set[tuple[str, str]],
) -> None:
    existing = _existing_columns(cursor, table)
    if existing and not is_created_here:
        raise PublishError(
            f"PostgreSQL already has a table {table.quoted} that ion-pipeline did not create.",
            remedy="Publish to a separate database, or rename that table. Nothing was changed.",
        )
    if existing == [(column.name, column.type) for column in table.columns]:
        # Counted, because rows may have been deleted there by hand.
        is_same = is_same and row_count(cursor, table.quoted) == row_count(source, table.source)
        if not has_key and not is_same:
            cursor.execute(f"delete from {table.quoted}")
    else:
        is_same = has_key = False
        comments = set()
        cursor.execute(f"create schema if not exists {identifier(table.schema)}")
        cursor.execute(f"drop table if exists {table.quoted}")
        columns = ", ".join(f"{identifier(column.name)} {column.type}" for column in table.columns)
        cursor.execute(f"create table {table.quoted} ({columns})")
    places = {f"column {table.quoted}.{identifier(column.name)}": column.comment for column in table.columns}
    write_comments(cursor, {f"table {table.quoted}": table.comment, **places}, comments)
    if is_same:
        return
    if has_key:
        _replace_what_differs(source, cursor, table)
    else:
        _fill(source, cursor, table, table.name, table.schema)


def _replace_what_differs(source: duckdb.DuckDBPyConnection, cursor: Any, table: _Table) -> None:
    cursor.execute(f"create temporary table ion_rows (like {table.quoted})")
    _fill(source, cursor, table, "ion_rows", None)
    cursor.execute("analyze pg_temp.ion_rows")
    same_key = " and ".join(f"new.{identifier(name)} = old.{identifier(name)}" for name in table.indexed.key)
    cursor.execute(
        f"delete from {table.quoted} as old where not exists (select from pg_temp.ion_rows as new "
        f"where {same_key} and row(new.*) is not distinct from row(old.*))"
    )
    cursor.execute(
        f"insert into {table.quoted} select new.* from pg_temp.ion_rows as new "
        f"where not exists (select from {table.quoted} as old where {same_key})"
    )
    cursor.execute("drop table pg_temp.ion_rows")


def _fill(source: duckdb.DuckDBPyConnection, cursor: Any, table: _Table, target: str, schema: str | None) -> None:
    """Insert all rows into a table of PostgreSQL; a temporary one, if no schema is given."""
    selected = ", ".join(column.selected for column in table.columns)
    reader = source.sql(f"select {selected} from {table.source}").to_arrow_reader(_BATCH_ROWS)
    if not any(column.is_cast for column in table.columns):
        cursor.adbc_ingest(target, reader, mode="append", db_schema_name=schema, temporary=schema is None)
        return
    cursor.adbc_ingest("ion_incoming", reader, mode="create", temporary=True)
    names = identifiers(column.name for column in table.columns)
    values = ", ".join(
        f"{identifier(column.name)}::{column.type}" if column.is_cast else identifier(column.name)
        for column in table.columns
    )
    into = identifier(schema or "pg_temp", target)
    cursor.execute(f"insert into {into} ({names}) select {values} from pg_temp.ion_incoming")
    cursor.execute("drop table pg_temp.ion_incoming")


def _existing_columns(cursor: Any, table: _Table) -> list[tuple[str, str]]:
    cursor.execute(
        "select a.attname, format_type(a.atttypid, a.atttypmod) "
        "from pg_attribute a join pg_class c on c.oid = a.attrelid "
        "join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped order by a.attnum",
        parameters=(table.schema, table.name),
    )
    return [(name, kind.replace("timestamp with time zone", "timestamptz")) for name, kind in cursor.fetchall()]


def _record(cursor: Any, tables: Sequence[_Table], publish_id: str, content: Mapping[str, str]) -> None:
    cursor.execute(f"delete from {_PUBLISHED_TABLES}")
    for table in tables:
        cursor.execute(
            f"insert into {_PUBLISHED_TABLES} (table_schema, table_name, publish_id, published_at, content) "
            "values ($1, $2, $3, now(), $4)",
            parameters=(table.schema, table.name, publish_id, content[table.quoted]),
        )
