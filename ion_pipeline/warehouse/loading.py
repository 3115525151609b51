"""Applies the committed loads of the lake to `raw`, in order, each in one transaction for all tables.

A reader of the warehouse sees all tables as of the same load. `raw._ion_loads` says which loads have been applied. It
is written in the same transaction, so that a load is never applied twice, even if the process is killed. A snapshot is
not applied if the log already has its last load, because the log then has all loads that the snapshot covers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from ion_pipeline.counting import OnCount, unheard
from ion_pipeline.lake import Lake, LoadManifest
from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.applying import AppliedLoad, RowCount, apply, rows_of
from ion_pipeline.warehouse.connection import Resources, connect, transaction
from ion_pipeline.warehouse.errors import REBUILD_REMEDY, LoadOrderError, MissingLoadError, translate_errors
from ion_pipeline.warehouse.load_log import TableChange
from ion_pipeline.warehouse.tables import TableLike, ensure_tables


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What `load` or `rebuild` did; empty if there was no new load."""

    loads: tuple[AppliedLoad, ...] = field(default=())

    @property
    def rows_changed(self) -> int:
        """Rows inserted, updated or deleted, over all loads and tables."""
        return sum(change.rows_changed for applied in self.loads for change in applied.tables)

    @property
    def tables(self) -> dict[str, TableChange]:
        """The last change of each table, by name."""
        return {change.table: change for applied in self.loads for change in applied.tables}


def load(
    lake: Lake,
    database: Path,
    tables: Iterable[TableLike],
    *,
    resources: Resources | None = None,
    on_count: OnCount = unheard,
) -> LoadReport:
    """Apply every committed load that is not in the warehouse yet.

    Args:
        lake: The lake that holds the loads.
        database: The warehouse file; created if it does not exist.
        tables: Every table of the catalog; a table that was never read is created empty.
        resources: Memory and threads for DuckDB.
        on_count: Called before each table, with the number of rows.

    Raises:
        LakeCorruptionError: A file of a load is missing or damaged. Earlier loads stay applied.
        LoadOrderError: The lake holds a new load that is older than a load already applied.
        TenantMismatchError: A load belongs to another tenant than the loads before it.
        WarehouseError: See its subclasses; the load that failed was rolled back.
    """
    catalog = {table.name: table for table in tables}
    with lake.reading(), connect(database, resources) as connection, translate_errors("Loading", database):
        with transaction(connection):
            ensure_tables(connection, catalog.values())
        applied = load_log.applied(connection)
        waiting = [load_id for load_id in lake.load_ids() if load_id not in applied]
        if applied and waiting and waiting[0] < max(applied):
            raise LoadOrderError(
                f"The lake holds load {waiting[0]}, which has not been applied and is older than the applied load "
                f"{max(applied)}.",
                remedy=REBUILD_REMEDY,
            )
        reports, count = [], RowCount(on_count, len(waiting))
        for load_id in waiting:
            with transaction(connection):
                reports.append(_apply(connection, lake, lake.read_manifest(load_id), catalog, count))
    return LoadReport(tuple(reports))


def rebuild(
    lake: Lake,
    database: Path,
    tables: Iterable[TableLike],
    *,
    resources: Resources | None = None,
    on_count: OnCount = unheard,
) -> LoadReport:
    """Rebuild `raw` and `raw_history` from the lake, in one transaction; other schemas stay unchanged.

    Args:
        lake: The lake that holds the loads.
        database: The warehouse file; created if it does not exist.
        tables: Every table of the catalog.
        resources: Memory and threads for DuckDB.
        on_count: Called before each table, with the number of rows.

    Raises:
        LakeCorruptionError: A file of a load is missing or damaged; the warehouse is unchanged.
        MissingLoadError: The lake lacks a load that the warehouse has applied; the warehouse is unchanged.
        WarehouseError: See its subclasses; the warehouse is unchanged.
    """
    catalog = {table.name: table for table in tables}
    with lake.reading():
        manifests = lake.loads()
        for manifest in manifests:
            lake.verify(manifest)
        with (
            connect(database, resources) as connection,
            translate_errors("Rebuilding", database),
            transaction(connection),
        ):
            _check_none_missing(connection, lake, manifests)
            connection.execute("drop schema if exists raw cascade; drop schema if exists raw_history cascade")
            ensure_tables(connection, catalog.values())
            rows = rows_of(table for manifest in manifests for table in manifest.tables if table.table in catalog)
            count = RowCount(on_count, len(manifests), rows)
            return LoadReport(tuple(_apply(connection, lake, manifest, catalog, count) for manifest in manifests))


def _apply(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    manifest: LoadManifest,
    catalog: Mapping[str, TableLike],
    count: RowCount,
) -> AppliedLoad:
    with lake.checkout(manifest) as files:
        return apply(connection, manifest, files, catalog, count)


def _check_none_missing(connection: duckdb.DuckDBPyConnection, lake: Lake, manifests: Sequence[LoadManifest]) -> None:
    """Refuse a rebuild that would lose the history of a load that is no longer in the lake."""
    ensure_tables(connection, ())
    held = {load_id for manifest in manifests for load_id in manifest.covers}
    missing = sorted(load_log.applied(connection) - held)
    if missing:
        raise MissingLoadError(
            f"{lake.location} lacks loads that the warehouse has applied: {', '.join(missing)}.",
            remedy="Restore them from a backup of the lake. If there is none, keep this warehouse: it holds history "
            "that the lake has lost. To rebuild without that history, move warehouse.duckdb away first.",
        )
