"""The shape of ION's data as the sandbox keeps it: node types, their columns and their references, out of the schema.

Nothing is typed out here but what a schema cannot say: the keys of link tables, and which type is a view of another.
The whole known schema is described, whatever profile is served: a profile hides fields, it does not change data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLUnionType,
    get_named_type,
    is_list_type,
)

from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.sandbox.values import NEUTRAL, READERS, enum_reader, list_reader

#: Rows without an `id` of their own are told apart by these columns (ion.graphql: the singular roots' arguments).
COMPOSITE_KEYS: dict[str, tuple[str, ...]] = {
    "IssueDispositionTypeRole": ("issueDispositionTypeId", "issueApprovalGateType", "roleId"),
    "IssuePartInventory": ("issueId", "partInventoryId"),
    "IssueRelation": ("originIssueId", "relatedIssueId"),
    "MBomApprovalRole": ("gateType", "roleId"),
    "PlanItemAllocation": ("childPlanItemId", "parentPlanItemId"),
    "OrganizationSettings": (),
}

#: A kit's inventory is a part inventory with a few columns more.
VIEWS = {"IssuedPartInventory": "PartInventory"}

_NOT_NODES = {"Query", "IonPageInfo", "AggregatesField", "SumField"}


@dataclass(frozen=True)
class Column:
    """A scalar, enum or list-of-scalars field of a node type.

    Attributes:
        kind: The scalar's name, or `Enum`.
        read: A file's non-null value as it is stored and served; raises ValueError with the reason.
        default: Served where the row has nothing: null, or a neutral value where the schema promises one.
    """

    name: str
    kind: str
    is_list: bool
    read: Callable[[Any], Any]
    default: Any


@dataclass(frozen=True)
class Reference:
    """An object-typed field: to one or many rows of another type.

    Attributes:
        target: Node type's name, or the union's.
        many: A list or a connection.
        paged: A connection.
        union: The target is a union, so a link says its `__typename`.
    """

    name: str
    target: str
    many: bool
    paged: bool
    union: bool


@dataclass(frozen=True)
class NodeType:
    """A type whose rows the sandbox keeps.

    Attributes:
        root: Its root connection, or None where it is only reachable from other rows.
        key: The columns that identify a row; empty for the one type that hangs on its owner alone.
        slots: Column name → position in a stored row.
    """

    name: str
    root: str | None
    key: tuple[str, ...]
    columns: dict[str, Column]
    references: dict[str, Reference]
    slots: dict[str, int]

    def system(self, name: str) -> str | None:
        """The column for `_created`, `_updated` or `_etag`, which attribute-like types spell `Created` …, if any."""
        plain = name.removeprefix("_").capitalize()
        return next((spelled for spelled in (name, plain) if spelled in self.columns), None)


@dataclass(frozen=True)
class Model:
    """All node types, and which root connection lists which."""

    types: dict[str, NodeType]
    roots: dict[str, str]

    def of_root(self, root: str) -> NodeType:
        """The node type behind a root connection."""
        return self.types[self.roots[root]]


@cache
def known_model() -> Model:
    """The model of the shipped schema."""
    schema = known_schema()
    query = schema.query_type
    if query is None:
        raise AssertionError("the shipped schema has no query type")
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
    """The node type's name of a field that answers with a connection."""
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
    """The view's rows are the base's rows with the view's own columns behind them, so the base's slots hold."""
    own = {name: column for name, column in view.columns.items() if name not in base.columns}
    slots = dict(base.slots) | {name: len(base.slots) + place for place, name in enumerate(own)}
    return NodeType(view.name, view.root, view.key, dict(base.columns) | own, view.references, slots)
