"""The load log: what the warehouse records about each applied load, in the `_ion_*` tables of `raw`.

A load is recorded in the transaction that applies it, so the log always matches the contents of `raw`. A snapshot of
the lake holds the log entries of the loads that it covers, except for the time at which this warehouse applied them.
"""
# ruff: noqa: S608 -- our own names; values are bound as parameters

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ion_pipeline.lake import LoadManifest, SchemaDrift
from ion_pipeline.warehouse.schemas import RAW
from ion_pipeline.warehouse.sql import identifier

LOADS, LOAD_TABLES, SCHEMA_DRIFT = "_ion_loads", "_ion_load_tables", "_ion_schema_drift"
LOAD_DELAYS = "_ion_load_delays"

#: The tables that models read, with their descriptions.
TABLES = {
    LOADS: "Loads that have been applied. Key: load_id.",
    LOAD_TABLES: "What each load read of each table. Key: load_id, table_name.",
    LOAD_DELAYS: "How old the changes in a load were when it was committed. Key: load_id, table_name, delay_seconds.",
    SCHEMA_DRIFT: "How the tenant differed from the catalog in each load.",
}

_DEFINITION = f"""
    create table if not exists {RAW}._ion_loads (
        load_id varchar, tenant varchar, strategy varchar, started_at timestamptz, committed_at timestamptz,
        requests bigint, bytes bigint, code_version varchar, schema_hash varchar, loaded_at timestamptz,
        valid_from timestamptz, read_by bigint, published_at timestamptz
    );
    alter table {RAW}._ion_loads add column if not exists read_by bigint;
    alter table {RAW}._ion_loads add column if not exists published_at timestamptz;
    create table if not exists {RAW}._ion_load_tables (
        load_id varchar, table_name varchar, entity varchar, strategy varchar, rows_read bigint, total_count bigint,
        rows_inserted bigint, rows_updated bigint, rows_deleted bigint, rows_after bigint, rows_drifted bigint
    );
    alter table {RAW}._ion_load_tables add column if not exists rows_drifted bigint;
    create table if not exists {RAW}._ion_load_delays (
        load_id varchar, table_name varchar, entity varchar, delay_seconds double, changes bigint
    );
    create table if not exists {RAW}._ion_schema_drift (
        load_id varchar, entity varchar, kind varchar, field varchar, catalog_type varchar, tenant_type varchar
    );
    create table if not exists {RAW}._ion_export_controlled (
        load_id varchar, loaded_at timestamptz, definition varchar, table_name varchar, has_earlier_rows boolean
    );
    comment on table {RAW}._ion_export_controlled is 'A table whose set of rows under export control
changed in the search after a load; without a table name: the search itself. The rows are in raw_controlled.
has_earlier_rows: some of the newly controlled rows are older than the load.';
    comment on table {RAW}._ion_schema_drift is 'A difference between the tenant and the catalog in a load.';
    comment on table {RAW}._ion_loads is 'A load of the lake that has been applied. valid_from: start of its versions in
raw_history; it equals started_at unless the clock was set back. read_by: id of the API key''s user. published_at: when
readers got the load, null until the next build after the publish.';
    comment on table {RAW}._ion_load_tables is 'A table in a load: what was read and what it changed. rows_drifted:
rows with changes that ION did not report, as found by a reconcile; null for a refresh.';
    comment on table {RAW}._ion_load_delays is 'Changes in a load that ION dates, counted by the seconds from the change
until the load was committed, rounded up to two digits. A first load of a table has none.';
"""

# Left out where controlled rows are: counts include controlled rows, and a new enum value may occur only in such rows.
_COUNTS = (
    "rows_read", "total_count", "rows_inserted", "rows_updated", "rows_deleted", "rows_after", "rows_drifted",
)  # fmt: skip
_WITHOUT_COUNTS = ", ".join(f"cast(null as bigint) as {count}" for count in _COUNTS)
_RELEASED = {
    LOADS: f"select * from {RAW}.{LOADS}",
    LOAD_TABLES: f"select * replace ({_WITHOUT_COUNTS}) from {RAW}.{LOAD_TABLES}",
    LOAD_DELAYS: f"select * from {RAW}.{LOAD_DELAYS} where false",
    SCHEMA_DRIFT: f"select * from {RAW}.{SCHEMA_DRIFT} where kind <> 'new_enum_value'",
}


