"""The first questions to a tenant, asked side by side, and the catalog of the data directory made while they wait."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from graphql import GraphQLSchema

from ion_pipeline.client import Identity, IonClient
from ion_pipeline.extract import Catalog
from ion_pipeline.pipeline.adopting import data_catalog
from ion_pipeline.pipeline.tenant_schema import tenant_schema


@dataclass(frozen=True, slots=True)
class Met:
    """A tenant that has introduced itself.

    Attributes:
        identity: Who the credentials belong to, and which tenant it is.
        schema: Its own schema, as it shows it or last did.
        catalog: The tables of the data directory.
    """

    identity: Identity
    schema: GraphQLSchema
    catalog: Catalog


async def meet(client: IonClient, data_dir: Path, note: Callable[[str], None]) -> Met:
    """Ask who we are and what the tenant has.

    Parsing the shipped schema takes as long as several answers are on their way, so a thread does it meanwhile.

    Args:
        client: The tenant.
        data_dir: The data directory.
        note: Hears what a person should know.

    Raises:
        IonPipelineError: The tenant cannot be asked, or what the data directory has adopted cannot be read.
    """
    try:
        async with asyncio.TaskGroup() as group:
            identity = group.create_task(client.me())
            schema = group.create_task(tenant_schema(client, data_dir, note))
            catalog = group.create_task(asyncio.to_thread(data_catalog, data_dir))
    except BaseExceptionGroup as failures:
        # The others were cancelled because of the first.
        raise failures.exceptions[0] from None
    return Met(identity.result(), schema.result(), catalog.result())
