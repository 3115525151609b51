"""The publicly known read side of ION's GraphQL schema, shipped as `schema.graphql`.

The catalog is derived from it, and the sandbox serves it. Where a tenant's own schema, read by introspection, differs,
the tenant's schema decides what is read.
"""

from functools import cache
from importlib.resources import files

from graphql import DocumentNode, GraphQLSchema, build_ast_schema, parse

from ion_pipeline.heap import collector_paused


@cache
def known_sdl() -> str:
    """The shipped SDL text."""
    return files("ion_pipeline.catalog").joinpath("schema.graphql").read_text(encoding="utf-8")


@cache
def known_document() -> DocumentNode:
    """The parsed SDL, without source positions, which take a third of the memory. Treat it as read-only."""
    with collector_paused():
        return parse(known_sdl(), no_location=True)


@cache
def known_schema() -> GraphQLSchema:
    """The shipped SDL as a schema object. Shared and cached: treat it as read-only.

    It is not validated here: `tests/contract` does that, and validation takes as long as parsing.
    """
    with collector_paused():
        return build_ast_schema(known_document(), assume_valid_sdl=True)
