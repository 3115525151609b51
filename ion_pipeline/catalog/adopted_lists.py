"""Lists of what a tenant has in addition: which of them become tables, and by which rules.

The lists of the shipped schema that become tables are listed in `overrides.yml`. A list in adopted definitions has a
rule that follows from its type: a list of rows that have a root connection is a table of links to them, any other list
is a table of its rows. Pure functions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_required_argument,
)

from ion_pipeline.catalog.catalog import is_list, node_type
from ion_pipeline.catalog.naming import column_name, singular
from ion_pipeline.catalog.overrides import ChildRule, Overrides

# Who wrote a row is no part of what identifies it.
_WRITERS = frozenset({"createdBy", "updatedBy"})


def with_adopted(overrides: Overrides, shipped: GraphQLSchema, schema: GraphQLSchema) -> Overrides:
    """The overrides, with the rules for the lists and links that a schema has and the shipped one lacks.

    Args:
        overrides: The rules for the shipped schema.
        shipped: The shipped schema.
        schema: The shipped schema, extended by adopted definitions.
    """
    entities = entity_names(schema, overrides)
    rules: list[ChildRule] = []
    keys = dict(overrides.keys)
    for name, entity in entities.items():
        node = object_type(schema, name)
        if name not in shipped.type_map and "id" not in node.fields:
            keys.setdefault(entity, tuple(column_name(field) for field in link_key(node)))
        shipped_fields = object_type(shipped, name).fields if name in shipped.type_map else {}
        for field, definition in node.fields.items():
            if field in shipped_fields or element_of(definition) is None:
                continue
            rule = list_rule(node, field, overrides, entities)
            if isinstance(rule, ChildRule):
                rules.append(rule)
    return replace(overrides, child_rules=(*overrides.child_rules, *rules), keys=keys)


def list_rule(
    node: GraphQLObjectType, field: str, overrides: Overrides, entities: Mapping[str, str]
) -> ChildRule | str:
    """The rule by which a list becomes a table; the reason if it cannot.

    Args:
        node: The type that has the list.
        field: The list's field.
        overrides: The rules for the shipped schema; one of them may cover the list, such as that for attributes.
        entities: Names of the entities by the types of their rows.
    """
    element = element_of(node.fields[field])
    if element is None:
        return "it is no list of rows"
    if not _has_number(node):
        return f"{node.name} has no id that is a number"
    rule = overrides.child_rule(node.name, field, element.name)
    if rule is not None:
        return rule
    target = entities.get(element.name)
    link, key = "", next(((name,) for name in ("id", "key") if name in element.fields), ())
    if target is not None:
        if not _has_number(element):
            return "its rows have no id that is a number"
        own, link = f"{singular(entities[node.name])}_id", f"{singular(target)}_id"
        if link == own:
            # Rows that name rows of the same entity.
            link = f"{singular(column_name(field))}_id"
            link = f"other_{link}" if link == own else link
    elif not key:
        return "its rows have no id"
    return ChildRule(node.name, field, element.name, () if link else key, link, with_fields=(), table="")


def element_of(definition: GraphQLField) -> GraphQLObjectType | None:
    """Type of the rows of a list or of a connection inside a node; None where the field holds neither."""
    if any(is_required_argument(argument) for argument in definition.args.values()):
        return None
    connected = node_type(definition.type)
    if connected is not None:
        return connected
    whole = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
    element = whole.of_type if isinstance(whole, GraphQLList) else None
    element = element.of_type if isinstance(element, GraphQLNonNull) else element
    return element if isinstance(element, GraphQLObjectType) else None


def link_key(node: GraphQLObjectType) -> tuple[str, ...]:
    """The fields that identify a row without an id: the rows that it names, and its kinds; empty if it names only one.

    Where some of the names are never null, only those count.
    """
    named = [name for name in references_of(node) if name.removesuffix("Id") not in _WRITERS]
    required = [name for name in named if isinstance(node.fields[name].type, GraphQLNonNull)]
    named = required or named
    kinds = [
        name
        for name, definition in node.fields.items()
        if isinstance(get_named_type(definition.type), GraphQLEnumType) and not is_list(definition.type)
    ]
    return (*named, *kinds) if len(named) > 1 else ()


def references_of(node: GraphQLObjectType) -> Iterator[str]:
    """The fields with the id of another row: `partId` next to `part`."""
    for name in node.fields:
        sibling = node.fields.get(name.removesuffix("Id")) if name.endswith("Id") else None
        if sibling is not None and isinstance(get_named_type(sibling.type), GraphQLObjectType):
            yield name


def entity_names(schema: GraphQLSchema, overrides: Overrides) -> dict[str, str]:
    """Names of a schema's entities, by the types of their rows."""
    found: dict[str, str] = {}
    for root_field, definition in (schema.query_type.fields if schema.query_type else {}).items():
        node = node_type(definition.type)
        if node is not None:
            found.setdefault(node.name, overrides.table_names.get(root_field, column_name(root_field)))
    return found


def object_type(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    """An object type of a schema; `Query` means the query type, whatever its name.

    Raises:
        TypeError: The schema has no object type of that name.
    """
    found = schema.query_type if name == "Query" else schema.type_map[name]
    if not isinstance(found, GraphQLObjectType):
        raise TypeError(f"{name} is not an object type")
    return found


def _has_number(node: GraphQLObjectType) -> bool:
    return "id" in node.fields and get_named_type(node.fields["id"].type).name == "Int"
