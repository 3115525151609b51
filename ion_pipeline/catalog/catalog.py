"""The catalog: which entities ION has, and the tables and columns they become.

Derived from a GraphQL schema and `overrides.yml`; nothing here asks a tenant or knows how rows are read. The known
catalog comes from the shipped schema and fixes the shape of the warehouse; what a tenant's own schema lacks or adds
is found by comparing the two (see `negotiate`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import pyarrow as pa
import yaml
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    get_named_type,
    is_object_type,
    is_required_argument,
)

from ion_pipeline.catalog.naming import column_name, singular
from ion_pipeline.catalog.overrides import ChildRule, Overrides
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.errors import SettingsError

TIMESTAMP = pa.timestamp("us", tz="UTC")
_SCALARS: dict[str, pa.DataType] = {
    "Int": pa.int64(),
    "Float": pa.float64(),
    "Boolean": pa.bool_(),
    "String": pa.string(),
    "ID": pa.string(),
    "DateTime": TIMESTAMP,
}
_TEXT_SCALARS = frozenset({"JSONString"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a raw table.

    Attributes:
        name: Column name in the warehouse.
        field: The GraphQL field it is read from.
        graphql_type: Name of the field's scalar or enum type, without list or non-null marks.
        arrow_type: Type in Parquet; `list<…>` where the field is a list.
        is_json: The value is stored as JSON text because its type varies from row to row.
        description: What the schema says about the field, empty if nothing.
        members: The values that an enum knows; none where the field is no enum.
    """

    name: str
    field: str
    graphql_type: str
    arrow_type: pa.DataType
    is_json: bool = False
    description: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChildList:
    """A list inside a node that becomes a table of its own.

    Attributes:
        table: The child table.
        field: The list's field on the owner.
        node_type: GraphQL type of the elements.
        owner_column: First column of the table: the id of the owning row.
        columns: The element's columns, without the owner's.
        key: Key columns of the table, the owner's first.
        is_list: False where the field holds one object or null.
    """

    table: str
    field: str
    node_type: str
    owner_column: Column
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    is_list: bool


@dataclass(frozen=True, slots=True)
class Entity:
    """One root connection of ION.

    Attributes:
        name: Name of the entity and of its table.
        root_field: The connection's field on `Query`.
        node_type: GraphQL type of the rows.
        columns: The table's columns.
        key: Key columns.
        children: Lists inside the node that are read with it.
        is_administrative: Left out unless asked for by name.
    """

    name: str
    root_field: str
    node_type: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    children: tuple[ChildList, ...]
    is_administrative: bool


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the `raw` schema, whether an entity's or a child list's.

    Attributes:
        name: Name in `raw` and folder in the lake.
        entity: The entity it is read with.
        columns: All columns, without the loader's own.
        key: Columns that identify a row.
        is_child: The table comes from a list inside the entity's nodes.
    """

    name: str
    entity: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    is_child: bool

    @property
    def arrow_schema(self) -> pa.Schema:
        """Schema of the table's record batches."""
        return pa.schema([pa.field(column.name, column.arrow_type) for column in self.columns])


@dataclass(frozen=True)
class Catalog:
    """All entities of a schema, in the order of its root fields."""

    entities: Mapping[str, Entity] = field(default_factory=dict)

    @cached_property
    def tables(self) -> dict[str, Table]:
        """Every raw table by name: entities in the schema's order, each followed by its child tables."""
        tables: dict[str, Table] = {}
        for entity in self.entities.values():
            tables[entity.name] = Table(entity.name, entity.name, entity.columns, entity.key, is_child=False)
            for child in entity.children:
                columns = (child.owner_column, *child.columns)
                tables[child.table] = Table(child.table, entity.name, columns, child.key, is_child=True)
        return tables

    @property
    def default_selection(self) -> tuple[str, ...]:
        """Entities read when nothing else is said: all but the administrative ones."""
        return tuple(entity.name for entity in self.entities.values() if not entity.is_administrative)

    def select(self, names: Iterable[str]) -> tuple[Entity, ...]:
        """Look entities up by name, in the schema's order.

        Raises:
            SettingsError: A name is not an entity; close matches are suggested.
        """
        wanted = set(names)
        unknown = sorted(wanted - set(self.entities))
        if unknown:
            raise SettingsError(
                f"ION has no entity called {', '.join(unknown)}.",
                remedy=f"The entities are: {', '.join(sorted(self.entities))}.",
            )
        return tuple(entity for name, entity in self.entities.items() if name in wanted)


