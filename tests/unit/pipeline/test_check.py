"""What `check` says of a tenant whose counts are none."""

import asyncio
from pathlib import Path
from typing import Any, Self, cast

import pytest
from graphql import GraphQLSchema

from ion_pipeline.catalog import known_catalog, negotiate
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.client import ClientConfig, Identity, IonClient, UnexpectedAnswerError
from ion_pipeline.pipeline import check as check_module
from ion_pipeline.pipeline.check import _check_entity
from ion_pipeline.settings import Settings
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
    with pytest.raises(UnexpectedAnswerError, match="the count of parts") as caught:
        count(data)
    assert path in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.remedy


def test_of_many_counts_that_fail_one_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tenant(Answers):
        """Answers the first questions as it should and no count."""

        async def __aenter__(self) -> Self:
            return self

        async def __aexit__(self, *_: object) -> None:
            """Nothing is open."""

        async def me(self) -> Identity:
            return Identity("1", None, None, "2", None)

        async def introspect(self) -> GraphQLSchema:
            return known_schema()

    monkeypatch.setattr(check_module, "IonClient", lambda _: Tenant({}))
    settings = Settings(environment="embedded", data_dir=tmp_path, entities=("parts", "runs"))
    with pytest.raises(UnexpectedAnswerError, match=r"the count of (parts|runs): (parts|runs) is missing"):
        asyncio.run(check_module._check(ClientConfig(api_url="http://ion.test", auth_url="http://ion.test"), settings))
