"""Helpers to query an engine: the data of a query, which must have no errors, or its error texts."""

from typing import Any

from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.load import load_world
from ion_pipeline.sandbox.profiles import served_schema
from ion_pipeline.sandbox.world import World, check_world


def engine_of(world: World, profile: str = "full", forbidden: frozenset[str] = frozenset()) -> Engine:
    check_world(world)
    return Engine(load_world(world), served_schema(profile), forbidden)


def ask(engine: Engine, query: str, **variables: Any) -> Any:
    body = engine.execute({"query": query, "variables": variables}).body
    assert "errors" not in body, body["errors"]
    return body["data"]


def errors(engine: Engine, query: str, **variables: Any) -> list[str]:
    body = engine.execute({"query": query, "variables": variables}).body
    assert body["errors"]
    return [error["message"] for error in body["errors"]]


def ids(connection: dict[str, Any]) -> list[Any]:
    return [edge["node"]["id"] for edge in connection["edges"]]
