"""From a tenant's schema to a plan: what can be read, and the best way that the tenant offers.

Decides from the schema alone and sends no request. Paging is by id (keyset) where the tenant supports it, else by
cursor. The as-built BOM comes from its root connections, else nested under part inventories, else from generation 1
alone, which is an entity like any other. A list for which the tenant has a root connection of the same name, such as
sessions, is read from there, because its rows change without their owner; its table is the same.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
)

from ion_pipeline.catalog.catalog import Catalog, Entity
from ion_pipeline.catalog.compare import Comparison
from ion_pipeline.catalog.errors import SchemaMismatchError
from ion_pipeline.catalog.naming import column_name
from ion_pipeline.catalog.plan import AbomRoute, ChangeTracking, Drift, EntityPlan, EntityQuery, Plan, TrackedList
from ion_pipeline.catalog.query import count_query, page_query
from ion_pipeline.catalog.references import FLAG_FIELD
from ion_pipeline.catalog.shape import ListShape
from ion_pipeline.catalog.signature import signature

# Generation 2 of the as-built BOM: entity -> the list under a part inventory that holds the same rows.
_CARRIER = "part_inventories"
_NESTED_ABOM = {"build_requirements": "buildRequirements", "abom_installations": "abomInstallations"}


@dataclass(frozen=True, slots=True)
class _Connection:
    """A root connection in the tenant's schema."""

    definition: GraphQLField
    node: GraphQLObjectType
    has_cursors: bool


def negotiate(
    schema: GraphQLSchema, catalog: Catalog, selection: Iterable[str] = (), *, with_owners: Collection[str] = ()
) -> Plan:
    """Plan a read.

    Args:
        schema: The tenant's schema, from introspection.
        catalog: The catalog that fixes the shape of the warehouse.
        selection: Names of the entities to read; empty for the catalog's default selection.
        with_owners: Lists to read with their owners although the tenant has a root connection for them.

    Raises:
        SettingsError: A name is not an entity.
        SchemaMismatchError: A field's type does not convert without loss; the message names the field and both types.
    """
    names = tuple(selection) or catalog.default_selection
    wanted = {entity.name: entity for entity in catalog.select(names)}
    tenant = _connections(schema)
    nested = _nested_abom(catalog, wanted, tenant)
    if nested:
        wanted[_CARRIER] = catalog.entities[_CARRIER]
    plans = [plan for entity in catalog.select(wanted) for plan in _plans(entity, tenant, nested, with_owners)]
    known = {entity.root_field for entity in catalog.entities.values()}
    known |= {own.root_field for entity in catalog.entities.values() for own in _lists_with_roots(entity, tenant)}
    return Plan(
        entities=tuple(plans),
        abom_route=_abom_route(plans),
        new_entities=tuple(name for name in tenant if name not in known),
    )


def _plans(
    entity: Entity,
    tenant: Mapping[str, _Connection],
    nested: Mapping[str, tuple[ListShape, Drift]],
    with_owners: Collection[str],
) -> Iterator[EntityPlan]:
    """The plan of an entity, and those of its lists that are read from a root connection of this tenant."""
    connection = tenant.get(entity.root_field)
    lists = [one for one in _lists_with_roots(entity, tenant) if one.name not in with_owners] if connection else []
    tables = {one.name for one in lists}
    children = tuple(child for child in entity.children if child.table not in tables)
    yield _plan(replace(entity, children=children), connection, nested)
    for one in lists:
        yield replace(_plan(one, tenant[one.root_field], {}), list_of=entity.name)


def _lists_with_roots(entity: Entity, tenant: Mapping[str, _Connection]) -> list[Entity]:
    """The lists of an entity for which the tenant has a root connection whose rows name their owner, as entities."""
    found = []
    for child in entity.children:
        connection = tenant.get(child.field)
        if connection is None or connection.node.name != child.node_type or child.key[1:] != ("id",):
            continue
        names = [name for name in connection.node.fields if column_name(name) == child.owner_column.name]
        if names and "id" in connection.node.fields and "first" in connection.definition.args:
            owner = replace(child.owner_column, field=names[0])
            columns = (owner, *child.columns)
            found.append(
                Entity(child.table, child.field, child.node_type, columns, ("id",), (), entity.is_administrative)
            )
    return found


