"""The published tables of ION's entities and lists: which there are, and that their columns are named as in staging."""

import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from ion_pipeline.catalog.catalog import Catalog, Column, known_catalog, known_overrides
from ion_pipeline.catalog.published import published_tables
from ion_pipeline.warehouse import further_actions, load_log
from tests.documents import read_yaml

STAGING = Path(__file__).parents[2] / "dbt_project" / "models" / "staging" / "ion"
MACROS = Path(__file__).parents[2] / "dbt_project" / "macros"
OVERRIDES = Path(__file__).parents[2] / "ion_pipeline" / "catalog" / "overrides.yml"
TABLES = {table.name: table for table in published_tables(known_catalog())}
# `a as b`, `a`, and `{{ instant_of_text('a') }} as b`; other expressions are no columns of raw.
RENAMED = re.compile(r"^(?:\{\{ instant_of_text\('(\w+)'\) \}\}|(\w+))(?: as (\w+))?$")


def staged(table: str) -> dict[str, str]:
    """Raw column to staged column, as the staging view of a table renames them."""
    path = STAGING / f"stg_ion__{table}.sql"
    attributes = table.endswith("_attributes")
    sql = (MACROS / "stage_attributes.sql" if attributes else path).read_text("utf-8")
    audit = re.search(r"%\}(.*?)\{%", (MACROS / "audit_columns.sql").read_text("utf-8"), re.DOTALL)
    body = re.search(r"renamed as \(\s*select(.*?)from source", sql, re.DOTALL)
    assert audit
    assert body
    text = body[1].replace("{{ audit_columns() }}", audit[1])
    text = text.replace("{{ owner }}", table.removesuffix("_attributes"))
    lines = [line.strip().rstrip(",") for line in text.splitlines()]
    matches = [match for line in lines if (match := RENAMED.match(line))]
    return {match[1] or match[2]: match[3] or match[2] for match in matches}


def test_every_entity_is_published_or_administrative_with_a_reason() -> None:
    entities, overrides = known_catalog().entities, read_yaml(OVERRIDES)
    reasons = overrides["administrative"]
    assert set(reasons) <= set(entities), "not an entity"
    assert all(isinstance(reason, str) and len(reason) > 10 for reason in reasons.values())
    lists = {name: [child.table for child in entity.children] for name, entity in entities.items()}
    assert set(TABLES) == {table for name in entities.keys() - reasons.keys() for table in [name, *lists[name]]}
    assert len(TABLES) > 120


@pytest.mark.parametrize("table", sorted(path.stem.removeprefix("stg_ion__") for path in STAGING.glob("*.sql")))
def test_a_column_has_one_name_in_staging_and_published(table: str) -> None:
    if table not in TABLES:
        assert f"_ion_{table}" in {*load_log.TABLES, further_actions.ACTIONS, further_actions.LINKS}
        return
    names = {column.raw.name: column.name for column in TABLES[table].columns}
    expected = staged(table)
    assert len(expected) > 1
    assert {raw: names[raw] for raw in expected} == expected


def test_exceptions_are_of_columns_that_exist_and_are_not_what_the_rules_say() -> None:
    columns = {(name, column.name) for name, table in known_catalog().tables.items() for column in table.columns}
    for named in [*known_overrides().published_names, *known_overrides().text_instants]:
        table, column = named.split(".")
        assert [one for one in columns if one[1] == column and table in {"*", one[0]}], named


def test_names_of_a_table_differ_and_say_what_they_hold() -> None:
    for table in TABLES.values():
        names = [column.name for column in table.columns]
        assert len(names) == len(set(names)), table.name
        for column in table.columns:
            assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", column.name), (table.name, column.name)
            if pa.types.is_timestamp(column.raw.arrow_type) or column.is_text_instant:
                assert column.name.endswith("_at"), (table.name, column.name)
            if column.raw.graphql_type == "Boolean":
                assert column.name.startswith(("is_", "has_")), (table.name, column.name)


def test_a_new_field_is_published_by_the_rules_and_never_under_a_name_that_is_taken() -> None:
    parts = known_catalog().entities["parts"]
    new = [
        Column("sold_time", "soldTime", "DateTime", pa.timestamp("us", tz="UTC")),
        Column("serviced", "serviced", "Boolean", pa.bool_(), description="Whether it\nwas serviced."),
        Column("part_id", "partId", "Int", pa.int64()),
        Column("is_export_controlled", "isExportControlled", "Boolean", pa.bool_()),
    ]
    entity = replace(parts, columns=(*parts.columns, *new))
    [table, *_] = published_tables(Catalog({"parts": entity}))
    before = [column.name for column in TABLES["parts"].columns]
    assert [column.name for column in table.columns] == [
        *before, "sold_at", "is_serviced", "part_id_2", "is_export_controlled_2",
    ]  # fmt: skip
    assert table.columns[-3].description == "Whether it was serviced. ION's `Part.serviced`."


def test_administrative_entities_stay_out_even_if_they_are_read() -> None:
    administrative = {name: entity for name, entity in known_catalog().entities.items() if entity.is_administrative}
    assert len(administrative) == len(known_overrides().administrative) > 5
    assert published_tables(Catalog(administrative)) == ()
