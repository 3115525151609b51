"""The exposures name exactly the tables that the report and the analysts' questions read."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.ask import questions
from ion_pipeline.report import queries

MODELS = Path(__file__).parents[2] / "dbt_project" / "models"
MARTS = {f"{path.parent.name}.{path.stem}" for path in (MODELS / "marts").rglob("*.sql")}
EXPOSURES: dict[str, dict[str, Any]] = {
    each["name"]: each for each in yaml.safe_load((MODELS / "exposures.yml").read_text("utf-8"))["exposures"]
}


def tables_of(sql: str) -> set[str]:
    return {name for name in re.findall(r"\b[a-z]+\.[a-z_]+\b", sql) if name in MARTS}


def report() -> set[str]:
    """Return the constant READS, after checking that the queries read exactly these tables."""
    written = "\n".join(value for name, value in vars(queries).items() if name.isupper() and isinstance(value, str))
    assert tables_of(written) == queries.READS
    return set(queries.READS)


def analyst_questions() -> set[str]:
    return set().union(*(tables_of(question.sql) for question in questions()))


@pytest.mark.parametrize("reader", [report, analyst_questions], ids=lambda reader: reader.__name__)
def test_an_exposure_depends_on_exactly_the_tables_read(reader: Any) -> None:
    tables = reader()
    assert len(tables) > 5
    named = [re.fullmatch(r"ref\('(\w+)'\)", each)[1] for each in EXPOSURES[reader.__name__]["depends_on"]]  # type: ignore[index]
    assert named == [table.split(".")[1] for table in sorted(tables)]


def test_nothing_else_is_exposed() -> None:
    assert set(EXPOSURES) == {"report", "analyst_questions"}
