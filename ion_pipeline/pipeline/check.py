"""Before the first refresh: does the key work, what may it read, is the tenant's schema the one we know?"""

import asyncio
from dataclasses import dataclass

from ion_pipeline.catalog import EntityPlan, negotiate
from ion_pipeline.client import ClientConfig, IonClient, PermissionDeniedError
from ion_pipeline.client.parts import Part
from ion_pipeline.pipeline.adopt import data_catalog
from ion_pipeline.pipeline.target import check_target
from ion_pipeline.pipeline.tenant import reachable_tenant
from ion_pipeline.settings import Settings
from ion_pipeline.task_group import task_group


@dataclass(frozen=True, slots=True)
class EntityCheck:
    """One entity at this tenant.

    Attributes:
        entity: Its name.
        status: readable, forbidden, or absent from the tenant's schema.
        total_count: Rows ION counts; None where it was not asked (nested, absent) or may not be.
        paging: How its pages would follow each other.
        missing: Fields of the catalog that the tenant lacks.
        new: Fields of the tenant that the catalog does not have.
        retyped: Fields of another type.
        new_values: Enum values of the tenant that the catalog does not know, as `Enum.VALUE`.
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
        """The differences in a few words."""
        kinds = {"lacks": self.missing, "adds": self.new, "retypes": self.retyped, "allows": self.new_values}
        return "; ".join(f"{kind} {', '.join(names)}" for kind, names in kinds.items() if names)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a tenant said.

    Attributes:
        api_host: Where it was asked.
        user: Who the key belongs to.
        organization: Domain of the tenant, or its id where it has none.
        entities: Entity by entity.
        new_entities: Root connections of the tenant that the catalog does not have.
        abom_route: Where generation 2 of the as-built BOM comes from: root, nested or none.
    """

    api_host: str
    user: str
    organization: str
    entities: tuple[EntityCheck, ...]
    new_entities: tuple[str, ...]
    abom_route: str

    @property
    def readable(self) -> int:
        """Entities that can be read."""
        return sum(entity.status == "readable" for entity in self.entities)

    @property
    def is_complete(self) -> bool:
        """Nothing selected is forbidden. What the tenant does not have is no fault."""
        return all(entity.status != "forbidden" for entity in self.entities)


def check(settings: Settings) -> CheckReport:
    """Ask the tenant; fetches no rows and writes nothing.

    Raises:
        IonPipelineError: The tenant cannot be reached, refuses the key, or has a schema that cannot be read.
    """
    with reachable_tenant(settings) as config:
        return asyncio.run(_check(config, settings))


def check_ends(settings: Settings) -> None:
    """Find out whether a refresh can begin and end: the key, and the place that the publish is sent to.

    Raises:
        IonPipelineError: See `check_key` and `target.check_target`.
    """
    check_target(settings)
    check_key(settings)


def check_key(settings: Settings) -> None:
    """Ask a tenant who the key belongs to, and nothing else. The sandbox of `embedded` need not be asked.

    Raises:
        IonPipelineError: The tenant cannot be reached or refuses the key.
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
    total_count, status = None, "absent" if plan.paging == "none" else "readable"
    if plan.query:
        try:
            asked = f"the count of {plan.name}"
            answer = Part(await client.execute(plan.query.count, {"first": 1}, operation=asked), asked)
            total_count = answer.part(plan.entity.root_field).part("pageInfo").part("totalCount").count()
        except PermissionDeniedError:
            status = "forbidden"
    return EntityCheck(
        entity=plan.name,
        status=status,
        total_count=total_count,
        paging=plan.paging,
        missing=plan.drift.missing,
        new=plan.drift.new,
        retyped=plan.drift.retyped,
        new_values=plan.drift.new_values,
    )
