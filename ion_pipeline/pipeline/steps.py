"""Extract, load and publish, each as one call; the step between, dbt, is in `dbt`."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ion_pipeline import warehouse
from ion_pipeline.client import ClientConfig, Identity, IonClient, schema_hash
from ion_pipeline.extract import Catalog, EntityResult, Plan, fetch, known_catalog, negotiate
from ion_pipeline.lake import Lake, LoadManifest, TableRead, claim_tenant
from ion_pipeline.pipeline.progress import Reporter, Silence
from ion_pipeline.pipeline.tenant import reachable_tenant, tenant_host
from ion_pipeline.settings import Settings
from ion_pipeline.warehouse import LoadReport, PublishReport, Resources


@dataclass(frozen=True, slots=True)
class ExtractReport:
    """What one read of ION brought.

    Attributes:
        load_id: The load in the lake.
        organization_id: ION's id of the tenant.
        entities: Entity by entity, in the schema's order.
        requests: GraphQL requests, repeated ones included.
        token_requests: Requests to the token host.
        bytes: Bytes received.
        seconds: Wall time.
    """

    load_id: str
    organization_id: str
    entities: tuple[EntityResult, ...]
    requests: int
    token_requests: int
    bytes: int
    seconds: float

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
        return {entity.entity: entity.status for entity in self.entities if entity.status != "read"}


def extract(settings: Settings, *, entities: Sequence[str] = (), reporter: Reporter | None = None) -> ExtractReport:
    """Read ION into one new load of the lake. Nothing is committed unless everything was read and checked.

    Args:
        settings: Which tenant and which data directory.
        entities: Names of the entities to read; by default those of the settings.
        reporter: Hears how it goes.

    Raises:
        IonPipelineError: See `client`, `extract` and `lake`; the lake is as it was.
    """
    reporter = reporter or Silence()
    with reporter.phase("Reading ION"), reachable_tenant(settings) as config:
        return asyncio.run(_extract(settings, config, entities or settings.entities, reporter))


async def _extract(
    settings: Settings, config: ClientConfig, selection: Sequence[str], reporter: Reporter
) -> ExtractReport:
    began = time.monotonic()
    catalog = known_catalog()
    async with IonClient(config) as client:
        identity = await client.me()
        schema = await client.introspect()
        plan = negotiate(schema, catalog, selection)
        tenant = claim_tenant(settings.data_dir, identity.organization_id, tenant_host(settings, config))
        with Lake(settings.lake_dir).begin(
            tenant,
            {name: table.arrow_schema for name, table in catalog.tables.items()},
            started_at=await client.read_clock(),
            schema_hash=schema_hash(schema),
        ) as writer:
            results = await fetch(
                client,
                plan,
                writer,
                progress=reporter,
                page_size=settings.page_size,
                parallel=settings.parallel_ranges,
            )
            manifest = writer.commit(
                table_reads(catalog, plan, results),
                requests=client.stats.requests,
                bytes_received=client.stats.bytes,
            )
    return _report(identity, manifest, results, client, time.monotonic() - began)


def _report(
    identity: Identity, manifest: LoadManifest, results: Sequence[EntityResult], client: IonClient, seconds: float
) -> ExtractReport:
    return ExtractReport(
        load_id=manifest.load_id,
        organization_id=identity.organization_id,
        entities=tuple(results),
        requests=client.stats.requests,
        token_requests=client.stats.token_requests,
        bytes=client.stats.bytes,
        seconds=seconds,
    )


def table_reads(catalog: Catalog, plan: Plan, results: Sequence[EntityResult]) -> Mapping[str, TableRead]:
    """How each table of a load was read, for its manifest.

    A table whose entity was not read, or whose list the tenant does not have, is not in the load at all: its rows in
    the warehouse stay as they are.
    """
    reads: dict[str, TableRead] = {}
    for result in results:
        is_nested = plan.by_name[result.entity].paging == "nested"
        for table in result.tables:
            is_own = not catalog.tables[table].is_child
            reads[table] = TableRead(
                entity=result.entity,
                strategy=result.strategy,
                # A list may name the same thing twice, and a link is there or not: once is enough.
                nested=is_nested or not is_own,
                total_count=result.total_count if is_own else None,
                query_hash=result.query_hash,
                until=result.watermark,
            )
    return reads


def load(settings: Settings, *, reporter: Reporter | None = None) -> LoadReport:
    """Apply every load of the lake that the warehouse does not have yet.

    Raises:
        IonPipelineError: See `warehouse.load`; the load in question was rolled back.
    """
    with (reporter or Silence()).phase("Loading the warehouse"):
        return warehouse.load(
            Lake(settings.lake_dir),
            settings.warehouse_path,
            known_catalog().tables.values(),
            resources=_resources(settings),
        )


def publish(settings: Settings, *, reporter: Reporter | None = None) -> PublishReport:
    """Copy the public schemas to where analysts read.

    Raises:
        IonPipelineError: See `warehouse.publish`; what was published before stays.
    """
    with (reporter or Silence()).phase("Publishing"):
        return warehouse.publish(
            settings.warehouse_path,
            settings.published_dir,
            storage_version=settings.publish_storage_version,
            resources=_resources(settings),
        )


def _resources(settings: Settings) -> Resources:
    return Resources(memory_limit=settings.duckdb_memory_limit, threads=settings.duckdb_threads)
