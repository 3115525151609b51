"""The search for deleted rows, against plain sets: what it finds, and how much it asks for that."""

import asyncio
from collections.abc import Mapping
from math import log
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ion_pipeline.client import GraphQLError, IonClient
from ion_pipeline.extract.aliased import Question, ask
from ion_pipeline.extract.decide import is_suspicious
from tests.examples import examples
from tests.unit.extract.parts import PLAN, Parts, search


@settings(max_examples=examples(60))
@given(
    known=st.sets(st.integers(1, 5000), max_size=1500),
    gone=st.sets(st.integers(1, 5000), max_size=60),
    new=st.sets(st.integers(-10, 5100), max_size=60),
)
def test_it_finds_exactly_what_is_gone_and_what_was_not_known(known: set[int], gone: set[int], new: set[int]) -> None:
    there = (known - gone) | new
    found = search(known, Parts(there))
    # An exchange of one for one inside a range shows in no count; the next refresh sees it, when the new one is known.
    assert found.gone <= known - there
    assert found.unknown <= there - known
    if not new - known:
        assert (found.gone, found.unknown) == (known - there, set())
    if not known - there:
        assert (found.gone, found.unknown) == (set(), there - known)


@pytest.mark.parametrize("deleted", [1, 10])
def test_deletes_cost_their_number_times_the_logarithm_of_the_rows(deleted: int) -> None:
    known = set(range(1, 60_001))
    gone = {1000 + place * (59_000 // deleted) for place in range(deleted)}
    parts = Parts(known - gone)
    assert search(known, parts).gone == gone
    assert parts.questions <= deleted * 16 * (log(60_000 / 200, 16) + 1) + 16
    assert parts.requests <= 12


def test_etags_are_looked_at_where_nothing_else_tells() -> None:
    known = set(range(1, 2001))
    parts = Parts((known - {7}) | {3000}, dict.fromkeys(known, "old") | {3000: "new"})
    found = search(known, parts, etag="_etag")
    assert (found.gone, found.unknown) == ({7}, {3000})
    assert found.etags == dict.fromkeys(known - {7}, "old") | {3000: "new"}


def test_too_many_unknown_rows_mean_that_all_is_to_be_read() -> None:
    assert search({1, 2, 3}, Parts(set(range(1000)))).overflow


def test_more_than_ion_answers_in_time_is_asked_in_parts() -> None:
    known = set(range(1, 10_001))
    parts = Parts(known - {5, 5000}, most_questions=3)
    assert search(known, parts).gone == {5, 5000}


def test_an_entity_that_may_not_be_read_does_not_hide_the_others() -> None:
    queries = [(PLAN[name], PLAN[name].query) for name in ("parts", "runs", "parts", "parts")]
    questions = [Question(plan, query) for plan, query in queries if query]
    replies = asyncio.run(ask(cast("IonClient", Parts({1, 2})), questions, about="the counts"))
    assert [reply and reply.total for reply in replies] == [2, None, 2, 2]


def test_what_the_server_refuses_is_an_error() -> None:
    class Refusing(Parts):
        async def execute(self, document: str, variables: Mapping[str, Any], *, operation: str) -> dict[str, Any]:
            raise GraphQLError("no", messages=("no",))

    with pytest.raises(GraphQLError):
        search({1}, Refusing({1}))


@pytest.mark.parametrize(
    ("known", "left", "suspicious"),
    [
        (0, 0, False),
        (5, 0, True),
        (5, 1, False),
        (1000, 801, False),
        (1000, 799, True),
        (200, 99, True),
        (50, 60, False),
    ],
)
def test_what_is_rather_a_lost_permission(known: int, left: int, suspicious: bool) -> None:
    assert is_suspicious(known, left, 0.2) is suspicious
