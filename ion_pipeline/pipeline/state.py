"""Reads the state after the last refresh from the lake's manifests and the warehouse.

The state is stored nowhere else, so it cannot be inconsistent. Watermarks come from the manifests of committed loads,
rows and ids from `raw`. Loads that the warehouse does not have yet are applied first, because ION is compared with the
rows of the latest load.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

from ion_pipeline import warehouse
from ion_pipeline.catalog import Catalog, EntityPlan, Plan
from ion_pipeline.extract import EntityState, State, known_of
from ion_pipeline.extract.decide import Known
from ion_pipeline.lake import Lake, LoadManifest, TableRead
from ion_pipeline.pipeline.read_clock import ReadClock
from ion_pipeline.warehouse import Resources, known, load_log


def read_state(
    lake: Lake,
    database: Path,
    catalog: Catalog,
    plan: Plan,
    *,
    resources: Resources,
    clock: ReadClock | None = None,
    overlap: timedelta = timedelta(),
) -> tuple[State, dict[str, Known]]:
    """Apply pending loads to the warehouse; return the state, and what is known of each entity of the plan.

    Args:
        lake: The lake that holds the loads.
        database: The warehouse file.
        catalog: Every table.
        plan: How the tenant is read, which decides the row versions to compare.
        resources: Memory and threads for DuckDB.
        clock: The clocks to check watermarks against. Its `newest` is set, and doubts are added to it.
        overlap: How long after its `_updated` a change may become visible.

    Raises:
        IonPipelineError: See `warehouse.load`, and the lake's manifests.
    """
    load_ids = lake.load_ids()
    if not load_ids:
        return State(), known_of(plan, State())
    with _up_to_date(lake, load_ids, database, catalog, resources) as connection:
        reads = _latest_reads(lake, load_ids, set(catalog.tables))
        raw = known.RawRows(database, resources, catalog)
        rows = raw.count(reads)
        asked = {name: plan.by_name[name] for name in reads if name in plan.by_name and rows.get(name)}
        ceiling = clock.clocks.earliest if clock and clock.clocks else datetime.now(UTC)
        newest = known.newest(connection, asked.values(), ceiling)
        since = _watermarks(asked, reads, newest, clock, overlap) if clock and clock.clocks else {}
        samples = known.samples(connection, asked, newest, max(load_ids))
        state = State(
            {
                name: EntityState(
                    rows.get(name, 0),
                    until := since.get(name, read.until),
                    read.query_hash,
                    known.versions(connection, plan.by_name[name], until) if name in plan.by_name and until else {},
                    samples.get(name, {}),
                )
                for name, (read, _) in reads.items()
            },
            raw,
        )
        # Here, for it reads etags: while the warehouse is open, that opens nothing.
        return state, known_of(plan, state)


def _watermarks(
    asked: Mapping[str, EntityPlan],
    reads: Mapping[str, tuple[TableRead, LoadManifest]],
    newest: Mapping[str, datetime],
    clock: ReadClock,
    overlap: timedelta,
) -> dict[str, datetime | None]:
    """The instants from which changes of each entity are requested; implausible watermarks are corrected."""
    latest = clock.newest = max(newest.values(), default=None)
    if clock.clocks is None:
        return {}
    earliest, found, future = clock.clocks.earliest, dict[str, datetime | None](), []
    for name, plan in asked.items():
        read, manifest = reads[name]
        until, tracking = read.until, plan.query.tracking if plan.query else None
        if until is None or tracking is None or not tracking.updated:
            continue
        if until > earliest:
            future.append(until)
        if latest is not None and (until > earliest or manifest.clock is None):
            # Set by a version that trusted the `Date` header, or by a clock that has been set back since.
            until = min(until, latest - overlap)
        elif until > earliest:
            until = earliest - overlap
        if not tracking.version_fields and name in newest:
            # Rows without versions would be read again by each refresh, so the watermark passes the latest of them.
            plausible = min(manifest.started_at, earliest) - overlap
            until = max(until, min(plausible, newest[name] + timedelta(microseconds=1)))
        found[name] = until
    if future:
        clock.doubts.append(
            f"The watermarks of {len(future)} entities are in the future (latest {max(future):%Y-%m-%d %H:%M:%S} UTC): "
            "changes are requested from the latest known change on."
        )
    return found


def _latest_reads(lake: Lake, load_ids: list[str], wanted: set[str]) -> dict[str, tuple[TableRead, LoadManifest]]:
    """The last read of each entity, or list read by itself, and its load; searched from the latest load backwards."""
    found: dict[str, tuple[TableRead, LoadManifest]] = {}
    for load_id in reversed(load_ids):
        manifest = lake.read_manifest(load_id)
        for table in manifest.tables:
            if table.table in wanted and table.table == table.read.entity:
                found.setdefault(table.table, (table.read, manifest))
        if len(found) == len(wanted):
            break
    return found


@contextmanager
def _up_to_date(
    lake: Lake, load_ids: list[str], database: Path, catalog: Catalog, resources: Resources
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the warehouse with all loads applied. It is opened once: that takes longer than what is asked of it."""
    if database.exists():
        with warehouse.connect(database, resources, read_only=True) as connection:
            if load_log.applied(connection).issuperset(load_ids):
                yield connection
                return
    warehouse.load(lake, database, catalog.tables.values(), resources=resources)
    with warehouse.connect(database, resources, read_only=True) as connection:
        yield connection
