"""What is planned for tenants whose schemas differ."""

import re

import pytest
from graphql import GraphQLSchema, parse, validate

from ion_pipeline.catalog import Drift, Plan, SchemaMismatchError, known_catalog, negotiate
from ion_pipeline.catalog.schema import known_schema, known_sdl
from ion_pipeline.errors import SettingsError
from tests.schemas import schema_of

CATALOG = known_catalog()


def tenant(*changes: tuple[str, str]) -> GraphQLSchema:
    """The known schema with pieces of its text replaced; each must be there."""
    text = known_sdl()
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert count, pattern
    return schema_of(text)


def in_type(name: str, field: str, replacement: str) -> tuple[str, str]:
    """Replace the line of a field within a type."""
    return rf"(^type {name} \{{(?:\n  .*)*?)\n  {field}(?:\(.*\))?: .*$", rf"\1\n{replacement or '  # gone'}"


def check(plan: Plan, schema: GraphQLSchema) -> None:
    """Every document of a plan is valid for the schema it was made for."""
    documents = [
        document
        for entity in plan.entities
        if entity.query
        for document in (entity.query.page, entity.query.count, entity.query.signature_page)
    ]
    assert documents
    for document in documents:
        assert validate(schema, parse(document)) == [], document


def test_the_known_schema_is_read_by_id_wherever_there_is_one() -> None:
    plan = negotiate(known_schema(), CATALOG)
    assert [entity.name for entity in plan.entities] == list(CATALOG.default_selection)
    assert {entity.name for entity in plan.entities if entity.paging != "keyset"} == {
        "datagrid_values",
        "issue_disposition_type_roles",
        "issue_part_inventories",
        "issue_relations",
        "mbom_approval_roles",
        "part_procedures",
        "plan_item_allocations",
    }
    assert {entity.drift for entity in plan.entities} == {Drift()}
    assert (plan.abom_route, plan.new_entities) == ("root", ())
    assert "parts " in str(plan)
    check(plan, known_schema())


def test_values_are_variables_and_the_order_is_complete() -> None:
    plan = negotiate(known_schema(), CATALOG)
    for entity in plan.entities:
        assert entity.query
        arguments = re.search(r"^  \w+\((.*)\) \{$", entity.query.page, re.MULTILINE)
        assert arguments
        order = ", ".join(f"{column.upper()}_ASC" for column in entity.entity.key)
        assert arguments.group(1) == f"filters: $filters, first: $first, after: $after, sort: [{order}]"


def test_signed_links_and_secrets_are_never_asked_for() -> None:
    plan = negotiate(known_schema(), CATALOG, CATALOG.entities)
    assert len(plan.entities) == len(CATALOG.entities)
    for entity in plan.entities:
        assert entity.query
        assert not re.search(
            r"^\s*(downloadUrl|url|integrationFetchUrl|avatar|sharedSecret|_\w+Count)$", entity.query.page, re.MULTILINE
        ), entity.name


def test_a_selection_is_planned_in_the_schemas_order() -> None:
    plan = negotiate(known_schema(), CATALOG, ["runs", "parts"])
    assert [entity.name for entity in plan.entities] == ["parts", "runs"]
    assert plan.abom_route == "none"
    with pytest.raises(SettingsError, match="widgets"):
        negotiate(known_schema(), CATALOG, ["parts", "widgets"])


def test_missing_fields_become_null_columns_and_are_reported() -> None:
    schema = tenant(in_type("Part", "leadTime", ""), in_type("Part", "attributes", ""))
    plan = negotiate(schema, CATALOG)
    parts = plan.by_name["parts"]
    assert parts.drift == Drift(missing=("Part.leadTime", "Part.attributes"))
    assert parts.query
    assert "leadTime" not in parts.query.page
    assert parts.query.shape.arrow_schema == CATALOG.tables["parts"].arrow_schema
    assert "part_attributes" not in set(parts.query.shape.tables())
    check(plan, schema)


