"""What is under export control: which rows are, which say so, and that no trace is left where they are left out."""
# ruff: noqa: S608 -- names of our own

import shutil
from pathlib import Path

import duckdb
import orjson
import pytest

from ion_pipeline.catalog.catalog import known_catalog
from ion_pipeline.catalog.published import published_tables
from ion_pipeline.pipeline import dbt
from ion_pipeline.publish import PUBLIC_SCHEMAS
from ion_pipeline.report.writing import write_report
from ion_pipeline.warehouse import begin_build, connect
from tests.integration.conftest import Built, settings_of
from tests.integration.support.flags import (
    FLAGGED,
    FLAGGED_BY_KIND,
    FLAGGED_LATER,
    PATHS,
    WHOLE_UNITS,
    check_flags,
    check_flags_by_kind,
)
from tests.integration.support.traces import ids_found, telling_texts, traces
from tests.integration.support.warehouse import query
from tests.oracle.export_control import Named, controlled
from tests.oracle.world import World, read_truths, read_world_dir

pytestmark = pytest.mark.slow
# The factory has no controlled tool (test_production_random has some), and a small world no chart of both kinds.
ONE_FLAG = {"quality.control_chart_points", "production.tools", "production.tool_usage"}


@pytest.fixture(scope="module")
def rows(demo_world: Path) -> World:
    return read_world_dir(demo_world)


@pytest.fixture(scope="module")
def found(rows: World) -> set[Named]:
    return controlled(rows)


def test_what_was_planted_is_controlled_and_what_stands_beside_it_is_not(demo_world: Path, found: set[Named]) -> None:
    truth = read_truths(demo_world)["export_control"]
    assert {("parts", key) for key in truth["part_ids"]} <= found
    assert not {("parts", key) for key in truth["free_part_ids"]} & found
    assert ("procedures", truth["procedure_id"]) in found
    assert ("runs", truth["flagged_run_id"]) in found
    assert {("partInventories", key) for key in truth["part_inventory_ids"]} <= found
    assert not {("partInventories", key) for key in truth["free_part_inventory_ids"]} & found
    assert {("runs", key) for key in truth["run_ids"]} <= found
    assert ("runs", truth["free_run_id"]) not in found
    assert {("issues", key) for key in truth["issue_ids"]} <= found
    assert ("issues", truth["free_issue_id"]) not in found
    assert {("purchaseOrderLines", key) for key in truth["purchase_order_line_ids"]} <= found
    assert not {("purchaseOrderLines", key) for key in truth["free_purchase_order_line_ids"]} & found


def test_the_warehouse_finds_the_rows_that_the_oracle_finds(demo_warehouse: Built, found: set[Named]) -> None:
    with duckdb.connect(str(demo_warehouse.warehouse), read_only=True) as connection:
        there = connection.execute("select table_name from duckdb_tables() where schema_name = 'raw_controlled'")
        kept = {
            table: connection.execute(f"select id, row_key from raw_controlled.{table}").fetchall()
            for (table,) in there.fetchall()
        }
    seen = set()
    for entity in known_catalog().entities.values():
        if entity.name not in kept:
            assert not [key for root, key in found if root == entity.root_field], entity.name
            continue
        keys = kept[entity.name]
        ours = {row_id if key is None else tuple(int(part) for part in key.split("\x1f")) for row_id, key in keys}
        assert ours == {key for root, key in found if root == entity.root_field}, entity.name
        seen |= {entity.name} if ours else set()
        for child in entity.children:
            if not child.table.endswith("_attributes"):
                continue
            fields = {(int(owner), key) for _, text in kept[child.table] for owner, key in [text.split("\x1f")]}
            assert fields == {key for root, key in found if root == f"{entity.root_field}.attributes"}, child.table
    assert {"parts", "procedures", "steps", "runs", "issues", "abom_items", "redlines", "comments"} <= seen


@pytest.mark.parametrize("mart", sorted(FLAGGED))
def test_a_row_says_so_if_it_names_what_is_controlled(demo_warehouse: Built, found: set[Named], mart: str) -> None:
    said = check_flags(demo_warehouse.published, mart, FLAGGED[mart], found)
    assert said == {True, False} or (mart in ONE_FLAG and said), f"{mart} has one flag only"


@pytest.mark.parametrize("mart", sorted(FLAGGED_BY_KIND))
def test_a_row_says_so_if_what_it_is_about_is_controlled(demo_warehouse: Built, found: set[Named], mart: str) -> None:
    assert check_flags_by_kind(demo_warehouse.published, mart, found) == {True, False}