def _nested_abom(
    catalog: Catalog, wanted: Iterable[str], tenant: Mapping[str, _Connection]
) -> dict[str, tuple[ListShape, Drift]]:
    """What to read of the entities that this tenant has only as lists inside the carrier, with their differences."""
    carrier = tenant.get(catalog.entities[_CARRIER].root_field) if _CARRIER in catalog.entities else None
    nested = {}
    for name, field in _NESTED_ABOM.items():
        if name not in wanted or catalog.entities[name].root_field in tenant or carrier is None:
            continue
        definition = carrier.node.fields.get(field)
        element = get_named_type(definition.type) if definition else None
        if isinstance(element, GraphQLObjectType):
            entity, comparison = catalog.entities[name], Comparison()
            shape = comparison.node_shape(name, element, entity.columns, entity.children)
            nested[name] = (ListShape(field, is_list=True, node=shape), comparison.drift)
    return nested


def _plan(entity: Entity, connection: _Connection | None, nested: Mapping[str, tuple[ListShape, Drift]]) -> EntityPlan:
    if entity.name in nested:
        _, drift = nested[entity.name]
        return EntityPlan(entity, "nested", f"inside {_CARRIER}", carrier=_CARRIER, drift=drift)
    if connection is None:
        return EntityPlan(entity, "none", "this tenant does not have this connection")
    definition = connection.definition
    if "first" not in definition.args:
        raise SchemaMismatchError(
            f"{entity.root_field} has no argument `first` at this tenant, so it cannot be read page by page.",
            remedy="Leave the entity out of ION_ENTITIES and report the missing argument.",
        )
    comparison = Comparison()
    shape = comparison.node_shape(entity.name, connection.node, entity.columns, entity.children)
    if entity.name == _CARRIER:
        shape = replace(shape, lists=(*shape.lists, *(inner for inner, _ in nested.values())))
    obstacle = _keyset_obstacle(entity, connection)
    sort = _key_order(entity, definition) if obstacle else ("ID_ASC",)
    signature_shape, cursors = signature(entity, shape), bool(obstacle) and connection.has_cursors
    return EntityPlan(
        entity=entity,
        paging="cursor" if obstacle else "keyset",
        reason=obstacle or "by ascending id",
        query=EntityQuery(
            shape=shape,
            page=page_query(entity.name, entity.root_field, definition, shape, sort=sort, cursors=cursors),
            count=count_query(entity.name, entity.root_field, definition),
            signature=signature_shape,
            signature_page=page_query(
                f"{entity.name}_signatures", entity.root_field, definition, signature_shape, sort=sort, cursors=cursors
            ),
            filters_type=str(definition.args["filters"].type) if "filters" in definition.args else "",
            tracking=_tracking(entity, connection, keyset=not obstacle),
        ),
        drift=comparison.drift,
    )


def _keyset_obstacle(entity: Entity, connection: _Connection) -> str:
    """Why keyset paging by id is not possible; empty if it is."""
    definition = connection.definition
    identifier = connection.node.fields.get("id")
    if entity.key != ("id",) or identifier is None:
        return "no id of its own"
    if get_named_type(identifier.type).name != "Int":
        return "its id is not a number"
    if not {"gt", "lte"} <= _id_operators(definition):
        return "no filter by id"
    if "ID_ASC" not in _sort_members(definition):
        return "no order by id"
    return ""


