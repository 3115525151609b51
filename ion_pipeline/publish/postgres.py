"""A publish into PostgreSQL, for tools that want a server.

All tables change in one transaction: readers see the publish before until it is whole, and never wait, because rows are
deleted and added rather than tables replaced. So views and grants of others stay. Only tables that were made here are
touched; which those are is written down in the schema `ion_pipeline`. The client is ADBC: whole columns, by COPY.
"""
# ruff: noqa: S608 -- names come from the published file and are quoted

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import duckdb

from ion_pipeline.errors import SettingsError
from ion_pipeline.publish.errors import MissingDriverError, PublishError
from ion_pipeline.publish.swap import DATABASE
from ion_pipeline.publish.upload import SendReport, check_target, current_publish, shown
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
# What libpq says of a URI, before it asks any server.
_MALFORMED = re.compile(r"(invalid (integer value|port number|URI|percent|\w+ value)|matching \"\]\" in IPv6).*")


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    source: str
    comment: str | None

    @property
    def type(self) -> str:
        """PostgreSQL's type; what it has no column for becomes JSON."""
        element, dimensions = re.subn(r"\[\]$", "", self.source)
        if element in _TYPES:
            return _TYPES[element] + "[]" * dimensions
        return "numeric" if self.source == "HUGEINT" or self.source.startswith("DECIMAL") else "jsonb"

    @property
    def selected(self) -> str:
        """What to read of it, so that COPY takes it."""
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

    @property
    def quoted(self) -> str:
        return identifier(self.schema, self.name)


def send_to_postgres(published_dir: Path, uri: str, *, resources: Resources | None = None) -> SendReport:
    """Make the public schemas of a PostgreSQL database what is published.

    Args:
        published_dir: Where it was published.
        uri: `postgresql://user@host/database`; the password comes from PGPASSWORD or a password file.
        resources: Memory and threads for reading the published file.

    Returns:
        What was sent; `files` counts tables.

    Raises:
        SettingsError: The URI holds a password, or is none that PostgreSQL's client takes.
        MissingDriverError: The driver is not installed.
        PublishError: Nothing is published, a table in the way is not ours, or PostgreSQL refuses; nothing was changed.
    """
    check_target(uri)
    publish_id, _ = current_publish(published_dir)
    dbapi, driver_error = _driver()
    try:
        with (
            connect(published_dir / DATABASE, resources, read_only=True) as source,
            dbapi.connect(_impatient(uri)) as target,
            target.cursor() as cursor,
        ):
            tables = _tables(source)
            ours = _ours(cursor)
            for table in tables:
                _send(source, cursor, table, table.quoted in ours)
            for gone in ours - {table.quoted for table in tables}:
                cursor.execute(f"drop table if exists {gone}")
            _note(cursor, tables, publish_id)
            target.commit()
    except driver_error as error:
        raise _refused(uri, error) from error
    return SendReport(shown(uri), publish_id, len(tables), 0)


def check_postgres(uri: str) -> None:
    """Find out what would keep a publish from being sent, before it is made.

    Args:
        uri: As for `send_to_postgres`.

    Raises:
        SettingsError, MissingDriverError: It can never be sent there.
        PublishError: The server does not answer, or refuses: now.
    """
    check_target(uri)
    dbapi, driver_error = _driver()
    try:
        with dbapi.connect(_impatient(uri)) as target, target.cursor() as cursor:
            cursor.execute("select 1")
    except driver_error as error:
        raise _refused(uri, error) from error


def _impatient(uri: str) -> str:
    """The URI, with an end to waiting for a server that says nothing; libpq has none of its own."""
    parts = urlsplit(uri)
    if "connect_timeout" in dict(parse_qsl(parts.query, keep_blank_values=True)) or "PGCONNECT_TIMEOUT" in os.environ:
        return uri
    return f"{uri}{'&' if parts.query else '' if uri.endswith('?') else '?'}connect_timeout={_CONNECT_SECONDS}"


def _driver() -> tuple[Any, type[Exception]]:
    """ADBC's client for PostgreSQL, and the error it raises. Only those who publish there have it installed."""
    try:
        dbapi = import_module("adbc_driver_postgresql.dbapi")
        manager = import_module("adbc_driver_manager")
    except ImportError as error:
        raise MissingDriverError(
            "The driver for PostgreSQL is not installed.", remedy="pip install 'ion-pipeline[postgres]'"
        ) from error
    return dbapi, manager.Error


