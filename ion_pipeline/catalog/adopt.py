"""What a tenant has and the catalog lacks, as GraphQL definitions that extend the catalog's schema.

Pure functions: the caller decides where the definitions are stored.
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

from ion_pipeline.catalog.adopted_lists import (
    element_of,
    entity_names,
    link_key,
    list_rule,
    object_type,
    references_of,
    with_adopted,
)
from ion_pipeline.catalog.catalog import Catalog, build_catalog, is_list, known_overrides, node_type
from ion_pipeline.catalog.credentials import is_credential
from ion_pipeline.catalog.naming import column_name, singular
from ion_pipeline.catalog.plan import Plan
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.errors import IonPipelineError

_IS_CREDENTIAL = "its name says that it is a credential"


@dataclass(frozen=True, slots=True)
class Additions:
    """What a tenant has that the catalog lacks.

    Attributes:
        fields: New fields, as `Type.field`.
        values: New enum values, as `Enum.VALUE`.
        entities: New root connections.
        lists: Lists of new entities, and lists that name rows of one, as `Type.field`. Each becomes a table.
        refused: What cannot be adopted, each with the reason.
        definitions: GraphQL text that adds everything else to the catalog's schema; empty if nothing is new.
    """

    fields: tuple[str, ...]
    values: tuple[str, ...]
    entities: tuple[str, ...]
    lists: tuple[str, ...]
    refused: tuple[str, ...]
    definitions: str

    def __bool__(self) -> bool:
        return bool(self.definitions)


def additions(known: GraphQLSchema, tenant: GraphQLSchema, plan: Plan) -> Additions:
    """Find new fields and enum values of a plan's entities, new entities, and the lists between the two.

    Args:
        known: The schema that the catalog is derived from.
        tenant: The tenant's schema.
        plan: From `negotiate` with these two schemas: it lists the new fields.
    """
    text = _Text(known, tables=set(extended_catalog(known).tables))
    fields, refused = [], list(_credentials(known, tenant, plan))
    for name in dict.fromkeys(name for entity in plan.entities for name in entity.drift.new):
        owner, _, field_name = name.partition(".")
        definition = object_type(tenant, owner).fields[field_name]
        reason = text.add_field(owner, field_name, definition.type)
        (refused.append(f"{name}: {reason}") if reason else fields.append(name))
    entities = []
    for root_field in plan.new_entities:
        reason = text.add_entity(tenant, root_field)
        (refused.append(f"Query.{root_field}: {reason}") if reason else entities.append(root_field))
    for name in dict.fromkeys(entity.entity.node_type for entity in plan.entities if entity.query):
        text.add_inner(tenant, name)
    for root_field in entities:
        text.add_inner(tenant, _row_type(tenant, root_field))
    refused += text.refused
    values = [name for entity in plan.entities for name in entity.drift.new_values]
    for name in dict.fromkeys(values):
        enum, _, value = name.partition(".")
        text.values[enum].append(value)
    return Additions(
        fields=tuple(fields),
        values=tuple(dict.fromkeys(values)),
        entities=tuple(entities),
        lists=tuple(text.lists),
        refused=tuple(refused),
        definitions="\n".join(text.definitions()),
    )


def extended(known: GraphQLSchema, definitions: str) -> GraphQLSchema:
    """Add adopted definitions to a schema; definitions that the schema already contains are skipped.

    Args:
        known: The shipped schema.
        definitions: GraphQL text from `additions`, for one tenant; the texts of several calls may be concatenated.

    Raises:
        IonPipelineError: The definitions are not valid GraphQL or do not fit the schema.
    """
    try:
        document = parse(definitions, no_location=True)
        wanted = DocumentNode(definitions=tuple(_unknown(known, document)))
        return extend_schema(known, wanted) if wanted.definitions else known
    except (GraphQLError, TypeError) as error:
        raise IonPipelineError(
            f"The adopted definitions do not fit the schema ({error}).",
            remedy="Correct the definitions, or remove the file and adopt again.",
        ) from error


def extended_catalog(schema: GraphQLSchema) -> Catalog:
    """The catalog of an extended schema.

    Raises:
        IonPipelineError: Two fields would share a column.
    """
    try:
        return build_catalog(schema, with_adopted(known_overrides(), known_schema(), schema))
    except ValueError as error:
        raise IonPipelineError(
            f"The adopted fields cannot be stored: {error}", remedy="Remove one of the two adopted fields."
        ) from error


@dataclass
class _Text:
    """Collects the new definitions and writes them as GraphQL."""

    known: GraphQLSchema
    refused: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)
    fields: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    values: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    types: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)
    tables: set[str] = field(default_factory=set)

    def add_field(self, owner: str, name: str, found: GraphQLOutputType) -> str:
        """Add a field; return the reason if it is refused, else an empty text."""
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
        """Add an entity with its scalar fields; return the reason if it is refused, else an empty text."""
        connection = get_named_type(object_type(tenant, "Query").fields[root_field].type)
        node = node_type(connection)
        has_id = node and "id" in node.fields and get_named_type(node.fields["id"].type).name in {"ID", "Int"}
        if node is None or not (has_id or ("id" not in node.fields and link_key(node))):
            return "its rows have no id"
        table = known_overrides().table_names.get(root_field, column_name(root_field))
        if table in self.tables:
            return f"a table {table} already exists"
        self.tables.add(table)
        edge = get_named_type(object_type(tenant, connection.name).fields["edges"].type)
        plain = [f"{name}: {node.fields[name].type}" for name in self._plain(node)]
        for named, lines in ((node, plain), (edge, [f"node: {node.name}"]), (connection, [f"edges: [{edge.name}]"])):
            if named.name not in self.known.type_map:
                self.types[named.name] = "\n".join([f"type {named.name} {{", *(f"  {line}" for line in lines), "}"])
        self.fields["Query"].append(f"  {root_field}: {connection.name}")
        return ""

    def add_inner(self, tenant: GraphQLSchema, name: str) -> None:
        """Add the references and lists of a type that are new; lists of a shipped type only if they name new rows."""
        node, is_shipped = object_type(tenant, name), name in known_schema().type_map
        there = self.known.type_map.get(name)
        known = there.fields if isinstance(there, GraphQLObjectType) else {}
        names = {f"{reference.removesuffix('Id')}" for reference in references_of(node)}
        for inner in (one for one in node.fields if one not in known):
            element = element_of(node.fields[inner])
            named = get_named_type(node.fields[inner].type)
            if element is None:
                # Export control extends along references.
                if inner in names and not is_shipped and self._is_entity(tenant, named.name):
                    self.fields[name].append(f"  {inner}: {named.name}")
            elif not _is_said_by(element, node, is_shipped=is_shipped):
                self._add_list(tenant, node, inner, element)

    def _add_list(self, tenant: GraphQLSchema, node: GraphQLObjectType, inner: str, element: GraphQLObjectType) -> None:
        overrides, entities = known_overrides(), entity_names(tenant, known_overrides())
        if overrides.is_excluded(node.name, inner):
            return
        if element.name in entities and not self._is_entity(tenant, element.name):
            self.refused.append(f"{node.name}.{inner}: its rows are of an entity that is not adopted")
            return
        rule = list_rule(node, inner, overrides, entities)
        if not isinstance(rule, str):
            table = rule.table or f"{singular(entities[node.name])}_{column_name(inner)}"
            rule = f"a table {table} already exists" if table in self.tables else rule
            self.tables.add(table)
        if isinstance(rule, str):
            self.refused.append(f"{node.name}.{inner}: {rule}")
            return
        if element.name not in self.known.type_map and element.name not in self.types:
            plain = [f"  {one}: {element.fields[one].type}" for one in self._plain(element)]
            self.types[element.name] = "\n".join([f"type {element.name} {{", *plain, "}"])
        self.fields[node.name].append(f"  {inner}: [{element.name}]")
        self.lists.append(f"{node.name}.{inner}")

    def _is_entity(self, tenant: GraphQLSchema, name: str) -> bool:
        """Whether the type is that of an entity's rows, known or adopted now."""
        is_root = name in entity_names(tenant, known_overrides())
        return is_root and (name in self.known.type_map or name in self.types)

    def definitions(self) -> Iterator[str]:
        """The added definitions as GraphQL."""
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
        """Column name to field name of a known type, added fields included."""
        if owner not in self.columns:
            known_type = self.known.type_map.get(owner)
            names = known_type.fields if isinstance(known_type, GraphQLObjectType) else {}
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
    """New fields of known types that are not adopted because their names say that they are credentials."""
    for name in dict.fromkeys(entity.entity.node_type for entity in plan.entities):
        there, here = tenant.type_map.get(name), known.type_map.get(name)
        if isinstance(there, GraphQLObjectType) and isinstance(here, GraphQLObjectType):
            for field_name in sorted(there.fields.keys() - here.fields.keys()):
                if is_credential(name, field_name):
                    yield f"{name}.{field_name}: {_IS_CREDENTIAL}"


def _row_type(tenant: GraphQLSchema, root_field: str) -> str:
    node = node_type(object_type(tenant, "Query").fields[root_field].type)
    return node.name if node else ""


def _is_said_by(element: GraphQLObjectType, owner: GraphQLObjectType, *, is_shipped: bool) -> bool:
    """Whether a list says nothing that other tables do not say.

    The rows of the list name their owner, or the list is of a shipped type, and no adopted entity's rows are in it, or
    these list their owners themselves.
    """
    if is_shipped and element.name in known_schema().type_map:
        return True
    for definition in element.fields.values() if element.name != owner.name else ():
        if get_named_type(definition.type).name == owner.name and not is_list(definition.type):
            return True
        listed = element_of(definition)
        if is_shipped and listed is not None and listed.name == owner.name:
            return True
    return False


def _unknown(known: GraphQLSchema, document: DocumentNode) -> Iterator[DefinitionNode]:
    """The definitions of a document that the schema does not contain yet."""
    for definition in document.definitions:
        if isinstance(definition, ObjectTypeExtensionNode):
            existing = (
                object_type(known, definition.name.value).fields if definition.name.value in known.type_map else {}
            )
            definition.fields = tuple(one for one in definition.fields if one.name.value not in existing)
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
