"""A session with a tenant: its identity, schema and state, and the load that a read of it writes.

    async with open_session(settings, config, reporter) as session:
        prepared = await session.prepare(selection)
        manifest, results = await session.write_load(prepared, read)

`extraction` and `reconcile` share these steps.
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
from ion_pipeline.files import Lock
from ion_pipeline.lake import Lake, LoadManifest, LoadWriter, Resumption, Tenant, claim_tenant, read_tenant
from ion_pipeline.pipeline.adopt import data_catalog, data_schema
from ion_pipeline.pipeline.drift import schema_drift
from ion_pipeline.pipeline.open_lake import open_lake
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
    """What to read, decided from the tenant's counts.

    Attributes:
        plan: How each entity is requested.
        state: The state after earlier reads; empty for a full read.
        known: The expected rows of each entity.
        tasks: The task of each entity.
        clock: The clocks before the first count.
    """

    plan: Plan
    state: State
    known: Mapping[str, Known]
    tasks: tuple[Task, ...]
    clock: ReadClock


@dataclass(frozen=True)
class Session:
    """A connected tenant and the data directory of its rows.

    Attributes:
        settings: The data directory and the options of reading.
        client: The client of the tenant.
        host: The host that identifies the tenant.
        identity: The tenant, and the user that the credentials belong to.
        schema: The tenant's schema, or the most recently stored one if the tenant does not show it.
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

    @cached_property
    def lake(self) -> Lake:
        """The lake of the settings."""
        return open_lake(self.settings)

    @property
    def table_schemas(self) -> dict[str, pa.Schema]:
        """Columns of every table of the catalog."""
        return {name: table.arrow_schema for name, table in self.catalog.tables.items()}

    @cached_property
    def schema_hash(self) -> str:
        """Hash of the tenant's schema; the first access also stores the schema in the data directory."""
        return keep_schema(self.settings.data_dir, self.schema)

    @property
    def is_claimed(self) -> bool:
        """Whether the data directory belongs to a tenant already."""
        return read_tenant(self.settings.data_dir) is not None

    def claim(self) -> Tenant:
        """Record that the data directory belongs to the tenant, unless it already does.

        Raises:
            TenantMismatchError: The data directory belongs to another tenant.
        """
        return claim_tenant(self.settings.data_dir, self.identity.organization_id, self.host)

    def options(self, *, accept_deletes: bool) -> RefreshOptions:
        """Options of incremental reads, from the settings."""
        return RefreshOptions(
            page_size=self.settings.page_size,
            parallel=self.settings.parallel_ranges,
            rounds=self.settings.settle_rounds,
            largest_share=None if accept_deletes else self.settings.max_deleted_share,
        )

    async def prepare(self, selection: Sequence[str], *, full: bool = False) -> PreparedRead:
        """Compare the tenant's counts with the state after earlier reads, and decide what to read.

        A list whose root connection the API key may not read is read with its owners, and a note says so.

        Args:
            selection: Names of entities; empty for the catalog's default selection.
            full: Ignore the state, so that everything is read.

        Raises:
            IonPipelineError: A request for the counts fails, or the state cannot be read.
        """
        prepared = await self._decide(negotiate(self.schema, self.catalog, selection), full=full)
        withheld = [task.plan for task in prepared.tasks if task.action == "forbidden" and task.plan.list_of]
        if not withheld:
            return prepared
        for one in withheld:
            self.reporter.note(
                f"ION does not let this API key read {one.entity.root_field}: {one.name} is read with {one.list_of}. "
                f"What changes there without its row of {one.list_of} is found by `reconcile` only."
            )
        names = {one.name for one in withheld}
        return await self._decide(negotiate(self.schema, self.catalog, selection, with_owners=names), full=full)

    async def _decide(self, plan: Plan, *, full: bool) -> PreparedRead:
        settings = self.settings
        # Watermarks need the clocks from before the first count.
        clock = await read_clock(self.client, self.lake)
        state = State()
        if full:
            known = known_of(plan, state)
        else:
            state, known = read_state(
                self.lake,
                settings.warehouse_path,
                self.catalog,
                plan,
                resources=resources_of(settings),
                clock=clock,
                overlap=timedelta(minutes=settings.overlap_minutes),
            )
        tasks = await decide(self.client, plan, known, page_size=settings.page_size)
        return PreparedRead(plan, state, known, tasks, clock)

    async def write_load(
        self,
        prepared: PreparedRead,
        read: Read,
        *,
        lock: Lock | None = None,
        resumption: Resumption | None = None,
        drifted: Mapping[str, int] | None = None,
    ) -> tuple[LoadManifest | None, list[EntityResult]]:
        """Begin a load, call `read` to write it, and commit it; the load becomes visible only with the commit.

        A refresh that compared rows and found no change commits nothing; its manifest is None.

        Args:
            prepared: What to read.
            read: Writes the rows and returns a result for each entity.
            lock: The lake's writer lock, if the caller holds it.
            resumption: Description of an interrupted read that may be resumed.
            drifted: After an audit, the number of rows by entity with changes that ION did not report.

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
            if not reads and drifted is None and prepared.state.entities:
                return None, results
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
    """Connect to a tenant and request its identity and its schema.

    Args:
        settings: The data directory and the options of reading.
        config: The configuration from `reachable_tenant`.
        reporter: Receives progress and notes.

    Raises:
        IonPipelineError: A request to the tenant fails, or `adopted.graphql` cannot be read.
    """
    async with tenant_client(settings, config, reporter.note) as client:
        yield await connect(settings, client, tenant_host(settings, config), reporter)


async def connect(settings: Settings, client: IonClient, host: str, reporter: Reporter) -> Session:
    """Request the identity and the schema concurrently.

    A thread parses the shipped schema in the meantime, because that takes as long as several requests.

    Args:
        settings: The data directory and the options of reading.
        client: The connected client of the tenant.
        host: The host that identifies the tenant.
        reporter: Receives progress and notes.

    Raises:
        IonPipelineError: As for `open_session`.
    """
    async with task_group() as group:
        identity = group.create_task(client.me())
        schema = group.create_task(tenant_schema(client, settings.data_dir, reporter.note))
        catalog = group.create_task(asyncio.to_thread(data_catalog, settings.data_dir))
    return Session(settings, client, host, identity.result(), schema.result(), catalog.result(), reporter)
