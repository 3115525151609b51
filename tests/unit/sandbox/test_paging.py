"""Pages, cursors and page info."""

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.load import Writer, load_world
from ion_pipeline.sandbox.profiles import served_schema
from ion_pipeline.sandbox.world import World
from tests.examples import examples
from tests.unit.sandbox.asking import ask, engine_of, errors, ids

COUNT = 23
QUERY = """query ($first: Int, $after: String, $last: Int, $before: String, $sort: [PartSortEnum]) {
    parts(first: $first, after: $after, last: $last, before: $before, sort: $sort) {
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor count totalCount }
        edges { cursor node { id } } } }"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    rows = [{"id": row_id, "partNumber": f"P{row_id % 5}"} for row_id in range(COUNT, 0, -1)]
    return engine_of(World(tables={"parts": rows}))


@pytest.mark.parametrize("start", [{}, {"after": None}, {"after": ""}])
def test_all_ways_to_ask_for_the_first_page(engine: Engine, start: dict[str, Any]) -> None:
    page = ask(engine, QUERY, first=5, **start)["parts"]
    assert ids(page) == [1, 2, 3, 4, 5]
    assert page["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": base64.b64encode(b"arrayconnection:0").decode(),
        "endCursor": base64.b64encode(b"arrayconnection:4").decode(),
        "count": 5,
        "totalCount": COUNT,
    }


def test_a_published_cursor() -> None:
    # The manual's sample: base64 of "arrayconnection:19" is the cursor of the twentieth row.
    engine = engine_of(World(tables={"parts": [{"id": row_id} for row_id in range(1, 31)]}))
    page = ask(engine, QUERY, first=2, after="YXJyYXljb25uZWN0aW9uOjE5")["parts"]
    assert ids(page) == [21, 22]


@settings(max_examples=examples(60))
@given(size=st.integers(1, 30), sort=st.sampled_from([[], ["ID_ASC"], ["ID_DESC"], ["PART_NUMBER_ASC"]]))
def test_pages_together_are_the_list(engine: Engine, size: int, sort: list[str]) -> None:
    whole = ask(engine, QUERY, sort=sort)["parts"]
    assert len(whole["edges"]) == COUNT
    assert whole["pageInfo"]["count"] == COUNT
    seen: list[Any] = []
    after, more = None, True
    while more:
        page = ask(engine, QUERY, first=size, after=after, sort=sort)["parts"]
        seen += page["edges"]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        assert page["pageInfo"]["count"] == len(page["edges"]) > 0
    assert seen == whole["edges"]


@settings(max_examples=examples(60))
@given(size=st.integers(1, 30))
def test_pages_from_the_end_together_are_the_list(engine: Engine, size: int) -> None:
    seen: list[Any] = []
    before, more = None, True
    while more:
        page = ask(engine, QUERY, last=size, before=before)["parts"]
        seen = page["edges"] + seen
        before, more = page["pageInfo"]["startCursor"], page["pageInfo"]["hasPreviousPage"]
    assert seen == ask(engine, QUERY)["parts"]["edges"]


@pytest.mark.parametrize(
    "arguments", [{"first": 0}, {"first": 5, "after": base64.b64encode(b"arrayconnection:99").decode()}]
)
def test_an_empty_page_still_counts(engine: Engine, arguments: dict[str, Any]) -> None:
    page = ask(engine, QUERY, **arguments)["parts"]
    assert page["edges"] == []
    info = page["pageInfo"]
    assert (info["startCursor"], info["endCursor"], info["count"], info["totalCount"]) == (None, None, 0, COUNT)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"first": -1}, "Argument 'first' must be a non-negative integer."),
        ({"last": -1}, "Argument 'last' must be a non-negative integer."),
        ({"after": "nonsense"}, "Invalid cursor: nonsense"),
        ({"after": base64.b64encode(b"other:3").decode()}, "Invalid cursor: "),
    ],
)
def test_impossible_pages(engine: Engine, arguments: dict[str, Any], message: str) -> None:
    assert errors(engine, QUERY, **arguments)[0].startswith(message)


def test_offset_cursors_shift_when_a_row_goes_and_ids_do_not() -> None:
    store = load_world(World(tables={"parts": [{"id": row_id} for row_id in range(1, 11)]}))
    engine = Engine(store, served_schema())
    page = ask(engine, QUERY, first=4)["parts"]
    Writer(store).delete("Part", 2)
    assert ids(ask(engine, QUERY, first=4, after=page["pageInfo"]["endCursor"])["parts"]) == [6, 7, 8, 9]
    keyset = (
        "query ($last: ID) { parts(filters: {id: {gt: $last}}, sort: [ID_ASC], first: 4) { edges { node { id } } } }"
    )
    assert ids(ask(engine, keyset, last=4)["parts"]) == [5, 6, 7, 8]
    assert ids(ask(engine, keyset)["parts"]) == [1, 3, 4, 5]


def test_connections_inside_nodes_page_too() -> None:
    columns = [{"id": row_id, "stepId": 1 + row_id % 2, "header": f"H{9 - row_id}"} for row_id in range(1, 8)]
    engine = engine_of(World(tables={"steps": [{"id": 1}, {"id": 2}], "datagridColumns": columns}))
    data = ask(
        engine,
        """{ steps { edges { node { _DatagridColumnsCount
            datagridColumns(first: 2, sort: [HEADER_ASC], filters: {id: {lt: 7}}) {
                pageInfo { hasNextPage count totalCount } edges { node { id } } } } } } }""",
    )
    first, second = (edge["node"] for edge in data["steps"]["edges"])
    assert first["_DatagridColumnsCount"] == 3
    assert (ids(first["datagridColumns"]), first["datagridColumns"]["pageInfo"]) == (
        [6, 4],
        {"hasNextPage": True, "count": 2, "totalCount": 3},
    )
    assert second["_DatagridColumnsCount"] == 4
    assert ids(second["datagridColumns"]) == [5, 3]


def test_aggregates_are_over_all_matches_not_over_the_page() -> None:
    units = [{"id": n, "quantity": n, "quantityAvailable": n / 2, "partId": n % 2} for n in range(1, 7)]
    engine = engine_of(World(tables={"partInventories": units}))
    query = """query ($part: ID) { partInventories(filters: {partId: {eq: $part}}, first: 1) {
        edges { node { id } } aggregates { count sum { quantity quantityAvailable } } } }"""
    assert ask(engine, query, part=1)["partInventories"]["aggregates"] == {
        "count": 3,
        "sum": {"quantity": 9.0, "quantityAvailable": 4.5},
    }
    empty = ask(engine, query, part="7")["partInventories"]
    assert empty == {"edges": [], "aggregates": {"count": 0, "sum": {"quantity": None, "quantityAvailable": None}}}
