"""Applies one load or snapshot to `raw`, `raw_history` and the load log, inside the caller's transaction."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from ion_pipeline.counting import Count, OnCount
from ion_pipeline.errors import TenantMismatchError
from ion_pipeline.lake import LoadManifest, TableManifest
from ion_pipeline.warehouse import load_log
from ion_pipeline.warehouse.delays import committed_by_ions_clock
from ion_pipeline.warehouse.enums import unknown_values
from ion_pipeline.warehouse.load_log import TableChange
from ion_pipeline.warehouse.merge import merge
from ion_pipeline.warehouse.restore import clear, restore
from ion_pipeline.warehouse.tables import TableLike

_TICK = timedelta(microseconds=1)


class RowCount:
    """Counts the rows of loads, table by table, while they are applied.

    Args:
        on_count: Called before each table and after each load.
        loads: The number of loads.
        rows: The rows and tombstones of all loads; None if those of a load are known only when it begins. Then the
            share of the work is that of the load.
    """

    def __init__(self, on_count: OnCount, loads: int, rows: int | None = None) -> None:
        self._on_count = on_count
        self._loads, self._rows = loads, rows
        self._number = self._before = self._done = 0

    def tables(self, load: Sequence[TableManifest]) -> Iterator[TableManifest]:
        """Yield the tables of the next load, each of which is applied before the next is asked for."""
        self._number, self._before = self._number + 1, self._done
        total = self._before + rows_of(load) if self._rows is None else self._rows
        for table in load:
            self._say(total, table.table)
            yield table
            self._done += rows_of([table])
        self._say(total)

    def _say(self, total: int, name: str = "") -> None:
        before, doing = 0, ""
        if self._rows is None and self._loads > 1:
            before, doing = self._before, f"load {self._number} of {self._loads}"
        share = (self._done - before) / (total - before) if total > before else None
        self._on_count(Count(self._done, total, "rows", doing, name, share))


def rows_of(tables: Iterable[TableManifest]) -> int:
    """Rows and tombstones of tables of a load."""
    return sum(table.rows + table.tombstones for table in tables)


@dataclass(frozen=True, slots=True)
class AppliedLoad:
    """One load that was applied.

    Attributes:
        load_id: Id of the load.
        tables: What the load changed in each table.
        ignored: Tables of the load that the catalog no longer has.
        seconds: How long applying the load took.
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
    count: RowCount,
) -> AppliedLoad:
    """Apply one load, or replace the contents of all tables by a snapshot.

    Args:
        connection: The warehouse, in a transaction; the tables of the catalog exist.
        manifest: Manifest of the load or the snapshot.
        files: Its files by table, as `Lake.checkout` returns them.
        catalog: The tables by name.
        count: Counts the rows.

    Raises:
        TenantMismatchError: The load belongs to another tenant than the data in the warehouse.
        WarehouseError: See `merge`.
    """
    began = time.perf_counter()
    valid_from, committed_at = _valid_from(connection, manifest), committed_by_ions_clock(manifest)
    known = [table for table in manifest.tables if table.table in catalog]
    if manifest.snapshot:
        clear(connection, catalog.values())
    changes: list[TableChange] = []
    drift = list(manifest.drift)
    for table in count.tables(known):
        table_began = time.perf_counter()
        if manifest.snapshot:
            change = restore(connection, catalog[table.table], files[table.table])
        else:
            change = merge(
                connection,
                catalog[table.table],
                table,
                files[table.table],
                valid_from=valid_from,
                committed_at=committed_at,
            )
        changes.append(replace(change, seconds=time.perf_counter() - table_began))
        if table.rows and not manifest.snapshot:
            drift += unknown_values(connection, catalog[table.table], table.read.entity, files[table.table])
    if manifest.snapshot:
        load_log.restore(connection, files)
    else:
        load_log.insert(connection, manifest, changes, drift, valid_from)
    ignored = tuple(table.table for table in manifest.tables if table.table not in catalog)
    return AppliedLoad(manifest.load_id, tuple(changes), ignored, time.perf_counter() - began)


def _valid_from(connection: duckdb.DuckDBPyConnection, manifest: LoadManifest) -> datetime:
    """The `valid_from` of the load's versions: its start, or just after the previous load if the clock was set back."""
    tenant = str(manifest.tenant)
    others = load_log.tenants(connection) - {tenant}
    if others:
        raise TenantMismatchError(
            f"Load {manifest.load_id} is of {tenant}, but the warehouse holds the data of {', '.join(sorted(others))}.",
            remedy="Use one data directory for each tenant (ION_DATA_DIR).",
        )
    before = load_log.latest_valid_from(connection)
    return max(manifest.started_at, before + _TICK) if before else manifest.started_at
