"""The data dictionary: the tables and columns of a published file, described by DuckDB's comments.

`describe` reads the comments; `to_json` and `to_markdown` are pure functions.
"""

from dataclasses import dataclass
from datetime import datetime

import duckdb
import orjson

from ion_pipeline.publish.names import public_schema


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """A published column."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A published table.

    Attributes:
        schema: Public schema, and folder of the Parquet copy.
        table: Name of the table.
        description: The model's description, which begins with the grain; empty if there is none.
        rows: Number of rows.
        columns: Columns in their order in the table.
    """

    schema: str
    table: str
    description: str
    rows: int
    columns: tuple[ColumnEntry, ...]


def describe(connection: duckdb.DuckDBPyConnection, catalog: str, rows: dict[tuple[str, str], int]) -> list[TableEntry]:
    """Describe tables and views of an attached database.

    Args:
        connection: A connection that the database is attached to.
        catalog: The alias that it is attached under.
        rows: Row count of each (schema, table) to describe, in the order of the result.
    """
    columns: dict[tuple[str, str], list[ColumnEntry]] = {}
    for schema, table, name, data_type, comment in connection.execute(
        "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() "
        "where database_name = ? order by schema_name, table_name, column_index",
        [catalog],
    ).fetchall():
        columns.setdefault((public_schema(schema), table), []).append(ColumnEntry(name, data_type, comment or ""))
    comments = {
        (public_schema(schema), table): comment or ""
        for schema, table, comment in connection.execute(
            "select schema_name, table_name, comment from duckdb_tables() where database_name = $catalog "
            "union all select schema_name, view_name, comment from duckdb_views() where database_name = $catalog",
            {"catalog": catalog},
        ).fetchall()
    }
    return [
        TableEntry(*relation, comments[relation], count, tuple(columns[relation])) for relation, count in rows.items()
    ]


def to_json(tables: list[TableEntry], published_at: datetime) -> bytes:
    """The dictionary as JSON: `{published_at, tables: [{schema, table, description, rows, columns: [...]}]}`."""
    return orjson.dumps(
        {"published_at": published_at, "tables": tables},
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def from_json(document: bytes) -> list[TableEntry]:
    """The tables of a data dictionary that `to_json` has written."""
    return [
        TableEntry(**{**table, "columns": tuple(ColumnEntry(**column) for column in table["columns"])})
        for table in orjson.loads(document)["tables"]
    ]


def to_markdown(tables: list[TableEntry], published_at: datetime) -> bytes:
    """The dictionary as Markdown: one section for each table, with a list of its columns."""
    lines = ["# Data dictionary", "", f"Published {published_at.isoformat(timespec='seconds')}.", ""]
    for table in tables:
        lines += [
            f"## {table.schema}.{table.table}",
            "",
            f"{_line(table.description)} {table.rows:,} rows.".strip(),
            "",
        ]
        lines += ["| column | type | description |", "|---|---|---|"]
        lines += [f"| `{column.name}` | {column.type} | {_cell(column.description)} |" for column in table.columns]
        lines.append("")
    return "\n".join(lines).encode()


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")
