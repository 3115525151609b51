"""The catalog against a tenant's types: which fields are there, which are new, and which changed their type."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    get_named_type,
    is_required_argument,
)

from ion_pipeline.catalog.catalog import ChildList, Column, is_list, known_overrides
from ion_pipeline.catalog.errors import SchemaMismatchError
from ion_pipeline.catalog.naming import column_name
from ion_pipeline.catalog.plan import Drift
from ion_pipeline.catalog.shape import FieldShape, ListShape, NodeShape

# Scalars that come as JSON strings, and are kept as they come where the catalog has a string.
_TEXT_SCALARS = frozenset({"String", "ID", "DateTime", "JSONString"})
_OTHER_SCALARS = frozenset({"Int", "Float", "Boolean"})


@dataclass
class Comparison:
    """Compares node types, and collects what differs.

    Attributes:
        missing: Fields the tenant lacks.
        new: Fields the catalog lacks.
        retyped: Fields with another type, convertible without loss.
        new_values: Values that the catalog's enums lack.
    """

    missing: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    retyped: list[str] = field(default_factory=list)
    new_values: list[str] = field(default_factory=list)

    @property
    def drift(self) -> Drift:
        """What was found so far."""
        return Drift(tuple(self.missing), tuple(self.new), tuple(self.retyped), tuple(dict.fromkeys(self.new_values)))

    def node_shape(
        self,
        table: str,
        node: GraphQLObjectType,
        columns: Iterable[Column],
        children: Iterable[ChildList],
        *,
        owner: Column | None = None,
        is_link: bool = False,
    ) -> NodeShape:
        """Match a table's columns with a tenant's type.

        Args:
            table: The table.
            node: The tenant's type of its rows.
            columns: The table's columns in the catalog, without the owner's.
            children: Lists inside the node, in the catalog.
            owner: The owner's column of a child table.
            is_link: Only the link is of interest; the type's other fields are not new, but not ours.

        Raises:
            SchemaMismatchError: A field has a type that does not convert without loss. Names both types.
        """
        columns, children = tuple(columns), tuple(children)
        fields = tuple(self._field_shape(node, column) for column in columns)
        if not is_link:
            known = {column.field for column in columns}
            # A child row's own copy of its owner's id is left out of the catalog on purpose.
            ours = (name for name in _plain_fields(node) if not (owner and column_name(name) == owner.name))
            self.new += [f"{node.name}.{name}" for name in ours if name not in known]
        lists = tuple(self._list_shapes(node, children))
        return NodeShape(table=table, fields=fields, owner=owner, lists=lists)

    def _field_shape(self, node: GraphQLObjectType, column: Column) -> FieldShape:
        definition = node.fields.get(column.field)
        if definition is None or not _is_selectable(definition):
            self.missing.append(f"{node.name}.{column.field}")
            return FieldShape(column, present=False)
        enum = get_named_type(definition.type)
        if column.members and isinstance(enum, GraphQLEnumType):
            self.new_values += [
                f"{column.graphql_type}.{value}" for value in enum.values if value not in column.members
            ]
        found, wanted = str(definition.type).replace("!", ""), _catalog_type(column)
        if found == wanted:
            return FieldShape(column)
        if not _converts(definition.type, column):
            raise SchemaMismatchError(
                f"{node.name}.{column.field} is {found} at this tenant and {wanted} in the catalog.",
                remedy="Its values would not fit the warehouse. Leave the entity out of ION_ENTITIES and report it.",
            )
        if not (_is_enum(definition.type) and column.arrow_type == pa.string()):
            self.retyped.append(f"{node.name}.{column.field}: {wanted} -> {found}")
        return FieldShape(column, as_text=_named(definition.type) in _OTHER_SCALARS and _is_text(column))

    def _list_shapes(self, node: GraphQLObjectType, children: Iterable[ChildList]) -> Iterator[ListShape]:
        for child in children:
            definition = node.fields.get(child.field)
            element = get_named_type(definition.type) if definition and _is_selectable(definition) else None
            if not isinstance(element, GraphQLObjectType):
                self.missing.append(f"{node.name}.{child.field}")
                continue
            is_link = child.columns[0].field == "id" and child.columns[0].name != "id"
            yield ListShape(
                field=child.field,
                is_list=definition is not None and is_list(definition.type),
                node=self.node_shape(
                    child.table, element, child.columns, (), owner=child.owner_column, is_link=is_link
                ),
            )


def _plain_fields(node: GraphQLObjectType) -> Iterator[str]:
    overrides = known_overrides()
    for name, definition in node.fields.items():
        is_plain = isinstance(get_named_type(definition.type), GraphQLScalarType | GraphQLEnumType)
        if is_plain and _is_selectable(definition) and not overrides.is_excluded(node.name, name):
            yield name


def _is_selectable(definition: GraphQLField) -> bool:
    return not any(is_required_argument(argument) for argument in definition.args.values())


def _converts(tenant_type: GraphQLOutputType, column: Column) -> bool:
    """Whether any value of the tenant's type can be kept in the column exactly."""
    named = get_named_type(tenant_type)
    if not isinstance(named, GraphQLScalarType | GraphQLEnumType):
        return False
    if column.is_json:
        return True
    if is_list(tenant_type) != _is_list_column(column):
        return False
    if _is_text(column):
        return _is_enum(tenant_type) or named.name in _TEXT_SCALARS | _OTHER_SCALARS
    # GraphQL's Int has 32 bits: every one is a double.
    return column.graphql_type == "Float" and named.name == "Int"


def _is_text(column: Column) -> bool:
    arrow_type = column.arrow_type.value_type if _is_list_column(column) else column.arrow_type
    return bool(arrow_type == pa.string()) and not column.is_json


def _is_list_column(column: Column) -> bool:
    return bool(pa.types.is_list(column.arrow_type))


def _is_enum(output_type: GraphQLOutputType) -> bool:
    return isinstance(get_named_type(output_type), GraphQLEnumType)


def _named(output_type: GraphQLOutputType) -> str:
    return get_named_type(output_type).name


def _catalog_type(column: Column) -> str:
    return f"[{column.graphql_type}]" if _is_list_column(column) else column.graphql_type