def _refused(uri: str, error: Exception) -> PublishError | SettingsError:
    if malformed := _MALFORMED.search(str(error)):
        return SettingsError(
            f"The target {shown(uri)} is none that PostgreSQL's client takes: {malformed[0]}.",
            remedy="Write it as postgresql://user@host:port/database?option=value.",
        )
    return PublishError(
        f"PostgreSQL at {shown(uri)} refuses: {' '.join(str(error).split())}",
        remedy="Nothing was changed there. Check the address, PGPASSWORD, the user's rights, and what depends on "
        "the table that is named.",
    )


def _tables(source: duckdb.DuckDBPyConnection) -> list[_Table]:
    columns: dict[tuple[str, str], list[_Column]] = {}
    for schema, table, name, data_type, comment in source.execute(
        "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() where not internal "
        "order by schema_name, table_name, column_index"
    ).fetchall():
        columns.setdefault((schema, table), []).append(_Column(name, data_type, comment))
    return [
        _Table(schema, name, comment, tuple(columns[schema, name]))
        for schema, name, comment in source.execute(
            "select schema_name, table_name, comment from duckdb_tables() order by all"
        ).fetchall()
    ]


def _ours(cursor: Any) -> set[str]:
    """Tables made here before, quoted. The lock lets one publisher in at a time."""
    cursor.execute("create schema if not exists ion_pipeline")
    cursor.execute(
        f"create table if not exists {_PUBLISHED_TABLES} "
        "(table_schema text, table_name text, publish_id text, published_at timestamptz)"
    )
    cursor.execute(f"lock table {_PUBLISHED_TABLES} in exclusive mode")
    cursor.execute(f"select table_schema, table_name from {_PUBLISHED_TABLES}")
    return {identifier(schema, table) for schema, table in cursor.fetchall()}


def _send(source: duckdb.DuckDBPyConnection, cursor: Any, table: _Table, is_ours: bool) -> None:
    there = _columns_there(cursor, table)
    if there and not is_ours:
        raise PublishError(
            f"PostgreSQL already has a table {table.quoted} that was not made by ion-pipeline.",
            remedy="Publish to a database of its own, or move that table away. Nothing was changed.",
        )
    if there == [(column.name, column.type) for column in table.columns]:
        cursor.execute(f"delete from {table.quoted}")
    else:
        cursor.execute(f"create schema if not exists {identifier(table.schema)}")
        cursor.execute(f"drop table if exists {table.quoted}")
        columns = ", ".join(f"{identifier(column.name)} {column.type}" for column in table.columns)
        cursor.execute(f"create table {table.quoted} ({columns})")
    _comment(cursor, table)
    _fill(source, cursor, table)


def _fill(source: duckdb.DuckDBPyConnection, cursor: Any, table: _Table) -> None:
    selected = ", ".join(column.selected for column in table.columns)
    reader = source.sql(f"select {selected} from {table.quoted}").to_arrow_reader(_BATCH_ROWS)
    if not any(column.is_cast for column in table.columns):
        cursor.adbc_ingest(table.name, reader, mode="append", db_schema_name=table.schema)
        return
    cursor.adbc_ingest("ion_incoming", reader, mode="create", temporary=True)
    names = identifiers(column.name for column in table.columns)
    values = ", ".join(
        f"{identifier(column.name)}::{column.type}" if column.is_cast else identifier(column.name)
        for column in table.columns
    )
    cursor.execute(f"insert into {table.quoted} ({names}) select {values} from pg_temp.ion_incoming")
    cursor.execute("drop table pg_temp.ion_incoming")


def _columns_there(cursor: Any, table: _Table) -> list[tuple[str, str]]:
    cursor.execute(
        "select a.attname, format_type(a.atttypid, a.atttypmod) "
        "from pg_attribute a join pg_class c on c.oid = a.attrelid "
        "join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = $1 and c.relname = $2 and a.attnum > 0 and not a.attisdropped order by a.attnum",
        parameters=(table.schema, table.name),
    )
    return [(name, kind.replace("timestamp with time zone", "timestamptz")) for name, kind in cursor.fetchall()]


def _comment(cursor: Any, table: _Table) -> None:
    if table.comment:
        cursor.execute(f"comment on table {table.quoted} is {literal(table.comment)}")
    for column in table.columns:
        if column.comment:
            name = f"{table.quoted}.{identifier(column.name)}"
            cursor.execute(f"comment on column {name} is {literal(column.comment)}")


def _note(cursor: Any, tables: Sequence[_Table], publish_id: str) -> None:
    cursor.execute(f"delete from {_PUBLISHED_TABLES}")
    for table in tables:
        cursor.execute(
            f"insert into {_PUBLISHED_TABLES} values ($1, $2, $3, now())",
            parameters=(table.schema, table.name, publish_id),
        )
