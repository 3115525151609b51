"""The benchmark's server must lose no rows and must not dominate the measurement: its pages against known ids."""

from functools import cache

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.extraction.replay import Replay


@cache
def server() -> Replay:
    return Replay({"parts": 23, "run_steps": 7}, fields=6, latency=0)


@cache
def documents() -> dict[str, str]:
    return {entity["root"]: entity["document"] for entity in server().described().values()}


def ask(root: str, **variables: object) -> tuple[list[int], dict[str, object]]:
    answer = orjson.loads(server().answer({"query": documents()[root], "variables": variables}))["data"][root]
    return [edge["node"]["id"] for edge in answer["edges"]], answer["pageInfo"]


@given(low=st.integers(-2, 25), high=st.integers(-2, 25), first=st.integers(1, 30))
def test_keyset_pages_and_counts(low: int, high: int, first: int) -> None:
    matching = [number for number in range(1, 24) if low < number <= high]
    ids, info = ask("parts", first=first, filters={"id": {"gt": low, "lte": high}})
    assert ids == matching[:first]
    assert info["totalCount"] == len(matching)
    assert info["count"] == len(ids)
    assert info["hasNextPage"] is (len(matching) > first)


@pytest.mark.parametrize("first", [1, 5, 23, 30])
def test_cursors_lead_through_all_rows_once(first: int) -> None:
    seen, after, more = [], None, True
    while more:
        ids, info = ask("parts", first=first, **({"after": after} if after else {}))
        assert info["totalCount"] == 23
        seen += ids
        after, more = info["endCursor"], info["hasNextPage"]
    assert seen == list(range(1, 24))


def test_queries_that_are_not_pages_are_executed() -> None:
    query = """query probe($since: DateTime) {
      parts(first: 1) { pageInfo { totalCount } }
      changed: runSteps(first: 1, filters: {_updated: {gte: $since}}) { pageInfo { totalCount } }
      me { organization { id } }
    }"""
    answer = orjson.loads(server().answer({"query": query, "variables": {"since": "2026-06-01T00:00:00Z"}}))
    assert answer["data"]["parts"]["pageInfo"]["totalCount"] == 23
    assert answer["data"]["changed"]["pageInfo"]["totalCount"] == 0
    assert answer["data"]["me"]["organization"]["id"] == 1


def test_attributes_are_counted_as_they_are_sent() -> None:
    sent = orjson.loads(server().answer({"query": documents()["parts"], "variables": {"first": 23}}))["data"]["parts"]
    attributes = sum(len(edge["node"]["attributes"]) for edge in sent["edges"])
    assert attributes == server().described()["parts"]["attributes"] > 0
