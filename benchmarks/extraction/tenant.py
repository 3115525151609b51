"""The benchmark's tenant: a reduced ION schema, and rows whose JSON is prepared once and stays in memory.

A row is its id and one of some hundred prepared remainders, so that a tenant of any size fits in a few megabytes and a
page costs one `join`. Ids are 1 to n, so that a client can fetch all pages without parsing answers (the floor does).
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from graphql import GraphQLEnumType, GraphQLList, GraphQLObjectType, GraphQLSchema, build_schema, get_named_type
from graphql.type import GraphQLNonNull, GraphQLOutputType

from ion_pipeline.catalog.catalog import Entity, known_catalog
from ion_pipeline.catalog.schema import known_sdl

LAST_UPDATE = datetime(2026, 3, 1, tzinfo=UTC)
_VARIANTS = 499  # a prime: no page repeats another
_ALWAYS = ("id", "_created", "_updated", "_etag")
_ATTRIBUTE_FIELDS = ("key", "value", "type")
_NULL_SHARE = 0.2
_SHARE_OF_STEPS_WITH_ATTRIBUTES = 0.1
_WORDS = (
    "bracket",
    "torque",
    "weld",
    "harness",
    "valve",
    "seal",
    "inspect",
    "cure",
    "plate",
    "bond",
    "M4 x 12",
    "spares",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one connection.

    Attributes:
        count: Number of rows; their ids are 1 to this.
        remainders: What follows the id in a node's JSON.
    """

    count: int
    remainders: tuple[bytes, ...]

    def edges(self, first: int, last: int) -> bytes:
        """Return the JSON of the edges with the ids from `first` to `last`, without brackets."""
        tails, period = self.remainders, len(self.remainders)
        return b",".join(
            [b'{"node":{"id":%d%b}' % (number, tails[number % period]) for number in range(first, last + 1)]
        )

    def attributes(self) -> int:
        """Return the number of attributes of all rows together."""
        period = len(self.remainders)
        sizes = [len(orjson.loads(b'{"id":0' + tail).get("attributes", ())) for tail in self.remainders]
        return sum(sizes[number % period] for number in range(1, self.count + 1))


def narrowed_schema(entities: Mapping[str, int], fields: int) -> GraphQLSchema:
    """Return ION's schema with these entities only and about this number of scalar fields of each (0: all of them)."""
    schema = build_schema(known_sdl())
    query = schema.query_type
    assert query
    catalog = known_catalog()
    roots = {catalog.entities[name].root_field for name in entities}
    for name in [name for name in query.fields if name not in roots | {"me"}]:
        del query.fields[name]
    for name in entities:
        entity = catalog.entities[name]
        node = schema.type_map[entity.node_type]
        assert isinstance(node, GraphQLObjectType)
        columns = [column.field for column in entity.columns]
        kept = {*columns[: fields or None], *(field for field in _ALWAYS if field in columns)} | {"attributes"}
        for field in [field for field in node.fields if field not in kept]:
            del node.fields[field]
        if "attributes" in node.fields:
            attribute = get_named_type(node.fields["attributes"].type)
            assert isinstance(attribute, GraphQLObjectType)
            for field in [field for field in attribute.fields if field not in _ATTRIBUTE_FIELDS]:
                del attribute.fields[field]
    return GraphQLSchema(query=query)


def make_rows(schema: GraphQLSchema, entities: Mapping[str, int], seed: int = 3) -> dict[str, Rows]:
    """Return the rows of each root connection, with values of the schema's types."""
    catalog, source = known_catalog(), random.Random(seed)
    return {
        catalog.entities[name].root_field: Rows(count, _remainders(schema, catalog.entities[name], source))
        for name, count in entities.items()
    }


def _remainders(schema: GraphQLSchema, entity: Entity, source: random.Random) -> tuple[bytes, ...]:
    node = schema.type_map[entity.node_type]
    assert isinstance(node, GraphQLObjectType)
    remainders = []
    for _ in range(_VARIANTS):
        values = {
            name: _value(definition.type, name, source)
            for name, definition in node.fields.items()
            if name not in {"id", "attributes"}
        }
        if "attributes" in node.fields:
            values["attributes"] = _attributes(entity, node, source)
        remainders.append(b"," + orjson.dumps(values)[1:-1] + b"}")
    return tuple(remainders)


def _attributes(entity: Entity, node: GraphQLObjectType, source: random.Random) -> list[dict[str, Any]]:
    if entity.name == "run_steps" and source.random() > _SHARE_OF_STEPS_WITH_ATTRIBUTES:
        return []
    attribute = get_named_type(node.fields["attributes"].type)
    assert isinstance(attribute, GraphQLObjectType)
    return [
        {
            name: f"attribute {number}" if name == "key" else _value(definition.type, name, source)
            for name, definition in attribute.fields.items()
        }
        for number in range(source.choice((0, 1, 2)))
    ]


def _value(kind: GraphQLOutputType, field: str, source: random.Random) -> Any:
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    elif not field.startswith("_") and source.random() < _NULL_SHARE:
        return None
    if isinstance(kind, GraphQLList):
        return [_value(GraphQLNonNull(get_named_type(kind)), field, source) for _ in range(source.randint(0, 2))]
    if isinstance(kind, GraphQLEnumType):
        return source.choice(list(kind.values))
    return _scalar(get_named_type(kind).name, source)


def _scalar(name: str, source: random.Random) -> Any:
    match name:
        case "Int":
            return source.randrange(1_000_000)
        case "Float":
            return round(source.uniform(0, 1000), 4)
        case "Boolean":
            return source.random() < 0.5
        case "DateTime":
            return (LAST_UPDATE - timedelta(microseconds=source.randrange(10**14))).isoformat()
        case "ScalarValue":
            return source.choice((17, 2.5, "as measured", True, ["a", "b"]))
        case _:
            return " ".join(source.choices(_WORDS, k=source.randint(1, 3)))
