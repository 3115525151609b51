"""The nightly audit: a refresh, then every row compared with ION's, and what had drifted unseen repaired by one load.

What the refresh brings is no drift; what no refresh would have brought is. The repair is an ordinary incremental load,
whose books say how many rows had drifted.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from graphql import GraphQLSchema

from ion_pipeline.client import ClientConfig, IonClient
from ion_pipeline.extract import (
    EntityAudit,
    EntityResult,
    Plan,
    RefreshOptions,
    State,
    SuspiciousDeletesError,
    Task,
    audit,
    carry_out,
    check_group,
    decide,
    known_of,
    negotiate,
)
from ion_pipeline.lake import Lake, Tenant, claim_tenant
from ion_pipeline.pipeline.adopting import data_catalog, data_schema
from ion_pipeline.pipeline.drift import schema_drift
from ion_pipeline.pipeline.log_lines import log_entities
from ion_pipeline.pipeline.progress import Reporter, Silence
from ion_pipeline.pipeline.read_clock import ReadClock, read_clock, table_reads
from ion_pipeline.pipeline.read_mode import ReadMode
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.pipeline.state import RawSignatures, read_state
from ion_pipeline.pipeline.steps import extract
from ion_pipeline.pipeline.tenant import reachable_tenant, tenant_client, tenant_host
from ion_pipeline.pipeline.tenant_schema import keep_schema, tenant_schema
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import connect

if TYPE_CHECKING:
    from ion_pipeline.pipeline.extraction import ExtractReport


@dataclass(frozen=True, slots=True)
class EntityDrift:
    """What an audit found of one entity.

    Attributes:
        entity: Its name.
        rows: Rows ION has.
        changed: Rows that changed without `_updated` moving into a refresh's sight.
        missing: Rows that ION had and the warehouse did not, where the counts agreed.
        surplus: Rows that the warehouse had and ION did not, where the counts agreed.
        lists: Rows of which only a list differed: links, files, attributes.
        drifted: All of these.
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
    """What a reconcile found and did.

    Attributes:
        load_id: The load that repairs; None where nothing differed, or in a dry run.
        refreshed: The load of the refresh before it; None where nothing was new, or in a dry run.
        dry_run: Only found out.
        entities: The entities that were compared, in the schema's order. The others are compared or read in full by
            every refresh.
        unsettled: Rows that had changed again when the repair ended, by entity.
        requests: GraphQL requests, those of the refresh included.
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
        """Rows compared."""
        return sum(entity.rows for entity in self.entities)

    @property
    def drifted(self) -> int:
        """Rows that had drifted silently."""
        return sum(entity.drifted for entity in self.entities)


@dataclass(frozen=True, slots=True)
class _Audited:
    """A tenant compared with what is known of it, before anything is repaired."""

    schema: GraphQLSchema
    plan: Plan
    state: State
    tasks: tuple[Task, ...]
    clock: ReadClock
    found: tuple[EntityAudit, ...]

    @property
    def repairs(self) -> tuple[Task, ...]:
        """What is to be done about each entity: nothing, but for those that differ."""
        differing = {one.entity: one.repair for one in self.found if one.repair}
        return tuple(
            differing.get(task.plan.name, replace(task, action="nothing", reason="as known")) for task in self.tasks
        )


def reconcile(
    settings: Settings,
    *,
    entities: Sequence[str] = (),
    accept_deletes: bool = False,
    dry_run: bool = False,
    reporter: Reporter | None = None,
) -> ReconcileReport:
    """Read what is new, compare all that was ever read with ION, and repair what differs, in the lake.

    Args:
        settings: Which tenant and which data directory.
        entities: Names of the entities; by default those of the settings.
        accept_deletes: Take what is gone for deleted, however much it is.
        dry_run: Compare only: no refresh before it, nothing repaired.
        reporter: Hears how it goes.

    Raises:
        IonPipelineError: See `extract`; nothing is committed unless everything was checked.
    """
    reporter, began = reporter or Silence(), time.monotonic()
    refreshed: ExtractReport | None = None
    if not dry_run:
        mode = ReadMode(accept_deletes=accept_deletes)
        refreshed = extract(settings, entities=entities, mode=mode, reporter=reporter)
    with reporter.phase("Comparing with ION"), reachable_tenant(settings) as config:
        run = _Run(settings, entities or settings.entities, accept_deletes, reporter)
        report = asyncio.run(run.reconcile(config, dry_run=dry_run))
    return replace(
        report,
        refreshed=refreshed.load_id if refreshed else None,
        requests=report.requests + (refreshed.requests if refreshed else 0),
        seconds=time.monotonic() - began,
    )


@dataclass(frozen=True, slots=True)
class _Run:
    """One comparison, and the repair after it."""

    settings: Settings
    selection: Sequence[str]
    accept_deletes: bool
    reporter: Reporter

    async def reconcile(self, config: ClientConfig, *, dry_run: bool) -> ReconcileReport:
        load_id, results = None, list[EntityResult]()
        async with tenant_client(self.settings, config, self.reporter.note) as client:
            identity = await client.me()
            host = tenant_host(self.settings, config)
            tenant = claim_tenant(self.settings.data_dir, identity.organization_id, host)
            audited = await self._without_hidden(client, await self._audit(client), dry_run=dry_run)
            if not dry_run and any(one.repair for one in audited.found):
                load_id, results = await self._repair(client, tenant, audited, read_by=identity.user_number)
            return ReconcileReport(
                load_id=load_id,
                refreshed=None,
                dry_run=dry_run,
                entities=tuple(
                    EntityDrift(one.entity, one.rows, one.changed, one.missing, one.surplus, one.lists, one.drifted)
                    for one in audited.found
                ),
                unsettled={result.entity: result.unsettled for result in results if result.unsettled},
                requests=client.stats.requests,
                seconds=0.0,
            )

    async def _audit(self, client: IonClient) -> _Audited:
        settings = self.settings
        schema = await tenant_schema(client, settings.data_dir, self.reporter.note)
        catalog = data_catalog(settings.data_dir)
        plan = negotiate(schema, catalog, self.selection)
        resources = resources_of(settings)
        lake = Lake(settings.lake_dir)
        # What changes from here on is left to the rounds of the repair.
        clock = await read_clock(client, lake)
        state = read_state(
            lake,
            settings.warehouse_path,
            catalog,
            plan,
            resources=resources,
            clock=clock,
            overlap=timedelta(minutes=settings.overlap_minutes),
        )
        known = known_of(plan, state)
        tasks = await decide(client, plan, known, page_size=settings.page_size)
        if not state.entities:
            return _Audited(schema, plan, state, tasks, clock, ())
        with connect(settings.warehouse_path, resources, read_only=True) as connection:
            found = await audit(
                client,
                tasks,
                known,
                RawSignatures(connection),
                page_size=settings.page_size,
                progress=self.reporter,
            )
        return _Audited(schema, plan, state, tasks, clock, tuple(found))

    async def _without_hidden(self, client: IonClient, audited: _Audited, *, dry_run: bool) -> _Audited:
        """What was found, less what is only hidden from the key: that is no drift, and nothing to repair.

        Raises:
            SuspiciousDeletesError: It would be repaired, by deleting it.
        """
        found = [await self._shown(client, audited.state, one, dry_run=dry_run) for one in audited.found]
        return replace(audited, found=tuple(found))

    async def _shown(self, client: IonClient, state: State, one: EntityAudit, *, dry_run: bool) -> EntityAudit:
        gone = one.repair.differences.gone if one.repair else set[int]()
        if one.repair is None or not gone or self.accept_deletes:
            return one
        try:
            await check_group(client, one.repair.plan, state, Silence().note, one.repair.differences)
        except SuspiciousDeletesError as hidden:
            if not dry_run:
                raise
            self.reporter.note(f"{hidden.message} They are not counted as drifted.")
            return replace(one, surplus=max(0, one.surplus - len(gone & state.known.controlled(one.entity))))
        return one

    async def _repair(
        self, client: IonClient, tenant: Tenant, audited: _Audited, *, read_by: int | None
    ) -> tuple[str, list[EntityResult]]:
        settings = self.settings
        catalog = data_catalog(settings.data_dir)
        drifted = {one.entity: one.drifted for one in audited.found}
        with Lake(settings.lake_dir).begin(
            tenant,
            {name: table.arrow_schema for name, table in catalog.tables.items()},
            started_at=audited.clock.started_at,
            schema_hash=keep_schema(settings.data_dir, audited.schema),
            wait_seconds=settings.lock_wait_seconds,
        ) as writer:
            results = await carry_out(
                client,
                audited.plan,
                audited.state,
                audited.repairs,
                audited.clock.witness(writer, None),
                clock=audited.clock.started_at,
                progress=self.reporter,
                options=RefreshOptions(
                    page_size=settings.page_size,
                    parallel=settings.parallel_ranges,
                    rounds=settings.settle_rounds,
                    largest_share=None if self.accept_deletes else settings.max_deleted_share,
                ),
            )
            overlap = timedelta(minutes=settings.overlap_minutes)
            reads = table_reads(catalog, audited.plan, results, overlap=overlap, limit=audited.clock.limit)
            manifest = writer.commit(
                {table: replace(read, drifted=drifted.get(table)) for table, read in reads.items()},
                requests=client.stats.requests,
                bytes_received=client.stats.bytes,
                read_by=read_by,
                clock=audited.clock.record(),
                drift=schema_drift(audited.plan, audited.schema, data_schema(settings.data_dir)),
            )
        log_entities(manifest.load_id, results)
        return manifest.load_id, results
