"""The replay server: answers pages of the benchmark's tenant from memory, after a set latency.

    python -m benchmarks.extraction.replay '{"entities": {"parts": 1000}, "fields": 16, "latency": 0.05}'

Prints its address as one JSON line. Pages (one connection, by keyset or cursor) are joined from prepared bytes. Other
queries (introspection, counts, `me`) are rare; GraphQL executes them over the same rows.
`GET /stats` returns requests, rows and bytes since the last such request.
"""

import asyncio
import json
import re
import socket
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
import uvicorn
from graphql import GraphQLResolveInfo, graphql_sync

from benchmarks.extraction.tenant import LAST_UPDATE, Rows, make_rows, narrowed_schema
from ion_pipeline.catalog import known_catalog, negotiate

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
_ME = {"id": "1", "name": "bench", "email": "bench@ion.test", "organization": {"id": "1", "domain": "ion.test"}}


class Replay:
    """The tenant as an ASGI application.

    Args:
        entities: Rows of each entity.
        fields: Approximate number of scalar fields of each; 0 for all.
        latency: Seconds before each GraphQL answer.
    """

    def __init__(self, entities: Mapping[str, int], *, fields: int, latency: float) -> None:
        self._entities = tuple(entities)
        self.schema = narrowed_schema(entities, fields)
        self.rows = make_rows(self.schema, entities)
        self.latency = latency
        self.seen: Counter[str] = Counter()
        roots = "|".join(sorted(self.rows, key=len, reverse=True))
        self._root = re.compile(rf"(?<![\w$])({roots})\s*\(")
        self._page_root = lru_cache(self._find_page_root)
        self._execute = lru_cache(maxsize=8)(self._run)
        query = self.schema.query_type
        assert query
        for name, definition in query.fields.items():
            definition.resolve = self._resolver(name)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if scope["path"] == "/stats":
            content = orjson.dumps(self.seen)
            self.seen.clear()
        elif scope["path"] == "/graphql":
            content = self.answer(orjson.loads(body))
            await asyncio.sleep(self.latency)
        else:
            content = b'{"access_token": "bench", "expires_in": 36000}'
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": content})

    def described(self) -> dict[str, dict[str, Any]]:
        """Return each entity's connection, page document, column types, and rows with the lists inside."""
        plan = negotiate(self.schema, known_catalog(), self._entities)
        described = {}
        for entity in plan.entities:
            assert entity.query
            rows = self.rows[entity.entity.root_field]
            shape = entity.query.shape
            described[entity.name] = {
                "root": entity.entity.root_field,
                "document": entity.query.page,
                "columns": {
                    field.column.field: str(field.column.arrow_type) for field in shape.fields if field.present
                },
                "lists": [child.field for child in shape.lists],
                "rows": rows.count,
                "attributes": rows.attributes(),
            }
        return described

    def answer(self, request: Mapping[str, Any]) -> bytes:
        """Return the body for one GraphQL request."""
        query, variables = request["query"], request.get("variables") or {}
        root = self._page_root(query)
        content = self._page(root, variables) if root else self._execute(query, orjson.dumps(variables))
        self.seen.update(requests=1, bytes=len(content))
        return content

    def _find_page_root(self, query: str) -> str | None:
        # The operation may have the connection's name, so only the text inside its braces is searched.
        found = self._root.findall(query.partition("{")[2])
        return found[0] if len(found) == 1 and re.search(r"\bedges\b", query) else None

    def _page(self, root: str, variables: Mapping[str, Any]) -> bytes:
        rows = self.rows[root]
        low, high = bounds(rows, variables.get("filters") or {})
        total = high - low + 1
        if after := variables.get("after"):
            low = max(low, int(after) + 1)
        last = min(high, low + variables.get("first", total) - 1)
        count = max(0, last - low + 1)
        self.seen.update({root: count})
        info = {
            "hasNextPage": last < high,
            "endCursor": str(last) if count else None,
            "count": count,
            "totalCount": max(0, total),
        }
        return b'{"data":{"%b":{"pageInfo":%b,"edges":[%b]}}}' % (
            root.encode(),
            orjson.dumps(info),
            rows.edges(low, last),
        )

    def _run(self, query: str, variables: bytes) -> bytes:
        result = graphql_sync(self.schema, query, variable_values=orjson.loads(variables))
        errors = [{"message": error.message} for error in result.errors or ()]
        return orjson.dumps({"data": result.data, **({"errors": errors} if errors else {})})

    def _resolver(self, name: str) -> Callable[..., Any]:
        def resolve(_: Any, __: GraphQLResolveInfo, **arguments: Any) -> Any:
            return _ME if name == "me" else orjson.loads(self._page(name, arguments))["data"][name]

        return resolve


def bounds(rows: Rows, filters: Mapping[str, Any]) -> tuple[int, int]:
    """Return the first and last id that match; the last is less than the first when none does.

    Raises:
        ValueError: The replay does not know the filter.
    """
    low, high = 1, rows.count
    for name, condition in filters.items():
        if name == "id":
            for operator, value in condition.items():
                number = int(value) if not isinstance(value, list) else 0
                if operator in {"gt", "gte", "eq"}:
                    low = max(low, number + (operator == "gt"))
                if operator in {"lt", "lte", "eq"}:
                    high = min(high, number - (operator == "lt"))
        elif name in {"or_", "and_"}:
            parts = [bounds(rows, part) for part in (condition if isinstance(condition, list) else [condition])]
            widest = min(parts, key=lambda part: part[0] - part[1])
            low, high = max(low, widest[0]), min(high, widest[1])
        elif name == "attributes":
            low, high = bounds(rows, condition)
        elif name == "_updated":
            since = max(datetime.fromisoformat(str(value)) for value in condition.values())
            high = high if since <= LAST_UPDATE else 0
        else:
            raise ValueError(f"the replay does not filter by {name}")
    return low, high


def main() -> None:
    options = json.loads(sys.argv[1])
    application = Replay(options["entities"], fields=options["fields"], latency=options["latency"])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    ready = {"url": f"http://127.0.0.1:{listener.getsockname()[1]}", "entities": application.described()}
    print(json.dumps(ready), flush=True)
    config = uvicorn.Config(application, log_level="error", access_log=False, lifespan="off", timeout_keep_alive=60)
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    main()
