"""Next to every list, map and struct of the published file there is a text or a table of rows for BI tools."""

# ruff: noqa: S608 -- names come from the published file

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from tests.integration.conftest import Built

pytestmark = pytest.mark.slow

NESTED = re.compile(r"\[\]|map\(|struct\(")
ELSEWHERE = re.compile(r"As (text|rows): ([\w.]+)\.$")
SEPARATORS = {"places": "; "}
YIELDS = {
    "rolled_throughput_yield": ("first_pass_yield", "day_on"),
    "rolled_throughput_yield_by_week": ("first_pass_yield_by_week", "week_starts_on"),
    "rolled_throughput_yield_by_month": ("first_pass_yield_by_month", "month_starts_on"),
}
Nested = dict[tuple[str, str], tuple[str, str]]


@pytest.fixture(scope="module")
def published(demo_warehouse: Built) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(demo_warehouse.published), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def nested(published: duckdb.DuckDBPyConnection) -> Nested:
    """Each nested column by table and name: whether it is found as text or as rows, and where."""
    found: Nested = {}
    for table, column, kind, description in published.execute(
        "select table_schema || '.' || table_name, column_name, data_type, column_description from ops.data_dictionary"
    ).fetchall():
        if NESTED.search(kind.lower()):
            elsewhere = ELSEWHERE.search(description)
            assert elsewhere, f"{table}.{column} says of no text and no table that has the same"
            found[table, column] = (elsewhere[1], elsewhere[2])
    return found


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    return connection.execute(sql).fetchall()


def in_file(table: str) -> str:
    return table.replace("ion.", "main.") if table.startswith("ion.") else table


def test_every_nested_column_of_the_file_is_described(published: duckdb.DuckDBPyConnection, nested: Nested) -> None:
    held = rows(
        published, "select schema_name, table_name, column_name, data_type from duckdb_columns() where not internal"
    )
    names = {
        (f"{'ion' if schema == 'main' else schema}.{table}", column)
        for schema, table, column, kind in held
        if NESTED.search(kind.lower())
    }
    assert len(names) > 80
    assert names == nested.keys()


def test_texts_say_what_the_lists_say(published: duckdb.DuckDBPyConnection, nested: Nested) -> None:
    texts = {one: name for one, (way, name) in nested.items() if way == "text"}
    assert len(texts) > 60
    filled = set()
    for (table, column), text in texts.items():
        for values, said in rows(published, f'select distinct "{column}", "{text}" from {in_file(table)}'):
            if not values:
                assert said is None or text != f"{column}_text", (table, column)
                continue
            filled.add((table, column))
            if text == f"{column}_text":
                assert said == (SEPARATORS.get(column, ", ").join(map(str, values)) or None), (table, column)
            elif text == "value_text":
                assert json.loads(said) == values
            elif text == "evidence":
                assert all(re.search(rf"\b{value}\b", said) for value in values), (table, column, said)
            else:
                # A path of names in place of ids: as many names as ids, and the name of an open requirement.
                assert said.count(" > ") + 1 == len(values) + said.endswith("(open)"), (table, column, said)
    assert len(filled) > 25


def test_rows_of_attributes_say_what_the_maps_say(published: duckdb.DuckDBPyConnection, nested: Nested) -> None:
    tables = [table for (table, _), (_, where) in nested.items() if where == "reference.attributes"]
    assert len(tables) >= 10
    for table in tables:
        schema, name = table.split(".")
        [(key,)] = rows(
            published,
            f"select column_name from ops.data_dictionary where key_number = 1 and table_schema = '{schema}' "
            f"and table_name = '{name}'",
        )
        ours = f"select {key}, unnest(map_entries(attributes), recursive := true) from {table}"
        theirs = (
            f"select owner_id, attribute_key, value_text from reference.attributes "
            f"where owner_type = '{key.removesuffix('_id')}'"
        )
        assert rows(published, f"({ours}) except ({theirs})") == []
        held = rows(published, f"select sum(cardinality(attributes)) from {table}")
        assert held == rows(published, f"select sum(1) from ({theirs}) where owner_id in (select {key} from {table})")


def test_rows_of_ions_attributes_are_as_many_as_in_the_maps(
    published: duckdb.DuckDBPyConnection, nested: Nested
) -> None:
    tables = {table: where for (table, column), (way, where) in nested.items() if way == "rows" and table[:4] == "ion."}
    assert len(tables) > 10
    counts = {
        table: rows(
            published,
            f"select coalesce(sum(cardinality(attributes)), 0), (select count(*) from {in_file(where)}) "
            f"from {in_file(table)}",
        )
        for table, where in tables.items()
    }
    assert {table: found for table, [found] in counts.items() if found[0] != found[1]} == {}
    assert any(found[0] for [found] in counts.values())


def test_rows_of_fields_and_of_yields(published: duckdb.DuckDBPyConnection, nested: Nested) -> None:
    assert nested["reference.procedure_steps", "fields"] == ("rows", "ion.step_fields")
    fields = "select step_id, unnest(fields).step_field_id from reference.procedure_steps"
    assert len(rows(published, fields)) > 10
    assert rows(published, f"({fields}) except (select step_id, step_field_id from main.step_fields)") == []
    for rolled, (steps, period) in YIELDS.items():
        assert nested[f"quality.{rolled}", "steps"] == ("rows", f"quality.{steps}")
        key = f"part_id, procedure_id, {period}"
        factors = (
            f"select {key}, step.step_id, step.quantity_attempted, step.quantity_passed_first "
            f"from (select {key}, unnest(steps) as step from quality.{rolled})"
        )
        assert len(rows(published, factors)) > 10
        theirs = f"select {key}, step_id, quantity_attempted, quantity_passed_first from quality.{steps}"
        assert rows(published, f"({factors}) except ({theirs})") == []
