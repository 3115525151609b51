"""Lake to `raw`: every committed load that has not been applied, in order, each in one transaction for all tables.

Somebody who reads the warehouse sees all tables before a load or all after it. Whether a load has been applied is
known from `raw._ion_loads`, written in the same transaction, so applying twice or being killed changes nothing.
A snapshot brings the log entries of all loads that it covers: once its last load has been applied, nothing is left to do.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from ion_pipeline.lake import Lake, LoadManifest
from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.applying import AppliedLoad, LoadProgress, apply
from ion_pipeline.warehouse.connection import Resources, connect, transaction
from ion_pipeline.warehouse.errors import MAKE_ANEW, LoadOrderError, MissingLoadError, translate_errors
from ion_pipeline.warehouse.load_log import TableChange
from ion_pipeline.warehouse.tables import TableLike, ensure_tables


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What `load` or `rebuild` did; no loads if there was nothing new."""

    loads: tuple[AppliedLoad, ...] = field(default=())

    @property
    def rows_changed(self) -> int:
        """Rows inserted, updated or deleted, over all loads and tables."""
        return sum(change.rows_changed for applied in self.loads for change in applied.tables)

    @property
    def tables(self) -> dict[str, TableChange]:
        """The last change of each table."""
        return {change.table: change for applied in self.loads for change in applied.tables}


def load(
    lake: Lake,
    database: Path,
    tables: Iterable[TableLike],
    *,
    resources: Resources | None = None,
    progress: Callable[[LoadProgress], None] | None = None,
) -> LoadReport:
    """Apply every committed load that is not in the warehouse yet.

    Args:
        lake: Where the loads are.
        database: The warehouse; created if need be.
        tables: Every table of the catalog; those that were never read exist too, empty.
        resources: Memory and threads for DuckDB.
        progress: Told after each table.

    Raises:
        LakeCorruptionError: A file of a load is missing or damaged. Loads before it stay applied.
        LoadOrderError: An older load turned up after a newer one had been applied.
        TenantMismatchError: A load is another tenant's than those applied before.
        WarehouseError: See its subclasses; the load in question was rolled back.
    """
    catalog = {table.name: table for table in tables}
    with lake.reading(), connect(database, resources) as connection, translate_errors("Loading", database):
        with transaction(connection):
            ensure_tables(connection, catalog.values())
        applied = load_log.applied(connection)
        waiting = [load_id for load_id in lake.load_ids() if load_id not in applied]
        if applied and waiting and waiting[0] < max(applied):
            raise LoadOrderError(
                f"Load {waiting[0]} has turned up in the lake after {max(applied)} had been applied.",
                remedy=MAKE_ANEW,
            )
        reports = []
        for load_id in waiting:
            with transaction(connection):
                reports.append(_apply(connection, lake, lake.read_manifest(load_id), catalog, progress))
    return LoadReport(tuple(reports))


def rebuild(
    lake: Lake,
    database: Path,
    tables: Iterable[TableLike],
    *,
    resources: Resources | None = None,
    progress: Callable[[LoadProgress], None] | None = None,
) -> LoadReport:
    """Make `raw` and `raw_history` anew from the lake alone, in one transaction; other schemas stay as they are.

    Args:
        lake: Where the loads are.
        database: The warehouse; created if need be.
        tables: Every table of the catalog.
        resources: Memory and threads for DuckDB.
        progress: Told after each table.

    Raises:
        LakeCorruptionError: A file of a load is missing or damaged; the warehouse is as it was.
        MissingLoadError: The lake lacks a load that the warehouse holds; the warehouse is as it was.
        WarehouseError: See its subclasses; the warehouse is as it was.
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
            return LoadReport(tuple(_apply(connection, lake, manifest, catalog, progress) for manifest in manifests))


def _apply(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    manifest: LoadManifest,
    catalog: Mapping[str, TableLike],
    progress: Callable[[LoadProgress], None] | None,
) -> AppliedLoad:
    with lake.checkout(manifest) as files:
        return apply(connection, manifest, files, catalog, progress)


def _check_none_missing(connection: duckdb.DuckDBPyConnection, lake: Lake, manifests: Sequence[LoadManifest]) -> None:
    """A load that was applied once and has left the lake would take its history with it, silently."""
    ensure_tables(connection, ())
    held = {load_id for manifest in manifests for load_id in manifest.covers}
    missing = sorted(load_log.applied(connection) - held)
    if missing:
        raise MissingLoadError(
            f"{lake.location} lacks what the warehouse was made of: load {', '.join(missing)}.",
            remedy="Restore it from a backup of the lake. If there is none, keep this warehouse: it holds history "
            "that the lake has lost (to give that up, move warehouse.duckdb away first).",
        )
