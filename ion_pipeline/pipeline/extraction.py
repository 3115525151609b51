"""ION to the lake: what is to be read, read into one new load, or into none where nothing is new."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ion_pipeline.client import ClientConfig
from ion_pipeline.extract import (
    ChangeSink,
    EntityResult,
    ReadProgress,
    State,
    TenantRestoredError,
    carry_out,
    check_deletes,
    check_group,
    check_restored,
    fetch,
    nothing_read,
    with_unsettled,
)
from ion_pipeline.files import WriterLock
from ion_pipeline.heap import heap_at_rest
from ion_pipeline.lake import Lake, LoadManifest, LoadWriter
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.pipeline.read_mode import ReadMode, RefreshPlan
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.pipeline.resume import begin_or_resume, keep_for_resumption, resumption
from ion_pipeline.pipeline.session import PreparedRead, Session, open_session
from ion_pipeline.pipeline.tenant import reachable_tenant
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse.known import RawRows

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


def extract(
    settings: Settings,
    *,
    entities: Sequence[str] = (),
    mode: ReadMode | None = None,
    reporter: Reporter | None = None,
) -> ExtractReport:
    """Read what is new in ION into the lake, and what changed of that while all of it was read.

    Changes to what was read in full cannot go into the same load: they are read by one refresh after it, so that what
    is built next is of one instant. What changes even then is in the report.

    Args:
        settings: Which tenant and which data directory.
        entities: Names of the entities to read; by default those of the settings.
        mode: Changes only, unless told otherwise.
        reporter: Hears how it goes.

    Raises:
        IonPipelineError: See `client`, `extract` and `lake`; what a load before it brought stays.
    """
    mode = mode or ReadMode()
    report = _extract_once(settings, entities, mode, reporter)
    if not any(entity.unsettled for entity in report.entities if entity.strategy == "full"):
        return report
    after = _extract_once(settings, entities, replace(mode, full=False), reporter)
    return replace(
        report,
        load_id=after.load_id or report.load_id,
        entities=tuple(_both(*pair) for pair in zip(report.entities, after.entities, strict=True)),
        requests=report.requests + after.requests,
        token_requests=report.token_requests + after.token_requests,
        bytes=report.bytes + after.bytes,
        seconds=report.seconds + after.seconds,
    )


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
        return asyncio.run(_plan(settings, config, selection, mode=mode, reporter=reporter or NullReporter()))


def _extract_once(
    settings: Settings, entities: Sequence[str], mode: ReadMode, reporter: Reporter | None
) -> ExtractReport:
    reporter = reporter or NullReporter()
    selection = entities or settings.entities
    writing = Lake(settings.lake_dir).writing(wait_seconds=settings.lock_wait_seconds)
    with reporter.phase("Reading ION"), writing as lock, reachable_tenant(settings) as config, heap_at_rest():
        return asyncio.run(_extract(settings, config, selection, mode=mode, reporter=reporter, lock=lock))


def _both(first: EntityResult, after: EntityResult) -> EntityResult:
    """One result of two reads, the second of which brought what changed during the first."""
    if first.status != "read":
        return after
    if after.status != "read":
        return replace(first, unsettled=after.unsettled)
    tables = dict(after.tables)
    if after.strategy == "incremental":
        tables = {name: first.tables.get(name, 0) + tables.get(name, 0) for name in {**first.tables, **tables}}
    return replace(
        after,
        strategy=first.strategy,
        tables=tables,
        pages=first.pages + after.pages,
        requests=first.requests + after.requests,
        bytes=first.bytes + after.bytes,
        seconds=first.seconds + after.seconds,
    )


async def _plan(
    settings: Settings, config: ClientConfig, selection: Sequence[str], *, mode: ReadMode, reporter: Reporter
) -> RefreshPlan:
    async with open_session(settings, config, reporter) as session:
        if session.is_claimed:
            session.claim()
        prepared = await _prepare(session, selection, mode)
        return RefreshPlan(prepared.tasks, session.client.stats.requests)


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
    async with open_session(settings, config, reporter) as session:
        session.claim()
        prepared = await _prepare(session, selection, mode)
        for doubt in prepared.clock.doubts:
            reporter.note(doubt)
        manifest: LoadManifest | None = None
        if _is_nothing_new(prepared):
            results = nothing_read(prepared.tasks, prepared.state)
        else:
            manifest, results = await _write_load(session, prepared, mode, lock)
    stats = session.client.stats
    return ExtractReport(
        load_id=manifest.load_id if manifest else None,
        organization_id=session.identity.organization_id,
        entities=tuple(results),
        requests=stats.requests,
        token_requests=stats.token_requests,
        bytes=stats.bytes,
        seconds=time.monotonic() - began,
        clock_doubts=tuple(prepared.clock.doubts),
    )


async def _prepare(session: Session, selection: Sequence[str], mode: ReadMode) -> PreparedRead:
    """Find out what is to be read, and stop where what ION has now does not follow from what it had."""
    prepared = await _checked(session, selection, mode)
    page_size = session.settings.page_size
    try:
        await check_restored(session.client, prepared.plan, prepared.tasks, prepared.state, page_size=page_size)
    except TenantRestoredError as doubt:
        if not mode.accept_deletes:
            raise
        # A refresh by changes would keep what ION no longer has: only a read of everything gives one state.
        prepared = await _checked(session, selection, replace(mode, full=True))
        session.reporter.note(f"{doubt.message} It is accepted: everything is read again.")
    return prepared


async def _checked(session: Session, selection: Sequence[str], mode: ReadMode) -> PreparedRead:
    prepared = await session.prepare(selection, full=mode.full)
    if not mode.accept_deletes:
        rows = {name: one.rows for name, one in prepared.known.items()}
        if mode.full:
            raw = RawRows(session.settings.warehouse_path, resources_of(session.settings), session.catalog)
            for task in (one for one in prepared.tasks if one.action == "full"):
                await check_group(session.client, task.plan, State(known=raw), NullReporter().note)
            rows = raw.count(rows)
        check_deletes(prepared.tasks, rows, largest_share=session.settings.max_deleted_share)
    return prepared


def _is_nothing_new(prepared: PreparedRead) -> bool:
    """Something was read before, and every entity is as it was (or may not be read, or never was there)."""
    known = prepared.state.entities
    return bool(known) and all(
        task.action in _NOTHING
        or (task.action == "none" and not (task.plan.name in known and known[task.plan.name].rows))
        for task in prepared.tasks
    )


async def _write_load(
    session: Session, prepared: PreparedRead, mode: ReadMode, lock: WriterLock
) -> tuple[LoadManifest, list[EntityResult]]:
    async def read(writer: LoadWriter) -> list[EntityResult]:
        with keep_for_resumption(writer, session.reporter):
            read_progress, tasks = await begin_or_resume(
                session.client, prepared.plan, prepared.tasks, writer, session.reporter
            )
            return await _read(
                session,
                replace(prepared, tasks=tasks),
                read_progress,
                sink=prepared.clock.witness(writer, read_progress.clock),
                clock=read_progress.clock or prepared.clock.started_at,
                accept_deletes=mode.accept_deletes,
            )

    return await session.write_load(
        prepared,
        read,
        lock=lock,
        resumption=resumption(
            session.settings,
            plan=prepared.plan,
            schemas=session.table_schemas,
            tenant=session.claim(),
            kind="changes" if prepared.state.entities else "all rows",
            last_load=max(session.lake.load_ids(), default=""),
            schema_hash=session.schema_hash,
            afresh=mode.afresh,
        ),
    )


async def _read(
    session: Session,
    prepared: PreparedRead,
    read_progress: ReadProgress,
    *,
    sink: ChangeSink,
    clock: datetime | None,
    accept_deletes: bool,
) -> list[EntityResult]:
    settings = session.settings
    if not prepared.state.entities:
        results = await fetch(
            session.client,
            prepared.plan,
            sink,
            progress=session.reporter,
            page_size=settings.page_size,
            parallel=settings.parallel_ranges,
            read_progress=read_progress,
        )
        return await with_unsettled(session.client, prepared.plan, results, clock=clock, page_size=settings.page_size)
    return await carry_out(
        session.client,
        prepared.plan,
        prepared.state,
        prepared.tasks,
        sink,
        clock=clock,
        progress=session.reporter,
        read_progress=read_progress,
        options=session.options(accept_deletes=accept_deletes),
    )
