"""Every GraphQL document that can be sent is valid for the schema that it was made for, for each kind of tenant."""

import pytest
from graphql import GraphQLSchema, build_schema, parse, print_schema, validate, validate_schema

from ion_pipeline.catalog import Plan, known_catalog, negotiate
from ion_pipeline.catalog.schema import known_schema, known_sdl
from ion_pipeline.sandbox.profiles import PROFILES, served_schema

CATALOG = known_catalog()


def test_the_shipped_schema_is_valid() -> None:
    # `known_schema` does not validate, so that it starts faster.
    checked = build_schema(known_sdl())
    assert validate_schema(checked) == []
    assert print_schema(known_schema()) == print_schema(checked)


def assert_valid(plan: Plan, schema: GraphQLSchema) -> None:
    queries = [entity.query for entity in plan.entities if entity.query]
    assert len(queries) > 75
    for query in queries:
        for document in (query.page, query.count):
            assert validate(schema, parse(document)) == [], document


def test_all_entities_of_the_known_schema() -> None:
    plan = negotiate(known_schema(), CATALOG, CATALOG.entities)
    assert len(plan.entities) == len(known_catalog().entities)
    assert_valid(plan, known_schema())


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_route_and_paging_of_each_profile(profile: str) -> None:
    plan = negotiate(served_schema(profile), CATALOG, CATALOG.entities)
    expected = {"no-root-abom": "nested", "generation-1": "none"}.get(profile, "root")
    assert plan.abom_route == expected
    keyset = {entity.name for entity in plan.entities if entity.paging == "keyset"}
    assert bool(keyset) is (profile != "no-keyset")


# Those that leave most out; of the known schema all documents are looked at above.
OFTEN = {"generation-1", "missing-fields", "no-root-abom"}


@pytest.mark.parametrize(
    "profile",
    [pytest.param(name, marks=[] if name in OFTEN else pytest.mark.exhaustive) for name in sorted(PROFILES)],
)
def test_all_entities_of_each_profile(profile: str) -> None:
    schema = served_schema(profile)
    assert_valid(negotiate(schema, CATALOG, CATALOG.entities), schema)
