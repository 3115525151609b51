"""One conversation with a tenant: who it is, what it has, what is known of it, and the load that a read of it writes.

async with open_session(settings, config, reporter) as session:
    prepared = await session.prepare(selection)
    manifest, results = await session.write_load(prepared, read)
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

import pyarrow as pa
from graphql import GraphQLSchema

from ion_pipeline.catalog import Catalog, Plan, negotiate
from ion_pipeline.client import ClientConfig, Identity, IonClient
from ion_pipeline.extract import EntityResult, RefreshOptions, State, Task, decide, known_of
from ion_pipeline.extract.decide import Known
from ion_pipeline.files import WriterLock
from ion_pipeline.lake import Lake, LoadManifest, LoadWriter, Resumption, Tenant, claim_tenant, read_tenant
from ion_pipeline.pipeline.adopt import data_catalog, data_schema
from ion_pipeline.pipeline.drift import schema_drift
from ion_pipeline.pipeline.progress import Reporter
from ion_pipeline.pipeline.read_clock import ReadClock, read_clock, table_reads
from ion_pipeline.pipeline.resources import resources_of
from ion_pipeline.pipeline.state import read_state
from ion_pipeline.pipeline.tenant import tenant_client, tenant_host
from ion_pipeline.pipeline.tenant_schema import keep_schema, tenant_schema
from ion_pipeline.settings import Settings
from ion_pipeline.task_group import task_group

Read = Callable[[LoadWriter], Awaitable[list[EntityResult]]]


@dataclass(frozen=True, slots=True)
class PreparedRead:
    """A tenant asked for its counts, before anything is read.

    Attributes:
        plan: How each entity is asked for.
        state: What earlier reads left; empty where everything is read again.
        known: What should be there, by entity.
        tasks: What is to be read of each entity.
        clock: The clocks from before the first count.
    """

    plan: Plan
    state: State
    known: Mapping[str, Known]
    tasks: tuple[Task, ...]
    clock: ReadClock


@dataclass(frozen=True)
class Session:
    """An open tenant and the data directory that its rows belong to.

    Attributes:
        settings: Which data directory, and how to read.
        client: The tenant.
        host: The host that names it.
        identity: Who the credentials belong to, and which tenant it is.
        schema: Its own schema, as it shows it or last did.
        catalog: The tables of the data directory.
        reporter: Receives progress and notes.
    """

    settings: Settings
    client: IonClient
    host: str
    identity: Identity
    schema: GraphQLSchema
    catalog: Catalog
    reporter: Reporter

    @property
    def lake(self) -> Lake:
        """The lake of the data directory."""
        return Lake(self.settings.lake_dir)

    @property
    def table_schemas(self) -> dict[str, pa.Schema]:
        """Columns of every table of the catalog."""
        return {name: table.arrow_schema for name, table in self.catalog.tables.items()}

    @cached_property
    def schema_hash(self) -> str:
        """Hash of the tenant's schema, which is kept in the data directory under it."""
        return keep_schema(self.settings.data_dir, self.schema)

    @property
    def is_claimed(self) -> bool:
        """Whether the data directory belongs to a tenant already."""
        return read_tenant(self.settings.data_dir) is not None

    def claim(self) -> Tenant:
        """Make the data directory that of the tenant, if it is nobody's yet.

        Raises:
            TenantMismatchError: It is another tenant's.
        """
        return claim_tenant(self.settings.data_dir, self.identity.organization_id, self.host)

    def options(self, *, accept_deletes: bool) -> RefreshOptions:
        """How changes are read, as the settings have it."""
        return RefreshOptions(
            page_size=self.settings.page_size,
            parallel=self.settings.parallel_ranges,
            rounds=self.settings.settle_rounds,
            largest_share=None if accept_deletes else self.settings.max_deleted_share,
        )

    async def prepare(self, selection: Sequence[str], *, full: bool = False) -> PreparedRead:
        """Compare the tenant's counts with what earlier reads left.

        Args:
            selection: Names of entities; none for the catalog's default selection.
            full: As if nothing were known.

        Raises:
            IonPipelineError: The counts cannot be had, or what is known cannot be read.
        """
        settings, plan = self.settings, negotiate(self.schema, self.catalog, selection)
        # Watermarks need the clocks from before the first count.
        clock = await read_clock(self.client, self.lake)
        state = State()
        if not full:
            state = read_state(
                self.lake,
                settings.warehouse_path,
                self.catalog,
                plan,
                resources=resources_of(settings),
                clock=clock,
                overlap=timedelta(minutes=settings.overlap_minutes),
            )
        known = known_of(plan, state)
        tasks = await decide(self.client, plan, known, page_size=settings.page_size)
        return PreparedRead(plan, state, known, tasks, clock)

    async def write_load(
        self,
        prepared: PreparedRead,
        read: Read,
        *,
        lock: WriterLock | None = None,
        resumption: Resumption | None = None,
        drifted: Mapping[str, int] | None = None,
    ) -> tuple[LoadManifest, list[EntityResult]]:
        """Begin a load, have it written, and commit it; nothing of it is visible unless all of that succeeds.

        Args:
            prepared: What is read.
            read: Writes the rows and gives a result for each entity.
            lock: The writer's lock of the lake, where the caller holds it.
            resumption: Which interrupted load may be resumed.
            drifted: Rows by entity that differed though ION had not reported a change, where that was looked for.

        Raises:
            IonPipelineError: See `read`, and the lake's errors; the lake is unchanged.
        """
        settings = self.settings
        with self.lake.begin(
            self.claim(),
            self.table_schemas,
            started_at=prepared.clock.started_at,
            schema_hash=self.schema_hash,
            resumption=resumption,
            lock=lock,
            wait_seconds=settings.lock_wait_seconds,
        ) as writer:
            results = await read(writer)
            overlap = timedelta(minutes=settings.overlap_minutes)
            reads = table_reads(self.catalog, prepared.plan, results, overlap=overlap, limit=prepared.clock.limit)
            if drifted is not None:
                reads = {table: replace(one, drifted=drifted.get(table)) for table, one in reads.items()}
            manifest = writer.commit(
                reads,
                clock=prepared.clock.record(),
                requests=self.client.stats.requests,
                bytes_received=self.client.stats.bytes,
                read_by=self.identity.user_number,
                drift=schema_drift(prepared.plan, self.schema, data_schema(settings.data_dir)),
            )
        return manifest, results


