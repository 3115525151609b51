"""Extends the shipped schema and catalog of a data directory by new fields and entities of its tenant.

The adopted definitions are stored in `adopted.graphql`, which extends the shipped schema. It can be edited: a field
whose line is removed is no longer read. Existing loads stay unchanged. Because the query changes, the next refresh
reads the entity in full.
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
    """The schema of a data directory: the shipped schema, extended by the adopted definitions.

    Raises:
        IonPipelineError: `adopted.graphql` cannot be read, or does not fit the shipped schema.
    """
    return _schema(_adopted(data_dir), known_schema())


def data_catalog(data_dir: Path) -> Catalog:
    """The catalog of the schema of a data directory.

    Raises:
        IonPipelineError: As for `data_schema`.
    """
    definitions = _adopted(data_dir)
    return _catalog(definitions, known_schema()) if definitions else known_catalog()


def adopt(settings: Settings) -> Additions:
    """Adopt what is new at the tenant: fields and enum values of the entities that are read, and new entities.

    Args:
        settings: The tenant, the data directory and the entities.

    Raises:
        IonPipelineError: A request to the tenant fails, or the definitions cannot be stored.
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
        # Check that the extended schema gives a valid catalog before it is stored.
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
            f"{path} cannot be read ({error}).", remedy="Restore it from a backup, or remove it and adopt again."
        ) from error


def _write(path: Path, text: str) -> None:
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise IonPipelineError(
            f"{path} cannot be written ({error}).", remedy="Fix the cause, then adopt again."
        ) from error
