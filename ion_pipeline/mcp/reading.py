"""Reads of the published file that nothing can leave: one `select`, a limit of rows, text and time, no other file.

DuckDB itself closes the connection: it can open no file, load no extension and change no setting. Each read opens the
file anew, so that it sees the current publish.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from threading import Timer
from typing import Any

import duckdb
import orjson

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.publish.containment import data_age
from ion_pipeline.publish.names import public_schema, schema_in_file
from ion_pipeline.publish.read import open_published
from ion_pipeline.warehouse import Resources

_READS = frozenset({duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN})
_TABLES = """
select schema_name, table_name, estimated_size, coalesce(comment, '')
from duckdb_tables()
where not internal
order by all
"""
_COLUMNS = """
select column_name, data_type, coalesce(comment, '')
from duckdb_columns()
where schema_name = $schema and table_name = $table and not internal
order by column_index
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one read may cost.

    Attributes:
        rows: Rows of an answer.
        characters: JSON text of an answer, about a fifth of it in a model's tokens.
        seconds: Time until the query is interrupted.
    """

    rows: int = 500
    characters: int = 200_000
    seconds: float = 30.0


class RefusedError(IonPipelineError):
    """The statement is not one read, or DuckDB refuses it."""


@dataclass(frozen=True)  # no slots: the SDK takes the descriptor of a slot for a default
class Answer:
    """Rows of a query.

    Attributes:
        is_complete: False if the query has more rows than the answer.
        note: What is missing, and how to ask for it; empty if the answer is complete.
        data_as_of: When the newest data was read from ION, in ISO 8601; empty before the first load.
        columns: Names of the columns.
        rows: Values that JSON can hold: instants, dates, decimals and numbers that are not finite are text.
    """

    is_complete: bool
    note: str
    data_as_of: str
    columns: list[str]
    rows: list[list[Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """A published table: `name` is `schema.table`, `rows` an estimate, `description` says what one row is."""

    name: str
    rows: int
    description: str


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a published table."""

    name: str
    type: str
    description: str


class PublishedReader:
    """Reads the current publish of a directory, within limits.

    Args:
        published_dir: The folder of the published files.
        limits: What one read may cost.
        resources: DuckDB's memory and threads.
    """

    def __init__(self, published_dir: Path, limits: Limits, resources: Resources | None = None) -> None:
        self._published_dir, self._limits, self._resources = published_dir, limits, resources

    def tables(self, schema: str | None = None) -> list[Table]:
        """The published tables, or those of one schema."""
        with self._closed() as connection:
            found = connection.execute(_TABLES).fetchall()
        tables = [
            Table(f"{public_schema(name)}.{table}", rows, _first_sentence(text)) for name, table, rows, text in found
        ]
        return [table for table in tables if schema is None or table.name.startswith(f"{schema}.")]

    def columns(self, table: str) -> list[TableColumn]:
        """The columns of `schema.table`.

        Raises:
            RefusedError: There is no such table.
        """
        schema, _, name = table.partition(".")
        with self._closed() as connection:
            found = connection.execute(_COLUMNS, {"schema": schema_in_file(schema), "table": name}).fetchall()
        if not found:
            raise RefusedError(f"There is no table {table}.", remedy="list_tables names the tables.")
        return [TableColumn(*column) for column in found]

    def answer(self, sql: str, parameters: Mapping[str, Any] | None = None, rows: int | None = None) -> Answer:
        """Run one `select`.

        Args:
            sql: The statement.
            parameters: Values of `$name` in it.
            rows: Fewer rows than the limit.

        Raises:
            RefusedError: It is not exactly one read, it takes too long, or DuckDB reports an error.
            NotPublishedError: Nothing is published.
        """
        if rows is not None and rows < 1:
            raise RefusedError(f"{rows} rows are no answer.", remedy="Ask for at least one, or leave the number out.")
        limit = min(rows or self._limits.rows, self._limits.rows)
        with self._closed() as connection, self._interrupted(connection):
            try:
                cursor = connection.execute(_one_read(connection, sql), dict(parameters or {}))
                columns = [column[0] for column in cursor.description or ()]
                found = cursor.fetchmany(limit + 1)
            except duckdb.InterruptException as error:
                raise RefusedError(
                    f"The query was interrupted after {self._limits.seconds:g} seconds.",
                    remedy="Ask for less: filter first, or aggregate.",
                ) from error
            except duckdb.Error as error:
                raise RefusedError(" ".join(str(error).split())) from error
            as_of = data_age(connection).read_at
        kept = list(_within([[plain(value) for value in row] for row in found[:limit]], self._limits.characters))
        is_complete = len(kept) == len(found)
        note = (
            ""
            if is_complete
            else f"INCOMPLETE: these are the first {len(kept)} rows, there are more. Aggregate, filter, or count."
        )
        return Answer(is_complete, note, as_of.astimezone(UTC).isoformat() if as_of else "", columns, kept)

    @contextmanager
    def _closed(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with open_published(self._published_dir, self._resources) as (connection, _):
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            yield connection

    @contextmanager
    def _interrupted(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        timer = Timer(self._limits.seconds, connection.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def plain(value: Any) -> Any:
    """The value as JSON can hold it, without loss.

    Example:
        `plain(float("nan"))` is `"NaN"`, and `plain(date(2026, 1, 31))` is `"2026-01-31"`.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return (
            value if math.isfinite(value) else "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        )
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _one_read(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.Statement:
    statements = connection.extract_statements(sql)
    if len(statements) != 1 or statements[0].type not in _READS:
        raise RefusedError(
            "Only one select is run at a time.", remedy="Send one statement that begins with select or with."
        )
    return statements[0]


def _first_sentence(text: str) -> str:
    sentence, period, _ = " ".join(text.split()).partition(". ")
    return sentence + period.strip()


def _within(rows: list[list[Any]], characters: int) -> Iterator[list[Any]]:
    """The rows from the first on whose JSON text is short enough together."""
    for row in rows:
        characters -= len(orjson.dumps(row, option=orjson.OPT_NON_STR_KEYS, default=str))
        if characters < 0:
            return
        yield row
