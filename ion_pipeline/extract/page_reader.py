"""One entity's requests: sends its documents, reads the connection out of the answer, counts what it took."""

from collections.abc import Mapping
from typing import Any

from ion_pipeline.client import Answer, IonClient, SchemaMismatchError
from ion_pipeline.extract.errors import PagingError
from ion_pipeline.extract.paging import Page
from ion_pipeline.extract.plan import EntityPlan, EntityQuery


class PageReader:
    """Asks for pages and counts of one entity.

    Args:
        client: The tenant.
        plan: The entity's plan.
        query: Its documents.
    """

    def __init__(self, client: IonClient, plan: EntityPlan, query: EntityQuery) -> None:
        self.pages = 0
        self.requests = 0
        self.bytes = 0
        self._client = client
        self._plan = plan
        self._query = query

    async def page(self, variables: Mapping[str, Any]) -> Page:
        """Ask for one page.

        Raises:
            RequestTimeoutError, TooMuchError: At once, so that a smaller page can be asked for.
            IonApiError: After the client's retries.
        """
        operation = f"{self._plan.name}, page {self.pages + 1}"
        connection = await self._connection(self._query.page, variables, operation, retry_timeouts=False)
        try:
            info = connection["pageInfo"]
            edges = connection["edges"]
            nodes = [edge["node"] for edge in edges]
            cursors = [edge["cursor"] for edge in edges] if edges and "cursor" in edges[0] else None
            page = Page(nodes, info["totalCount"], info["hasNextPage"], info["endCursor"], cursors)
        except (KeyError, TypeError):
            raise _no_connection(operation) from None
        if None in nodes:
            raise SchemaMismatchError(
                f"{operation}: ION gave null in place of a row.", remedy="Try again; report it to ION's support."
            )
        if info["count"] != len(nodes):
            raise PagingError(
                f"{operation}: ION says it has {info['count']} rows and sends {len(nodes)}.",
                remedy="Nothing was kept. Try again; report it if it stays.",
            )
        self.pages += 1
        return page

    async def count(self, variables: Mapping[str, Any]) -> int:
        """Ask how many rows match. Raises IonApiError."""
        operation = f"{self._plan.name}, count"
        connection = await self._connection(self._query.count, {"first": 1, **variables}, operation)
        try:
            return int(connection["pageInfo"]["totalCount"])
        except (KeyError, TypeError, ValueError):
            raise _no_connection(operation) from None

    async def pause(self, failures: int) -> None:
        """Wait after so many time-outs in a row."""
        await self._client.pause(failures)

    async def _connection(
        self, document: str, variables: Mapping[str, Any], operation: str, *, retry_timeouts: bool = True
    ) -> Any:
        try:
            answer: Answer = await self._client.request(
                document, variables, operation=operation, retry_timeouts=retry_timeouts
            )
        finally:
            self.requests += 1
        self.requests += answer.requests - 1
        self.bytes += answer.bytes
        connection = answer.data.get(self._plan.entity.root_field)
        if connection is None:
            raise _no_connection(operation)
        return connection


def _no_connection(operation: str) -> SchemaMismatchError:
    return SchemaMismatchError(
        f"{operation}: ION's answer is not the connection that was asked for.",
        remedy="Nothing was kept. Try again; report it if it stays.",
    )
