"""Which fields of a row are compared to see whether it has changed."""

from graphql import GraphQLSchema

from ion_pipeline.catalog import known_catalog, negotiate
from ion_pipeline.catalog.schema import known_schema, known_sdl
from ion_pipeline.catalog.shape import NodeShape
from tests.schemas import schema_of


def columns(shape: NodeShape) -> set[str]:
    return {field.column.name for field in shape.fields}


def signature_of(entity: str, schema: GraphQLSchema | None = None) -> NodeShape:
    plan = negotiate(schema or known_schema(), known_catalog(), [entity]).by_name[entity]
    assert plan.query
    return plan.query.signature


def test_rows_with_an_etag_are_told_by_key_etag_and_instant() -> None:
    shape = signature_of("parts")
    assert columns(shape) == {"id", "_etag", "_updated"}
    lists = {child.node.table: columns(child.node) for child in shape.lists}
    assert lists == {
        "part_attributes": {"key", "_etag", "_updated"},
        "part_requirements": {"requirement_id"},
        "part_part_subtypes": {"part_subtype_id"},
        "part_file_attachments": {"id", "_etag", "_updated"},
    }


def test_links_are_told_by_all_they_have() -> None:
    shape = signature_of("part_kit_items")
    (inventories,) = (child.node for child in shape.lists if child.field == "partInventories")
    assert columns(inventories) == {"part_inventory_id", "issued_quantity"}


def test_the_key_of_rows_without_an_id_is_part_of_it() -> None:
    assert columns(signature_of("issue_part_inventories")) == {"issue_id", "part_inventory_id", "_etag", "_updated"}


def test_rows_without_an_etag_are_told_by_their_values() -> None:
    with_etags = "type Session {\n  _etag: String\n"
    assert with_etags in known_sdl()
    older = schema_of(known_sdl().replace(with_etags, "type Session {\n"))
    (sessions,) = (child.node for child in signature_of("run_steps", older).lists if child.field == "sessions")
    whole = known_catalog().tables["run_step_sessions"]
    assert columns(sessions) == {column.name for column in whole.columns} - {"run_step_id", "_etag"}
    (newer,) = (child.node for child in signature_of("run_steps").lists if child.field == "sessions")
    assert columns(newer) == {"id", "_etag"}