@pytest.mark.parametrize("mart", WHOLE_UNITS)
def test_a_whole_unit_says_so_if_something_in_it_is_controlled(
    demo_warehouse: Built, found: set[Named], mart: str
) -> None:
    used = query(
        demo_warehouse.published,
        "select ancestor_part_inventory_id, component_part_inventory_id from genealogy.abom_where_used",
    )
    contents: dict[int, set[int]] = {}
    for unit, component in used:
        contents.setdefault(unit, set()).add(component)
    # A line of the plan may be controlled although nothing controlled is installed.
    planned = query(
        demo_warehouse.published, "select part_inventory_id from genealogy.abom_conformance where is_export_controlled"
    )
    lines = {unit for (unit,) in planned} if mart.endswith("conformance") else set()
    rows = query(demo_warehouse.published, f"select part_inventory_id, is_export_controlled from {mart}")
    wrong = [
        (unit, flag) for unit, flag in rows
        if flag is not any(
            ("partInventories", one) in found or one in lines for one in {unit, *contents.get(unit, ())}
        )
    ]  # fmt: skip
    assert not wrong, wrong[:5]
    assert {flag for _, flag in rows} == {True, False}


def test_every_mart_with_a_flag_is_looked_at(demo_warehouse: Built) -> None:
    flagged = query(
        demo_warehouse.published,
        "select schema_name || '.' || table_name from duckdb_columns() where column_name = 'is_export_controlled'",
    )
    # Holds are rows of `issue_units`, with its flag; there are none before the field of the rule is adopted, and no
    # further actions before they are (`test_today.py`).
    elsewhere = {"reference.attributes", "genealogy.abom_conformance", "quality.holds", "quality.further_actions"}
    # Those of the schema ion: tests/integration/test_entity_tables.py.
    marts = {name for (name,) in flagged if not name.startswith("main.")}
    assert marts == {*FLAGGED, *FLAGGED_BY_KIND, *FLAGGED_LATER, *PATHS, *WHOLE_UNITS, *elsewhere}


def test_a_row_of_an_entity_says_so_as_the_oracle_does(demo_warehouse: Built, found: set[Named]) -> None:
    flagged = query(
        demo_warehouse.published,
        "select table_name from duckdb_columns() where schema_name = 'main' and column_name = 'is_export_controlled'",
    )
    tables = {table.name: table for table in published_tables(known_catalog())}
    entities = [one for one in known_catalog().entities.values() if (one.name,) in flagged and one.key == ("id",)]
    ids = {
        entity.name: next(column.name for column in tables[entity.name].columns if column.raw.name == "id")
        for entity in entities
    }
    each = (f"select '{name}', {key} from ion.{name} where is_export_controlled" for name, key in ids.items())
    said = set(query(demo_warehouse.published, " union all ".join(each)))
    roots = {entity.root_field: entity.name for entity in entities}
    assert said == {(roots[root], key) for root, key in found if root in roots}
    assert len({name for name, _ in said}) > 10


def test_a_custom_field_says_so_if_it_or_its_owner_is_controlled(demo_warehouse: Built, found: set[Named]) -> None:
    roots = {
        child.table.removesuffix("_attributes"): entity.root_field
        for entity in known_catalog().entities.values()
        for child in entity.children
        if child.table.endswith("_attributes")
    }
    rows = query(
        demo_warehouse.published,
        "select is_export_controlled, owner_type, owner_id, attribute_key from reference.attributes",
    )
    wrong = [
        row for row in rows
        if row[0] is not ((f"{roots[row[1]]}.attributes", row[2:]) in found)
    ]  # fmt: skip
    assert not wrong, wrong[:5]
    assert {row[0] for row in rows} == {True, False}


def test_a_planned_line_says_so_if_it_or_what_stands_for_it_is_controlled(
    demo_warehouse: Built, rows: World, found: set[Named]
) -> None:
    # What is installed for a line of the plan, by the unit that has it.
    installed = {
        (unit["id"], requirement["originMbomItemId"])
        for requirement in rows["buildRequirements"]
        for installation in rows["abomInstallations"]
        if installation.get("buildRequirementId") == requirement["id"]
        and ("abomInstallations", installation["id"]) in found
        for unit in requirement["partInventories"]
    }
    lines = query(
        demo_warehouse.published,
        "select is_export_controlled, part_inventory_id, mbom_item_id, build_requirement_id, abom_installation_id "
        "from genealogy.abom_conformance where abom_generation = 2",
    )
    wrong = [
        (flag, unit, item, requirement, installation)
        for flag, unit, item, requirement, installation in lines
        if flag
        is not (
            ("partInventories", unit) in found
            or ("mbomItems", item) in found
            or ("buildRequirements", requirement) in found
            or ("abomInstallations", installation) in found
            or (item is not None and (unit, item) in installed)
        )
    ]
    assert not wrong, wrong[:5]
    assert {line[0] for line in lines} == {True, False}


