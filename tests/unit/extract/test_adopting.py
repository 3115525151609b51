"""What is new at a tenant, as definitions that extend the known schema and the catalog made of it."""

import pyarrow as pa
import pytest
from graphql import GraphQLSchema, build_schema, print_schema

from ion_pipeline.catalog import known_catalog, negotiate
from ion_pipeline.catalog.adopt import Additions, additions, extended, extended_catalog
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.errors import IonPipelineError

PART = "\ntype Part {"
NEW_TYPES = """
enum Hazard { LOW HIGH }
scalar Money
type DrawingConnection { pageInfo: IonPageInfo! edges: [DrawingEdge] }
type DrawingEdge { node: Drawing }
type Drawing { id: ID! sheet: String! hazard: Hazard part: Part }
"""


def tenant(*changes: tuple[str, str]) -> GraphQLSchema:
    """The known schema with some of its text replaced."""
    text = f"\n{print_schema(known_schema())}"
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after, 1)
    return build_schema(text)


def newer() -> GraphQLSchema:
    """Three fields more, two enum values, one entity."""
    return tenant(
        (PART, f"{NEW_TYPES}{PART}\n  hazard: Hazard!\n  bids: [Float!]\n  price: Money"),
        ("\nenum Parttypeenum {", "\nenum Parttypeenum {\n  MEAL\n  WISH"),
        ("\ntype Query {", "\ntype Query {\n  drawings(first: Int, after: String): DrawingConnection"),
    )


def new_at(schema: GraphQLSchema) -> Additions:
    return additions(known_schema(), schema, negotiate(schema, known_catalog()))


def test_nothing_new_nothing_to_adopt() -> None:
    assert not new_at(known_schema())


def test_fields_values_and_entities_become_part_of_the_catalog() -> None:
    found = new_at(newer())
    assert set(found.fields) == {"Part.hazard", "Part.bids", "Part.price"}
    assert found.values == ("Parttypeenum.MEAL", "Parttypeenum.WISH")
    assert (found.entities, found.refused) == (("drawings",), ())
    catalog = extended_catalog(extended(known_schema(), found.definitions))
    parts = {column.name: column for column in catalog.entities["parts"].columns}
    assert parts["hazard"].members == ("LOW", "HIGH")
    assert parts["bids"].arrow_type == pa.list_(pa.float64())
    assert (parts["price"].arrow_type, parts["price"].is_json) == (pa.string(), True)
    assert {"MEAL", "WISH"} <= set(parts["part_type"].members)
    drawings = catalog.entities["drawings"]
    assert [column.name for column in drawings.columns] == ["id", "sheet", "hazard"]
    assert set(catalog.entities) - set(known_catalog().entities) == {"drawings"}


def test_what_was_adopted_is_no_longer_new_and_only_its_entities_are_asked_otherwise() -> None:
    schema = newer()
    known = extended(known_schema(), new_at(schema).definitions)
    plan = negotiate(schema, extended_catalog(known))
    assert not additions(known, schema, plan)
    before = negotiate(schema, known_catalog()).by_name
    changed = {
        one.name for one in plan.entities if one.name in before and one.query_hash != before[one.name].query_hash
    }
    assert changed == {"parts"}


def test_what_the_shipped_schema_has_come_to_know_is_passed_over() -> None:
    schema = newer()
    definitions = new_at(schema).definitions
    assert extended(schema, definitions) is schema
    twice = extended(known_schema(), f"{definitions}\n")
    assert extended(twice, definitions) is twice


def test_a_list_of_lists_is_refused_with_its_type() -> None:
    found = new_at(tenant((PART, f"{PART}\n  grid: [[Int!]!]")))
    assert not found
    assert found.refused == ("Part.grid: a list of lists ([[Int!]!]) has no column type",)


SECRETIVE = """
type ApiKeysConnection { pageInfo: IonPageInfo! edges: [ApiKeyEdge] }
type ApiKeyEdge { node: ApiKey }
type ApiKey {
  id: ID! name: String clientId: String clientSecret: String key: String expires_at: DateTime expiresAt: String
}
type AnalyticsCredentialsConnection { pageInfo: IonPageInfo! edges: [AnalyticsCredentialEdge] }
type AnalyticsCredentialEdge { node: AnalyticsCredential }
type AnalyticsCredential { id: ID! username: String password: String }
"""


def test_credentials_are_refused_by_name_and_the_rest_is_adopted() -> None:
    schema = tenant(
        (PART, f"{SECRETIVE}{PART}\n  erpToken: String\n  colour: String"),
        (
            "\ntype Query {",
            "\ntype Query {\n  apiKeys(first: Int, after: String): ApiKeysConnection"
            "\n  analyticsCredentials(first: Int, after: String): AnalyticsCredentialsConnection",
        ),
    )
    found = new_at(schema)
    assert found.fields == ("Part.colour",)
    assert set(found.entities) == {"apiKeys", "analyticsCredentials"}
    assert {line.partition(":")[0] for line in found.refused if "credential" in line} == {
        "Part.erpToken",
        "ApiKey.clientSecret",
        "ApiKey.key",
        "AnalyticsCredential.password",
    }
    assert "ApiKey.expiresAt: it would share a column with ApiKey.expires_at" in found.refused
    for secret in ("erpToken", "clientSecret", "password"):
        assert secret not in found.definitions
    catalog = extended_catalog(extended(known_schema(), found.definitions))
    assert [column.name for column in catalog.entities["api_keys"].columns] == ["id", "name", "client_id", "expires_at"]
    assert [column.name for column in catalog.entities["analytics_credentials"].columns] == ["id", "username"]


def test_a_credential_in_what_was_adopted_by_hand_is_no_column() -> None:
    catalog = extended_catalog(extended(known_schema(), "extend type Part { erpPassword: String colour: String }"))
    names = {column.name for column in catalog.entities["parts"].columns}
    assert "colour" in names
    assert "erp_password" not in names


def test_fields_that_would_share_a_column_are_refused_alone() -> None:
    found = new_at(
        tenant((PART, f"{PART}\n  lead_time: Int\n  netWeight: Float\n  net_weight: Float\n  colour: String"))
    )
    assert found.fields == ("Part.netWeight", "Part.colour")
    assert found.refused == (
        "Part.lead_time: it would share a column with Part.leadTime",
        "Part.net_weight: it would share a column with Part.netWeight",
    )
    columns = {
        column.name for column in extended_catalog(extended(known_schema(), found.definitions)).tables["parts"].columns
    }
    assert {"colour", "net_weight", "lead_time"} <= columns


def test_an_entity_whose_table_is_there_is_refused_alone() -> None:
    schema = tenant(
        (PART, f"{NEW_TYPES}{PART}"),
        (
            "\ntype Query {",
            "\ntype Query {\n  run_steps(first: Int, after: String): DrawingConnection"
            "\n  drawings(first: Int, after: String): DrawingConnection",
        ),
    )
    found = new_at(schema)
    assert found.entities == ("drawings",)
    assert found.refused == ("Query.run_steps: there is a table run_steps already",)


def test_two_fields_of_one_column_name_are_refused() -> None:
    known = extended(known_schema(), "extend type Part { lead_time: Int }")
    with pytest.raises(IonPipelineError, match="lead_time"):
        extended_catalog(known)


@pytest.mark.parametrize("definitions", ["extend type Part {", "extend type Nothing { a: Int }"])
def test_broken_definitions_are_an_error_that_says_so(definitions: str) -> None:
    with pytest.raises(IonPipelineError, match="does not fit"):
        extended(known_schema(), definitions)
