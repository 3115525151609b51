"""Reads from ION into the lake: decides what to read and writes it to a new load, unless nothing is new."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
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
from ion_pipeline.files import Lock
from ion_pipeline.heap import gc_frozen
from ion_pipeline.lake import LoadManifest, LoadWriter
from ion_pipeline.pipeline.further_actions import further_actions_of
from ion_pipeline.pipeline.log_lines import log_read
from ion_pipeline.pipeline.open_lake import open_lake
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.pipeline.read_mode import ExtractReport, ReadMode, RefreshPlan
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.pipeline.resume import begin_or_resume, keep_for_resumption, resumption
from ion_pipeline.pipeline.sandbox_world import keep_world, with_world
from ion_pipeline.pipeline.session import PreparedRead, Session, open_session
from ion_pipeline.pipeline.tenant import reachable_tenant
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse.known import RawRows

# A nested entity is read with its parent; if the parent is not read, neither is the nested entity.
_NOTHING = frozenset({"nothing", "forbidden", "nested"})


def extract(
    settings: Settings,
    *,
    entities: Sequence[str] = (),
    mode: ReadMode | None = None,
    reporter: Reporter | None = None,
) -> ExtractReport:
    """Read what is new in ION into the lake, including rows that changed during a full read.

    A load from a full read cannot hold the changes made during that read. A second, incremental read follows it, so
    that the next build describes one instant. The report counts the rows that changed during the second read.

    Args:
        settings: The tenant and the data directory.
        entities: Names of the entities to read; by default those of the settings.
        mode: How to read; by default only changes.
        reporter: Receives progress and notes.

    Raises:
        SettingsError: `further_actions` does not fit what was adopted.
        IonPipelineError: See `client`, `extract` and `lake`; earlier loads are unchanged.
    """
    mode = mode or ReadMode()
    # A refresh should not read for an hour to fail at the build.
    further_actions_of(settings)
    report = _extract_once(settings, entities, mode, reporter)
    if not any(entity.unsettled for entity in report.entities if entity.strategy == "full"):
        return report
    second = _extract_once(settings, entities, replace(mode, full=False), reporter)
    return replace(
        report,
        load_id=second.load_id or report.load_id,
        entities=tuple(_combined(*pair) for pair in zip(report.entities, second.entities, strict=True)),
        requests=report.requests + second.requests,
        token_requests=report.token_requests + second.token_requests,
        bytes=report.bytes + second.bytes,
        seconds=report.seconds + second.seconds,
    )


def plan(
    settings: Settings, *, entities: Sequence[str] = (), full: bool = False, reporter: Reporter | None = None
) -> RefreshPlan:
    """Determine what `extract` would read, without reading it.

    Args:
        settings: The tenant and the data directory.
        entities: Names of the entities; by default those of the settings.
        full: Plan a full read of all entities.
        reporter: Receives notes.

    Raises:
        IonPipelineError: A request to the tenant fails.
    """
    selection, mode = entities or settings.entities, ReadMode(full=full)
    with reachable_tenant(settings) as config:
        return asyncio.run(_plan(settings, config, selection, mode=mode, reporter=reporter or NullReporter()))


def _extract_once(
    settings: Settings, entities: Sequence[str], mode: ReadMode, reporter: Reporter | None
) -> ExtractReport:
    reporter, settings = reporter or NullReporter(), with_world(settings)
    selection = entities or settings.entities
    writing = open_lake(settings).writing(wait_seconds=settings.lock_wait_seconds)
    with reporter.phase("Reading ION"), writing as lock, reachable_tenant(settings) as config, gc_frozen():
        report = asyncio.run(_extract(settings, config, selection, mode=mode, reporter=reporter, lock=lock))
        keep_world(settings)
    log_read(report)
    return report


def _combined(first: EntityResult, second: EntityResult) -> EntityResult:
    """Combine the results of two reads; the second one read what changed during the first."""
    if first.status != "read":
        return second
    if second.status != "read":
        return replace(first, unsettled=second.unsettled)
    tables = dict(second.tables)
    if second.strategy == "incremental":
        tables = {name: first.tables.get(name, 0) + tables.get(name, 0) for name in {**first.tables, **tables}}
    return replace(
        second,
        strategy=first.strategy,
        tables=tables,
        pages=first.pages + second.pages,
        requests=first.requests + second.requests,
        bytes=first.bytes + second.bytes,
        seconds=first.seconds + second.seconds,
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
    lock: Lock,
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
    """Decide what to read; raise an error if ION seems to have been restored to an earlier state."""
    prepared = await _checked(session, selection, mode)
    page_size = session.settings.page_size
    try:
        await check_restored(session.client, prepared.plan, prepared.tasks, prepared.state, page_size=page_size)
    except TenantRestoredError as doubt:
        if not mode.accept_deletes:
            raise
        # An incremental read would keep rows that ION no longer has, so everything is read again.
        prepared = await _checked(session, selection, replace(mode, full=True))
        session.reporter.note(f"{doubt.message} This was accepted by an option: all entities are read in full.")
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
    """Whether there was an earlier read and no entity has changed since; unreadable and absent entities are ignored."""
    known = prepared.state.entities
    return bool(known) and all(
        task.action in _NOTHING
        or (task.action == "none" and not (task.plan.name in known and known[task.plan.name].rows))
        for task in prepared.tasks
    )


async def _write_load(
    session: Session, prepared: PreparedRead, mode: ReadMode, lock: Lock
) -> tuple[LoadManifest | None, list[EntityResult]]:
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
