"""Rules for the dbt project that its files show: layers, documentation, contracts, sizes, dialect."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.documents import read_yaml

PROJECT = Path(__file__).parents[3] / "dbt_project"
MODELS = sorted((PROJECT / "models").rglob("*.sql"))
MARTS = [path for path in MODELS if "marts" in path.parts]
LONGEST = {"staging": 50, "intermediate": 120, "marts": 150}
# Functions and forms that only DuckDB has; they belong in macros/dialect.
DIALECT = re.compile(
    r"::|\b(list_\w+|list|unnest|struct_pack|string_agg|strftime|strptime|json_\w+|regexp_\w+|map_from_\w+|epoch_\w+"
    r"|exclude|qualify|asof|generate_series|range)\s*\(|\[\]",
    re.IGNORECASE,
)


def layer(path: Path) -> str:
    return path.relative_to(PROJECT / "models").parts[0]


def described(path: Path) -> dict[str, Any]:
    """Return the model's entry in its yml file."""
    [model] = read_yaml(path.with_suffix(".yml"))["models"]
    assert model["name"] == path.stem
    return dict(model)


def plain_sql(text: str) -> str:
    """Return the SQL of a model without comments and Jinja."""
    return re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|--[^\n]*", "", text, flags=re.DOTALL)


def identifiers(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


def test_every_layer_has_models() -> None:
    assert {layer(path) for path in MODELS} == set(LONGEST)


@pytest.mark.parametrize("path", MODELS, ids=identifiers(MODELS))
def test_model(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    model = described(path)
    assert str(model["description"]).startswith("One row per"), "the grain comes first"
    for column in model["columns"]:
        assert str(column.get("description", "")).endswith("."), f"{column['name']} needs a sentence"
    assert len(text.splitlines()) <= LONGEST[layer(path)], "the model is too long: split it"
    # Some models of ops count the rows in raw.
    reads_raw = "source('" in text or "stage_attributes(" in text
    assert reads_raw == (layer(path) == "staging") or path.parent.name == "ops", "only staging reads raw"
    assert not (found := DIALECT.search(plain_sql(text))), (
        f"{found.group()}: dialect-specific SQL belongs in macros/dialect"
    )


@pytest.mark.parametrize("path", MARTS, ids=identifiers(MARTS))
def test_mart_has_a_type_per_column_and_a_key(path: Path) -> None:
    model = described(path)
    assert all(column.get("data_type") for column in model["columns"])
    constraints = [
        *model.get("constraints", ()),
        *(c for column in model["columns"] for c in column.get("constraints", ())),
    ]
    keyed_by_constraint = any(constraint["type"] == "primary_key" for constraint in constraints)
    keyed_by_test = any("unique_combination" in test for test in model.get("data_tests", ()))
    assert keyed_by_constraint or keyed_by_test


def test_every_recursion_has_a_cap() -> None:
    """A recursive term with `union all` is capped by a variable; one with `union` finds each row once and ends."""
    recursive = [path for path in MODELS if "with recursive" in path.read_text(encoding="utf-8")]
    assert recursive
    for path in recursive:
        ctes = re.split(r"\n\),\n", with_macros(path.read_text(encoding="utf-8")))
        recurring = [cte for cte in ctes if (name := cte_name(cte)) and re.search(rf"(from|join) {name}\b", cte)]
        assert recurring, path.stem
        for cte in recurring:
            capped = re.search(r"< \{\{ (var\('\w+'\)|strip_rounds\(\)) \}\}", cte)
            assert capped or not re.search(r"\bunion all\b", cte), f"{path.stem}: {cte_name(cte)} has no cap"


def with_macros(text: str) -> str:
    """Return the text of a model with its macros of CTEs expanded."""
    return re.sub(
        r"^\{\{ (\w+)\(\) \}\}",
        lambda found: (PROJECT / "macros" / f"{found.group(1)}.sql").read_text(encoding="utf-8"),
        text,
        flags=re.MULTILINE,
    )


def cte_name(cte: str) -> str | None:
    found = re.search(r"^(?:with recursive )?(\w+) as \($", cte, flags=re.MULTILINE)
    return found.group(1) if found else None


def test_every_staging_model_is_used() -> None:
    used = set(re.findall(r"ref\('(\w+)'\)", "".join(path.read_text(encoding="utf-8") for path in MODELS)))
    used |= {f"stg_ion__{owner}_attributes" for owner in attribute_owners()}
    used |= {f"stg_ion__{name}s" for name in approved_and_asked()}
    staged = {path.stem for path in MODELS if layer(path) == "staging"}
    assert staged - used == set()


def approved_and_asked() -> list[str]:
    """The tables of requests and of verdicts, of each kind of approval."""
    text = (PROJECT / "macros" / "approval_kinds.sql").read_text(encoding="utf-8")
    found = re.findall(r"'(?:requests|verdicts)': '(\w+)'", text)
    assert len(found) == 2 * text.count("'kind':") > 10
    return found


def attribute_owners() -> list[str]:
    text = (PROJECT / "macros" / "attribute_owners.sql").read_text(encoding="utf-8")
    return re.findall(r"'(\w+)'", text)