def test_new_fields_and_entities_are_reported_and_not_read() -> None:
    schema = tenant(
        (r"^type Part \{$", "type Part {\n  colour: String\n  _NewCount: Int\n  supersededBy: Part"),
        (r"^type PartAttribute \{$", "type PartAttribute {\n  weight: Float"),
        (r"^type Query \{$", "type Query {\n  widgets(first: Int): PartsConnection"),
    )
    plan = negotiate(schema, CATALOG)
    parts = plan.by_name["parts"]
    assert parts.drift == Drift(new=("Part.colour", "PartAttribute.weight"))
    assert plan.new_entities == ("widgets",)
    assert parts.query
    assert "colour" not in parts.query.page


@pytest.mark.parametrize(
    ("owner", "field", "line", "reported"),
    [
        ("Part", "partNumber", "  partNumber: Int", "Part.partNumber: String -> Int"),
        ("Part", "partNumber", "  partNumber: ID!", "Part.partNumber: String -> ID"),
        ("PartInventory", "quantity", "  quantity: Int!", "PartInventory.quantity: Float -> Int"),
        ("PartAttribute", "value", "  value: [String]", "PartAttribute.value: ScalarValue -> [String]"),
    ],
)
def test_retyped_without_loss_is_read_and_reported(owner: str, field: str, line: str, reported: str) -> None:
    plan = negotiate(tenant(in_type(owner, field, line)), CATALOG, ["parts", "part_inventories"])
    assert [change for entity in plan.entities for change in entity.drift.retyped] == [reported]


@pytest.mark.parametrize(
    ("owner", "field", "line", "found", "wanted"),
    [
        ("Part", "id", "  id: String!", "String", "Int"),
        ("Part", "partNumber", "  partNumber: [String]", r"\[String\]", "String"),
        ("Part", "partNumber", "  partNumber: Part", "Part", "String"),
        ("Part", "_updated", "  _updated: String", "String", "DateTime"),
        ("PartInventory", "quantity", "  quantity: String", "String", "Float"),
        ("PartInventory", "mergeCandidateIds", "  mergeCandidateIds: [String]", r"\[String\]", r"\[Int\]"),
    ],
)
def test_retyped_with_loss_is_an_error_that_names_both_types(
    owner: str, field: str, line: str, found: str, wanted: str
) -> None:
    with pytest.raises(SchemaMismatchError, match=rf"{owner}\.{field} is {found} at this tenant and {wanted} in the"):
        negotiate(tenant(in_type(owner, field, line)), CATALOG)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((r"(^input PartsInputFilters \{(?:\n  .*)*?)\n  id: .*$", r"\1"), "no filter by id"),
        ((r"(^enum PartSortEnum \{.*) ID_ASC ", r"\1 "), "no order by id"),
    ],
)
def test_without_an_id_to_filter_or_sort_by_cursors_are_used(change: tuple[str, str], reason: str) -> None:
    schema = tenant(change)
    plan = negotiate(schema, CATALOG, ["parts", "runs"])
    assert (plan.by_name["parts"].paging, plan.by_name["parts"].reason) == ("cursor", reason)
    assert plan.by_name["runs"].paging == "keyset"
    check(plan, schema)


def test_an_absent_connection_is_planned_as_such() -> None:
    schema = tenant((r"^  (abomItems|aBomEdges)\(.*$", ""))
    plan = negotiate(schema, CATALOG)
    assert {entity.name: entity.paging for entity in plan.entities if entity.query is None} == {
        "abom_items": "none",
        "abom_edges": "none",
    }
    assert plan.abom_route == "root"


def test_without_root_connections_the_as_built_bom_is_read_inside_part_inventories() -> None:
    schema = tenant((r"^  (buildRequirements|abomInstallations)\(filters.*$", ""))
    plan = negotiate(schema, CATALOG, ["build_requirements", "abom_installations"])
    assert plan.abom_route == "nested"
    # The carrier is read although nobody asked for it.
    assert {entity.name: (entity.paging, entity.carrier) for entity in plan.entities} == {
        "build_requirements": ("nested", "part_inventories"),
        "abom_installations": ("nested", "part_inventories"),
        "part_inventories": ("keyset", None),
    }
    query = plan.by_name["part_inventories"].query
    assert query
    assert {
        "build_requirements",
        "build_requirement_part_inventories",
        "build_requirement_reference_designators",
        "abom_installations",
    } <= set(query.shape.tables())
    for inner in query.shape.lists:
        if inner.field in {"buildRequirements", "abomInstallations"}:
            assert inner.node.arrow_schema == CATALOG.tables[inner.node.table].arrow_schema
    check(plan, schema)


