"""GraphQL as such: selections, variables, operations, introspection and errors."""

from typing import Any

import pytest
from graphql import build_client_schema, execute_sync, get_introspection_query, parse, print_schema

from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.sandbox.engine import BadRequestError, Engine
from ion_pipeline.sandbox.profiles import served_schema
from tests.unit.sandbox.asking import ask, engine_of, errors, ids
from tests.unit.sandbox.small_world import small_world

EXPANDED = """{ parts { pageInfo { count totalCount } edges { cursor node { __typename
    id partNumber revision cost trackingType partSubtypes { id name __typename }
    revisedFrom { id revision partNumber __typename }
    attributes { id key value ionValue { __typename ... on User { id name } } __typename } }
    __typename } __typename } }"""

SELECTIONS = {
    "aliases": "{ a: parts { edges { node { x: id y: id number: partNumber } } } b: parts { pageInfo { n: count } } }",
    "named fragment": """query { parts { edges { node { ...F } } } }
        fragment F on Part { id partSubtypes { ...S } } fragment S on PartSubtype { name }""",
    "inline fragments": "{ parts { ... { edges { node { id ... on Part { revision ... { cost } } } } } } }",
    "merged selections": """{ parts { edges { node { revisedFrom { id } } } } ...Q }
        fragment Q on Query { parts { edges { node { revisedFrom { revision } id } } } }""",
    "directives": """query ($yes: Boolean!, $no: Boolean = false) { parts { edges { node {
        id @include(if: $no) partNumber @skip(if: $no) revision @include(if: $yes)
        ... on Part @include(if: $no) { cost } ...F @skip(if: $yes) } } } } fragment F on Part { trackingType }""",
    "typenames": "{ __typename parts { __typename edges { __typename cursor node { __typename id } } } }",
    "only a typename": "{ parts { edges { node { __typename } } } }",
    "only a list": "{ parts { edges { node { partSubtypes { name } } } } }",
    "union": """{ parts { edges { node { attributes { key ionValue { __typename ... on User { called: name }
        ... on Part { partNumber } } } } } } }""",
    "order of keys": "{ parts { edges { node { revision id partNumber } cursor } pageInfo { totalCount count } } }",
}


@pytest.mark.parametrize("query", SELECTIONS.values(), ids=SELECTIONS.keys())
def test_selections_are_answered_as_graphql_core_answers_them(small: Engine, query: str) -> None:
    """The reference executes the same query field by field, over everything the small world says of parts."""
    variables = {"yes": True}
    everything = ask(small, EXPANDED)
    expected = execute_sync(
        known_schema(), parse(query), root_value=everything, variable_values=variables, type_resolver=_type_of
    )
    assert expected.errors is None
    answered = small.execute({"query": query, "variables": variables}).body["data"]
    assert answered == expected.data
    assert _keys(answered) == _keys(expected.data)


def _type_of(value: Any, *_: Any) -> Any:
    return value["__typename"]


def _keys(value: Any) -> Any:
    """Response keys in their order, all the way down."""
    if isinstance(value, dict):
        return [(key, _keys(inner)) for key, inner in value.items()]
    return [_keys(inner) for inner in value] if isinstance(value, list) else None


def test_introspection_gives_the_schema_back(small: Engine) -> None:
    served = ask(small, get_introspection_query())
    assert print_schema(build_client_schema(served)) == print_schema(known_schema())


def test_introspection_beside_data_and_with_variables(small: Engine) -> None:
    data = ask(
        small,
        """query ($name: String!) { t: __type(name: $name) { name kind fields { name } }
            none: __type(name: "Nothing") { name } part(id: 1) { id } __schema { queryType { name } } }""",
        name="Label",
    )
    assert data["t"]["kind"] == "OBJECT"
    assert {"id", "value"} <= {field["name"] for field in data["t"]["fields"]}
    assert data["none"] is None
    assert data["part"] == {"id": 1}
    assert data["__schema"] == {"queryType": {"name": "Query"}}


def test_variables_have_defaults_and_are_coerced(small: Engine) -> None:
    query = (
        """query ($ids: [ID], $n: Int = 1) { parts(filters: {id: {in: $ids}}, first: $n) { edges { node { id } } } }"""
    )
    assert ids(ask(small, query, ids=[1, "3"])["parts"]) == [1]
    assert ids(ask(small, query, ids=[1, "3"], n=5)["parts"]) == [1, 3]
    assert ids(ask(small, query, ids="3", n=None)["parts"]) == [3]
    assert "Int cannot represent non-integer value: 'x'" in errors(small, query, n="x")[0]


def test_an_absent_variable_is_an_absent_field_and_null_matches_nothing(small: Engine) -> None:
    query = "query ($last: ID) { parts(filters: {id: {gt: $last}}) { edges { node { id } } } }"
    assert ids(ask(small, query)["parts"]) == [1, 2, 3, 4]
    assert ids(ask(small, query, last=None)["parts"]) == []


