"""Two small tables, one read from a root connection and one nested, and the shortest way to load rows of them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ion_pipeline.catalog.catalog import Column, Table
from ion_pipeline.lake import Lake, LoadManifest, Strategy, TableRead, Tenant
from ion_pipeline.warehouse import LoadReport, Resources, load

TENANT = Tenant("org-1", "api.example.com")
SMALL = Resources("256MB", 1)
START = datetime(2026, 3, 1, tzinfo=UTC)


def column(name: str, arrow_type: pa.DataType, description: str = "") -> Column:
    return Column(name=name, field=name, graphql_type="", arrow_type=arrow_type, description=description)


THINGS = Table(
    "things",
    "things",
    (
        column("id", pa.int64(), "Who's who."),
        column("name", pa.string()),
        column("price", pa.float64()),
        column("_updated", pa.timestamp("us", tz="UTC")),
        column("tags", pa.list_(pa.string())),
    ),
    ("id",),
    is_child=False,
)
ATTRIBUTES = Table(
    "thing_attributes",
    "things",
    (column("thing_id", pa.int64()), column("key", pa.string()), column("value", pa.string())),
    ("thing_id", "key"),
    is_child=True,
)
LINKS = Table(
    "thing_links",
    "things",
    (column("thing_id", pa.int64()), column("label_id", pa.int64())),
    ("thing_id", "label_id"),
    is_child=True,
)
TABLES = (THINGS, ATTRIBUTES, LINKS)

Rows = Sequence[Mapping[str, Any]]


@dataclass
class House:
    """A data directory with a lake and a warehouse in it."""

    folder: Path
    tables: Sequence[Table] = TABLES

    @property
    def lake(self) -> Lake:
        return Lake(self.folder / "lake")

    @property
    def database(self) -> Path:
        return self.folder / "warehouse.duckdb"

    def write(
        self,
        rows: Mapping[str, Rows],
        *,
        strategy: Strategy = "full",
        gone: Mapping[str, Rows] | None = None,
        at: datetime | None = None,
        tenant: Tenant = TENANT,
        tables: Sequence[Table] | None = None,
        owners: Mapping[str, Sequence[int]] | None = None,
    ) -> LoadManifest:
        """Commit a load of these rows and tombstones, one batch per row so that nothing depends on batches."""
        known = {table.name: table for table in tables or self.tables}
        instant = at or START + timedelta(hours=len(self.lake.load_ids()))
        with self.lake.begin(
            tenant, {name: table.arrow_schema for name, table in known.items()}, started_at=instant
        ) as writer:
            for name, numbers in (owners or {}).items():
                owner = pa.schema([known[name].arrow_schema.field(known[name].key[0])])
                for number in numbers:
                    writer.delete(name, pa.RecordBatch.from_arrays([pa.array([number], pa.int64())], schema=owner))
            for name, values in rows.items():
                for value in values:
                    writer.write(name, pa.RecordBatch.from_pylist([dict(value)], schema=known[name].arrow_schema))
            for name, keys in (gone or {}).items():
                key_schema = pa.schema([known[name].arrow_schema.field(key) for key in known[name].key])
                for value in keys:
                    writer.delete(name, pa.RecordBatch.from_pylist([dict(value)], schema=key_schema))
            return writer.commit(
                {
                    name: TableRead(
                        known[name].entity,
                        strategy=strategy,
                        nested=known[name].is_child,
                        by_owner=name in (owners or {}),
                    )
                    for name in {**rows, **(gone or {}), **(owners or {})}
                }
            )

    def load(self) -> LoadReport:
        return load(self.lake, self.database, self.tables, resources=SMALL)

    @contextmanager
    def opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(str(self.database), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            yield connection

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.opened() as connection:
            return connection.execute(sql).fetchall()

    def contents(self) -> dict[str, list[str]]:
        """Everything in `raw` and `raw_history`, but for when it was loaded; as text, so that NaN equals NaN."""
        with self.opened() as connection:
            tables = connection.execute(
                "select schema_name, table_name, string_agg('\"' || column_name || '\"', ', ' order by column_name) "
                "from duckdb_columns() where schema_name in ('raw', 'raw_history') and column_name <> 'loaded_at' "
                "group by all order by all"
            ).fetchall()
            return {
                f"{schema}.{table}": sorted(
                    map(repr, connection.execute(f"select {columns} from {schema}.{table}").fetchall())  # noqa: S608
                )
                for schema, table, columns in tables
            }
