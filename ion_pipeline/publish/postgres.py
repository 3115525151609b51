"""Sends a publish to PostgreSQL, for tools that need a server.

All tables change in one transaction. Readers see the previous publish until the transaction commits, and never wait,
because rows are deleted and inserted rather than tables replaced. This also keeps views and grants on the tables. Only
tables that ion-pipeline created are changed; the schema `ion_pipeline` records which. The client is ADBC, which sends
columns by COPY.
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
from ion_pipeline.publish.copy import public_schema, schema_in_file
from ion_pipeline.publish.errors import MissingDriverError, PublishError
from ion_pipeline.publish.swap import DATABASE
from ion_pipeline.publish.upload import SendReport, check_target, current_publish, redacted
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

    @property
    def quoted(self) -> str:
        return identifier(self.schema, self.name)

    @property
    def source(self) -> str:
        """Quoted name in the published file."""
        return identifier(schema_in_file(self.schema), self.name)


def send_to_postgres(published_dir: Path, uri: str, *, resources: Resources | None = None) -> SendReport:
    """Replace the tables in a PostgreSQL database by those of the current publish.

    Args:
        published_dir: The folder of the published files.
        uri: `postgresql://user@host/database`; the password comes from PGPASSWORD or a password file.
        resources: Memory and threads for reading the published file.

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
            for table in tables:
                _send(source, cursor, table, table.quoted in created)
            for outdated in created - {table.quoted for table in tables}:
                cursor.execute(f"drop table if exists {outdated}")
            _record(cursor, tables, publish_id)
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
    columns: dict[tuple[str, str], list[_Column]] = {}
    for schema, table, name, data_type, comment in source.execute(
        "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() where not internal "
        "order by schema_name, table_name, column_index"
    ).fetchall():
        columns.setdefault((schema, table), []).append(_Column(name, data_type, comment))
    return [
        _Table(public_schema(schema), name, comment, tuple(columns[schema, name]))
        for schema, name, comment in source.execute(
            "select schema_name, table_name, comment from duckdb_tables() order by all"
        ).fetchall()
    ]


def _created_tables(cursor: Any) -> set[str]:
    """Quoted names of the tables that earlier publishes created. Locks the list: only one process sends at a time."""
    cursor.execute("create schema if not exists ion_pipeline")
    cursor.execute(
        f"create table if not exists {_PUBLISHED_TABLES} "
        "(table_schema text, table_name text, publish_id text, published_at timestamptz)"
    )
    cursor.execute(f"lock table {_PUBLISHED_TABLES} in exclusive mode")
    cursor.execute(f"select table_schema, table_name from {_PUBLISHED_TABLES}")
    return {identifier(schema, table) for schema, table in cursor.fetchall()}


def _send(source: duckdb.DuckDBPyConnection, cursor: Any, table: _Table, is_created_here: bool) -> None:
    existing = _existing_columns(cursor, table)
    if existing and not is_created_here:
        raise PublishError(
            f"PostgreSQL already has a table {table.quoted} that ion-pipeline did not create.",
            remedy="Publish to a separate database, or rename that table. Nothing was changed.",
        )
    if existing == [(column.name, column.type) for column in table.columns]:
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
    reader = source.sql(f"select {selected} from {table.source}").to_arrow_reader(_BATCH_ROWS)
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


def _existing_columns(cursor: Any, table: _Table) -> list[tuple[str, str]]:
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


def _record(cursor: Any, tables: Sequence[_Table], publish_id: str) -> None:
    cursor.execute(f"delete from {_PUBLISHED_TABLES}")
    for table in tables:
        cursor.execute(
            f"insert into {_PUBLISHED_TABLES} values ($1, $2, $3, now())",
            parameters=(table.schema, table.name, publish_id),
        )
