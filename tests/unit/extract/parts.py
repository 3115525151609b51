"""A tenant that has nothing but parts, and the search for those of them that were deleted."""

import asyncio
import re
from array import array
from collections.abc import Iterable, Mapping
from typing import Any, cast

from graphql import GraphQLSchema, parse, validate

from ion_pipeline.catalog import known_catalog, negotiate
from ion_pipeline.catalog.schema import known_schema
from ion_pipeline.client import IonClient, PageLimit, PermissionDeniedError, RequestTimeoutError
from ion_pipeline.extract.deletes import Differences, differences
from ion_pipeline.extract.state import Ids

SCHEMA: GraphQLSchema = known_schema()
PLAN = negotiate(SCHEMA, known_catalog(), ["parts", "runs"]).by_name
LINE = re.compile(r"(q\d+): (\w+)\(first: (\d+)(?:, filters: \$(f\d+))?\)")


class Parts:
    """A client of a tenant that has nothing but parts (and runs that nobody may read)."""

    def __init__(self, ids: set[int], etags: Mapping[int, str] | None = None, most_questions: int = 10**6) -> None:
        self.ids = sorted(ids)
        self.etags = etags or {}
        self.most_questions = most_questions
        self.questions = self.requests = 0
        self.page_limit = PageLimit(5000)

    async def execute(self, document: str, variables: Mapping[str, Any], *, operation: str) -> dict[str, Any]:
        assert validate(SCHEMA, parse(document)) == []
        asked = LINE.findall(document)
        self.requests += 1
        if any(root_field == "runs" for _, root_field, _, _ in asked):
            raise PermissionDeniedError(f"{operation}: not allowed")
        if len(asked) > self.most_questions:
            raise RequestTimeoutError(operation)
        self.questions += len(asked)
        return {alias: self._answer(int(first), variables.get(name)) for alias, _, first, name in asked}

    def _answer(self, first: int, filters: Mapping[str, Any] | None) -> dict[str, Any]:
        bounds = (filters or {}).get("id", {})
        low, high = bounds.get("gte", -(2**60)), bounds.get("lte", 2**60)
        found = [row_id for row_id in self.ids if low <= row_id <= high]
        nodes = [{"node": {"id": row_id, "_etag": self.etags.get(row_id)}} for row_id in found[:first]]
        return {"pageInfo": {"totalCount": len(found)}, "edges": nodes}


class Known:
    def __init__(self, ids: set[int]) -> None:
        self._ids = sorted(ids)

    def ids(self, entities: Iterable[str]) -> "dict[str, array[int]]":
        assert list(entities) == ["parts"]
        return {"parts": array("q", self._ids)}

    def etags(self, entity: str) -> Mapping[int, str | None]:
        raise AssertionError(entity)

    def controlled(self, entity: str) -> frozenset[int]:
        raise AssertionError(entity)


def search(known: set[int], parts: Parts, etag: str | None = None) -> Differences:
    plan = PLAN["parts"]
    assert plan.query
    ids = Ids("parts", len(known), Known(known))
    return asyncio.run(differences(cast("IonClient", parts), plan, plan.query, ids, etag=etag))
