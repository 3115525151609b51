"""The catalog against the facts of ION's schema, counted and written down by hand."""

import re

import pyarrow as pa
import pytest
from graphql import build_schema

from ion_pipeline.catalog.catalog import Catalog, build_catalog, known_catalog, known_overrides
from ion_pipeline.catalog.schema import known_sdl
from ion_pipeline.errors import SettingsError

CATALOG = known_catalog()


def test_every_root_connection_is_an_entity() -> None:
    query = re.search(r"^type Query \{(.*?)^\}", known_sdl(), re.DOTALL | re.MULTILINE)
    assert query
    connections = re.findall(r"^  (\w+)\(.*\): \w+Connection$", query.group(1), re.MULTILINE)
    assert len(connections) == 84
    assert [entity.root_field for entity in CATALOG.entities.values()] == connections


@pytest.mark.parametrize(
    ("root_field", "name"),
    [
        ("runBatchs", "run_batches"),
        ("fields", "step_fields"),
        ("aBomEdges", "abom_edges"),
        ("unitsOfMeasurement", "units_of_measurement"),
        ("partInventories", "part_inventories"),
        ("abomItems", "abom_items"),
        ("mbomItemReferenceDesignators", "mbom_item_reference_designators"),
        ("mrpJobs", "mrp_jobs"),
        ("runSteps", "run_steps"),
        ("steps", "steps"),
    ],
)
def test_names(root_field: str, name: str) -> None:
    assert CATALOG.entities[name].root_field == root_field


def test_names_are_snake_case_and_unique() -> None:
    for table in CATALOG.tables.values():
        names = [column.name for column in table.columns]
        assert len(names) == len(set(names)), table.name
        assert all(re.fullmatch(r"_?[a-z][a-z0-9]*(_[a-z0-9]+)*", name) for name in [table.name, *names]), table.name


def test_the_fifteen_owners_of_attributes() -> None:
    owners = {
        "issue", "location", "mbom", "part", "part_inventory", "part_kit", "part_kit_item", "procedure",
        "purchase_order", "purchase_order_line", "receipt", "run", "run_step", "step", "supplier",
    }  # fmt: skip
    found = {name.removesuffix("_attributes") for name in CATALOG.tables if name.endswith("_attributes")}
    assert found == owners
    for owner in owners:
        table = CATALOG.tables[f"{owner}_attributes"]
        assert table.key == (f"{owner}_id", "key")
        assert {"value", "type", "_updated", "_etag"} <= {column.name for column in table.columns}


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("part_part_subtypes", ["part_id", "part_subtype_id"]),
        ("run_step_part_inventories", ["run_step_id", "part_inventory_id"]),
        ("purchase_order_line_part_inventories", ["purchase_order_line_id", "part_inventory_id"]),
        ("build_requirement_part_inventories", ["build_requirement_id", "part_inventory_id"]),
        ("run_origin_part_inventories", ["run_id", "part_inventory_id"]),
        ("part_kit_item_part_inventories", ["part_kit_item_id", "part_inventory_id", "issued_quantity"]),
        ("team_users", ["team_id", "user_id"]),
    ],
)
def test_links_are_tables(table: str, columns: list[str]) -> None:
    assert [column.name for column in CATALOG.tables[table].columns] == columns


@pytest.mark.parametrize(
    ("table", "column", "arrow_type"),
    [
        ("parts", "id", pa.int64()),
        ("parts", "cost", pa.float64()),
        ("parts", "export_controlled", pa.bool_()),
        ("parts", "part_type", pa.string()),
        ("parts", "_updated", pa.timestamp("us", tz="UTC")),
        ("part_attributes", "_updated", pa.timestamp("us", tz="UTC")),
        ("part_attributes", "value", pa.string()),
        ("part_attributes", "options", pa.list_(pa.string())),
        ("part_inventories", "merge_candidate_ids", pa.list_(pa.int64())),
        ("part_procedures", "part_id", pa.string()),
        ("runs", "start_time", pa.string()),
        ("run_steps", "start_time", pa.timestamp("us", tz="UTC")),
        ("run_steps", "upstream_step_ids", pa.list_(pa.int64())),
        ("mboms", "entity_id", pa.float64()),
    ],
)
def test_types(table: str, column: str, arrow_type: pa.DataType) -> None:
    assert CATALOG.tables[table].arrow_schema.field(column).type == arrow_type


def test_json_columns_are_those_whose_type_varies() -> None:
    json_types = {
        column.graphql_type for table in CATALOG.tables.values() for column in table.columns if column.is_json
    }
    assert json_types == {"ScalarValue", "SlateContent"}


def test_credentials_are_never_columns() -> None:
    fields = {(entity.node_type, column.field) for entity in CATALOG.entities.values() for column in entity.columns} | {
        (child.node_type, column.field)
        for entity in CATALOG.entities.values()
        for child in entity.children
        for column in child.columns
    }
    assert ("FileAttachment", "filename") in fields
    forbidden = {"downloadUrl", "url", "integrationFetchUrl", "avatar", "sharedSecret"}
    assert not {field for field in fields if field[1] in forbidden}
    assert ("WebhookHeader", "value") not in fields


def test_every_table_has_a_key_of_its_own_columns() -> None:
    for table in CATALOG.tables.values():
        assert table.key
        assert set(table.key) <= {column.name for column in table.columns}


def test_default_selection_leaves_out_administration_only() -> None:
    left_out = set(CATALOG.entities) - set(CATALOG.default_selection)
    assert left_out == {
        "integrations", "invites", "permission_groups", "permissions", "user_notifications", "user_subscriptions",
        "webhook_events", "webhook_headers", "webhook_receivers", "webhook_subscriptions",
    }  # fmt: skip


def test_selecting_an_unknown_entity_says_which_there_are() -> None:
    with pytest.raises(SettingsError, match=r"no entity called warp_cores.*part_inventories"):
        CATALOG.select(["parts", "warp_cores"])


def test_a_new_entity_needs_no_code() -> None:
    sdl = (
        known_sdl()
        + """
      type Thruster { id: Int! ratedThrust: Float labels: [Label] }
      type ThrusterEdge { node: Thruster cursor: String! }
      type ThrustersConnection { pageInfo: IonPageInfo! edges: [ThrusterEdge]! }
      extend type Query { thrusters(first: Int, after: String): ThrustersConnection }
    """
    )
    catalog: Catalog = build_catalog(build_schema(sdl), known_overrides())
    assert [column.name for column in catalog.tables["thrusters"].columns] == ["id", "rated_thrust"]
    assert catalog.tables["thruster_labels"].key == ("thruster_id", "label_id")
    assert "thrusters" in catalog.default_selection


def test_two_fields_of_one_column_name_are_refused() -> None:
    sdl = known_sdl() + "\nextend type Part { part_number: String }"
    with pytest.raises(ValueError, match="share the column part_number"):
        build_catalog(build_schema(sdl), known_overrides())
