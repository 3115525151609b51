"""How a tenant's schema differs from the catalog, as a load's manifest records it: one entry per field, with its types.

What differs was found by `negotiate`; here the types are looked up in the two schemas.
"""

from collections.abc import Iterator

from graphql import GraphQLEnumType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type

from ion_pipeline.extract import EntityPlan, Plan
from ion_pipeline.extract.catalog import Entity
from ion_pipeline.lake import SchemaDrift
from ion_pipeline.schema import known_schema


def schema_drift(plan: Plan, tenant: GraphQLSchema) -> tuple[SchemaDrift, ...]:
    """Every difference that the plan knows of.

    Args:
        plan: From `negotiate`.
        tenant: The schema it was made from.
    """
    known = known_schema()
    entries = [entry for entity in plan.entities for entry in _entries(entity, known, tenant)]
    entries += [
        SchemaDrift(name, "new", f"Query.{name}", tenant_type=_type(tenant, f"Query.{name}"))
        for name in plan.new_entities
    ]
    return tuple(entries)


def new_enum_values(entity: Entity, tenant: GraphQLSchema) -> tuple[str, ...]:
    """Enum values that the tenant's schema allows and the catalog does not know, as `Type.field: values`.

    Args:
        entity: The catalog's entity; the lists inside are looked at too.
        tenant: The tenant's schema.
    """
    found = []
    for owner, columns in (
        (entity.node_type, entity.columns),
        *((child.node_type, child.columns) for child in entity.children),
    ):
        node = tenant.type_map.get(owner)
        fields = node.fields if isinstance(node, GraphQLObjectType) else {}
        for column in columns:
            enum = get_named_type(fields[column.field].type) if column.field in fields else None
            if column.members and isinstance(enum, GraphQLEnumType):
                values = [value for value in enum.values if value not in column.members]
                found += [f"{owner}.{column.field}: {', '.join(values)}"] if values else []
    return tuple(found)


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
