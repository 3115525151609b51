"""Checks, before the first refresh, whether the API key works, what it may read, and how the schema differs."""

import asyncio
from dataclasses import dataclass

from ion_pipeline.catalog import EntityPlan, negotiate
from ion_pipeline.client import ClientConfig, IonClient, PermissionDeniedError
from ion_pipeline.client.parts import Part
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.further_actions import further_actions_of
from ion_pipeline.pipeline.open_lake import check_lake
from ion_pipeline.pipeline.target import check_target
from ion_pipeline.pipeline.tenant import reachable_tenant
from ion_pipeline.settings import Settings
from ion_pipeline.task_group import task_group


@dataclass(frozen=True, slots=True)
class EntityCheck:
    """The result of the check of one entity.

    Attributes:
        entity: Name of the entity.
        status: readable, forbidden, or absent from the tenant's schema.
        total_count: ION's count of rows; None if the entity is nested, absent or forbidden.
        paging: How its pages are requested.
        missing: Fields of the catalog that the tenant does not have.
        new: Fields of the tenant that the catalog does not have.
        retyped: Fields whose type differs.
        new_values: Enum values of the tenant that the catalog does not have, as `Enum.VALUE`.
    """

    entity: str
    status: str
    total_count: int | None
    paging: str
    missing: tuple[str, ...]
    new: tuple[str, ...]
    retyped: tuple[str, ...]
    new_values: tuple[str, ...] = ()

    @property
    def drift_text(self) -> str:
        """The differences from the catalog, as a short text."""
        kinds = {"lacks": self.missing, "adds": self.new, "retypes": self.retyped, "allows": self.new_values}
        return "; ".join(f"{kind} {', '.join(names)}" for kind, names in kinds.items() if names)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """The result of the check of a tenant.

    Attributes:
        api_host: Host of the API.
        user: The user that the key belongs to.
        organization: Domain of the tenant, or its id if it has no domain.
        entities: The result of each entity.
        new_entities: Root connections of the tenant that the catalog does not have.
        abom_route: How generation 2 of the as-built BOM is read: root, nested or none.
    """

    api_host: str
    user: str
    organization: str
    entities: tuple[EntityCheck, ...]
    new_entities: tuple[str, ...]
    abom_route: str

    @property
    def readable(self) -> int:
        """Number of entities that can be read."""
        return sum(entity.status == "readable" for entity in self.entities)

    @property
    def is_complete(self) -> bool:
        """Whether no selected entity is forbidden; absent entities do not count."""
        return all(entity.status != "forbidden" for entity in self.entities)


def check(settings: Settings) -> CheckReport:
    """Check the tenant and the object store of the lake, without reading rows or writing files.

    Raises:
        IonPipelineError: The tenant cannot be reached, rejects the key, or has a schema that cannot be read; the store
            cannot hold a lake; or a setting does not fit what was adopted.
    """
    check_lake(settings)
    further_actions_of(settings)
    with reachable_tenant(settings) as config:
        return asyncio.run(_check(config, settings))


def check_ends(settings: Settings) -> None:
    """Check, before a refresh, the key that it begins with, the lake, and the target that it ends with.

    Raises:
        IonPipelineError: See `check_key`, `open_lake.check_lake` and `target.check_target`.
    """
    check_lake(settings)
    check_target(settings)
    check_key(settings)


def check_key(settings: Settings) -> None:
    """Check the key by identifying its user. In `embedded`, nothing is checked: the sandbox brings its own key.

    Raises:
        IonPipelineError: The tenant cannot be reached or rejects the key.
    """
    if settings.environment != "embedded":
        with reachable_tenant(settings) as config:
            asyncio.run(_me(config))


async def _me(config: ClientConfig) -> None:
    async with IonClient(config) as client:
        await client.me()


async def _check(config: ClientConfig, settings: Settings) -> CheckReport:
    async with IonClient(config) as client:
        identity = await client.me()
        schema = await client.introspect()
        plan = negotiate(schema, data_catalog(settings.data_dir), settings.entities)
        async with task_group() as group:
            tasks = [group.create_task(_check_entity(client, entity)) for entity in plan.entities]
    return CheckReport(
        api_host=config.api_host,
        user=identity.name or identity.email or identity.user_id,
        organization=identity.organization_domain or identity.organization_id,
        entities=tuple(task.result() for task in tasks),
        new_entities=plan.new_entities,
        abom_route=plan.abom_route,
    )


async def _check_entity(client: IonClient, plan: EntityPlan) -> EntityCheck:
    total_count, status, paging = None, "absent" if plan.paging == "none" else "readable", str(plan.paging)
    if plan.query:
        try:
            asked = f"the count of {plan.name}"
            answer = Part(await client.execute(plan.query.count, {"first": 1}, operation=asked), asked)
            total_count = answer.part(plan.entity.root_field).part("pageInfo").part("totalCount").count()
        except PermissionDeniedError:
            # A refresh reads such a list with its owners instead.
            paging = "nested" if plan.list_of else paging
            status = "readable" if plan.list_of else "forbidden"
    return EntityCheck(
        entity=plan.name,
        status=status,
        total_count=total_count,
        paging=paging,
        missing=plan.drift.missing,
        new=plan.drift.new,
        retyped=plan.drift.retyped,
        new_values=plan.drift.new_values,
    )