@dataclass(frozen=True, slots=True)
class TableChange:
    """What one load did to one table.

    Attributes:
        table: Name of the table.
        rows_read: Rows in the load, tombstones and repeated rows included.
        rows_inserted: Rows with a new key.
        rows_updated: Rows whose values changed.
        rows_deleted: Rows that were deleted.
        rows_after: Rows in `raw` after the load.
        seconds: How long applying it took; the load log does not have it.
        delays: Changes with a known instant, counted by the seconds until the load was committed: see `delays`.
    """

    table: str
    rows_read: int
    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    rows_after: int
    seconds: float = 0.0
    delays: tuple[tuple[float, int], ...] = ()

    @property
    def rows_changed(self) -> int:
        """Rows that were inserted, updated or deleted."""
        return self.rows_inserted + self.rows_updated + self.rows_deleted


@dataclass(frozen=True, slots=True)
class LastLoad:
    """The last load that a warehouse has applied.

    Attributes:
        load_id: Its ULID.
        started_at: The instant that it describes.
        loaded_at: When it was applied here; a different instant means that `raw` was rebuilt since.
    """

    load_id: str
    started_at: datetime
    loaded_at: datetime


def ensure(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the missing tables and columns of the log; the schema `raw` exists."""
    connection.execute(_DEFINITION)


def exists(connection: duckdb.DuckDBPyConnection, table: str = LOADS, *, catalog: str | None = None) -> bool:
    """Whether a warehouse has a table in `raw`; by default, whether it has a load log.

    Args:
        connection: The warehouse, or a connection that it is attached to.
        table: Name of the table.
        catalog: The alias that it is attached under; None for the connection's own database.
    """
    # To answer from `duckdb_tables()`, DuckDB describes every table of the warehouse: 8 ms of CPU, 17 the first time.
    # A missing table would abort the connection's transaction, so another connection of this process asks first.
    with connection.cursor() as other, suppress(duckdb.CatalogException):
        other.execute(f"select 1 from {identifier(*([catalog] if catalog else []), RAW, table)} limit 0").fetchall()
        return True
    return bool(
        connection.execute(
            "select 1 from duckdb_tables() where database_name = coalesce($catalog, current_database()) "
            "and schema_name = $schema and table_name = $table",
            {"catalog": catalog, "schema": RAW, "table": table},
        ).fetchall()
    )


def applied(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Ids of the loads that have been applied; empty if there is no log."""
    if not exists(connection):
        return set()
    return {row[0] for row in connection.execute(f"select load_id from {RAW}.{LOADS}").fetchall()}


def last(connection: duckdb.DuckDBPyConnection, *, catalog: str | None = None) -> LastLoad | None:
    """The last load; None if no load has been applied or there is no log.

    Args:
        connection: The warehouse, or a connection that it is attached to.
        catalog: As in `exists`.
    """
    if not exists(connection, catalog=catalog):
        return None
    loads = identifier(*([catalog] if catalog else []), RAW, LOADS)
    row = connection.execute(
        f"select load_id, started_at, loaded_at from {loads} order by load_id desc limit 1"
    ).fetchone()
    return LastLoad(*row) if row else None


def latest_valid_from(connection: duckdb.DuckDBPyConnection) -> datetime | None:
    """The latest `valid_from` of a load; None if no load has been applied."""
    row = connection.execute(f"select max(valid_from) from {RAW}.{LOADS}").fetchone()
    return row[0] if row else None


def starts(connection: duckdb.DuckDBPyConnection) -> dict[str, datetime]:
    """The `valid_from` of each load that has been applied, by its id."""
    return dict(connection.execute(f"select load_id, valid_from from {RAW}.{LOADS}").fetchall())


def tenants(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """The tenants whose loads have been applied: at most one."""
    return {row[0] for row in connection.execute(f"select distinct tenant from {RAW}.{LOADS}").fetchall()}


def is_behind(connection: duckdb.DuckDBPyConnection, load_id: str) -> bool:
    """Whether the warehouse has applied a later load than this one."""
    later = connection.execute(f"select 1 from {RAW}.{LOADS} where load_id > ? limit 1", [load_id]).fetchone()
    return later is not None


def changed_since(connection: duckdb.DuckDBPyConnection, load_id: str) -> set[str]:
    """Names of the tables of `raw` in which a load after this one changed rows."""
    changed = connection.execute(
        f"select distinct table_name from {RAW}.{LOAD_TABLES} "
        "where load_id > ? and rows_inserted + rows_updated + rows_deleted is distinct from 0",
        [load_id],
    ).fetchall()
    return {name for (name,) in changed}


def insert(
    connection: duckdb.DuckDBPyConnection,
    manifest: LoadManifest,
    changes: Sequence[TableChange],
    drift: Sequence[SchemaDrift],
    valid_from: datetime,
) -> None:
    """Record a load, in the transaction that applies it.

    Args:
        connection: The warehouse, in that transaction.
        manifest: Manifest of the load.
        changes: What the load changed in each table.
        drift: How the tenant's schema differed from the catalog.
        valid_from: Start of the load's versions.
    """
    connection.execute(
        f"insert into {RAW}.{LOADS} values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null)",
        [
            manifest.load_id,
            str(manifest.tenant),
            manifest.strategy,
            manifest.started_at,
            manifest.committed_at,
            manifest.requests,
            manifest.bytes_received,
            manifest.code_version,
            manifest.schema_hash,
            datetime.now(UTC),
            valid_from,
            manifest.read_by,
        ],
    )
    reads = {table.table: table.read for table in manifest.tables}
    for change in changes:
        read = reads[change.table]
        connection.execute(
            f"insert into {RAW}.{LOAD_TABLES} values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                manifest.load_id,
                change.table,
                read.entity,
                read.strategy,
                change.rows_read,
                read.total_count,
                change.rows_inserted,
                change.rows_updated,
                change.rows_deleted,
                change.rows_after,
                read.drifted,
            ],
        )
    if delays := [(change.table, *delay) for change in changes for delay in change.delays]:
        connection.execute(
            f"insert into {RAW}.{LOAD_DELAYS} select $load_id, unnest($tables::varchar[]), "
            "unnest($entities::varchar[]), unnest($seconds::double[]), unnest($changes::bigint[])",
            {
                "load_id": manifest.load_id,
                "tables": [table for table, _, _ in delays],
                "entities": [reads[table].entity for table, _, _ in delays],
                "seconds": [seconds for _, seconds, _ in delays],
                "changes": [number for _, _, number in delays],
            },
        )
    for one in drift:
        connection.execute(
            f"insert into {RAW}.{SCHEMA_DRIFT} values (?, ?, ?, ?, ?, ?)",
            [manifest.load_id, one.entity, one.kind, one.field, one.catalog_type, one.tenant_type],
        )


def note_published(connection: duckdb.DuckDBPyConnection, load_id: str, published_at: datetime) -> None:
    """Record when readers got a load and those before it, unless an earlier publish had them.

    Args:
        connection: The warehouse.
        load_id: The last load of the publish.
        published_at: When the publish was made.
    """
    connection.execute(
        f"update {RAW}.{LOADS} set published_at = $at where published_at is null and load_id <= $load_id",
        {"load_id": load_id, "at": published_at},
    )


def exported() -> Iterator[tuple[str, str]]:
    """Name and query of each table of the log, as a snapshot of the lake holds it."""
    for table in TABLES:
        columns = "* exclude (loaded_at)" if table == LOADS else "*"
        yield table, f"select {columns} from {RAW}.{table}"


def clear(connection: duckdb.DuckDBPyConnection) -> None:
    """Empty the log: a snapshot holds the entries of all loads that it covers."""
    for table in TABLES:
        connection.execute(f"delete from {RAW}.{table}")


def restore(connection: duckdb.DuckDBPyConnection, files: Mapping[str, Sequence[Path]]) -> None:
    """Restore the log entries of the loads that a snapshot covers.

    Args:
        connection: The warehouse, in the transaction that applies the snapshot.
        files: The snapshot's files, by table.
    """
    for table in TABLES:
        if table in files:
            connection.execute(
                f"insert into {RAW}.{table} by name select * from read_parquet($files, hive_partitioning := false)",
                {"files": [str(path) for path in files[table]]},
            )
    connection.execute(f"update {RAW}.{LOADS} set loaded_at = now() where loaded_at is null")


def released() -> Iterator[tuple[str, str]]:
    """Name and query of each table of the log, without what would disclose controlled rows."""
    yield from _RELEASED.items()
