"""The exposures name exactly the tables that the report, the dashboard and the analysts' questions read."""

import re
from pathlib import Path
from typing import Any

import pytest

from ion_pipeline.dashboard.datasets import DATASETS
from ion_pipeline.publish import containment
from ion_pipeline.report import queries, where_used
from tests.analyst_questions import blocks
from tests.documents import read_yaml

MODELS = Path(__file__).parents[2] / "dbt_project" / "models"
MARTS = {f"{path.parent.name}.{path.stem}" for path in (MODELS / "marts").rglob("*.sql")}
EXPOSURES: dict[str, dict[str, Any]] = {each["name"]: each for each in read_yaml(MODELS / "exposures.yml")["exposures"]}


def tables_of(sql: str) -> set[str]:
    return {name for name in re.findall(r"\b[a-z]+\.[a-z_]+\b", sql) if name in MARTS}


def report() -> set[str]:
    """Return the tables that the report and its recall page read, after comparing them with what is written."""
    found: set[str] = set()
    for module in (queries, where_used, containment):
        written = "\n".join(
            value for name, value in vars(module).items() if name.lstrip("_").isupper() and isinstance(value, str)
        )
        assert tables_of(written) == module.READS, module.__name__
        found |= module.READS
    return found


def analyst_questions() -> set[str]:
    return set().union(*(tables_of(question.sql) for question in blocks()))


def superset_dashboard() -> set[str]:
    tables = {f"{each.schema}.{each.name}" for each in DATASETS if not each.query}
    return tables | tables_of("\n".join(each.query or "" for each in DATASETS))


@pytest.mark.parametrize("reader", [report, analyst_questions, superset_dashboard], ids=lambda reader: reader.__name__)
def test_an_exposure_depends_on_exactly_the_tables_read(reader: Any) -> None:
    tables = reader()
    assert len(tables) > 5
    named = [re.fullmatch(r"ref\('(\w+)'\)", each)[1] for each in EXPOSURES[reader.__name__]["depends_on"]]  # type: ignore[index]
    assert named == [table.split(".")[1] for table in sorted(tables)]


def test_nothing_else_is_exposed() -> None:
    assert set(EXPOSURES) == {"report", "analyst_questions", "superset_dashboard"}
