"""Every field, filter and sort of the schema is answered, none of them by accident empty."""

from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    get_named_type,
)

from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.filters import column_named
from ion_pipeline.sandbox.model import VIEWS, NodeType, known_model
from ion_pipeline.sandbox.relation_rules import RULES, UNDERIVABLE
from ion_pipeline.sandbox.relations import Relations
from tests.unit.sandbox.asking import ask, engine_of
from tests.unit.sandbox.complete_world import complete_world

MODEL, SCHEMA = known_model(), known_schema()
ROOTS = sorted(MODEL.roots)
#: Edges between steps are read off `upstreamStepIds`, which does not say who drew them.
EDGE_AUTHORS = {(edge, by) for edge in ("StepsEdge", "RunStepsEdge") for by in ("createdBy", "updatedBy")}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return engine_of(complete_world())


def kind_of(name: str) -> Any:
    return SCHEMA.type_map[name]


def scalars(kind: GraphQLObjectType) -> list[str]:
    return [
        name
        for name, field in kind.fields.items()
        if isinstance(get_named_type(field.type), GraphQLScalarType | GraphQLEnumType) and not field.args
    ]


def selection(kind: Any, depth: int) -> str:
    """Every scalar, and every relation down to a depth."""
    if isinstance(kind, GraphQLUnionType):
        return "{ __typename " + " ".join(f"... on {one.name} {{ id }}" for one in kind.types) + " }"
    parts = ["__typename", *scalars(kind)]
    for name, field in kind.fields.items():
        if name not in parts and depth > 0:
            required = "(includeOnOrder: true)" if name == "firstInventoryDisplay" else ""
            inner = "" if required else selection(get_named_type(field.type), depth - 1)
            parts.append(f"{name}{required} {inner}")
    return "{ " + " ".join(parts) + " }"


def check(value: Any, kind: Any, path: str) -> int:
    """Fails unless a value is what the schema promises; gives the number of values looked at."""
    if isinstance(kind, GraphQLNonNull):
        assert value is not None, f"{path} is null"
        return check(value, kind.of_type, path)
    if value is None:
        return 0
    if isinstance(kind, GraphQLList):
        assert isinstance(value, list), path
        return sum(check(item, kind.of_type, f"{path}[]") for item in value)
    if isinstance(kind, GraphQLUnionType | GraphQLObjectType):
        concrete = kind_of(value["__typename"])
        assert concrete in kind.types if isinstance(kind, GraphQLUnionType) else concrete is kind, path
        fields = {name: concrete.fields[name].type for name in value if name != "__typename"}
        return sum(check(value[name], field, f"{path}.{name}") for name, field in fields.items())
    assert kind.serialize(value) == value, f"{path}: {value!r} is no {kind}"
    assert type(kind.serialize(value)) is type(value), f"{path}: {value!r} is no {kind}"
    return 1


@pytest.mark.parametrize("root", ROOTS)
def test_every_field_of_every_entity_is_answered_as_the_schema_promises(engine: Engine, root: str) -> None:
    definition = SCHEMA.query_type.fields[root]  # type: ignore[union-attr]
    node_depth = 4  # connection, edge, node, what the node leads to
    data = ask(engine, f"{{ {root} {selection(get_named_type(definition.type), node_depth - 1)} }}")
    assert check(data[root], definition.type, root) > 2 * len(scalars(kind_of(MODEL.roots[root])))
    assert data[root]["pageInfo"]["totalCount"] == 2


def test_no_relation_is_empty_but_those_that_say_why() -> None:
    world = complete_world()
    engine = engine_of(world)
    given = {(MODEL.roots[root], name) for root, rows in world.tables.items() for row in rows for name in row}
    given |= {("Organization", name) for name in world.organization}
    empty = set()
    relations = Relations(engine.store, RULES)
    for node in MODEL.types.values():
        rows = list(engine.store.tables[node.name].rows.values())
        assert rows or node.name in VIEWS, f"no row of {node.name} to look from"
        empty |= {(node.name, name) for name in node.references if not any(map(relations.fetch(node.name, name), rows))}
    empty -= {place for place in empty if place[0] in VIEWS}
    assert empty == (UNDERIVABLE.keys() - given) | EDGE_AUTHORS
    assert all(UNDERIVABLE.values())


