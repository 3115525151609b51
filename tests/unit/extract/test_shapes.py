"""Every reader of an answer, given every kind of wrong value in each place."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

import httpx
import orjson

from ion_pipeline.catalog import known_catalog, negotiate
from ion_pipeline.catalog.plan import EntityPlan, EntityQuery, Plan, list_version
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.client import IonClient, UnexpectedAnswerError
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.extract.aliased import Question, ask
from ion_pipeline.extract.deletes import differences
from ion_pipeline.extract.fetch import fetch
from ion_pipeline.extract.page_reader import PageReader
from ion_pipeline.extract.state import Ids
from tests.unit.extract.mini_ion import MiniIon
from tests.unit.extract.parts import Known
from tests.unit.extract.support import Rows, client_of
from tests.unit.wrong_shapes import NUMBERS, SECRET, TEXTS, wrong_answers

PARTS: Plan = negotiate(known_schema(), known_catalog(), ["parts"])
PLAN: EntityPlan = PARTS.by_name["parts"]


def query_of(plan: EntityPlan) -> EntityQuery:
    assert plan.query
    return plan.query


class Answering(httpx.AsyncBaseTransport):
    """Gives the same data to every question."""

    def __init__(self) -> None:
        self.data: Any = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "the-token-of-answering"})
        return httpx.Response(200, content=orjson.dumps({"data": self.data}))


async def failure_of(work: Awaitable[object]) -> IonPipelineError | None:
    """What of ours the work ends with."""
    try:
        await work
    except IonPipelineError as failure:
        return failure
    return None


Reader = Callable[[IonClient], Awaitable[object]]


def refused(reader: Reader, good: Any, right: Mapping[str, Collection[str]], *named: str) -> int:
    """Give the reader a good answer and then each wrong one; how many it refused, each by naming the place."""
    transport, wrong = Answering(), list(wrong_answers(good, right))

    async def run() -> None:
        client = client_of(transport)  # type: ignore[arg-type]
        async with client:
            transport.data = good
            await reader(client)
            for path, name, answer in wrong:
                transport.data = answer
                failure = await failure_of(reader(client))
                assert isinstance(failure, UnexpectedAnswerError), f"{path} may be {name}"
                said = str(failure)
                place = path.replace("q0", "parts")
                assert all(part in said for part in (*named, place)), f"{path} is {name}: {said}"
                assert SECRET not in said
                assert failure.remedy

    asyncio.run(run())
    return len(wrong)


def test_a_page() -> None:
    async def page(client: IonClient) -> object:
        return await PageReader(client, PLAN, query_of(PLAN)).page({"first": 2})

    good = {
        "parts": {
            "pageInfo": {"hasNextPage": False, "endCursor": "b", "count": 2, "totalCount": 12},
            "edges": [{"node": {"id": 1}}, {"node": {"id": 2}}],
        }
    }
    right = {
        "parts.pageInfo.hasNextPage": ["boolean"],
        "parts.pageInfo.endCursor": [*TEXTS, "null"],
        # Another number of rows than the answer says it has is an error of its own.
        "parts.pageInfo.count": NUMBERS,
        "parts.pageInfo.totalCount": NUMBERS,
        # As above: fewer rows than it says.
        "parts.edges": ["list"],
        "parts.edges[0].node.id": [*NUMBERS, "negative"],
        "parts.edges[1].node.id": [*NUMBERS, "negative"],
    }
    assert refused(page, good, right, "parts, page 1") > 100


def test_a_page_of_an_entity_without_an_id_of_its_own() -> None:
    plan = negotiate(known_schema(), known_catalog(), ["issue_relations"]).by_name["issue_relations"]
    assert plan.paging == "cursor"
    (first, second) = (field for field in ("originIssueId", "relatedIssueId"))

    async def page(client: IonClient) -> object:
        return await PageReader(client, plan, query_of(plan)).page({"first": 2})

    root = plan.entity.root_field
    good = {
        root: {
            "pageInfo": {"hasNextPage": False, "endCursor": "b", "count": 1, "totalCount": 1},
            "edges": [{"node": {first: 1, second: 2}, "cursor": "a"}],
        }
    }
    key = ["null", *TEXTS, *NUMBERS, "negative", "fraction", "boolean"]
    right = {
        f"{root}.pageInfo.hasNextPage": ["boolean"],
        f"{root}.pageInfo.endCursor": [*TEXTS, "null"],
        f"{root}.pageInfo.count": NUMBERS,
        f"{root}.pageInfo.totalCount": NUMBERS,
        f"{root}.edges": ["list"],
        f"{root}.edges[0].node.{first}": key,
        f"{root}.edges[0].node.{second}": key,
        # Not every tenant's rows have one.
        f"{root}.edges[0].cursor": [*TEXTS, "missing"],
    }
    assert refused(page, good, right, "issue_relations, page 1") > 80


def test_a_count() -> None:
    async def count(client: IonClient) -> object:
        return await PageReader(client, PLAN, query_of(PLAN)).count({})

    right = {"parts.pageInfo.totalCount": NUMBERS}
    assert refused(count, {"parts": {"pageInfo": {"totalCount": 12}}}, right, "parts, count") > 30


ROW = {"id": 1, "_etag": "e", "attributes": [{"key": "k", "_etag": "e"}]}
SINGLE = ["null", *TEXTS, *NUMBERS, "negative", "fraction", "boolean"]
RIGHT = {
    "q0.pageInfo.totalCount": NUMBERS,
    "q0.edges": ["list"],
    "q0.edges[0].node.id": [*NUMBERS, "negative"],
    "q0.edges[0].node._etag": SINGLE,
    "q0.edges[0].node._updated": SINGLE,
    "q0.edges[0].node.attributes": ["null", "list"],
    "q0.edges[0].node.attributes[0].key": SINGLE,
    "q0.edges[0].node.attributes[0]._etag": SINGLE,
}


def answer(**fields: Any) -> dict[str, Any]:
    return {"q0": {"pageInfo": {"totalCount": 1}, "edges": [{"node": fields}]}}


def test_several_questions_in_one_request() -> None:
    async def some(client: IonClient) -> object:
        fields = ("id", "_etag", "attributes { key _etag }")
        return await ask(client, [Question(PLAN, query_of(PLAN), None, fields)], about="the counts")

    assert refused(some, answer(**ROW), RIGHT, "the counts") > 80


def test_the_search_for_deleted_rows() -> None:
    async def search(client: IonClient) -> object:
        return await differences(client, PLAN, query_of(PLAN), Ids("parts", 1, Known({1})), etag="_etag")

    assert refused(search, answer(id=1, _etag="e"), RIGHT, "parts, looking for deleted rows") > 60


def test_rows_and_the_lists_inside_them_are_read_or_named() -> None:
    """The whole way of a page, from the answer to the batches."""
    good = {
        "pageInfo": {"hasNextPage": False, "endCursor": None, "count": 2, "totalCount": 2},
        "edges": [
            {"node": {"id": 41, "partNumber": "a", "_updated": None, "attributes": []}},
            {
                "node": {
                    "id": 42,
                    "partNumber": "b",
                    "_updated": "2026-03-02T10:00:00Z",
                    "attributes": [
                        {"id": "x", "key": "k", "value": 1},
                        {"id": None, "key": "m", "value": None},
                    ],
                }
            },
        ],
    }
    right: dict[str, Collection[str]] = {
        "pageInfo.endCursor": [*TEXTS, "null"],
        # ION's own count decides: there is nothing more.
        "pageInfo.hasNextPage": [],
        "edges[0].node.id": [*NUMBERS, "negative"],
        "edges[1].node.id": [*NUMBERS, "negative"],
    }
    for row in (0, 1):
        right |= {
            f"edges[{row}].node.partNumber": ["null", *TEXTS],
            f"edges[{row}].node._updated": ["null"],
            f"edges[{row}].node.attributes": ["null", "list"],
            f"edges[1].node.attributes[{row}].id": ["null", *TEXTS],
            f"edges[1].node.attributes[{row}].key": ["null", *TEXTS],
            f"edges[1].node.attributes[{row}].value": [
                *SINGLE, "list", "object", "null in a list", "text in a list",
            ],
        }  # fmt: skip
    ion = MiniIon({"parts": []})
    given: list[Any] = [good]
    ion.before = lambda connection, _: (
        httpx.Response(200, content=orjson.dumps({"data": {"parts": given[0]}})) if connection else None
    )

    async def run() -> int:
        async with client_of(ion) as client:
            plan = negotiate(await client.introspect(), known_catalog(), ["parts"])
            await fetch(client, plan, Rows())
            wrong = list(wrong_answers(good, right))
            for path, name, page in wrong:
                given[0] = page
                failure = await failure_of(fetch(client, plan, Rows()))
                assert failure, f"{path} may be {name}"
                said = str(failure)
                assert re.search(r"\bpart(s|_attributes)\b", said)
                assert SECRET not in said
                # Whatever is wrong in a row or in a list of it, the row is named by its id.
                if path.startswith("edges[1].node.") and path != "edges[1].node.id":
                    assert re.search(r"(?<!\w)(part_)?id 42\b", said), f"{path} is {name}: {said}"
        return len(wrong)

    assert asyncio.run(run()) > 200


def test_a_list_is_marked_in_one_order_whatever_is_null_in_it() -> None:
    rows = [("b", "2"), (None, "3"), ("a", None), (None, None)]
    assert list_version(rows) == list_version(reversed(rows))
    assert list_version([("b", "2"), ("a", "1")]) == (("a", "1"), ("b", "2"))