def _tracking(entity: Entity, connection: _Connection, *, keyset: bool) -> ChangeTracking:
    """How changes of an entity can be detected.

    A change of a link list changes neither of the linked rows' `_updated`; it is found only where the owner is read.
    """
    definition = connection.definition
    filters = get_named_type(definition.args["filters"].type) if "filters" in definition.args else None
    etag = next((name for name in ("_etag", "Etag") if name in connection.node.fields), "")
    by_id = keyset and {"gte", "lte", "in"} <= _id_operators(definition)
    return ChangeTracking(
        updated="gte" in _operators(filters, "_updated"),
        lists=tuple(_tracked_lists(entity, connection.node, filters)),
        etag=etag,
        by_id=by_id,
        flag=FLAG_FIELD if FLAG_FIELD in connection.node.fields and "eq" in _operators(filters, FLAG_FIELD) else "",
        key=() if by_id else _key_fields(entity, connection.node),
    )


def _key_fields(entity: Entity, node: GraphQLObjectType) -> tuple[str, ...]:
    """The fields of the key of an entity without an id and without lists; empty if the tenant lacks one of them."""
    columns = {column.name: column.field for column in entity.columns}
    fields = tuple(columns[name] for name in entity.key)
    is_there = all(field in node.fields and is_leaf_type(get_named_type(node.fields[field].type)) for field in fields)
    return fields if is_there and entity.key != ("id",) and not entity.children else ()


def _tracked_lists(entity: Entity, node: GraphQLObjectType, filters: GraphQLNamedType | None) -> Iterable[TrackedList]:
    """Child lists whose rows have an etag and an `_updated` that the tenant can filter by."""
    if not isinstance(filters, GraphQLInputObjectType) or "or_" not in filters.fields:
        return
    for child in entity.children:
        columns = {column.name: column.field for column in child.columns}
        etag, key = columns.get("_etag"), columns.get(child.key[-1])
        if not etag or not key or not {child.field} <= filters.fields.keys() & node.fields.keys():
            continue
        element = get_named_type(node.fields[child.field].type)
        has_versions = isinstance(element, GraphQLObjectType) and {etag, key} <= element.fields.keys()
        if has_versions and "gte" in _operators(get_named_type(filters.fields[child.field].type), "_updated"):
            yield TrackedList(child.field, key, etag)


def _id_operators(definition: GraphQLField) -> frozenset[str]:
    filters = get_named_type(definition.args["filters"].type) if "filters" in definition.args else None
    return _operators(filters, "id")


def _operators(filters: GraphQLNamedType | None, name: str) -> frozenset[str]:
    """The operators that a connection's filters offer for a column."""
    column = filters.fields.get(name) if isinstance(filters, GraphQLInputObjectType) else None
    operators = get_named_type(column.type) if column else None
    return frozenset(operators.fields) if isinstance(operators, GraphQLInputObjectType) else frozenset()


def _sort_members(definition: GraphQLField) -> frozenset[str]:
    members = get_named_type(definition.args["sort"].type) if "sort" in definition.args else None
    return frozenset(members.values) if isinstance(members, GraphQLEnumType) else frozenset()


def _key_order(entity: Entity, definition: GraphQLField) -> tuple[str, ...]:
    """A total order by the key, so that offsets mean the same on each page; empty if the tenant lacks that order."""
    order = tuple(f"{name.upper()}_ASC" for name in entity.key)
    return order if set(order) <= _sort_members(definition) else ()


def _connections(schema: GraphQLSchema) -> dict[str, _Connection]:
    connections = {}
    for name, definition in (schema.query_type.fields if schema.query_type else {}).items():
        connection = get_named_type(definition.type)
        if not isinstance(connection, GraphQLObjectType) or not {"edges", "pageInfo"} <= connection.fields.keys():
            continue
        edge = get_named_type(connection.fields["edges"].type)
        if not isinstance(edge, GraphQLObjectType) or "node" not in edge.fields:
            continue
        node = get_named_type(edge.fields["node"].type)
        if isinstance(node, GraphQLObjectType):
            connections[name] = _Connection(definition, node, "cursor" in edge.fields)
    return connections


def _abom_route(plans: Iterable[EntityPlan]) -> AbomRoute:
    ways = {plan.paging for plan in plans if plan.name in _NESTED_ABOM}
    if ways & {"keyset", "cursor"}:
        return "root"
    return "nested" if "nested" in ways else "none"
