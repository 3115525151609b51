"""docs/data-connector.md: every table that it offers exists, and every table of ION's own list has a line."""

import re
from pathlib import Path

import pytest

from ion_pipeline.catalog import known_catalog
from ion_pipeline.catalog.published import published_tables
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.webhooks.resources import entities_named
from tests.documents import read_yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "data-connector.md").read_text("utf-8")
CATALOG = known_catalog()
MODELS = ROOT / "dbt_project" / "models" / "marts"
SCHEMAS = ("ion", *sorted(folder.name for folder in MODELS.iterdir()))
PUBLISHED = {f"ion.{table.name}" for table in published_tables(CATALOG)} | {
    f"{path.parent.name}.{model['name']}" for path in MODELS.glob("*/*.yml") for model in read_yaml(path)["models"]
}
# The first cell of each line of a table, and the second.
LINES = re.findall(r"^\| (`[a-z].*?) \| (.*?) \|", PAGE, re.MULTILINE)
NAMES = re.compile(r"`([\w.]+)`")


def lines() -> list[tuple[list[str], list[str]]]:
    """Names of the vendor's tables and ours, line by line."""
    return [(NAMES.findall(theirs), NAMES.findall(ours)) for theirs, ours in LINES]


def test_every_table_that_the_page_offers_is_published() -> None:
    offered = set(re.findall(rf"\b((?:{'|'.join(SCHEMAS)})\.\w+)`", PAGE))
    assert len(offered) > 100
    assert offered - PUBLISHED == set()


def test_every_resource_of_the_schema_has_one_line() -> None:
    resources = {name.lower() for name in known_schema().type_map["ResourceEnum"].values}  # type: ignore[attr-defined]
    named = [name for theirs, _ in lines() for name in theirs]
    assert len(resources) > 100
    assert resources - set(named) == set()
    assert len(named) == len(set(named))


@pytest.mark.parametrize(("theirs", "ours"), [line for line in lines() if any("ion." in name for name in line[1])])
def test_a_line_leads_to_the_entity_that_an_event_of_the_table_leads_to(theirs: list[str], ours: list[str]) -> None:
    owners = {CATALOG.tables[name.removeprefix("ion.")].entity for name in ours if name.startswith("ion.")}
    for name in theirs:
        assert owners <= set(entities_named(name, CATALOG)), name
