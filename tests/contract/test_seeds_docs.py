"""docs/seeds.md describes every seed, and every default that it names is current."""

import csv
import re
from pathlib import Path

import pytest
import yaml

from ion_pipeline.pipeline.dbt import project_dir

PAGE = (Path(__file__).parents[2] / "docs" / "seeds.md").read_text("utf-8")
SEEDS = sorted((project_dir() / "seeds").glob("*.csv"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def section(name: str) -> str:
    return PAGE.split(f"\n## `{name}`\n")[1].split("\n## ")[0]


def test_each_seed_has_one_section_and_one_line_and_nothing_else_has() -> None:
    names = [path.stem for path in SEEDS]
    assert sorted(re.findall(r"^## `(\w+)`$", PAGE, re.MULTILINE)) == names
    assert sorted(re.findall(r"^\| \[`(\w+)`\]\(#\1\)", PAGE, re.MULTILINE)) == names


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_each_seed_and_each_of_its_columns_is_described(path: Path) -> None:
    [seed] = yaml.safe_load(path.with_suffix(".yml").read_text("utf-8"))["seeds"]
    with path.open(encoding="utf-8", newline="") as file:
        header = next(csv.reader(file))
    assert seed["name"] == path.stem
    assert seed["description"].startswith("One row per")
    assert [column["name"] for column in seed["columns"]] == header == list(seed["config"]["column_types"])
    assert all(column["description"].endswith(".") for column in seed["columns"])


def test_settings_are_listed_with_their_defaults() -> None:
    [path] = [path for path in SEEDS if path.stem == "organization_settings"]
    documented = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", section(path.stem), re.MULTILINE))
    assert documented == {row["setting_key"]: row["setting_value"] for row in rows(path)}


def test_defaults_on_the_page_are_the_defaults() -> None:
    kinds = {row["limit_kind"] for path in SEEDS if path.stem == "limit_functions" for row in rows(path)}
    assert kinds == {"lower", "upper", "equality", "inequality", "target"}
    assert all(f"`{kind}`" in section("limit_functions") for kind in kinds)
    [baseline] = rows(project_dir() / "seeds" / "chart_baselines.csv")
    assert (baseline["chart_key"], baseline["baseline_points"]) == ("default", "25")
    rules = rows(project_dir() / "seeds" / "chart_rules.csv")
    assert [sum(row["rule_set"] == name for row in rules) for name in ("western_electric", "nelson")] == [4, 8]
    assert all(row["is_on"] == "true" for row in rules)
    assert rows(project_dir() / "seeds" / "defect_opportunities.csv") == []
    categories = {row["disposition_category"] for row in rows(project_dir() / "seeds" / "disposition_categories.csv")}
    assert all(category in section("disposition_categories") for category in categories)