@pytest.mark.parametrize("mart", sorted(PATHS))
def test_a_path_says_so_if_anything_on_it_is_controlled(demo_warehouse: Built, found: set[Named], mart: str) -> None:
    root_column, columns = PATHS[mart]
    rows = query(
        demo_warehouse.published,
        f"select {root_column}, path_key, is_export_controlled, {', '.join(columns)} from {mart} "
        f"order by {root_column}, depth",
    )
    expected: dict[tuple[int, str], bool] = {}
    wrong = []
    for root, path, flag, *ids in rows:
        above = path.rpartition("/")[0]
        expected[root, path] = any(
            (connection, key) in found for connection, key in zip(columns.values(), ids, strict=True)
        ) or (path != "" and expected[root, above])
        if flag is not expected[root, path]:
            wrong.append((root, path))
    assert not wrong, wrong[:5]
    assert set(expected.values()) == {True, False}


@pytest.mark.exhaustive
def test_the_search_finds_what_is_published_and_nothing_where_it_is_left_out(
    rows: World, found: set[Named], demo_warehouse: Built, left_out: Built, tmp_path: Path
) -> None:
    token = read_truths(demo_warehouse.world)["export_control"]["token"]
    texts = telling_texts(rows, found) | {token}
    assert len([text for text in texts if token in text]) > 20
    report = tmp_path / "report.html"
    write_report(settings_of(demo_warehouse.data_dir, included=True), report)
    with_them = dict(traces(demo_warehouse.data_dir / "published", texts)) | texts_found_in(report, texts)
    for place in ("ion.duckdb genealogy.abom_hierarchy", "ion.duckdb quality.issues", "reference/parts.parquet"):
        assert any(place in name for name in with_them), place
    assert report.name in with_them
    assert len(ids_found(demo_warehouse.published, found)) > 30

    without = dict(traces(left_out.data_dir / "published", texts))
    assert not without, {name: sorted(hits)[:5] for name, hits in without.items()}
    assert not texts_found_in(left_out.data_dir / "report.html", texts)
    assert not ids_found(left_out.published, found)


def texts_found_in(report: Path, texts: set[str]) -> dict[str, set[str]]:
    content = report.read_text(encoding="utf-8")
    hits = {text for text in texts if text in content}
    return {report.name: hits} if hits else {}


def test_every_table_still_has_rows_and_none_of_them_is_flagged(demo_warehouse: Built, left_out: Built) -> None:
    tables = query(
        left_out.published,
        "select schema_name || '.' || table_name, list(column_name) from duckdb_columns() "
        f"where schema_name in {(*PUBLIC_SCHEMAS, 'main')} and not internal group by all",
    )
    assert len(tables) > 180
    emptied = set()
    with (
        duckdb.connect(str(demo_warehouse.published), read_only=True) as whole,
        duckdb.connect(str(left_out.published), read_only=True) as rest,
    ):
        for table, columns in tables:
            [(with_them,)] = whole.execute(f"select count(*) from {table}").fetchall()
            flag = "count(*) filter (where is_export_controlled)" if "is_export_controlled" in columns else "0"
            [(without, flagged)] = rest.execute(f"select count(*), {flag} from {table}").fetchall()
            assert flagged == 0, table
            emptied |= {table} if (without > 0) is not (with_them > 0) else set()
    # In the demo, only controlled parts have requirements, and only plan items of controlled parts have runs.
    assert emptied == {"main.part_requirements", "main.plan_item_part_inventories", "main.plan_item_runs"}


def test_counts_do_not_tell_how_many_are_left_out(left_out: Built) -> None:
    assert query(left_out.published, "select distinct ion_count, raw_minus_ion from ops.row_counts") == [(None, None)]
    assert query(left_out.published, "select distinct rows_read, rows_inserted from ops.loads") == [(None, None)]
    ((published, staged),) = query(
        left_out.published, "select raw_count, staging_count from ops.row_counts where entity = 'parts'"
    )
    assert published == staged == query(left_out.published, "select count(*) from reference.parts")[0][0]


def test_raw_stays_whole_and_no_publish_with_the_rows_stays(demo_warehouse: Built, left_out: Built) -> None:
    for table in ("parts", "runs", "issues"):
        count = f"select count(*) from raw.{table}"
        assert query(left_out.warehouse, count) == query(demo_warehouse.warehouse, count)
    published = left_out.data_dir / "published"
    latest = orjson.loads((published / "latest.json").read_bytes())
    assert latest["export_controlled"].startswith("left out")
    assert [folder.name for folder in (published / "publishes").iterdir()] == [latest["publish_id"]]
    before = orjson.loads((demo_warehouse.data_dir / "published" / "latest.json").read_bytes())
    assert before["export_controlled"] == "included"


def test_another_setting_builds_everything_again(left_out: Built, tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy2(left_out.warehouse, warehouse)
    without, whole = (settings_of(tmp_path, included=included) for included in (False, True))
    assert dbt.is_built(without)
    assert not dbt.is_built(whole)
    with connect(warehouse) as connection:
        begin_build(connection, dbt.models_digest(whole))
    # What a build with the other setting has begun to replace is not what was left out any more.
    assert not dbt.is_built(without)