def build_catalog(schema: GraphQLSchema, overrides: Overrides) -> Catalog:
    """Derive the catalog of a GraphQL schema.

    Args:
        schema: The shipped schema or a tenant's, by introspection.
        overrides: What cannot be derived.

    Raises:
        ValueError: Two fields of a type would share a column name (add a line to `column_names`).
    """
    query = schema.query_type
    entities: dict[str, Entity] = {}
    for root_field, definition in (query.fields if query else {}).items():
        node = node_type(definition.type)
        if node is None:
            continue
        name = overrides.table_names.get(root_field, column_name(root_field))
        columns = _columns(node, overrides)
        default_key = ("id",) if any(column.name == "id" for column in columns) else ()
        entities[name] = Entity(
            name=name,
            root_field=root_field,
            node_type=node.name,
            columns=columns,
            key=overrides.keys.get(name, default_key),
            children=tuple(_children(name, node, overrides)),
            is_administrative=name in overrides.administrative,
        )
    return Catalog(entities)


@cache
def known_catalog() -> Catalog:
    """The catalog of the shipped schema: the shape of the warehouse."""
    return build_catalog(known_schema(), known_overrides())


@cache
def known_overrides() -> Overrides:
    """`overrides.yml` as shipped."""
    text = files("ion_pipeline.catalog").joinpath("overrides.yml").read_text(encoding="utf-8")
    raw: dict[str, Any] = yaml.safe_load(text)
    return Overrides.from_yaml(raw)


def node_type(connection: GraphQLOutputType) -> GraphQLObjectType | None:
    """Type of the rows of a connection; None for any other type."""
    named = get_named_type(connection)
    if not (isinstance(named, GraphQLObjectType) and named.name.endswith("Connection") and "edges" in named.fields):
        return None
    edge = get_named_type(named.fields["edges"].type)
    if not isinstance(edge, GraphQLObjectType) or "node" not in edge.fields:
        return None
    node = get_named_type(edge.fields["node"].type)
    return node if isinstance(node, GraphQLObjectType) else None


def _columns(node: GraphQLObjectType, overrides: Overrides, only: tuple[str, ...] = ()) -> tuple[Column, ...]:
    columns: dict[str, Column] = {}
    for name, definition in node.fields.items():
        if (only and name not in only) or overrides.is_excluded(node.name, name):
            continue
        column = _column(node.name, name, definition, overrides)
        if column is None:
            continue
        if column.name in columns:
            raise ValueError(f"{node.name}.{name} and .{columns[column.name].field} share the column {column.name}.")
        columns[column.name] = column
    return tuple(columns.values())


def _column(owner: str, name: str, definition: GraphQLField, overrides: Overrides) -> Column | None:
    named = get_named_type(definition.type)
    if not isinstance(named, GraphQLScalarType | GraphQLEnumType):
        return None
    if any(is_required_argument(argument) for argument in definition.args.values()):
        return None  # A question, not a property: without an argument it has no value.
    arrow_type = _SCALARS.get(named.name, pa.string())
    if is_list(definition.type):
        arrow_type = pa.list_(arrow_type)
    return Column(
        name=overrides.column_names.get(f"{owner}.{name}", column_name(name)),
        field=name,
        graphql_type=named.name,
        arrow_type=arrow_type,
        # ScalarValue and SlateContent vary from row to row; of any other scalar nothing is known.
        is_json=isinstance(named, GraphQLScalarType) and named.name not in _SCALARS.keys() | _TEXT_SCALARS,
        description=definition.description or "",
        members=tuple(named.values) if isinstance(named, GraphQLEnumType) else (),
    )


def _children(entity: str, node: GraphQLObjectType, overrides: Overrides) -> Iterable[ChildList]:
    for name, definition in node.fields.items():
        element = get_named_type(definition.type)
        if not is_object_type(element) or definition.args.keys() & {"first", "after"}:
            continue
        rule = overrides.child_rule(node.name, name, element.name)
        if rule is not None:
            yield _child(entity, name, element, rule, overrides, is_list=is_list(definition.type))


def _child(
    entity: str, name: str, element: GraphQLObjectType, rule: ChildRule, overrides: Overrides, *, is_list: bool
) -> ChildList:
    owner = Column(f"{singular(entity)}_id", "id", "Int", pa.int64())
    if rule.link:
        extra = _columns(element, overrides, only=rule.with_fields) if rule.with_fields else ()
        columns: tuple[Column, ...] = (Column(rule.link, "id", "Int", pa.int64()), *extra)
        key: tuple[str, ...] = (owner.name, rule.link)
    else:
        # The element often repeats its owner's id; the owner's own id is the one that cannot be missing.
        columns = tuple(column for column in _columns(element, overrides) if column.name != owner.name)
        key = (owner.name, *rule.key)
    return ChildList(
        table=rule.table or f"{singular(entity)}_{column_name(name)}",
        field=name,
        node_type=element.name,
        owner_column=owner,
        columns=columns,
        key=key,
        is_list=is_list,
    )


def is_list(output_type: GraphQLOutputType) -> bool:
    """Whether values are lists, null or not."""
    inner = output_type.of_type if isinstance(output_type, GraphQLNonNull) else output_type
    return isinstance(inner, GraphQLList)
