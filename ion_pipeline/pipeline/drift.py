"""How a tenant's schema differs from the catalog, as a load's manifest records it: one entry per field, with its types.

What differs was found by `negotiate`; here the types are looked up in the two schemas.
"""

from collections.abc import Iterator

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

from ion_pipeline.catalog import EntityPlan, Plan
from ion_pipeline.lake import SchemaDrift


def schema_drift(plan: Plan, tenant: GraphQLSchema, known: GraphQLSchema) -> tuple[SchemaDrift, ...]:
    """Every difference in fields and entities that the plan knows of.

    Args:
        plan: From `negotiate`.
        tenant: The schema it was made from.
        known: The schema that the catalog was made from.
    """
    entries = [entry for entity in plan.entities for entry in _entries(entity, known, tenant)]
    entries += [
        SchemaDrift(name, "new", f"Query.{name}", tenant_type=_type(tenant, f"Query.{name}"))
        for name in plan.new_entities
    ]
    return tuple(entries)


def _entries(plan: EntityPlan, known: GraphQLSchema, tenant: GraphQLSchema) -> Iterator[SchemaDrift]:
    if plan.paging == "none":
        field = f"Query.{plan.entity.root_field}"
        yield SchemaDrift(plan.name, "missing", field, catalog_type=_type(known, field))
    for field in plan.drift.missing:
        yield SchemaDrift(plan.name, "missing", field, catalog_type=_type(known, field))
    for field in plan.drift.new:
        yield SchemaDrift(plan.name, "new", field, tenant_type=_type(tenant, field))
    for change in plan.drift.retyped:
        field = change.partition(":")[0]
        yield SchemaDrift(plan.name, "retyped", field, _type(known, field), _type(tenant, field))


def _type(schema: GraphQLSchema, field: str) -> str | None:
    owner, _, name = field.partition(".")
    node = schema.type_map.get(owner)
    if not isinstance(node, GraphQLObjectType | GraphQLInterfaceType) or name not in node.fields:
        return None
    return str(node.fields[name].type)