def test_a_view_has_the_relations_of_what_it_views(engine: Engine) -> None:
    for view, base in VIEWS.items():
        names = MODEL.types[view].references.keys()
        assert names <= MODEL.types[base].references.keys()
    query = "{ partKitItems { edges { node { partInventories { id part { id } issuedQuantity } } } } }"
    node = ask(engine, query)["partKitItems"]["edges"][0]["node"]
    assert node["partInventories"] == [{"id": 1, "part": {"id": 1}, "issuedQuantity": 2.0}]


def test_counts_count_what_the_lists_hold(engine: Engine) -> None:
    compared = 0
    for root, type_name in MODEL.roots.items():
        kind = kind_of(type_name)
        pairs = {
            name: relation
            for name in kind.fields
            if name.startswith("_") and name.endswith("Count")
            for relation in [name[1].lower() + name[2:-5]]
            if relation in kind.fields and not get_named_type(kind.fields[relation].type).name.endswith("Connection")
        }
        lists = {name: rel for name, rel in pairs.items() if isinstance(kind.fields[rel].type, GraphQLList)}
        if not lists:
            continue
        fields = " ".join(f"{name} {relation} {{ __typename }}" for name, relation in lists.items())
        for edge in ask(engine, f"{{ {root} {{ edges {{ node {{ {fields} }} }} }} }}")[root]["edges"]:
            for name, relation in lists.items():
                assert edge["node"][name] == len(edge["node"][relation]), f"{root} {name}"
                compared += len(edge["node"][relation])
    assert compared > 100


@pytest.mark.parametrize("root", ROOTS)
def test_every_sort_is_understood(engine: Engine, root: str) -> None:
    field = SCHEMA.query_type.fields[root]  # type: ignore[union-attr]
    enum = get_named_type(field.args["sort"].type)
    assert isinstance(enum, GraphQLEnumType)
    node = MODEL.of_root(root)
    keys = " ".join(node.key)
    query = " ".join(
        f"{value}: {root}(sort: [{value}], distinctOn: [{value}]) {{ edges {{ node {{ {keys} }} }} }}"
        for value in enum.values
    )
    plain = f"{{ all: {root} {{ edges {{ node {{ {keys} }} }} }} {query} }}"
    data = ask(engine, plain)
    rows = data.pop("all")["edges"]
    assert len(rows) == 2
    for value, answer in data.items():
        assert 1 <= len(answer["edges"]) <= 2, value
        assert all(edge in rows for edge in answer["edges"]), value
    if "ID_DESC" in data:
        assert data["ID_DESC"]["edges"] == data["ID_ASC"]["edges"][::-1] == rows[::-1]


def filter_types() -> dict[str, NodeType]:
    """Each filter input type that filters rows of a type, and that type."""
    found = {}
    for root in ROOTS:
        argument = SCHEMA.query_type.fields[root].args["filters"]  # type: ignore[union-attr]
        found[root] = (get_named_type(argument.type), MODEL.of_root(root))
    return found


