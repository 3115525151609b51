"""The publicly known read side of ION's GraphQL schema, shipped as `schema.graphql`.

It is what the catalog falls back to before a tenant has been asked, and what the sandbox serves. A tenant's own
schema, read by introspection, always wins over this file.
"""

from functools import cache
from importlib.resources import files

from graphql import DocumentNode, GraphQLSchema, build_ast_schema, parse

from ion_pipeline.heap import collector_paused


@cache
def known_sdl() -> str:
    """The SDL text as shipped."""
    return files("ion_pipeline.catalog").joinpath("schema.graphql").read_text(encoding="utf-8")


@cache
def known_document() -> DocumentNode:
    """The SDL as parsed, without the positions of its words: they took a third of the memory. Treat it as read-only."""
    with collector_paused():
        return parse(known_sdl(), no_location=True)


@cache
def known_schema() -> GraphQLSchema:
    """The shipped SDL as a schema object. Shared and cached: treat it as read-only.

    That the text is valid is tested before it is shipped (`tests/contract`): looking again at every start took as long
    as parsing it.
    """
    with collector_paused():
        return build_ast_schema(known_document(), assume_valid_sdl=True)
