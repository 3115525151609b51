"""Operators for which a database is no reference: mixed types, similarity, ids as text, text that spells booleans."""

from typing import Any

import pytest

from ion_pipeline.sandbox.model import Column, known_model
from ion_pipeline.sandbox.operators import value_test
from ion_pipeline.sandbox.world import World
from tests.unit.sandbox.asking import ask, engine_of

VALUE = known_model().types["RunStepField"].columns["value"]
EDITABLE = known_model().types["Issue"].columns["editable"]
TITLE = known_model().types["Issue"].columns["title"]


def kept(column: Column, operators: dict[str, Any], values: list[Any]) -> list[Any]:
    return [value for value in values if value_test(column, operators)(value)]


MIXED: list[Any] = [None, 2, 2.5, 10, "10", "abc", True, ["a", "b"]]


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ({"eq": 2.5}, [2.5]),
        ({"eq": "10"}, ["10"]),
        ({"eq": ["a", "b"]}, [["a", "b"]]),
        ({"neq": "abc"}, [2, 2.5, 10, "10", True, ["a", "b"]]),
        ({"gt": 2}, [2.5, 10]),
        ({"gte": "10"}, ["10", "abc"]),
        ({"in": ["abc", 10]}, [10, "abc"]),
        ({"like": "%b%"}, ["abc", ["a", "b"]]),
        ({"isnull": True}, [None]),
        ({"isnull": False, "lt": 3}, [2, 2.5]),
        ({"isnull": None}, MIXED),
    ],
)
def test_values_of_any_type(operators: dict[str, Any], expected: list[Any]) -> None:
    assert kept(VALUE, operators, MIXED) == expected


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ({"eq": True}, ["true", "True"]),
        ({"neq": True}, ["false"]),
        ({"in": [False]}, ["false"]),
        ({"isnull": True}, [None]),
        ({"eq": "maybe"}, ["maybe"]),
    ],
)
def test_a_text_column_with_a_boolean_filter(operators: dict[str, Any], expected: list[Any]) -> None:
    values = [None, "true", "True", "false"] if "maybe" not in operators.values() else ["maybe", "true"]
    assert kept(EDITABLE, operators, values) == expected


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ({"eq": None}, [None]),
        ({"neq": None}, ["a", "b"]),
        ({"gt": None}, []),
        ({"like": None}, []),
        ({"in": ["a", None]}, ["a"]),
        ({"in": []}, []),
    ],
)
def test_null_as_a_filter_value(operators: dict[str, Any], expected: list[Any]) -> None:
    assert kept(TITLE, operators, [None, "a", "b"]) == expected


def test_similarity_is_that_of_pg_trgm() -> None:
    # PostgreSQL's manual, pg_trgm: similarity('word', 'two words') is 0.363636.
    for limit, matches in ((0.3636, True), (0.3637, False)):
        assert bool(kept(TITLE, {"fuzzyMatch": {"value": "word", "similarity": limit}}, ["two words"])) is matches
    assert kept(TITLE, {"fuzzyMatch": {"value": "word"}}, ["two words", "other", None, ""]) == ["two words"]


def test_ids_sent_as_text_are_compared_as_numbers() -> None:
    links = [{"parentPlanItemId": 1, "childPlanItemId": child} for child in ("10", "9", 2)]
    engine = engine_of(World(tables={"planItemAllocations": links, "planItems": [{"id": 9}]}))
    query = """query ($f: PlanItemAllocationsInputFilters, $s: [PlanItemAllocationSortEnum]) {
        planItemAllocations(filters: $f, sort: $s) { edges { node { childPlanItemId childPlanItem { id } } } } }"""

    def children(filters: Any = None, sort: Any = None) -> list[Any]:
        edges = ask(engine, query, f=filters, s=sort)["planItemAllocations"]["edges"]
        return [edge["node"]["childPlanItemId"] for edge in edges]

    assert children() == ["2", "9", "10"]
    assert children(sort=["CHILD_PLAN_ITEM_ID_DESC"]) == ["10", "9", "2"]
    assert children({"childPlanItemId": {"gt": "9"}}) == ["10"]
    assert children({"childPlanItemId": {"in": [9, "10"]}}) == ["9", "10"]
    assert children({"childPlanItemId": {"neq": 9}}) == ["2", "10"]
    assert children({"childPlanItem": {"id": {"eq": 9}}}) == ["9"]


@pytest.mark.parametrize(
    "filters",
    [{}, {"or_": []}, {"or_": [{}, {"id": {"eq": 1}}]}, {"and_": [{}]}, {"id": {}}, {"part": {}}, {"part": {"id": {}}}],
)
def test_an_empty_filter_matches_every_row(filters: dict[str, Any]) -> None:
    engine = engine_of(World(tables={"partInventories": [{"id": 1, "partId": 7}, {"id": 2}], "parts": [{"id": 7}]}))
    query = "query ($f: PartInventoriesInputFilters) { partInventories(filters: $f) { pageInfo { totalCount } } }"
    assert ask(engine, query, f=filters)["partInventories"]["pageInfo"]["totalCount"] == 2
