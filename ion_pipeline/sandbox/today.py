"""Today's ION as a schema: the shipped one, with what ION has added since (`today.graphql`)."""

from collections.abc import Container
from copy import copy
from functools import cache
from importlib.resources import files

from graphql import (
    DocumentNode,
    GraphQLObjectType,
    GraphQLSchema,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    build_ast_schema,
    extend_schema,
    parse,
)

from ion_pipeline.catalog.schema import known_document, known_schema
from ion_pipeline.errors import SettingsError

#: Root connections, and lists in them, that each tenant may name as it likes: ION's manual does not name them.
NAMED_BY_TENANT = ("supplierParts", "furtherActions", "furtherActions.issues", "furtherActions.approvers")
#: In the extensions of a list that has another name: its name in the world.
WRITTEN_AS = "written_as"
_LISTED_IN = {"furtherActions": "FurtherAction"}


@cache
def today_schema() -> GraphQLSchema:
    """The shipped schema with today's additions, and nothing removed. Shared: treat it as read-only."""
    return with_additions(known_document())


def with_additions(document: DocumentNode, names: dict[str, str] | None = None) -> GraphQLSchema:
    """A schema with today's additions.

    Args:
        document: The shipped schema, or a part of it.
        names: Other names of root connections and lists of `NAMED_BY_TENANT`.

    Raises:
        SettingsError: Something else is to be renamed, or the new name is taken.
    """
    additions = parse(_text(), no_location=True)
    replaced = {one.name.value: one for one in additions.definitions if isinstance(one, ObjectTypeExtensionNode)}
    roots = {old: new for old, new in (names or {}).items() if "." not in old}
    _rename(replaced["Query"], roots)
    schema = build_ast_schema(
        DocumentNode(definitions=tuple(_without(one, replaced) for one in document.definitions)), assume_valid_sdl=True
    )
    schema = extend_schema(schema, additions, assume_valid_sdl=True)
    for old, new in (names or {}).items():
        if old not in roots:
            _rename_list(schema, old, new)
    return schema


@cache
def _text() -> str:
    return files("ion_pipeline.sandbox").joinpath("today.graphql").read_text(encoding="utf-8")


def _without(definition: object, replaced: dict[str, ObjectTypeExtensionNode]) -> object:
    """A type without the fields that the additions define again: `Session.id` has another type today."""
    if not isinstance(definition, ObjectTypeDefinitionNode) or definition.name.value not in replaced:
        return definition
    again = {one.name.value for one in replaced[definition.name.value].fields}
    whole = copy(definition)
    whole.fields = tuple(one for one in definition.fields if one.name.value not in again)
    return whole


def _rename(query: ObjectTypeExtensionNode, names: dict[str, str]) -> None:
    shipped = known_schema().query_type
    taken = {one.name.value for one in query.fields} | (shipped.fields.keys() if shipped else set())
    for old, new in names.items():
        _check(old, new, taken)
        next(one for one in query.fields if one.name.value == old).name.value = new


def _rename_list(schema: GraphQLSchema, old: str, new: str) -> None:
    root, _, name = old.partition(".")
    kind = schema.type_map.get(_LISTED_IN.get(root, ""))
    fields = kind.fields if isinstance(kind, GraphQLObjectType) else {}
    _check(old, new, fields.keys())
    field = fields.pop(name)
    field.extensions = {WRITTEN_AS: name}
    fields[new] = field


def _check(old: str, new: str, taken: Container[str]) -> None:
    if old not in NAMED_BY_TENANT or new in taken or not new.isidentifier():
        raise SettingsError(
            f"The sandbox cannot serve {old} as {new}.",
            remedy=f"Give one of {', '.join(NAMED_BY_TENANT)} a new name that is a GraphQL name.",
        )