@asynccontextmanager
async def open_session(settings: Settings, config: ClientConfig, reporter: Reporter) -> AsyncIterator[Session]:
    """Connect to a tenant, and ask who it is and what it has.

    Args:
        settings: Whose data directory.
        config: From `reachable_tenant`.
        reporter: Receives progress and notes.

    Raises:
        IonPipelineError: The tenant cannot be asked, or what the data directory has adopted cannot be read.
    """
    async with tenant_client(settings, config, reporter.note) as client:
        yield await connect(settings, client, tenant_host(settings, config), reporter)


async def connect(settings: Settings, client: IonClient, host: str, reporter: Reporter) -> Session:
    """Ask the first questions side by side.

    Parsing the shipped schema takes as long as several answers are on their way, so a thread does it meanwhile.

    Args:
        settings: Whose data directory.
        client: The tenant, open.
        host: The host that names it.
        reporter: Receives progress and notes.

    Raises:
        IonPipelineError: As `open_session`.
    """
    async with task_group() as group:
        identity = group.create_task(client.me())
        schema = group.create_task(tenant_schema(client, settings.data_dir, reporter.note))
        catalog = group.create_task(asyncio.to_thread(data_catalog, settings.data_dir))
    return Session(settings, client, host, identity.result(), schema.result(), catalog.result(), reporter)
