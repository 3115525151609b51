"""Schemas that differ from the shipped one in a few definitions: only those are parsed."""

import re
from functools import cache

from graphql import DefinitionNode, DocumentNode, GraphQLSchema, build_ast_schema, parse

_BETWEEN = re.compile(r"\n(?=(?:extend|type|input|enum|scalar|union|interface|directive|schema)\b)")


def schema_of(sdl: str) -> GraphQLSchema:
    """Return the schema that a text defines, without a look at whether it is valid."""
    definitions = [one for text in _BETWEEN.split(f"\n{sdl}") for one in _definitions(text)]
    return build_ast_schema(DocumentNode(definitions=tuple(definitions)), assume_valid_sdl=True)


@cache
def _definitions(text: str) -> tuple[DefinitionNode, ...]:
    only_comments = all(line.startswith("#") or not line.strip() for line in text.splitlines())
    return () if only_comments else parse(text, no_location=True).definitions
