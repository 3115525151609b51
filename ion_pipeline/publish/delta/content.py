"""What a version of a Delta table holds, and the digest by which an unchanged table is recognised."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import orjson

from ion_pipeline.publish.delta.types import field, stored
from ion_pipeline.publish.dictionary import TableEntry
from ion_pipeline.publish.names import TARGET, schema_in_file
from ion_pipeline.warehouse import Fingerprint
from ion_pipeline.warehouse.sql import identifier, literal

# The folder of the tables, in the published folder and at a target: `delta/<schema>/<table>`.
FOLDER = "delta"


@dataclass(frozen=True, slots=True)
class Content:
    """What the current version of one Delta table is to hold.

    Attributes:
        schema: Schema of the published table.
        table: Its name.
        description: Its comment; empty if there is none.
        fields: The Delta schema as JSON, with the comments of the columns.
        rows: Number of rows.
        casts: SQL of the columns, if some are stored as another type; empty if all are stored unchanged.
        digest: Hash of everything that a reader sees: equal for two versions with the same rows in any order.
    """

    schema: str
    table: str
    description: str
    fields: str
    rows: int
    casts: str
    digest: str

    @property
    def name(self) -> str:
        """The name of the table, such as `quality.issues`."""
        return f"{self.schema}.{self.table}"

    @property
    def path(self) -> str:
        """The folder of the table, relative to the published folder."""
        return _path(self.schema, self.table)

    def write(self, connection: duckdb.DuckDBPyConnection, target: Path) -> None:
        """Write the rows of the attached new file as Parquet, with the types that Delta has."""
        table = identifier(TARGET, schema_in_file(self.schema), self.table)
        rows = f"select {self.casts or '*'} from {table}"  # noqa: S608 -- quoted
        connection.execute(f"copy ({rows}) to {literal(str(target))} (format parquet, compression zstd)")


def contents(
    connection: duckdb.DuckDBPyConnection,
    tables: Sequence[TableEntry],
    found: Mapping[tuple[str, str], Fingerprint],
) -> list[Content]:
    """What the Delta tables are to hold.

    Args:
        connection: Any connection; it only parses the names of types.
        tables: The published tables.
        found: Fingerprint of each of them.
    """
    return [_content(connection, table, _digest(table, found[table.schema, table.table])) for table in tables]


def contents_of(tables: Sequence[TableEntry], digests: Mapping[str, str]) -> list[Content]:
    """What the Delta tables of an earlier publish hold.

    Args:
        tables: Its tables, from its data dictionary.
        digests: Digest of each table, by its folder.
    """
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        return [_content(connection, table, digests[_path(table.schema, table.table)]) for table in tables]


def _path(schema: str, table: str) -> str:
    return f"{FOLDER}/{schema}/{table}"


def _content(connection: duckdb.DuckDBPyConnection, table: TableEntry, digest: str) -> Content:
    fields, columns, is_cast = [], [], False
    for column in table.columns:
        sql, delta = stored(connection.sqltype(column.type))
        name = identifier(column.name)
        if connection.sqltype(sql) == connection.sqltype(column.type):
            columns.append(name)
        else:
            columns.append(f"cast({name} as {sql}) as {name}")
            is_cast = True
        fields.append(field(column.name, delta, column.description))
    return Content(
        schema=table.schema,
        table=table.table,
        description=table.description,
        fields=orjson.dumps({"type": "struct", "fields": fields}).decode(),
        rows=table.rows,
        casts=", ".join(columns) if is_cast else "",
        digest=digest,
    )


def _digest(table: TableEntry, found: Fingerprint) -> str:
    seen = [table.schema, table.table, table.description, found.rows, str(found.hash_sum)]
    columns = [[column.name, column.type, column.description] for column in table.columns]
    return hashlib.sha256(orjson.dumps([*seen, columns])).hexdigest()
