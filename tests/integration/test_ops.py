"""What the warehouse says about itself: loads, counts and dictionaries, against the world, the lake and the models."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ion_pipeline.catalog.catalog import known_catalog
from tests.integration.conftest import Built
from tests.integration.support.warehouse import rows, table
from tests.oracle.compare import assert_same
from tests.oracle.world import read_world_dir

pytestmark = pytest.mark.slow

MARTS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"


def test_loads_are_those_of_the_lake(demo_warehouse: Built) -> None:
    [manifest] = [
        json.loads(path.read_bytes()) for path in (demo_warehouse.data_dir / "lake" / "_loads").glob("*.json")
    ]
    [load] = table(demo_warehouse, "ops.loads")
    assert (load["load_id"], load["is_latest"], load["strategy"]) == (manifest["load_id"], True, "full")
    assert (load["request_count"], load["byte_count"]) == (manifest["requests"], manifest["bytes_received"])
    assert load["rows_read"] == load["rows_inserted"] > 1000
    assert load["reading_seconds"] == pytest.approx((load["committed_at"] - load["read_at"]).total_seconds())


def test_every_row_of_the_world_is_counted(demo_warehouse: Built) -> None:
    world, catalog = read_world_dir(demo_warehouse.world), known_catalog()
    expected = [
        {"entity": name, "ion_count": len(found), "raw_count": len(found), "raw_minus_ion": 0}
        for name in catalog.default_selection
        if (found := world.get(catalog.entities[name].root_field, []))
    ]
    assert len(expected) > 60
    counts = {row["entity"]: row for row in table(demo_warehouse, "ops.row_counts")}
    assert set(counts) == set(catalog.entities)
    assert_same(expected, [counts[row["entity"]] for row in expected], key=("entity",))
    assert all(row["staging_count"] in {None, row["raw_count"]} for row in counts.values())
    assert counts["issues"]["staging_count"] == counts["issues"]["raw_count"]


def test_the_watermark_is_the_newest_change(demo_warehouse: Built) -> None:
    world, catalog = read_world_dir(demo_warehouse.world), known_catalog()
    found = {row["entity"]: row for row in table(demo_warehouse, "ops.freshness")}
    [load] = table(demo_warehouse, "ops.loads")
    newest = {
        name: max(datetime.fromisoformat(row["_updated"]) for row in world[catalog.entities[name].root_field])
        for name in ("issues", "parts", "run_steps", "purchase_order_lines")
    }
    for name, change in newest.items():
        assert (found[name]["watermark_at"], found[name]["last_load_id"]) == (change, load["load_id"])
        assert found[name]["lag_hours"] == pytest.approx((load["read_at"] - change).total_seconds() / 3600)
    unread = set(catalog.entities) - set(catalog.default_selection)
    assert unread
    assert {(found[name]["last_load_id"], found[name]["row_count"]) for name in unread} == {(None, 0)}


def test_the_three_data_dictionaries_say_the_same(demo_warehouse: Built) -> None:
    """The table, the published file's comments, and the data dictionary, which is made of the comments."""

    def plain(text: str) -> str:
        return " ".join(text.split())

    document = json.loads((demo_warehouse.published.parent / "data_dictionary.json").read_bytes())
    expected = [
        {
            "table_schema": entry["schema"],
            "table_name": entry["table"],
            "column_number": number,
            "column_name": column["name"],
            "column_description": plain(column["description"]),
            "table_description": plain(entry["description"]),
        }
        for entry in document["tables"]
        for number, column in enumerate(entry["columns"], 1)
    ]
    found = table(demo_warehouse, "ops.data_dictionary")
    assert_same(expected, found, key=("table_schema", "table_name", "column_name"))
    types = {
        (entry["schema"], entry["table"], column["name"]): column["type"]
        for entry in document["tables"]
        for column in entry["columns"]
    }
    assert all(
        types[row["table_schema"], row["table_name"], row["column_name"]].replace(" ", "").replace('"', "").upper()
        == row["data_type"].replace(" ", "").replace('"', "").upper()
        for row in found
    )


def test_what_is_never_null_is_never_null(demo_warehouse: Built) -> None:
    promised = rows(demo_warehouse, "select * from ops.data_dictionary where is_never_null")
    assert len(promised) > 100
    checks = [
        f"""select '{row["table_name"]}.{row["column_name"]}' as broken from {row["table_schema"]}.{row["table_name"]}
        where "{row["column_name"]}" is null"""  # noqa: S608
        for row in promised
    ]
    assert rows(demo_warehouse, " union all ".join(checks)) == []


def test_the_metric_dictionary_is_the_models_metadata(demo_warehouse: Built) -> None:
    expected: list[dict[str, Any]] = [
        {"table_schema": path.parent.name, "table_name": path.stem, "metric_name": metric["name"], **texts}
        for path in MARTS.rglob("*.yml")
        for model in yaml.safe_load(path.read_text("utf-8"))["models"]
        for metric in model.get("config", {}).get("meta", {}).get("metrics", [])
        for texts in [{key: " ".join(metric[key].split()) for key in ("formula", "grain", "source", "caveats")}]
    ]
    found = table(demo_warehouse, "ops.metric_dictionary")
    assert_same(expected, found, key=("metric_name", "table_schema", "table_name"))
    columns = {
        (row["table_schema"], row["table_name"], row["column_name"])
        for row in table(demo_warehouse, "ops.data_dictionary")
    }
    assert {(row["table_schema"], row["table_name"], row["metric_name"]) for row in found} <= columns
