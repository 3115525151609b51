"""The models' metadata is complete: the dictionaries and the row counts are built from it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ion_pipeline.catalog.catalog import known_catalog

PROJECT = Path(__file__).parents[2] / "dbt_project"
MODELS: dict[str, dict[str, Any]] = {
    model["name"]: model
    for path in sorted((PROJECT / "models" / "marts").rglob("*.yml"))
    for model in yaml.safe_load(path.read_text("utf-8"))["models"]
}
MEASURED = {name: model for name, model in MODELS.items() if "metrics" in model.get("config", {}).get("meta", {})}
# Names of columns that hold a ratio; each one needs a metric with its formula.
RATIO = re.compile(r"(_rate|_share|_yield|^ppm|^dpu|^dpo|^dpmo|_per_unit_started|_per_100_touch_hours)$")


def test_each_metric_is_a_column_with_complete_metadata() -> None:
    assert MEASURED
    for name, model in MEASURED.items():
        columns = {column["name"] for column in model["columns"]}
        metrics = model["config"]["meta"]["metrics"]
        assert len({metric["name"] for metric in metrics}) == len(metrics) > 0, name
        for metric in metrics:
            assert list(metric) == ["name", "formula", "grain", "source", "caveats"], f"{name}: {metric}"
            assert all(isinstance(text, str) and text.strip() for text in metric.values()), f"{name}: {metric}"
            assert metric["name"] in columns, f"{name} has no column {metric['name']}"


@pytest.mark.parametrize("name", sorted(MODELS))
def test_each_ratio_is_a_metric(name: str) -> None:
    metrics = MODELS[name].get("config", {}).get("meta", {}).get("metrics", [])
    ratios = {column["name"] for column in MODELS[name]["columns"] if RATIO.search(column["name"])}
    assert ratios <= {metric["name"] for metric in metrics}


def test_each_staging_view_of_an_entity_is_counted() -> None:
    listed = re.search(r"macro staged_entities\(\) %}\s*{{ return\(\[(.*?)\]\)", _macros("ion_entities"), re.DOTALL)
    assert listed
    staging = PROJECT / "models" / "staging" / "ion"
    views = {path.stem.removeprefix("stg_ion__") for path in staging.glob("stg_ion__*.sql")}
    entities = {name for name, table in known_catalog().tables.items() if table.entity == name}
    names = re.findall(r"'(\w+)'", listed[1])
    assert names == sorted(views & entities), "macros/ion_entities.sql: staged_entities"


def _macros(name: str) -> str:
    return (PROJECT / "macros" / f"{name}.sql").read_text("utf-8")
