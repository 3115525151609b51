"""Compares the catalog with a tenant's types: which fields exist, which are new, and which have another type."""

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

from ion_pipeline.catalog.catalog import ChildList, Column, is_list, known_overrides, node_type
from ion_pipeline.catalog.errors import SchemaMismatchError
from ion_pipeline.catalog.naming import column_name
from ion_pipeline.catalog.plan import Drift
from ion_pipeline.catalog.shape import FieldShape, ListShape, NodeShape

# Scalars that ION sends as JSON strings; they are stored unchanged where the catalog has a string.
_TEXT_SCALARS = frozenset({"String", "ID", "DateTime", "JSONString"})
_OTHER_SCALARS = frozenset({"Int", "Float", "Boolean"})


@dataclass
class Comparison:
    """Compares node types and collects the differences.

    Attributes:
        missing: Fields the tenant lacks.
        new: Fields the catalog lacks.
        retyped: Fields of another type that convert without loss.
        new_values: Enum values that the catalog lacks.
    """

    missing: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    retyped: list[str] = field(default_factory=list)
    new_values: list[str] = field(default_factory=list)

    @property
    def drift(self) -> Drift:
        """The differences found so far."""
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
        """Match a table's columns with the tenant's type.

        Args:
            table: The table.
            node: The tenant's type of the table's rows.
            columns: The table's columns in the catalog, without the owner's id.
            children: The catalog's lists inside the node.
            owner: For a child table, the column with the owner's id.
            is_link: Only the link is read; the type's other fields belong to another table and are not reported as new.

        Raises:
            SchemaMismatchError: A field's type does not convert without loss; the message names both types.
        """
        columns, children = tuple(columns), tuple(children)
        fields = tuple(self._field_shape(node, column) for column in columns)
        if not is_link:
            known = {column.field for column in columns}
            # The catalog leaves out a child row's own copy of its owner's id.
            own = (name for name in _plain_fields(node) if not (owner and column_name(name) == owner.name))
            self.new += [f"{node.name}.{name}" for name in own if name not in known]
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
                remedy="Its values do not fit the warehouse. Leave the entity out of ION_ENTITIES and report it.",
            )
        if not (_is_enum(definition.type) and column.arrow_type == pa.string()):
            self.retyped.append(f"{node.name}.{column.field}: {wanted} -> {found}")
        return FieldShape(column, as_text=_named(definition.type) in _OTHER_SCALARS and _is_text(column))

    def _list_shapes(self, node: GraphQLObjectType, children: Iterable[ChildList]) -> Iterator[ListShape]:
        for child in children:
            definition = node.fields.get(child.field)
            connected = node_type(definition.type) if definition else None
            element = get_named_type(definition.type) if definition and _is_selectable(definition) else None
            element = connected if element and connected else element
            if not isinstance(element, GraphQLObjectType):
                self.missing.append(f"{node.name}.{child.field}")
                continue
            is_link = child.columns[0].field == "id" and child.columns[0].name != "id"
            yield ListShape(
                field=child.field,
                is_list=definition is not None and (connected is not None or is_list(definition.type)),
                node=self.node_shape(
                    child.table, element, child.columns, (), owner=child.owner_column, is_link=is_link
                ),
                is_connection=connected is not None,
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
    """Whether the column can store every value of the tenant's type exactly."""
    named = get_named_type(tenant_type)
    if not isinstance(named, GraphQLScalarType | GraphQLEnumType):
        return False
    if column.is_json:
        return True
    if is_list(tenant_type) != _is_list_column(column):
        return False
    if _is_text(column):
        return _is_enum(tenant_type) or named.name in _TEXT_SCALARS | _OTHER_SCALARS
    # GraphQL's Int has 32 bits: a double holds every value.
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
