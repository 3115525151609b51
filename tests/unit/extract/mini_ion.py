"""A small ION behind httpx's transport seam: graphql-core over a few lists, paged as the vendor describes.

Independent of the sandbox and of the code under test. It can misbehave on request in the ways a live tenant may.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from graphql import ExecutionResult, GraphQLResolveInfo, GraphQLSchema, graphql_sync

from tests.schemas import schema_of

SDL = """
scalar DateTime
scalar ScalarValue
type Query {
  parts(filters: PartFilters, sort: [PartSortEnum], after: String, first: Int): PartsConnection
  partInventories(filters: PartFilters, sort: [PartSortEnum], after: String, first: Int): UnitsConnection
  issueRelations(sort: [RelationSortEnum], after: String, first: Int): RelationsConnection
}
input IDFilter { eq: ID gt: ID lte: ID }
input PartFilters { id: IDFilter }
enum PartSortEnum { ID_ASC ID_DESC }
enum RelationSortEnum { ORIGIN_ISSUE_ID_ASC RELATED_ISSUE_ID_ASC }
type PageInfo {
  hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String count: Int! totalCount: Int!
}
type PartsConnection { pageInfo: PageInfo! edges: [PartEdge]! }
type PartEdge { node: Part cursor: String }
type Part { id: Int! partNumber: String _updated: DateTime attributes: [PartAttribute] newField: Boolean }
type PartAttribute { id: String key: String! value: ScalarValue partId: Int }
type UnitsConnection { pageInfo: PageInfo! edges: [UnitEdge]! }
type UnitEdge { node: PartInventory cursor: String }
type PartInventory { id: Int! serialNumber: String __NESTED__ }
type BuildRequirement { id: Int! partId: Int partInventories: [PartInventory] }
type ABomInstallation { id: Int! buildRequirementId: Int partInventoryId: Int }
type RelationsConnection { pageInfo: PageInfo! edges: [RelationEdge]! }
type RelationEdge { node: IssueRelation cursor: String }
type IssueRelation { originIssueId: Int relatedIssueId: Int }
"""
NESTED = "buildRequirements: [BuildRequirement] abomInstallations: [ABomInstallation]"


def sdl(*, nested: bool = False) -> str:
    """The schema, with or without the as-built BOM inside part inventories."""
    return SDL.replace("__NESTED__", NESTED if nested else "")


@dataclass
class MiniIon(httpx.AsyncBaseTransport):
    """A tenant with a few lists.

    Attributes:
        rows: Rows by root connection; lists inside rows by their field names.
        text: The schema as SDL.
        page_cap: More rows than this are never sent in one page.
        too_many: Asked for more rows than this, it runs out of time.
        forbidden: Root connections that the key may not read.
        before: Called with the connection and the number of the request before each answer; may change `rows`.
        respects_order: Sorts as asked.
        respects_filters: Filters as asked.
        miscount: Added to each count.
        headers: Of each answer.
    """

    rows: dict[str, list[dict[str, Any]]]
    text: str = field(default_factory=sdl)
    page_cap: int = 10**9
    too_many: int = 10**9
    forbidden: frozenset[str] = frozenset()
    before: Callable[[str, int], httpx.Response | None] = lambda *_: None
    respects_order: bool = True
    respects_filters: bool = True
    miscount: int = 0
    headers: Mapping[str, str] = field(default_factory=lambda: {"Date": "Mon, 02 Mar 2026 10:00:00 GMT"})
    sizes: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.schema: GraphQLSchema = schema_of(self.text)
        query = self.schema.query_type
        assert query
        for name, definition in query.fields.items():
            definition.resolve = self._resolver(name)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer the token endpoint and GraphQL."""
        if request.url.path.endswith("/token"):
            return httpx.Response(200, json={"access_token": "the-token-of-mini-ion", "expires_in": 300})
        body = orjson.loads(request.content)
        connection = next((name for name in self.schema.query_type.fields if f"  {name}(" in body["query"]), "")  # type: ignore[union-attr]
        self.asked.append(connection)
        if connection and (answer := self.before(connection, self.asked.count(connection))):
            return answer
        first = body["variables"].get("first", 0)
        self.sizes.append(first)
        if first > self.too_many:
            return httpx.Response(502)
        result: ExecutionResult = graphql_sync(self.schema, body["query"], variable_values=body["variables"])
        content: dict[str, Any] = {"data": result.data}
        if result.errors:
            content["errors"] = [{"message": error.message} for error in result.errors]
        return httpx.Response(200, stream=httpx.ByteStream(orjson.dumps(content)), headers=dict(self.headers))

    def _resolver(self, name: str) -> Callable[..., Any]:
        def resolve(_: Any, info: GraphQLResolveInfo, **arguments: Any) -> dict[str, Any]:
            if name in self.forbidden:
                raise ValueError(f"User does not have permission to read {name}")
            return self._connection(self.rows.get(name, []), **arguments)

        return resolve

    def _connection(
        self,
        rows: list[dict[str, Any]],
        filters: dict[str, Any] | None = None,
        sort: list[str] | None = None,
        after: str | None = None,
        first: int | None = None,
    ) -> dict[str, Any]:
        by_id = (filters or {}).get("id") or {}
        if self.respects_filters:
            rows = [
                row
                for row in rows
                if ("gt" not in by_id or row["id"] > int(by_id["gt"]))
                and ("lte" not in by_id or row["id"] <= int(by_id["lte"]))
            ]
        if sort == ["ID_ASC"] and self.respects_order:
            rows = sorted(rows, key=lambda row: row["id"])
        start = int(after.removeprefix("offset:")) + 1 if after else 0
        page = rows[start : start + min(first if first is not None else len(rows), self.page_cap)]
        return {
            "edges": [{"node": row, "cursor": f"offset:{start + index}"} for index, row in enumerate(page)],
            "pageInfo": {
                "hasNextPage": start + len(page) < len(rows),
                "hasPreviousPage": start > 0,
                "startCursor": f"offset:{start}" if page else None,
                "endCursor": f"offset:{start + len(page) - 1}" if page else None,
                "count": len(page),
                "totalCount": len(rows) + self.miscount,
            },
        }
