"""Lists of what a tenant has in addition: tables of links or of rows, by their types alone."""

from graphql import GraphQLSchema, print_schema

from ion_pipeline.catalog import known_catalog, negotiate
from ion_pipeline.catalog.adopt import Additions, additions, extended, extended_catalog
from ion_pipeline.catalog.catalog import Catalog
from ion_pipeline.catalog.published import published_tables
from ion_pipeline.catalog.references import references
from ion_pipeline.catalog.schema import known_schema
from tests.schemas import schema_of

AUDITS = """
type Audit {
  id: Int!
  title: String
  partId: Int
  part: Part
  issues: [Issue]
  readers(first: Int, after: String): UsersConnection
  followUps: [Audit]
  findings: [Finding]
  remarks: [Remark!]!
  links: [LinkedPage]
  signingKeys: [Finding]
  attributes: [AuditAttribute]
  dueFor(on: DateTime!): [User]
  grid: [[Finding]]
}
type Finding { id: Int! text: String severity: Int }
type Remark { key: String text: String }
type LinkedPage { address: String }
type AuditAttribute { key: String value: ScalarValue }
type AuditsConnection { pageInfo: IonPageInfo! edges: [AuditEdge] }
type AuditEdge { node: Audit cursor: String }
type AuditPart { auditId: Int! partId: Int! createdById: Int audit: Audit part: Part createdBy: User }
type AuditPartsConnection { pageInfo: IonPageInfo! edges: [AuditPartEdge] }
type AuditPartEdge { node: AuditPart cursor: String }
"""
ROOTS = (
    "\n  audits(first: Int, after: String): AuditsConnection"
    "\n  auditParts(first: Int, after: String): AuditPartsConnection"
)


def tenant(*changes: tuple[str, str]) -> GraphQLSchema:
    """The known schema with audits, and some of its text replaced."""
    text = f"\n{print_schema(known_schema())}{AUDITS}"
    for before, after in (("\ntype Query {", f"\ntype Query {{{ROOTS}"), *changes):
        assert text.count(before) == 1, before
        text = text.replace(before, after, 1)
    return schema_of(text)


def adopted(schema: GraphQLSchema) -> tuple[Additions, GraphQLSchema, Catalog]:
    found = additions(known_schema(), schema, negotiate(schema, known_catalog()))
    whole = extended(known_schema(), found.definitions)
    return found, whole, extended_catalog(whole)


def test_the_lists_of_a_new_entity_become_tables() -> None:
    found, _, catalog = adopted(tenant())
    assert (found.fields, found.entities) == ((), ("audits", "auditParts"))
    tables = {
        child.table: (child.key, [column.name for column in child.columns])
        for child in catalog.entities["audits"].children
    }
    assert tables == {
        "audit_issues": (("audit_id", "issue_id"), ["issue_id"]),
        "audit_readers": (("audit_id", "user_id"), ["user_id"]),
        "audit_follow_ups": (("audit_id", "follow_up_id"), ["follow_up_id"]),
        "audit_findings": (("audit_id", "id"), ["id", "text", "severity"]),
        "audit_remarks": (("audit_id", "key"), ["key", "text"]),
        "audit_attributes": (("audit_id", "key"), ["key", "value"]),
    }
    assert set(found.lists) == {
        f"Audit.{name}" for name in ("issues", "readers", "followUps", "findings", "remarks", "attributes")
    }
    assert found.refused == ("Audit.links: its rows have no id",)
    assert {*tables, "audits", "audit_parts"} <= {table.name for table in published_tables(catalog)}


def test_rows_without_an_id_are_identified_by_what_they_name() -> None:
    _, _, catalog = adopted(tenant())
    assert catalog.entities["audit_parts"].key == ("audit_id", "part_id")
    only_one = tenant(("auditId: Int! partId: Int! createdById", "auditId: Int! createdById"))
    assert "Query.auditParts: its rows have no id" in adopted(only_one)[0].refused


def test_export_control_extends_to_what_was_adopted() -> None:
    _, schema, catalog = adopted(tenant())
    found = references(schema, catalog)
    strong = {(one.table, one.column, one.target) for one in found.strong}
    assert {
        ("audits", "part_id", "parts"),
        ("audits", "issue_id", "issues"),
        ("audit_issues", "issue_id", "issues"),
        ("audit_issues", "audit_id", "audits"),
        ("audit_parts", "part_id", "parts"),
    } <= strong
    assert {"audits", "audit_issues", "audit_parts"} <= found.tables
    assert found.keys["audit_follow_ups", "follow_up_id"] == "audits"


def test_a_list_is_asked_for_as_the_tenant_has_it() -> None:
    schema = tenant()
    _, _, catalog = adopted(schema)
    query = negotiate(schema, catalog, ["audits"]).by_name["audits"].query
    assert query
    page = " ".join(query.page.split())
    assert "issues { id }" in page
    assert "readers { pageInfo { hasNextPage } edges { node { id } } }" in page
    assert "findings { id text severity }" in page
    assert not [word for word in ("links", "signingKeys", "dueFor", "grid") if word in page]


def test_what_was_adopted_is_no_longer_new() -> None:
    schema = tenant()
    _, known, catalog = adopted(schema)
    assert not additions(known, schema, negotiate(schema, catalog))


def test_lists_are_adopted_that_an_earlier_adoption_left_out() -> None:
    schema = tenant()
    before = extended(
        known_schema(),
        "type AuditsConnection { edges: [AuditEdge] } type AuditEdge { node: Audit }"
        "type Audit { id: Int! title: String partId: Int }"
        "extend type Query { audits: AuditsConnection }",
    )
    found = additions(before, schema, negotiate(schema, extended_catalog(before)))
    assert found.entities == ("auditParts",)
    assert "Audit.issues" in found.lists
    catalog = extended_catalog(extended(before, found.definitions))
    assert {"audit_issues", "audit_findings"} <= set(catalog.tables)


def test_a_shipped_type_lists_new_rows_only_if_they_do_not_list_it() -> None:
    issue = "\ntype Issue {"
    both = adopted(tenant((issue, f"{issue}\n  audits: [Audit]\n  witnesses: [User]")))[0]
    assert not {"Issue.audits", "Issue.witnesses"} & set(both.lists)
    found, _, catalog = adopted(
        tenant(
            (issue, f"{issue}\n  audits: [Audit]\n  witnesses: [User]"), ("  issues: [Issue]\n  readers", "  readers")
        )
    )
    assert {"Issue.audits"} == {name for name in found.lists if name.startswith("Issue")}
    [child] = [child for child in catalog.entities["issues"].children if child.table == "issue_audits"]
    assert (child.key, child.field) == (("issue_id", "audit_id"), "audits")


def test_rows_that_name_their_owner_need_no_list() -> None:
    found, _, _ = adopted(
        tenant(("  issues: [Issue]\n  readers", "  issues: [Issue]\n  parts: [AuditPart]\n  readers"))
    )
    assert "Audit.parts" not in found.lists
    assert not [line for line in found.refused if "Audit.parts" in line]


def test_a_list_whose_table_is_there_is_refused_alone() -> None:
    found = adopted(tenant(("  issues: [Issue]\n  readers", "  issues: [Issue]\n  Issues: [Issue]\n  readers")))[0]
    assert "Audit.Issues: a table audit_issues already exists" in found.refused
    assert "Audit.issues" in found.lists
