"""One load or fold into `raw` and `raw_history`, and into the books. Inside the caller's transaction."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from ion_pipeline.errors import TenantMismatchError
from ion_pipeline.lake import LoadManifest, SchemaDrift
from ion_pipeline.warehouse.enums import unknown_values
from ion_pipeline.warehouse.merge import TableChange, merge
from ion_pipeline.warehouse.restore import clear, restore, restore_books
from ion_pipeline.warehouse.tables import TableLike

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """Where loading is: table number `done` of `total` of one load, with so many rows, has just been applied."""

    load_id: str
    table: str
    done: int
    total: int
    rows: int = 0


@dataclass(frozen=True, slots=True)
class AppliedLoad:
    """One load that was applied.

    Attributes:
        load_id: The load.
        tables: What it changed, table by table.
        ignored: Tables in the load that the catalog no longer has.
        seconds: How long it took.
    """

    load_id: str
    tables: tuple[TableChange, ...]
    ignored: tuple[str, ...]
    seconds: float


def apply(
    connection: duckdb.DuckDBPyConnection,
    manifest: LoadManifest,
    files: Mapping[str, Sequence[Path]],
    catalog: Mapping[str, TableLike],
    progress: Callable[[LoadProgress], None] | None = None,
) -> AppliedLoad:
    """Apply one load, or put a fold in the place of all that stands.

    Args:
        connection: In a transaction; the tables of the catalog exist.
        manifest: The load or the fold.
        files: Its files by table, as `Lake.checkout` gives them.
        catalog: The tables by name.
        progress: Told after each table.

    Raises:
        TenantMismatchError: It is another tenant's than what was applied before.
        WarehouseError: See `merge`.
    """
    began = time.perf_counter()
    valid_from = _valid_from(connection, manifest)
    known = [table for table in manifest.tables if table.table in catalog]
    if manifest.fold:
        clear(connection, catalog.values())
    changes: list[TableChange] = []
    drift = list(manifest.drift)
    for table in known:
        if manifest.fold:
            changes.append(restore(connection, catalog[table.table], files[table.table]))
        else:
            changes.append(merge(connection, catalog[table.table], table, files[table.table], valid_from))
            if table.rows:
                drift += unknown_values(connection, catalog[table.table], table.read.entity, files[table.table])
        if progress is not None:
            progress(
                LoadProgress(manifest.load_id, table.table, len(changes), len(known), table.rows + table.tombstones)
            )
    if manifest.fold:
        restore_books(connection, files)
    else:
        _record(connection, manifest, changes, valid_from)
        _record_drift(connection, manifest.load_id, drift)
    ignored = tuple(table.table for table in manifest.tables if table.table not in catalog)
    return AppliedLoad(manifest.load_id, tuple(changes), ignored, time.perf_counter() - began)


def _valid_from(connection: duckdb.DuckDBPyConnection, manifest: LoadManifest) -> datetime:
    """Where the load's versions begin: its start, or just after the load before if the clock had been set back."""
    row = connection.execute(
        "select max(valid_from), any_value(tenant) filter (tenant <> $tenant) from raw._ion_loads",
        {"tenant": str(manifest.tenant)},
    ).fetchone()
    before, other_tenant = row or (None, None)
    if other_tenant is not None:
        raise TenantMismatchError(
            f"Load {manifest.load_id} is of {manifest.tenant}, but the warehouse holds the data of {other_tenant}.",
            remedy="Keep one data directory per tenant (ION_DATA_DIR).",
        )
    return max(manifest.started_at, before + _TICK) if before else manifest.started_at


def _record(
    connection: duckdb.DuckDBPyConnection, manifest: LoadManifest, changes: list[TableChange], valid_from: datetime
) -> None:
    connection.execute(
        "insert into raw._ion_loads values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            "insert into raw._ion_load_tables values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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


def _record_drift(connection: duckdb.DuckDBPyConnection, load_id: str, drift: Sequence[SchemaDrift]) -> None:
    for one in drift:
        connection.execute(
            "insert into raw._ion_schema_drift values (?, ?, ?, ?, ?, ?)",
            [load_id, one.entity, one.kind, one.field, one.catalog_type, one.tenant_type],
        )
