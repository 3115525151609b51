"""The semantic layer says of each figure what the table says, and leaves out only what cannot be added up."""

import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.documents import read_yaml

MODELS = Path(__file__).parents[2] / "dbt_project" / "models"
DOCUMENTS = [read_yaml(path) for path in sorted((MODELS / "semantic").glob("*.yml"))]
SEMANTIC: dict[str, dict[str, Any]] = {
    model["name"]: model for model in chain.from_iterable(each["semantic_models"] for each in DOCUMENTS)
}
# A measure is a metric of the same name: `create_metric`.
METRICS: list[dict[str, Any]] = [
    *chain.from_iterable(each.get("metrics", ()) for each in DOCUMENTS),
    *chain.from_iterable(model.get("measures", ()) for model in SEMANTIC.values()),
]
NAMES = {metric["name"] for metric in METRICS}
TABLES: dict[str, dict[str, Any]] = {
    model["name"]: model for path in sorted((MODELS / "marts").rglob("*.yml")) for model in read_yaml(path)["models"]
}
DIVIDED = re.compile(r"÷| / |∏|mean of|median of")
# Figures with a division that are no metric: what they are of many rows is not made of sums of these rows.
NOT_ADDED_UP = {
    "rolled_throughput_yield": "a product over steps",
    "rolled_final_yield": "a product over steps",
    "defect_share": "a share of all classes",
    "cumulative_defect_share": "a running sum over classes",
    "issue_share": "a share of all dispositions",
    "quantity_share": "a share of all dispositions",
    "sigma_level": "a quantile of the normal distribution",
    "median_days_to_close": "the quantile of a year is not made of those of its months",
    "p90_days_to_close": "the quantile of a year is not made of those of its months",
    "days_to_close": "of one issue",
    "mean_open_age_days": "a state at the end of a month",
    "mean_age_days": "a state without a date",
    "typical_hours": "of one step",
    "cost_received_share": "amounts in several currencies",
    "cp": "of one field",
    "cpk": "of one field",
    "pp": "of one field",
    "ppk": "of one field",
    "sigma_within": "of one field",
    "sigma_overall": "of one field",
    "chart_value": "a point of a chart",
    "centre": "a line of a chart",
    "upper_control_limit": "a line of a chart",
}


def figures() -> dict[str, list[tuple[str, str]]]:
    """The tables and formulas of each figure, by name."""
    found: dict[str, list[tuple[str, str]]] = {}
    for table, model in TABLES.items():
        for metric in model.get("config", {}).get("meta", {}).get("metrics", ()):
            found.setdefault(metric["name"], []).append((table, " ".join(metric["formula"].split())))
    return found


def test_each_ratio_is_a_metric_or_cannot_be_added_up() -> None:
    ratios = {name for name, of in figures().items() if any(DIVIDED.search(formula) for _, formula in of)}
    assert ratios - NAMES == NOT_ADDED_UP.keys()


def test_a_metric_with_the_name_of_a_figure_is_described_by_its_formula() -> None:
    formulas = {name: {formula for _, formula in of} for name, of in figures().items()}
    shared = [metric for metric in METRICS if metric["name"] in formulas]
    assert len(shared) >= 15
    assert [m["name"] for m in shared if m["description"] not in formulas[m["name"]]] == []


def test_each_metric_has_a_label_of_its_own_and_a_description() -> None:
    assert len(METRICS) == len(NAMES) > 60
    assert len({metric["label"] for metric in METRICS}) == len(METRICS)
    assert all(metric["description"] for metric in METRICS)
    assert all(measure["create_metric"] for model in SEMANTIC.values() for measure in model.get("measures", ()))


@pytest.mark.parametrize("name", SEMANTIC)
def test_dimensions_and_keys_are_columns_of_the_table(name: str) -> None:
    """MetricFlow shows it only when a dimension is asked for."""
    model = SEMANTIC[name]
    [table] = re.findall(r"^ref\('(\w+)'\)$", model["model"])
    columns = {column["name"] for column in TABLES[table]["columns"]}
    assert {dimension["name"] for dimension in model["dimensions"]} <= columns
    keys = [
        word
        for entity in model["entities"]
        for word in re.findall(r"\b[a-z]\w+_(?:id|key|on|rank|number)\b", entity["expr"])
    ]
    assert keys
    assert set(keys) <= columns
