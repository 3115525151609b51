"""The publicly known read side of ION's GraphQL schema, shipped as `schema.graphql`.

It is what the catalog falls back to before a tenant has been asked, and what the sandbox serves. A tenant's own
schema, read by introspection, always wins over this file.
"""

from functools import cache
from importlib.resources import files

from graphql import GraphQLSchema, build_schema


@cache
def known_sdl() -> str:
    """The SDL text as shipped."""
    return files("ion_pipeline").joinpath("schema.graphql").read_text(encoding="utf-8")


@cache
def known_schema() -> GraphQLSchema:
    """The shipped SDL as a schema object. Shared and cached: treat it as read-only."""
    return build_schema(known_sdl())
