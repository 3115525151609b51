"""docs/genealogy.md has a line for every kind of change and anomaly that the models can report."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "genealogy.md").read_text(encoding="utf-8")
DOCUMENTED = set(re.findall(r"^\| `(\w+)` \|", DOCS, flags=re.MULTILINE))


def test_every_change_between_units() -> None:
    rules = (ROOT / "dbt_project/macros/dialect/compare/lines.sql").read_text(encoding="utf-8")
    body = rules[rules.index("macro line_change(") : rules.index("macro line_is_changed_below")]
    changes = set(re.findall(r"(?:then|else) '(\w+)'", body))
    assert len(changes) == 8
    assert changes | {"indirect"} <= DOCUMENTED
    assert all(re.search(rf"^{change}\b|\s{{3,}}{change}\b", DOCS, flags=re.MULTILINE) for change in changes)


def test_every_change_over_time() -> None:
    text = (ROOT / "dbt_project/macros/abom_changes.sql").read_text(encoding="utf-8")
    changes = re.findall(r"\w+", text[text.index("-%}") : text.index("{%- endmacro")])
    assert len(changes) == 8
    assert {*changes} <= DOCUMENTED


def test_every_anomaly() -> None:
    mart = (ROOT / "dbt_project/models/marts/genealogy/genealogy_anomalies.sql").read_text(encoding="utf-8")
    anomalies = set(re.findall(r"anomaly_columns\(\s*'(\w+)'", mart))
    assert len(anomalies) >= 6
    assert anomalies <= DOCUMENTED
