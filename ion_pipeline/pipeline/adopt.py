"""What a data directory has adopted of its tenant's schema, beyond what is shipped, and the catalog that follows.

It is kept as `adopted.graphql`, definitions that extend the shipped schema: readable, and a line taken out is no longer
read. Loads that are there stay as they are; the changed query makes the next refresh read the entity in full.
"""

import asyncio
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from graphql import GraphQLSchema

from ion_pipeline.catalog import Catalog, known_catalog, negotiate
from ion_pipeline.catalog.adopt import Additions, additions, extended, extended_catalog
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.client import ClientConfig, IonClient
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.files.storage import replace_file
from ion_pipeline.lake import claim_tenant
from ion_pipeline.pipeline.tenant import reachable_tenant, tenant_host
from ion_pipeline.settings import Settings

_NAME = "adopted.graphql"


def data_schema(data_dir: Path) -> GraphQLSchema:
    """The schema that a data directory's tables follow: the shipped one and what was adopted.

    Raises:
        IonPipelineError: `adopted.graphql` is not readable, or does not fit the shipped schema.
    """
    return _schema(_adopted(data_dir), known_schema())


def data_catalog(data_dir: Path) -> Catalog:
    """The catalog of that schema.

    Raises:
        IonPipelineError: As `data_schema`.
    """
    definitions = _adopted(data_dir)
    return _catalog(definitions, known_schema()) if definitions else known_catalog()


def adopt(settings: Settings) -> Additions:
    """Take up what is new at the tenant: fields and values of the entities that are read, and new entities.

    Args:
        settings: Which tenant, which data directory, which entities.

    Raises:
        IonPipelineError: The tenant cannot be asked, or what is new cannot be stored.
    """
    with reachable_tenant(settings) as config:
        return asyncio.run(_adopt(settings, config))


async def _adopt(settings: Settings, config: ClientConfig) -> Additions:
    async with IonClient(config) as client:
        identity = await client.me()
        claim_tenant(settings.data_dir, identity.organization_id, tenant_host(settings, config))
        tenant = await client.introspect()
    known = data_schema(settings.data_dir)
    found = additions(known, tenant, negotiate(tenant, data_catalog(settings.data_dir), settings.entities))
    if found:
        before = _adopted(settings.data_dir)
        text = f"{before}# Adopted at {datetime.now(UTC):%Y-%m-%d %H:%M} UTC.\n{found.definitions}\n"
        # Not before it is known to hold.
        extended_catalog(extended(known_schema(), text))
        _write(settings.data_dir / _NAME, text)
    return found


@cache
def _schema(definitions: str, known: GraphQLSchema) -> GraphQLSchema:
    return extended(known, definitions) if definitions else known


@cache
def _catalog(definitions: str, known: GraphQLSchema) -> Catalog:
    return extended_catalog(_schema(definitions, known))


def _adopted(data_dir: Path) -> str:
    path = data_dir / _NAME
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise IonPipelineError(
            f"{path} is not readable ({error}).", remedy="Restore it from a backup, or remove it and adopt again."
        ) from error


def _write(path: Path, text: str) -> None:
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise IonPipelineError(f"{path} cannot be written ({error}).", remedy="Mend the cause, adopt again.") from error
