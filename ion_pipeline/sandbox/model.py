"""The data model of the sandbox, derived from the schema: node types with their columns and references.

This module lists only what the schema does not express: the keys of link tables, and which type is a view of another.
It describes the complete schema, the shipped one or today's, for every profile: a profile hides fields and does not
change data.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_list_type,
)

from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.sandbox.today import today_schema
from ion_pipeline.sandbox.values import NEUTRAL, READERS, enum_reader, list_reader

#: Key columns of types without an `id` (ion.graphql: the arguments of the singular root fields).
COMPOSITE_KEYS: dict[str, tuple[str, ...]] = {
    "IssueDispositionTypeRole": ("issueDispositionTypeId", "issueApprovalGateType", "roleId"),
    "IssuePartInventory": ("issueId", "partInventoryId"),
    "IssueRelation": ("originIssueId", "relatedIssueId"),
    "MBomApprovalRole": ("gateType", "roleId"),
    "PlanItemAllocation": ("childPlanItemId", "parentPlanItemId"),
    "OrganizationSettings": (),
    "PartInventoryBuildRequirement": ("partInventoryId", "buildRequirementId"),
}

#: Types with a root connection whose rows a world contains inside their owners all the same: the shipped schema has
#: them only there, and one world fits both.
WRITTEN_INSIDE = frozenset({"Session"})

#: A kit's inventory is a part inventory with a few additional columns.
VIEWS = {"IssuedPartInventory": "PartInventory"}

_NOT_NODES = {"Query", "IonPageInfo", "AggregatesField", "SumField"}


@dataclass(frozen=True)
class Column:
    """A scalar, enum or list-of-scalars field of a node type.

    Attributes:
        kind: The scalar's name, or `Enum`.
        read: Converts a non-null value of a file to the stored value; raises ValueError with the reason.
        default: The value if the row has none: null, or a neutral value for a non-null field.
    """

    name: str
    kind: str
    is_list: bool
    read: Callable[[Any], Any]
    default: Any


@dataclass(frozen=True)
class Reference:
    """An object-typed field: a reference to one or many rows of another type.

    Attributes:
        target: Name of the node type or of the union.
        many: Whether it is a list or a connection.
        paged: Whether it is a connection.
        union: Whether the target is a union, so that a link has a `__typename`.
    """

    name: str
    target: str
    many: bool
    paged: bool
    union: bool


@dataclass(frozen=True)
class NodeType:
    """A type whose rows the sandbox stores.

    Attributes:
        root: Its root connection; None if its rows are only reachable from other rows.
        key: The columns that identify a row; empty for the one type that is identified by its owner.
        slots: Column name → position in a stored row.
    """

    name: str
    root: str | None
    key: tuple[str, ...]
    columns: dict[str, Column]
    references: dict[str, Reference]
    slots: dict[str, int]

    def system(self, name: str) -> str | None:
        """The column for `_created`, `_updated` or `_etag`, if any; attribute types name it `Created` and so on."""
        plain = name.removeprefix("_").capitalize()
        return next((spelled for spelled in (name, plain) if spelled in self.columns), None)


@dataclass(frozen=True)
class Model:
    """All node types, and the node type of each root connection."""

    types: dict[str, NodeType]
    roots: dict[str, str]

    def of_root(self, root: str) -> NodeType:
        """The node type behind a root connection."""
        return self.types[self.roots[root]]


@cache
def known_model() -> Model:
    """The model of the shipped schema."""
    return _model(known_schema())


@cache
def today_model() -> Model:
    """The model of today's schema, which has everything that the shipped one has."""
    model = _model(today_schema())
    session = model.types["Session"]
    # The shipped schema has these ids as text, and one world fits both.
    session.columns["id"] = replace(session.columns["id"], read=int)
    # Served as a connection; only the row itself names them.
    named = model.types["FurtherAction"].references
    named["approvers"] = replace(named["approvers"], paged=False)
    return model


def _model(schema: GraphQLSchema) -> Model:
    query = schema.query_type
    if query is None:
        raise AssertionError("the schema has no query type")
    roots = {name: connection_node(field) for name, field in query.fields.items() if is_connection(field)}
    by_type = {type_name: root for root, type_name in roots.items()}
    types: dict[str, NodeType] = {}
    for name, definition in schema.type_map.items():
        if isinstance(definition, GraphQLObjectType) and _is_node(definition):
            types[name] = _node_type(definition, by_type.get(name))
    for name, base in VIEWS.items():
        types[name] = _as_view(types[name], types[base])
    return Model(types=types, roots=roots)


def is_connection(field: GraphQLField) -> bool:
    """Whether a field answers with a Relay connection."""
    named = get_named_type(field.type)
    return isinstance(named, GraphQLObjectType) and named.name.endswith("Connection")


def connection_node(field: GraphQLField) -> str:
    """The name of the node type of a connection field."""
    edge = _object(_object(field.type).fields["edges"].type)
    return _object(edge.fields["node"].type).name


def _object(kind: GraphQLOutputType) -> GraphQLObjectType:
    return cast("GraphQLObjectType", get_named_type(kind))


def _is_node(definition: GraphQLObjectType) -> bool:
    name = definition.name
    if name in _NOT_NODES or name.startswith("__") or name.endswith("Connection"):
        return False
    return set(definition.fields) != {"node", "cursor"}


def _node_type(definition: GraphQLObjectType, root: str | None) -> NodeType:
    columns: dict[str, Column] = {}
    references: dict[str, Reference] = {}
    for name, field in definition.fields.items():
        named = get_named_type(field.type)
        if field.args and "filters" not in field.args:
            continue
        if isinstance(named, GraphQLScalarType | GraphQLEnumType):
            columns[name] = _column(name, field)
        else:
            references[name] = _reference(name, field)
    key = COMPOSITE_KEYS.get(definition.name, ("id",))
    return NodeType(
        name=definition.name,
        root=root,
        key=key,
        columns=columns,
        references=references,
        slots={name: slot for slot, name in enumerate(columns)},
    )


def _column(name: str, field: GraphQLField) -> Column:
    named = get_named_type(field.type)
    is_list = _is_list(field.type)
    neutral: Any
    if isinstance(named, GraphQLEnumType):
        kind, neutral = "Enum", next(iter(named.values))
        read = enum_reader(named.name, frozenset(named.values))
    else:
        kind, neutral = named.name, NEUTRAL.get(named.name)
        read = READERS[named.name]
    default = neutral if isinstance(field.type, GraphQLNonNull) and not is_list else None
    return Column(name, kind, is_list, list_reader(read) if is_list else read, default)


def _is_list(kind: GraphQLOutputType) -> bool:
    return is_list_type(kind.of_type if isinstance(kind, GraphQLNonNull) else kind)


def _reference(name: str, field: GraphQLField) -> Reference:
    named = get_named_type(field.type)
    paged = is_connection(field)
    return Reference(
        name=name,
        target=connection_node(field) if paged else named.name,
        many=paged or _is_list(field.type),
        paged=paged,
        union=isinstance(named, GraphQLUnionType),
    )


def _as_view(view: NodeType, base: NodeType) -> NodeType:
    """A view type: its rows are the base's rows followed by its own columns, so the base's slots stay valid."""
    own = {name: column for name, column in view.columns.items() if name not in base.columns}
    slots = dict(base.slots) | {name: len(base.slots) + place for place, name in enumerate(own)}
    return NodeType(view.name, view.root, view.key, dict(base.columns) | own, view.references, slots)
