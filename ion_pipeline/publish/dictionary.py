"""The data dictionary: what is in a published file, table by table and column by column, from DuckDB's comments.

Gathering is one query per kind of thing; rendering is pure.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

import duckdb
import orjson


@dataclass(frozen=True, slots=True)
class ColumnEntry:
    """A column as analysts see it."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A published table.

    Attributes:
        schema: Schema in the file, folder in the Parquet copy.
        table: Name.
        description: Grain first, as the model's description has it; empty if it has none.
        rows: How many.
        columns: In order.
    """

    schema: str
    table: str
    description: str
    rows: int
    columns: tuple[ColumnEntry, ...]


def describe(connection: duckdb.DuckDBPyConnection, catalog: str, rows: dict[tuple[str, str], int]) -> list[TableEntry]:
    """The entries of the tables of an attached database.

    Args:
        connection: Where it is attached.
        catalog: Under which name.
        rows: Row count of each (schema, table) to describe, in the order wanted.
    """
    columns: dict[tuple[str, str], list[ColumnEntry]] = {}
    for schema, table, name, data_type, comment in connection.execute(
        "select schema_name, table_name, column_name, data_type, comment from duckdb_columns() "
        "where database_name = ? order by schema_name, table_name, column_index",
        [catalog],
    ).fetchall():
        columns.setdefault((schema, table), []).append(ColumnEntry(name, data_type, comment or ""))
    comments = {
        (schema, table): comment or ""
        for schema, table, comment in connection.execute(
            "select schema_name, table_name, comment from duckdb_tables() where database_name = ?", [catalog]
        ).fetchall()
    }
    return [
        TableEntry(*relation, comments[relation], count, tuple(columns[relation])) for relation, count in rows.items()
    ]


def to_json(tables: list[TableEntry], published_at: datetime) -> bytes:
    """The dictionary as JSON: `{published_at, tables: [{schema, table, description, rows, columns: [...]}]}`."""
    return orjson.dumps(
        {"published_at": published_at, "tables": [asdict(table) for table in tables]},
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def to_markdown(tables: list[TableEntry], published_at: datetime) -> bytes:
    """The dictionary as Markdown: a section per table, a table of its columns in each."""
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
