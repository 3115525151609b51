"""ION to the lake: what is to be read, read into one new load, or into none where nothing is new."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from graphql import GraphQLSchema

from ion_pipeline.client import ClientConfig, IonClient
from ion_pipeline.extract import (
    ChangeSink,
    EntityResult,
    Ledger,
    Plan,
    RefreshOptions,
    State,
    Task,
    TenantRestoredError,
    carry_out,
    check_deletes,
    check_group,
    check_restored,
    decide,
    fetch,
    known_of,
    negotiate,
    nothing_read,
    with_unsettled,
)
from ion_pipeline.heap import heap_at_rest
from ion_pipeline.lake import Lake, LoadManifest, WriterLock, claim_tenant, read_tenant
from ion_pipeline.pipeline.adopting import data_schema
from ion_pipeline.pipeline.drift import schema_drift
from ion_pipeline.pipeline.log_lines import log_read
from ion_pipeline.pipeline.meeting import Met, meet
from ion_pipeline.pipeline.progress import Reporter, Silence
from ion_pipeline.pipeline.read_clock import ReadClock, read_clock, table_reads
from ion_pipeline.pipeline.read_mode import ReadMode, RefreshPlan
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.pipeline.resume import begin_or_go_on, left_for_later, resumption
from ion_pipeline.pipeline.state import RawRows, read_state
from ion_pipeline.pipeline.tenant import reachable_tenant, tenant_client, tenant_host
from ion_pipeline.pipeline.tenant_schema import keep_schema
from ion_pipeline.settings import Settings

# What is nested in an entity comes with it: if that is not read, neither is this.
_NOTHING = frozenset({"nothing", "forbidden", "nested"})


@dataclass(frozen=True, slots=True)
class ExtractReport:
    """What one read of ION brought.

    Attributes:
        load_id: The load in the lake; None where nothing was new and none was written.
        organization_id: ION's id of the tenant.
        entities: Entity by entity, in the schema's order.
        requests: GraphQL requests, repeated ones included.
        token_requests: Requests to the token host.
        bytes: Bytes received.
        seconds: Wall time.
        clock_doubts: What is doubtful about the clocks, a sentence each.
    """

    load_id: str | None
    organization_id: str
    entities: tuple[EntityResult, ...]
    requests: int
    token_requests: int
    bytes: int
    seconds: float
    clock_doubts: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Rows over all entities, without the lists inside them."""
        return sum(entity.rows for entity in self.entities)

    @property
    def rows_by_entity(self) -> list[tuple[str, int]]:
        """Entities that were read, with their rows."""
        return [(entity.entity, entity.rows) for entity in self.entities if entity.status == "read"]

    @property
    def unread(self) -> dict[str, str]:
        """Entities that could not be read, with the reason: forbidden or absent."""
        return {entity.entity: entity.status for entity in self.entities if entity.status in {"forbidden", "absent"}}

    @property
    def unsettled(self) -> dict[str, int]:
        """Rows that had changed again when the read ended, by entity: the next refresh brings them."""
        return {entity.entity: entity.unsettled for entity in self.entities if entity.unsettled}


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A tenant asked for its counts, before anything is read."""

    schema: GraphQLSchema
    plan: Plan
    state: State
    tasks: tuple[Task, ...]
    clock: datetime | None
    clocks: ReadClock


def extract(
    settings: Settings,
    *,
    entities: Sequence[str] = (),
    mode: ReadMode | None = None,
    reporter: Reporter | None = None,
) -> ExtractReport:
    """Read what is new in ION into one new load of the lake. Nothing is committed unless everything was checked.

    Args:
        settings: Which tenant and which data directory.
        entities: Names of the entities to read; by default those of the settings.
        mode: Changes only, unless told otherwise.
        reporter: Hears how it goes.

    Raises:
        IonPipelineError: See `client`, `extract` and `lake`; the lake is as it was.
    """
    reporter = reporter or Silence()
    selection, mode = entities or settings.entities, mode or ReadMode()
    writing = Lake(settings.lake_dir).writing(wait_seconds=settings.lock_wait_seconds)
    with reporter.phase("Reading ION"), writing as lock, reachable_tenant(settings) as config, heap_at_rest():
        report = asyncio.run(_extract(settings, config, selection, mode=mode, reporter=reporter, lock=lock))
    log_read(report)
    return report


def plan(
    settings: Settings, *, entities: Sequence[str] = (), full: bool = False, reporter: Reporter | None = None
) -> RefreshPlan:
    """Find out what `extract` would read, and read nothing.

    Args:
        settings: Which tenant and which data directory.
        entities: Names of the entities; by default those of the settings.
        full: As if nothing were known.
        reporter: Hears what a person should know.

    Raises:
        IonPipelineError: The tenant cannot be asked.
    """
    selection, mode = entities or settings.entities, ReadMode(full=full)
    with reachable_tenant(settings) as config:
        return asyncio.run(_plan(settings, config, selection, mode=mode, reporter=reporter or Silence()))


async def _plan(
    settings: Settings, config: ClientConfig, selection: Sequence[str], *, mode: ReadMode, reporter: Reporter
) -> RefreshPlan:
    async with tenant_client(settings, config, reporter.note) as client:
        met = await meet(client, settings.data_dir, reporter.note)
        if read_tenant(settings.data_dir):
            claim_tenant(settings.data_dir, met.identity.organization_id, tenant_host(settings, config))
        prepared = await _prepare(client, settings, met, selection, mode, note=reporter.note)
        return RefreshPlan(prepared.tasks, client.stats.requests)


async def _prepare(
    client: IonClient,
    settings: Settings,
    met: Met,
    selection: Sequence[str],
    mode: ReadMode,
    *,
    note: Callable[[str], None],
) -> _Prepared:
    prepared = await _asked(client, settings, met, selection, mode)
    try:
        await check_restored(client, prepared.plan, prepared.tasks, prepared.state, page_size=settings.page_size)
    except TenantRestoredError as doubt:
        if not mode.accept_deletes:
            raise
        # A refresh by changes would keep what ION no longer has: only everything, read anew, is one state.
        prepared = await _asked(client, settings, met, selection, replace(mode, full=True))
        note(f"{doubt.message} It is accepted: everything is read anew.")
    return prepared


async def _asked(
    client: IonClient, settings: Settings, met: Met, selection: Sequence[str], mode: ReadMode
) -> _Prepared:
    catalog = met.catalog
    found = negotiate(met.schema, catalog, selection)
    resources, lake = resources_of(settings), Lake(settings.lake_dir)
    # Watermarks want the clocks from before the first count.
    clock = await read_clock(client, lake)
    state = State()
    if not mode.full:
        overlap = timedelta(minutes=settings.overlap_minutes)
        state = read_state(
            lake, settings.warehouse_path, catalog, found, resources=resources, clock=clock, overlap=overlap
        )
    known = known_of(found, state)
    tasks = await decide(client, found, known, page_size=settings.page_size)
    if not mode.accept_deletes:
        rows = {name: one.rows for name, one in known.items()}
        if mode.full:
            raw = RawRows(settings.warehouse_path, resources, catalog)
            for task in (one for one in tasks if one.action == "full"):
                await check_group(client, task.plan, State(known=raw), Silence().note)
            rows = raw.count(rows)
        check_deletes(tasks, rows, largest_share=settings.max_deleted_share)
    return _Prepared(met.schema, found, state, tasks, clock.started_at, clock)


async def _extract(
    settings: Settings,
    config: ClientConfig,
    selection: Sequence[str],
    *,
    mode: ReadMode,
    reporter: Reporter,
    lock: WriterLock,
) -> ExtractReport:
    began = time.monotonic()
    lake = Lake(settings.lake_dir)
    async with tenant_client(settings, config, reporter.note) as client:
        met = await meet(client, settings.data_dir, reporter.note)
        catalog = met.catalog
        tenant = claim_tenant(settings.data_dir, met.identity.organization_id, tenant_host(settings, config))
        prepared = await _prepare(client, settings, met, selection, mode, note=reporter.note)
        for doubt in prepared.clocks.doubts:
            reporter.note(doubt)
        manifest: LoadManifest | None = None
        if _is_nothing_new(prepared):
            results = nothing_read(prepared.tasks, prepared.state)
        else:
            schemas = {name: table.arrow_schema for name, table in catalog.tables.items()}
            tenant_hash = keep_schema(settings.data_dir, prepared.schema)
            with lake.begin(
                tenant,
                schemas,
                started_at=prepared.clock,
                schema_hash=tenant_hash,
                resumption=resumption(
                    settings,
                    plan=prepared.plan,
                    schemas=schemas,
                    tenant=tenant,
                    kind="changes" if prepared.state.entities else "all rows",
                    last_load=max(lake.load_ids(), default=""),
                    schema_hash=tenant_hash,
                    afresh=mode.afresh,
                ),
                lock=lock,
            ) as writer:
                with left_for_later(writer, reporter):
                    ledger, tasks = await begin_or_go_on(client, prepared.plan, prepared.tasks, writer, reporter)
                    prepared = replace(prepared, tasks=tasks, clock=ledger.clock or prepared.clock)
                    results = await _read(
                        client,
                        settings,
                        prepared,
                        ledger,
                        mode=mode,
                        writer=prepared.clocks.witness(writer, ledger.clock),
                        reporter=reporter,
                    )
                overlap, limit = timedelta(minutes=settings.overlap_minutes), prepared.clocks.limit
                manifest = writer.commit(
                    table_reads(catalog, prepared.plan, results, overlap=overlap, limit=limit),
                    clock=prepared.clocks.record(),
                    requests=client.stats.requests,
                    bytes_received=client.stats.bytes,
                    read_by=met.identity.user_number,
                    drift=schema_drift(prepared.plan, prepared.schema, data_schema(settings.data_dir)),
                )
    return ExtractReport(
        load_id=manifest.load_id if manifest else None,
        organization_id=met.identity.organization_id,
        entities=tuple(results),
        requests=client.stats.requests,
        token_requests=client.stats.token_requests,
        bytes=client.stats.bytes,
        seconds=time.monotonic() - began,
        clock_doubts=tuple(prepared.clocks.doubts),
    )


def _is_nothing_new(prepared: _Prepared) -> bool:
    """Something was read before, and every entity is as it was (or may not be read, or never was there)."""
    known = prepared.state.entities
    return bool(known) and all(
        task.action in _NOTHING
        or (task.action == "none" and not (task.plan.name in known and known[task.plan.name].rows))
        for task in prepared.tasks
    )


async def _read(
    client: IonClient,
    settings: Settings,
    prepared: _Prepared,
    ledger: Ledger,
    *,
    mode: ReadMode,
    writer: ChangeSink,
    reporter: Reporter,
) -> list[EntityResult]:
    if not prepared.state.entities:
        results = await fetch(
            client,
            prepared.plan,
            writer,
            progress=reporter,
            page_size=settings.page_size,
            parallel=settings.parallel_ranges,
            ledger=ledger,
        )
        return await with_unsettled(client, prepared.plan, results, clock=prepared.clock, page_size=settings.page_size)
    return await carry_out(
        client,
        prepared.plan,
        prepared.state,
        prepared.tasks,
        writer,
        clock=prepared.clock,
        progress=reporter,
        ledger=ledger,
        options=RefreshOptions(
            page_size=settings.page_size,
            parallel=settings.parallel_ranges,
            rounds=settings.settle_rounds,
            largest_share=None if mode.accept_deletes else settings.max_deleted_share,
        ),
    )
