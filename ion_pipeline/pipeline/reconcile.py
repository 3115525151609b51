"""The nightly audit: refreshes the lake, compares every row with ION, and writes one load that repairs differences.

Differences that the refresh reads are not drift; drift is what a refresh misses, because ION did not report the change.
The repair is an ordinary incremental load, and the load log records how many rows had drifted.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ion_pipeline.client import ClientConfig
from ion_pipeline.extract import (
    EntityAudit,
    EntityResult,
    SuspiciousDeletesError,
    Task,
    audit,
    carry_out,
    check_group,
)
from ion_pipeline.lake import LoadWriter
from ion_pipeline.pipeline.log_lines import log_entities
from ion_pipeline.pipeline.progress import NullReporter, Reporter
from ion_pipeline.pipeline.read_mode import ReadMode
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.pipeline.session import PreparedRead, Session, open_session
from ion_pipeline.pipeline.steps import extract, load
from ion_pipeline.pipeline.tenant import reachable_tenant
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import connect
from ion_pipeline.warehouse.known import RawSignatures

if TYPE_CHECKING:
    from ion_pipeline.pipeline.read_mode import ExtractReport


@dataclass(frozen=True, slots=True)
class EntityDrift:
    """The result of the audit of one entity.

    Attributes:
        entity: Name of the entity.
        rows: Number of rows at ION.
        changed: Rows that changed although their `_updated` did not move past the watermark.
        missing: Rows at ION that the warehouse did not have, although the counts were equal.
        surplus: Rows of the warehouse that ION did not have, although the counts were equal.
        lists: Rows of which only a list differed: links, files, attributes.
        drifted: Rows in any of these groups.
    """

    entity: str
    rows: int
    changed: int
    missing: int
    surplus: int
    lists: int
    drifted: int


@dataclass(frozen=True, slots=True)
class ReconcileReport:
    """The result of a reconcile.

    Attributes:
        load_id: The load of the repair; None if nothing differed, or in a dry run.
        refreshed: The load of the preceding refresh; None if nothing was new, or in a dry run.
        dry_run: Whether rows were only compared.
        entities: The entities that were compared, in the schema's order. Every refresh compares the other entities or
            reads them in full.
        unsettled: Number of rows by entity that changed again during the repair.
        requests: Number of GraphQL requests, those of the refresh included.
        seconds: Wall time.
    """

    load_id: str | None
    refreshed: str | None
    dry_run: bool
    entities: tuple[EntityDrift, ...]
    unsettled: Mapping[str, int]
    requests: int
    seconds: float

    @property
    def rows(self) -> int:
        """Number of rows that were compared."""
        return sum(entity.rows for entity in self.entities)

    @property
    def drifted(self) -> int:
        """Number of rows with changes that ION did not report."""
        return sum(entity.drifted for entity in self.entities)


def reconcile(
    settings: Settings,
    *,
    entities: Sequence[str] = (),
    accept_deletes: bool = False,
    dry_run: bool = False,
    reporter: Reporter | None = None,
) -> ReconcileReport:
    """Refresh the lake, compare all rows with ION, and write a load that repairs the differences.

    Args:
        settings: The tenant and the data directory.
        entities: Names of the entities; by default those of the settings.
        accept_deletes: Treat missing rows as deleted, however many they are.
        dry_run: Only compare: no refresh and no repair.
        reporter: Receives progress and notes.

    Raises:
        IonPipelineError: See `extract`; the repair is committed only after all checks.
    """
    reporter, began = reporter or NullReporter(), time.monotonic()
    refreshed: ExtractReport | None = None
    if not dry_run:
        mode = ReadMode(accept_deletes=accept_deletes)
        refreshed = extract(settings, entities=entities, mode=mode, reporter=reporter)
    with reporter.phase("Comparing with ION"), reachable_tenant(settings) as config:
        selection = entities or settings.entities
        report = asyncio.run(
            _reconcile(settings, config, selection, accept_deletes=accept_deletes, dry_run=dry_run, reporter=reporter)
        )
    return replace(
        report,
        refreshed=refreshed.load_id if refreshed else None,
        requests=report.requests + (refreshed.requests if refreshed else 0),
        seconds=time.monotonic() - began,
    )


def reconcile_and_load(
    settings: Settings,
    *,
    entities: Sequence[str] = (),
    accept_deletes: bool = False,
    dry_run: bool = False,
    reporter: Reporter | None = None,
) -> ReconcileReport:
    """Reconcile the lake, then apply its new loads to `raw`.

    The arguments and errors are those of `reconcile` and `steps.load`.
    """
    report = reconcile(settings, entities=entities, accept_deletes=accept_deletes, dry_run=dry_run, reporter=reporter)
    if not dry_run:
        load(settings, reporter=reporter)
    return report


async def _reconcile(
    settings: Settings,
    config: ClientConfig,
    selection: Sequence[str],
    *,
    accept_deletes: bool,
    dry_run: bool,
    reporter: Reporter,
) -> ReconcileReport:
    load_id, results = None, list[EntityResult]()
    async with open_session(settings, config, reporter) as session:
        session.claim()
        # Changes after this point are read by the rounds of the repair.
        prepared = await session.prepare(selection)
        found = await _audit(session, prepared)
        if not accept_deletes:
            found = [await _without_hidden(session, prepared, one, dry_run=dry_run) for one in found]
        if not dry_run and any(one.repair for one in found):
            load_id, results = await _repair(session, prepared, found, accept_deletes=accept_deletes)
    return ReconcileReport(
        load_id=load_id,
        refreshed=None,
        dry_run=dry_run,
        entities=tuple(
            EntityDrift(one.entity, one.rows, one.changed, one.missing, one.surplus, one.lists, one.drifted)
            for one in found
        ),
        unsettled={result.entity: result.unsettled for result in results if result.unsettled},
        requests=session.client.stats.requests,
        seconds=0.0,
    )


async def _audit(session: Session, prepared: PreparedRead) -> list[EntityAudit]:
    """Compare all rows of the warehouse with ION; before the first load there are none."""
    if not prepared.state.entities:
        return []
    settings = session.settings
    with connect(settings.warehouse_path, resources_of(settings), read_only=True) as connection:
        return await audit(
            session.client,
            prepared.tasks,
            prepared.known,
            RawSignatures(connection),
            page_size=settings.page_size,
            progress=session.reporter,
        )


async def _without_hidden(session: Session, prepared: PreparedRead, one: EntityAudit, *, dry_run: bool) -> EntityAudit:
    """The audit of an entity without rows that are only hidden from the key: they are not drift.

    Raises:
        SuspiciousDeletesError: The repair would delete the hidden rows.
    """
    gone = one.repair.differences.gone if one.repair else set[int]()
    if one.repair is None or not gone:
        return one
    try:
        await check_group(session.client, one.repair.plan, prepared.state, NullReporter().note, one.repair.differences)
    except SuspiciousDeletesError as hidden:
        if not dry_run:
            raise
        session.reporter.note(f"{hidden.message} They are not counted as drifted.")
        return replace(one, surplus=max(0, one.surplus - len(gone & prepared.state.known.controlled(one.entity))))
    return one


async def _repair(
    session: Session, prepared: PreparedRead, found: Sequence[EntityAudit], *, accept_deletes: bool
) -> tuple[str, list[EntityResult]]:
    async def read(writer: LoadWriter) -> list[EntityResult]:
        return await carry_out(
            session.client,
            prepared.plan,
            prepared.state,
            _repairs(prepared.tasks, found),
            prepared.clock.witness(writer, None),
            clock=prepared.clock.started_at,
            progress=session.reporter,
            options=session.options(accept_deletes=accept_deletes),
        )

    drifted = {one.entity: one.drifted for one in found}
    manifest, results = await session.write_load(prepared, read, drifted=drifted)
    if manifest is None:
        raise AssertionError("a repair commits a load")
    log_entities(manifest.load_id, results)
    return manifest.load_id, results


def _repairs(tasks: Sequence[Task], found: Sequence[EntityAudit]) -> tuple[Task, ...]:
    """The task of each entity: its repair if it differs, otherwise nothing."""
    differing = {one.entity: one.repair for one in found if one.repair}
    return tuple(differing.get(task.plan.name, replace(task, action="nothing", reason="as known")) for task in tasks)