@pytest.mark.parametrize("root", ROOTS)
def test_every_filter_finds_the_row_it_describes(engine: Engine, root: str) -> None:
    """Each column's own value, and each related row's own id, must find the first row."""
    kind, node = filter_types()[root]
    assert isinstance(kind, GraphQLInputObjectType)
    rows = ask(engine, f"{{ {root}(first: 1) {{ edges {{ node {selection(kind_of(node.name), 1)} }} }} }}")[root][
        "edges"
    ]
    row = rows[0]["node"]
    described = 0
    for name, field in kind.fields.items():
        if name in ("or_", "and_"):
            continue
        given = describing(node, row, name, field.type)
        keys = " ".join(node.key)
        query = f"query ($f: {kind.name}) {{ {root}(filters: $f) {{ edges {{ node {{ {keys} }} }} }} }}"
        found = [edge["node"] for edge in ask(engine, query, f=given or {name: {}})[root]["edges"]]
        assert {key: row[key] for key in node.key} in found, (name, given)
        described += given is not None
    assert described >= len(kind.fields) / 3


def describing(node: NodeType, row: dict[str, Any], name: str, kind: Any) -> dict[str, Any] | None:
    column = column_named(node, name)
    if column is not None:
        value = row[column.name]
        value = value[0] if isinstance(value, list) and value else value
        value = int(value) if kind.name == "IDFilter" and isinstance(value, float) else value
        if kind.name == "BooleanFilter" and isinstance(value, str):
            return None
        return {name: {"isnull": True}} if value is None or value == [] else {name: {"eq": value}}
    related = row.get(name)
    related = related[0] if isinstance(related, list) and related else related
    if related and "id" in kind.fields and "id" in related:
        return {name: {"id": {"eq": related["id"]}, "or_": [{"id": {"isnull": True}}, {"id": {"in": [related["id"]]}}]}}
    return None


VIRTUAL = [
    ("issues", '{runId: {eq: "1"}}', [1, 2]),
    ("issues", "{runId: {eq: 7}}", []),
    ("issues", "{editable: {eq: true}}", []),
    ("redlines", "{runId: {eq: 1}}", [1, 2]),
    ("runs", '{partNumber: {ilike: "TEXT"}}', [1, 2]),
    ("runs", '{partNumber: {eq: "other"}}', []),
    ("runs", "{locationId: {in: [1]}}", [1, 2]),
    ("procedures", "{locationId: {eq: 1}}", [1]),
    ("procedures", '{label: {like: "te%"}}', [1, 2]),
    ("procedures", '{label: {eq: "none"}}', []),
    ("partInventories", "{_cost: {gte: 1.5}}", [1, 2]),
    ("partInventories", "{mergeCandidateIds: {eq: 1}}", [1, 2]),
    ("parts", '{_latest_revision_scheme: {notlike: "%x%"}}', []),
    ("barcodeLabels", "{partInventory: {id: {eq: 1}}, run: {id: {eq: 2}}}", [1, 2]),
    ("barcodeLabels", "{location: {id: {eq: 9}}}", []),
    ("teams", "{teamUsers: {userId: {eq: 1}, teamId: {eq: 1}, team: {id: {eq: 1}}}}", [1]),
    ("teams", "{teamUsers: {or_: [{userId: {eq: 9}}, {_created: {isnull: false}}]}}", []),
    ("users", "{userRoles: {roleId: {eq: 1}, user: {id: {eq: 1}}}}", [1]),
    ("roles", "{userRoles: {userId: {eq: 1}}, teamRoles: {teamId: {eq: 1}}}", [1]),
    ("reviewRequests", "{depth: {isnull: true}}", [1, 2]),
    ("reviewRequests", "{depth: {neq: 3}}", []),
    ("runStepFields", '{value: {fuzzyMatch: {value: "texts", similarity: 0.3}}}', [1, 2]),
    ("runStepFields", '{value: {fuzzyMatch: {value: "quite other", similarity: 0.3}}}', []),
]


@pytest.mark.parametrize(("root", "filters", "expected"), VIRTUAL, ids=lambda value: str(value)[:60])
def test_filters_that_are_not_fields(engine: Engine, root: str, filters: str, expected: list[int]) -> None:
    data = ask(engine, f"{{ {root}(filters: {filters}) {{ edges {{ node {{ id }} }} }} }}")
    assert [edge["node"]["id"] for edge in data[root]["edges"]] == expected
