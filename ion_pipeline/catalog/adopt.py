"""What a tenant has and the catalog has not, as GraphQL definitions that extend the schema the catalog is made of.

Pure: who keeps the definitions, and where, is not decided here.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from graphql import (
    DefinitionNode,
    DocumentNode,
    EnumTypeExtensionNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    ObjectTypeExtensionNode,
    TypeDefinitionNode,
    extend_schema,
    get_named_type,
    parse,
)

from ion_pipeline.catalog.catalog import Catalog, build_catalog, is_list, known_overrides, node_type
from ion_pipeline.catalog.credentials import is_credential
from ion_pipeline.catalog.naming import column_name
from ion_pipeline.catalog.plan import Plan
from ion_pipeline.errors import IonPipelineError

_IS_CREDENTIAL = "its name says that it is a credential"


@dataclass(frozen=True, slots=True)
class Additions:
    """What is new at a tenant.

    Attributes:
        fields: Fields, as `Type.field`.
        values: Values of enums, as `Enum.VALUE`.
        entities: Root connections.
        refused: What cannot be adopted, each with the reason.
        definitions: GraphQL text that extends the catalog's schema by the rest; empty if there is nothing.
    """

    fields: tuple[str, ...]
    values: tuple[str, ...]
    entities: tuple[str, ...]
    refused: tuple[str, ...]
    definitions: str

    def __bool__(self) -> bool:
        return bool(self.definitions)


def additions(known: GraphQLSchema, tenant: GraphQLSchema, plan: Plan) -> Additions:
    """Find what could be read besides, of the entities of a plan and of entities that are new as a whole.

    Args:
        known: The schema that the catalog was made of.
        tenant: The tenant's.
        plan: From `negotiate` with the two: it knows which fields are new.
    """
    text = _Text(known, tables=set(build_catalog(known, known_overrides()).tables))
    fields, refused = [], list(_credentials(known, tenant, plan))
    for name in dict.fromkeys(name for entity in plan.entities for name in entity.drift.new):
        owner, _, field_name = name.partition(".")
        definition = _object(tenant, owner).fields[field_name]
        reason = text.add_field(owner, field_name, definition.type)
        (refused.append(f"{name}: {reason}") if reason else fields.append(name))
    entities = []
    for root_field in plan.new_entities:
        reason = text.add_entity(tenant, root_field)
        (refused.append(f"Query.{root_field}: {reason}") if reason else entities.append(root_field))
    refused += text.refused
    values = [name for entity in plan.entities for name in entity.drift.new_values]
    for name in dict.fromkeys(values):
        enum, _, value = name.partition(".")
        text.values[enum].append(value)
    return Additions(
        tuple(fields), tuple(dict.fromkeys(values)), tuple(entities), tuple(refused), "\n".join(text.definitions())
    )


def extended(known: GraphQLSchema, definitions: str) -> GraphQLSchema:
    """A schema with what was adopted; what it has come to know by itself in the meantime is passed over.

    Args:
        known: The shipped schema.
        definitions: From `additions`, of one tenant, one or several one after the other.

    Raises:
        IonPipelineError: The definitions are no GraphQL or do not fit the schema.
    """
    try:
        document = parse(definitions, no_location=True)
        wanted = DocumentNode(definitions=tuple(_unknown(known, document)))
        return extend_schema(known, wanted) if wanted.definitions else known
    except (GraphQLError, TypeError) as error:
        raise IonPipelineError(
            f"What was adopted does not fit the schema ({error}).",
            remedy="Mend the definitions, or remove the file and adopt again.",
        ) from error


def extended_catalog(schema: GraphQLSchema) -> Catalog:
    """The catalog of an extended schema.

    Raises:
        IonPipelineError: Two fields would share a column.
    """
    try:
        return build_catalog(schema, known_overrides())
    except ValueError as error:
        raise IonPipelineError(
            f"What was adopted cannot be stored: {error}", remedy="Remove one of the two fields from what was adopted."
        ) from error


@dataclass
class _Text:
    """Collects definitions."""

    known: GraphQLSchema
    refused: list[str] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    values: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    types: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)

    def add_field(self, owner: str, name: str, found: GraphQLOutputType) -> str:
        """Add one, or say why not."""
        named = get_named_type(found)
        element = getattr(found, "of_type", None)
        if is_list(found) and element is not None and is_list(getattr(element, "of_type", element)):
            return f"a list of lists ({found}) has no column type"
        columns = self._columns(owner)
        if other := columns.get(self._column(owner, name)):
            return f"it would share a column with {owner}.{other}"
        columns[self._column(owner, name)] = name
        self._declare(named)
        self.fields[owner].append(f"  {name}: {found}")
        return ""

    def add_entity(self, tenant: GraphQLSchema, root_field: str) -> str:
        """Add one with its plain fields, or say why not."""
        connection = get_named_type(_object(tenant, "Query").fields[root_field].type)
        node = node_type(connection)
        if node is None or "id" not in node.fields or get_named_type(node.fields["id"].type).name not in {"ID", "Int"}:
            return "its rows have no id"
        table = known_overrides().table_names.get(root_field, column_name(root_field))
        if table in self.tables:
            return f"there is a table {table} already"
        self.tables.add(table)
        edge = get_named_type(_object(tenant, connection.name).fields["edges"].type)
        plain = [f"{name}: {node.fields[name].type}" for name in self._plain(node)]
        for named, lines in ((node, plain), (edge, [f"node: {node.name}"]), (connection, [f"edges: [{edge.name}]"])):
            if named.name not in self.known.type_map:
                self.types[named.name] = "\n".join([f"type {named.name} {{", *(f"  {line}" for line in lines), "}"])
        self.fields["Query"].append(f"  {root_field}: {connection.name}")
        return ""

    def definitions(self) -> Iterator[str]:
        """What was added, as GraphQL."""
        yield from self.types.values()
        for owner, lines in self.fields.items():
            yield "\n".join([f"extend type {owner} {{", *lines, "}"])
        for enum, members in self.values.items():
            yield f"extend enum {enum} {{ {' '.join(dict.fromkeys(members))} }}"

    def _plain(self, node: GraphQLObjectType) -> Iterator[str]:
        overrides = known_overrides()
        columns: dict[str, str] = {}
        for name, definition in node.fields.items():
            named = get_named_type(definition.type)
            if not isinstance(named, GraphQLScalarType | GraphQLEnumType):
                continue
            if overrides.is_excluded(node.name, name):
                if is_credential(node.name, name):
                    self.refused.append(f"{node.name}.{name}: {_IS_CREDENTIAL}")
                continue
            other = columns.setdefault(self._column(node.name, name), name)
            if other != name:
                self.refused.append(f"{node.name}.{name}: it would share a column with {node.name}.{other}")
                continue
            self._declare(named)
            yield name

    def _columns(self, owner: str) -> dict[str, str]:
        """Column to field of a type that is known, with what was added."""
        if owner not in self.columns:
            there = self.known.type_map.get(owner)
            names = there.fields if isinstance(there, GraphQLObjectType) else {}
            self.columns[owner] = {self._column(owner, name): name for name in names}
        return self.columns[owner]

    @staticmethod
    def _column(owner: str, name: str) -> str:
        return known_overrides().column_names.get(f"{owner}.{name}", column_name(name))

    def _declare(self, named: object) -> None:
        if isinstance(named, GraphQLEnumType) and named.name not in self.known.type_map:
            self.types[named.name] = f"enum {named.name} {{ {' '.join(named.values)} }}"
        elif isinstance(named, GraphQLScalarType) and named.name not in self.known.type_map:
            self.types[named.name] = f"scalar {named.name}"


def _credentials(known: GraphQLSchema, tenant: GraphQLSchema, plan: Plan) -> Iterator[str]:
    """New fields of known types that are left where they are."""
    for name in dict.fromkeys(entity.entity.node_type for entity in plan.entities):
        there, here = tenant.type_map.get(name), known.type_map.get(name)
        if isinstance(there, GraphQLObjectType) and isinstance(here, GraphQLObjectType):
            for field_name in sorted(there.fields.keys() - here.fields.keys()):
                if is_credential(name, field_name):
                    yield f"{name}.{field_name}: {_IS_CREDENTIAL}"


def _object(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.query_type if name == "Query" else schema.type_map[name]
    if not isinstance(found, GraphQLObjectType):
        raise TypeError(f"{name} is no object type")
    return found


def _unknown(known: GraphQLSchema, document: DocumentNode) -> Iterator[DefinitionNode]:
    """What a document adds to a schema."""
    for definition in document.definitions:
        if isinstance(definition, ObjectTypeExtensionNode):
            there = _object(known, definition.name.value).fields if definition.name.value in known.type_map else {}
            definition.fields = tuple(one for one in definition.fields if one.name.value not in there)
            if definition.fields:
                yield definition
        elif isinstance(definition, EnumTypeExtensionNode):
            enum = known.type_map.get(definition.name.value)
            members = enum.values if isinstance(enum, GraphQLEnumType) else {}
            definition.values = tuple(one for one in definition.values if one.name.value not in members)
            if definition.values:
                yield definition
        elif not (isinstance(definition, TypeDefinitionNode) and definition.name.value in known.type_map):
            yield definition
