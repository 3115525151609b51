"""What is under export control: which rows are, which say so, and that no trace is left where they are left out."""
# ruff: noqa: S608 -- names of our own

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pytest

from ion_pipeline.extract.catalog import known_catalog
from ion_pipeline.pipeline import dbt, steps
from ion_pipeline.report.writing import write_report
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse import PUBLIC_SCHEMAS, PublishError, begin_build, connect
from tests.integration.conftest import Built
from tests.integration.traces import ids_found, telling_texts, texts_found
from tests.oracle.export_control import Named, controlled
from tests.oracle.world import World, read_truths, read_world_dir

pytestmark = pytest.mark.slow

#: Marts with the flag, the columns that name rows, and whose: a row is flagged if and only if one of them is so.
FLAGGED: dict[str, dict[str, str]] = {
    "reference.parts": {"part_id": "parts"},
    "reference.part_inventories": {"part_inventory_id": "partInventories"},
    "reference.procedures": {"procedure_id": "procedures"},
    "reference.procedure_steps": {"step_id": "steps"},
    "production.runs": {"run_id": "runs"},
    "production.run_steps": {"run_step_id": "runSteps"},
    "production.run_history": {"run_id": "runs"},
    "production.open_runs": {"run_id": "runs", "current_run_step_id": "runSteps"},
    "production.labor_sessions": {"run_step_id": "runSteps"},
    "production.inventory_by_location": {"part_id": "parts"},
    "production.serialized_units": {
        "part_inventory_id": "partInventories",
        "installed_in_part_inventory_id": "partInventories",
        "top_part_inventory_id": "partInventories",
        "last_run_id": "runs",
    },
    "quality.issues": {"issue_id": "issues"},
    "quality.issue_units": {"issue_id": "issues", "part_inventory_id": "partInventories"},
    "quality.measurements": {"run_step_field_id": "runStepFields"},
    "quality.control_chart_points": {"run_step_field_id": "runStepFields", "step_id": "steps"},
    "quality.scrapped_units": {"part_inventory_id": "partInventories", "issue_id": "issues"},
    "supply.purchase_order_lines": {"purchase_order_line_id": "purchaseOrderLines"},
    "supply.receipts": {"receipt_item_id": "receiptItems"},
    "genealogy.abom_installations": {
        "parent_part_inventory_id": "partInventories",
        "child_part_inventory_id": "partInventories",
        "build_requirement_id": "buildRequirements",
    },
    "genealogy.abom_where_used": {
        "component_part_inventory_id": "partInventories",
        "ancestor_part_inventory_id": "partInventories",
    },
    "genealogy.abom_configurations": {"part_inventory_id": "partInventories"},
    "genealogy.abom_unit_history": {"part_inventory_id": "partInventories"},
    "genealogy.abom_structure_history": {"part_inventory_id": "partInventories"},
    "genealogy.abom_versions": {"part_inventory_id": "partInventories"},
    "genealogy.mbom_lines": {"mbom_item_id": "mbomItems"},
    "genealogy.mbom_versions": {"mbom_id": "mboms"},
}


@pytest.fixture(scope="module")
def rows(world: Path) -> World:
    return read_world_dir(world)


@pytest.fixture(scope="module")
def found(rows: World) -> set[Named]:
    return controlled(rows)


def settings_of(data_dir: Path, *, included: bool) -> Settings:
    return load_settings(
        environment="embedded", data_dir=data_dir, duckdb_memory_limit="2GB", publish_export_controlled=included
    )


@pytest.fixture(scope="module")
def left_out(once: Callable[[str, Callable[[Path], None]], Path], demo_warehouse: Built) -> Built:
    """The demo's warehouse, built and published again without what is controlled."""

    def fill(data_dir: Path) -> None:
        shutil.copytree(demo_warehouse.data_dir, data_dir, symlinks=True, dirs_exist_ok=True)
        settings = settings_of(data_dir, included=False)
        with pytest.raises(PublishError, match="ION_PUBLISH_EXPORT_CONTROLLED"):
            steps.publish(settings)
        dbt.build_pending(settings)
        steps.publish(settings)
        write_report(settings, data_dir / "report.html")

    return replace(demo_warehouse, data_dir=once("left-out", fill))