def test_without_generation_2_only_generation_1_is_left() -> None:
    schema = tenant(
        (r"^  (buildRequirements|abomInstallations)\(filters.*$", ""),
        in_type("PartInventory", "buildRequirements", ""),
        in_type("PartInventory", "abomInstallations", ""),
    )
    plan = negotiate(schema, CATALOG)
    assert plan.abom_route == "none"
    assert plan.by_name["build_requirements"].paging == "none"
    assert plan.by_name["abom_items"].paging == "keyset"
    check(plan, schema)


SESSIONS = (
    (r"^type Query \{$", "type Query {\n"
     "  sessions(filters: SessionsInputFilters, first: Int, after: String): SessionsConnection"),
    (r"^type Session \{$", "type SessionsConnection { pageInfo: IonPageInfo! edges: [SessionsEdge]! }\n"
     "type SessionsEdge { node: Session cursor: String! }\ntype Session {"),
)  # fmt: skip


def test_a_list_with_a_root_connection_is_read_from_there_into_its_own_table() -> None:
    schema = tenant(*SESSIONS)
    plan = negotiate(schema, CATALOG, ["run_steps"])
    assert [entity.name for entity in plan.entities] == ["run_steps", "run_step_sessions"]
    steps, sessions = plan.entities
    assert (sessions.list_of, sessions.entity.root_field, sessions.drift) == ("run_steps", "sessions", Drift())
    assert steps.query is not None
    assert sessions.query is not None
    assert sessions.query.shape.arrow_schema == CATALOG.tables["run_step_sessions"].arrow_schema
    assert "run_step_sessions" not in set(steps.query.shape.tables())
    assert set(steps.query.shape.tables()) == {
        table.name
        for table in CATALOG.tables.values()
        if table.entity == "run_steps" and table.name != "run_step_sessions"
    }
    # An id that is text gives no order by number: all sessions are read each time.
    assert (sessions.paging, sessions.reason) == ("cursor", "its id is not a number")
    check(plan, schema)
    assert negotiate(schema, CATALOG).new_entities == ()


def test_sessions_with_numbers_as_ids_are_compared_by_etag() -> None:
    schema = tenant(
        (SESSIONS[0][0], SESSIONS[0][1].replace("first: Int", "sort: [SessionSortEnum], first: Int")),
        SESSIONS[1],
        in_type("Session", "id", "  id: Int!"),
        (r"^scalar SlateContent$", "scalar SlateContent\nenum SessionSortEnum { ID_ASC ID_DESC }"),
    )
    sessions = negotiate(schema, CATALOG).by_name["run_step_sessions"]
    assert sessions.paging == "keyset"
    assert sessions.query is not None
    tracking = sessions.query.tracking
    assert (tracking.etag, tracking.by_id, tracking.updated) == ("_etag", True, False)


@pytest.mark.parametrize(
    "change",
    [
        in_type("Session", "runStepId", ""),
        (r"sessions\(filters: SessionsInputFilters, first: Int, after: String\)", "sessions(after: String)"),
        (r"sessions\(filters: (SessionsInputFilters, first)", r"openSessions(filters: \1"),
        (r"node: Session cursor", "node: SessionEvent cursor"),
    ],
)
def test_a_root_connection_that_is_not_that_of_the_list_is_a_new_entity(change: tuple[str, str]) -> None:
    text = known_sdl()
    for pattern, replacement in (*SESSIONS, change):
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        assert count, pattern
    plan = negotiate(schema_of(text), CATALOG, ["run_steps"])
    (steps,) = plan.entities
    assert steps.query is not None
    assert "run_step_sessions" in set(steps.query.shape.tables())
    assert len(plan.new_entities) == 1
