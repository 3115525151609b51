"""Tenants that limit the size of answers: they refuse the request, or leave out rows without an error."""

from typing import Any

import pytest

from ion_pipeline.errors import SettingsError
from ion_pipeline.sandbox.engine import Engine
from ion_pipeline.sandbox.limits import Limits
from ion_pipeline.sandbox.load import load_world
from ion_pipeline.sandbox.profiles import served_schema
from ion_pipeline.sandbox.server import SandboxOptions, build_app
from ion_pipeline.sandbox.world import World, write_world
from tests.unit.sandbox.asking import ask, errors, ids

WORLD = World(tables={"parts": [{"id": row_id} for row_id in range(1, 21)], "labels": [{"id": 1, "value": "x"}]})
INFO = "pageInfo { count totalCount hasNextPage }"
PARTS = (
    f"query a($first: Int, $last: Int) {{ parts(first: $first, last: $last) {{ {INFO} edges {{ node {{ id }} }} }} }}"
)


def limited(**limits: int) -> Engine:
    return Engine(load_world(WORLD), served_schema(), limits=Limits(**limits))


@pytest.mark.parametrize("how", [{"first": 6}, {"last": 6}, {}])
def test_a_page_above_the_maximum_is_refused(how: dict[str, int]) -> None:
    engine = limited(max_first=5)
    largest = "of 6" if how else "of everything"
    answer = engine.execute({"query": PARTS, "variables": how})
    message = f"The page size {largest} exceeds the maximum of 5."
    assert answer.body == {"data": None, "errors": [{"message": message}]}
    assert answer.limited
    assert ids(ask(engine, PARTS, first=5)["parts"]) == [1, 2, 3, 4, 5]
    # One list of several is enough, and a field that is not a list has no size.
    both = "{ a: parts(first: 5) { pageInfo { count } } b: labels(first: 6) { pageInfo { count } } }"
    assert errors(engine, both) == [message.replace("of everything", "of 6")]
    assert ask(engine, "{ part(id: 7) { id } __typename }") == {"part": {"id": 7}, "__typename": "Query"}


@pytest.mark.parametrize(
    ("how", "given", "more"),
    [
        ({"first": 6}, [1, 2, 3, 4, 5], True),
        ({"first": 4}, [1, 2, 3, 4], True),
        ({"last": 6}, [16, 17, 18, 19, 20], False),
        ({}, [1, 2, 3, 4, 5], True),
    ],
)
def test_a_longer_page_is_cut_silently(how: dict[str, int], given: list[int], more: bool) -> None:
    answer = limited(cap_first=5).execute({"query": PARTS, "variables": how})
    assert "errors" not in answer.body
    found = answer.body["data"]["parts"]
    assert ids(found) == given
    assert found["pageInfo"] == {"count": len(given), "totalCount": 20, "hasNextPage": more}
    assert answer.limited is (how != {"first": 4})


def test_what_a_query_costs_is_rows_times_fields() -> None:
    engine = limited(max_cost=40)
    # pageInfo's three fields and the id.
    assert len(ids(ask(engine, PARTS, first=10)["parts"])) == 10
    assert errors(engine, PARTS, first=11) == ["The query's cost of 44 exceeds the maximum of 40."]
    assert errors(engine, PARTS) == ["The query's cost is not known without a page size."]
    spread = "{ parts(first: 21) { edges { node { ...f } } } } fragment f on Part { id partNumber }"
    assert errors(engine, spread) == ["The query's cost of 42 exceeds the maximum of 40."]
    several = " ".join(f"q{number}: labels(first: 1) {{ pageInfo {{ totalCount }} }}" for number in range(41))
    assert errors(engine, f"{{ {several} }}") == ["The query's cost of 41 exceeds the maximum of 40."]


def test_no_limit_is_the_default() -> None:
    assert len(ids(ask(limited(), PARTS)["parts"])) == 20


@pytest.mark.parametrize("options", [{"max_first": 0}, {"cap_first": -1}, {"max_cost": 0}])
def test_a_limit_below_one_is_refused(tmp_path: Any, options: dict[str, int]) -> None:
    write_world(WORLD, tmp_path)
    with pytest.raises(SettingsError, match="whole number from 1"):
        build_app(SandboxOptions(world=tmp_path, **options), "a secret")