def query(built: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(built), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_what_was_planted_is_controlled_and_what_stands_beside_it_is_not(world: Path, found: set[Named]) -> None:
    truth = read_truths(world)["export_control"]
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
    seen = set()
    for entity in known_catalog().entities.values():
        if not query(
            demo_warehouse.warehouse,
            f"select 1 from duckdb_tables() where schema_name = 'raw_controlled' and table_name = '{entity.name}'",
        ):
            assert not [key for root, key in found if root == entity.root_field], entity.name
            continue
        keys = query(demo_warehouse.warehouse, f"select id, row_key from raw_controlled.{entity.name}")
        ours = {row_id if key is None else tuple(int(part) for part in key.split("\x1f")) for row_id, key in keys}
        assert ours == {key for root, key in found if root == entity.root_field}, entity.name
        seen |= {entity.name} if ours else set()
        for child in entity.children:
            if not child.table.endswith("_attributes"):
                continue
            keys = query(demo_warehouse.warehouse, f"select row_key from raw_controlled.{child.table}")
            fields = {(int(owner), key) for (text,) in keys for owner, key in [text.split("\x1f")]}
            assert fields == {key for root, key in found if root == f"{entity.root_field}.attributes"}, child.table
    assert {"parts", "procedures", "steps", "runs", "issues", "abom_items", "redlines", "comments"} <= seen


@pytest.mark.parametrize("mart", sorted(FLAGGED))
def test_a_row_says_so_if_it_names_what_is_controlled(demo_warehouse: Built, found: set[Named], mart: str) -> None:
    columns = FLAGGED[mart]
    generation = "and abom_generation = 2" if mart.endswith("abom_installations") else ""
    rows = query(
        demo_warehouse.published,
        f"select is_export_controlled, {', '.join(columns)} from {mart} where true {generation}",
    )
    wrong = [
        row for row in rows
        if row[0] is not any((root, key) in found for root, key in zip(columns.values(), row[1:], strict=True))
    ]  # fmt: skip
    assert not wrong, wrong[:5]
    said = {row[0] for row in rows}
    assert said == {True, False} or (mart.endswith("control_chart_points") and said), f"{mart} tells nothing apart"


def test_a_path_says_so_if_anything_on_it_is_controlled(demo_warehouse: Built, found: set[Named]) -> None:
    rows = query(
        demo_warehouse.published,
        "select root_part_inventory_id, path_key, part_inventory_id, build_requirement_id, is_export_controlled "
        "from genealogy.abom_hierarchy order by root_part_inventory_id, depth",
    )
    expected: dict[tuple[int, str], bool] = {}
    wrong = []
    for root, path, unit, requirement, flag in rows:
        above = path.rpartition("/")[0]
        expected[root, path] = (
            ("partInventories", unit) in found
            or ("buildRequirements", requirement) in found
            or (path != "" and expected[root, above])
        )
        if flag is not expected[root, path]:
            wrong.append((root, path))
    assert not wrong, wrong[:5]
    assert set(expected.values()) == {True, False}


def test_the_search_finds_what_is_published_and_nothing_where_it_is_left_out(
    rows: World, found: set[Named], demo_warehouse: Built, left_out: Built, tmp_path: Path
) -> None:
    token = read_truths(demo_warehouse.world)["export_control"]["token"]
    texts = telling_texts(rows, found) | {token}
    assert len([text for text in texts if token in text]) > 20
    report = tmp_path / "report.html"
    write_report(settings_of(demo_warehouse.data_dir, included=True), report)
    with_them = texts_found(demo_warehouse.data_dir / "published", texts) | texts_found_in(report, texts)
    for place in ("ion.duckdb genealogy.abom_hierarchy", "ion.duckdb quality.issues", "reference/parts.parquet"):
        assert any(place in name for name in with_them), place
    assert report.name in with_them
    assert len(ids_found(demo_warehouse.published, found)) > 30

    without = texts_found(left_out.data_dir / "published", texts)
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
        f"where schema_name in {PUBLIC_SCHEMAS} group by all",
    )
    assert len(tables) > 50
    for table, columns in tables:
        ((with_them,),) = query(demo_warehouse.published, f"select count(*) from {table}")
        flag = "count(*) filter (where is_export_controlled)" if "is_export_controlled" in columns else "0"
        ((without, flagged),) = query(left_out.published, f"select count(*), {flag} from {table}")
        assert flagged == 0, table
        assert (without > 0) is (with_them > 0), table


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
