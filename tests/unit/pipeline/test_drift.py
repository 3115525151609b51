"""The tenant's differences as they are recorded: the field and both types, as one reads them in the two schemas."""

from graphql import GraphQLSchema, build_schema, print_schema

from ion_pipeline.catalog import known_catalog, negotiate
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.lake import SchemaDrift
from ion_pipeline.pipeline.drift import schema_drift


def tenant(*changes: tuple[str, str]) -> GraphQLSchema:
    """The known schema with some of its text replaced."""
    text = print_schema(known_schema())
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    return build_schema(text)


def found(schema: GraphQLSchema, *entities: str) -> tuple[SchemaDrift, ...]:
    return schema_drift(negotiate(schema, known_catalog(), entities), schema, known_schema())


def test_a_tenant_like_the_catalog() -> None:
    assert found(known_schema()) == ()


def test_missing_new_and_retyped_fields() -> None:
    part = print_schema(known_schema()).partition("\ntype Part ")[2].partition("\n}")[0]
    without = "\n".join(line for line in part.splitlines() if line.strip() != "leadTime: Int")
    assert without != part
    changed = without.replace("  partNumber: String", "  weightClass: Int!\n  partNumber: ID", 1)
    assert changed != without
    assert found(tenant((part, changed)), "parts") == (
        SchemaDrift("parts", "missing", "Part.leadTime", "Int", None),
        SchemaDrift("parts", "new", "Part.weightClass", None, "Int!"),
        SchemaDrift("parts", "retyped", "Part.partNumber", "String!", "ID!"),
    )


def test_an_entity_that_is_new_and_one_that_is_absent() -> None:
    changed = tenant(("type Query {", "type Query {\n  widgets(first: Int): PartsConnection"))
    query = changed.query_type
    assert query
    del query.fields["labels"]
    drift = found(changed, "parts", "labels")
    assert drift == (
        SchemaDrift("labels", "missing", "Query.labels", "LabelsConnection", None),
        SchemaDrift("widgets", "new", "Query.widgets", None, "PartsConnection"),
    )


def test_values_that_an_enum_has_gained() -> None:
    changed = tenant(("\nenum Parttypeenum {", "\nenum Parttypeenum {\n  MEAL\n  WISH"))
    plan = negotiate(changed, known_catalog(), ["parts", "users"]).by_name
    assert plan["parts"].drift.new_values == ("Parttypeenum.MEAL", "Parttypeenum.WISH")
    assert plan["users"].drift.new_values == ()
    assert not negotiate(known_schema(), known_catalog(), ["parts"]).by_name["parts"].drift