def test_one_of_several_operations(small: Engine) -> None:
    query = "query A { part(id: 1) { id } } query B { part(id: 2) { id } }"
    assert small.execute({"query": query, "operationName": "B"}).body == {"data": {"part": {"id": 2}}}
    assert "Must provide operation name" in small.execute({"query": query}).body["errors"][0]["message"]
    unknown = small.execute({"query": query, "operationName": "C"}).body
    assert unknown["errors"][0]["message"] == 'Unknown operation named "C".'


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ parts { nope } }", "Cannot query field 'nope' on type 'PartsConnection'."),
        (
            "{ parts(filters: {nope: {eq: 1}}) { __typename } }",
            "Field 'nope' is not defined by type 'PartsInputFilters'",
        ),
        ("{ parts(sort: [NOPE_ASC]) { __typename } }", "Value 'NOPE_ASC' does not exist in 'PartSortEnum' enum."),
        ("{ parts", "Syntax Error: Expected Name, found <EOF>."),
        ('{ parts(filters: {_updated: {gte: "soon"}}) { __typename } }', "'soon' is not an ISO 8601 instant"),
        ("mutation { x }", "Schema is not configured for mutations."),
        ("{ part { id } }", "argument 'id' of type 'ID!' is required"),
    ],
)
def test_invalid_queries_have_errors_and_no_data(small: Engine, query: str, message: str) -> None:
    body = small.execute({"query": query}).body
    assert "data" not in body
    assert message in body["errors"][0]["message"]


def test_a_field_that_fails_is_null_beside_its_error(small: Engine) -> None:
    body = small.execute(
        {"query": '{ good: part(id: 1) { id } bad: parts(filters: {id: {eq: "x"}}) { __typename } }'}
    ).body
    assert body["data"] == {"good": {"id": 1}, "bad": None}
    assert body["errors"] == [
        {
            "message": 'invalid input syntax for type integer: "x"',
            "locations": [{"line": 1, "column": 28}],
            "path": ["bad"],
        }
    ]


def test_a_nested_field_that_fails_is_null_beside_its_error(small: Engine) -> None:
    body = small.execute({"query": '{ part(id: 1) { id partsInventory(filters: {id: {eq: "x"}}) { id } } }'}).body
    assert body["data"] == {"part": {"id": 1, "partsInventory": None}}
    assert [(error["path"], "invalid input" in error["message"]) for error in body["errors"]] == [
        (["part", "partsInventory"], True)
    ]


def test_a_wrong_id_is_null_with_an_error(small: Engine) -> None:
    body = small.execute({"query": "{ part(id: 99) { id } }"}).body
    assert body["data"] == {"part": None}
    assert [error["message"] for error in body["errors"]] == ["Part with id 99 was not found."]


def test_rows_with_composite_keys_are_found(small: Engine) -> None:
    data = ask(
        small,
        """{ issuePartInventory(issueId: 1, partInventoryId: "12") { issueId partInventory { lotNumber } }
             partProcedure(partId: 1, procedureId: "1") { id partId part { partNumber } procedure { title } }
             planItemAllocation(parentPlanItemId: 1, childPlanItemId: 2) { quantity childPlanItem { name } } }""",
    )
    assert data == {
        "issuePartInventory": {"issueId": 1, "partInventory": {"lotNumber": "L-9"}},
        "partProcedure": {"id": 1, "partId": "1", "part": {"partNumber": "PUMP"}, "procedure": {"title": "Build"}},
        "planItemAllocation": {"quantity": 3.0, "childPlanItem": {"name": "buy"}},
    }
    assert errors(small, "{ issuePartInventory(issueId: 1, partInventoryId: 11) { issueId } }") == [
        "IssuePartInventory with issueId 1, partInventoryId 11 was not found."
    ]


def test_me_is_an_active_user_of_the_organization(small: Engine) -> None:
    me = ask(small, "{ me { id name email organization { id name domain } } }")["me"]
    organization = {"id": 3, "name": "Small", "domain": "small.example"}
    assert me == {"id": 1, "name": "Ada", "email": "ada@sandbox.example", "organization": organization}


def test_a_forbidden_entity_fails_alone() -> None:
    engine = engine_of(small_world(), forbidden=frozenset({"parts", "users"}))
    body = engine.execute(
        {"query": "{ parts { __typename } part(id: 1) { id } issues { pageInfo { totalCount } } me { id } }"}
    ).body
    assert body["data"] == {"parts": None, "part": None, "issues": {"pageInfo": {"totalCount": 2}}, "me": {"id": 1}}
    assert {error["message"] for error in body["errors"]} == {"User does not have permission to read parts."}


@pytest.mark.parametrize("payload", [None, [], "x", {}, {"query": 7}, {"query": "{ me { id } }", "variables": [1]}])
def test_what_is_no_request_is_refused(small: Engine, payload: Any) -> None:
    with pytest.raises(BadRequestError):
        small.execute(payload)


def test_rows_are_counted_by_root_field(small: Engine) -> None:
    answer = small.execute(
        {"query": "{ a: parts(first: 3) { edges { node { partSubtypes { id } } } } b: parts { __typename } me { id } }"}
    )
    assert answer.rows == {"parts": 7, "me": 1}


def test_a_profile_hides_and_validation_notices() -> None:
    engine = engine_of(small_world(), profile="generation-1")
    assert "Cannot query field 'buildRequirements'" in errors(engine, "{ buildRequirements { __typename } }")[0]
    types = ask(engine, "{ __schema { types { name } } }")["__schema"]["types"]
    assert not [one["name"] for one in types if one["name"].startswith(("BuildRequirement", "ABomInstallation"))]
    assert served_schema("full").type_map.keys() == known_schema().type_map.keys()
