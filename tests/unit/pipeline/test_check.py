"""What `check` says of a tenant whose counts are none."""

import asyncio
from typing import Any, cast

import pytest

from ion_pipeline.client import IonClient, SchemaMismatchError
from ion_pipeline.extract import known_catalog, negotiate
from ion_pipeline.pipeline.check import _check_entity
from ion_pipeline.schema import known_schema
from tests.unit.wrong_shapes import NUMBERS, SECRET, wrong_answers

PLAN = negotiate(known_schema(), known_catalog(), ["parts"]).by_name["parts"]
GOOD = {"parts": {"pageInfo": {"totalCount": 12}}}


class Answers:
    """A client that gives one answer."""

    def __init__(self, data: Any) -> None:
        self.data = data

    async def execute(self, *_: object, **__: object) -> Any:
        return self.data


def count(data: Any) -> int | None:
    return asyncio.run(_check_entity(cast("IonClient", Answers(data)), PLAN)).total_count


WRONG = [
    pytest.param(answer, path, id=f"{path} is {name}")
    for path, name, answer in wrong_answers(GOOD, {"parts.pageInfo.totalCount": NUMBERS})
]


def test_a_count_is_shown() -> None:
    assert count(GOOD) == 12


@pytest.mark.parametrize(("data", "path"), WRONG)
def test_what_is_no_count_is_named(data: Any, path: str) -> None:
    with pytest.raises(SchemaMismatchError, match="the count of parts") as caught:
        count(data)
    assert path in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.remedy
