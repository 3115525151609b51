"""One entity's requests: sends its documents, reads the connection out of the answer, counts what it took."""

from collections.abc import Mapping
from typing import Any

from ion_pipeline.catalog.plan import EntityPlan, EntityQuery
from ion_pipeline.client import Answer, IonClient
from ion_pipeline.client.parts import Part, Parts
from ion_pipeline.extract.errors import PagingError
from ion_pipeline.extract.paging import Page, key_fields


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
            UnexpectedAnswerError: The answer is not the page that was asked for.
            IonApiError: After the client's retries.
        """
        operation = f"{self._plan.name}, page {self.pages + 1}"
        connection = await self._connection(self._query.page, variables, operation, retry_timeouts=False)
        info, edges = connection.part("pageInfo"), connection.part("edges").elements()
        nodes = edges.each("node").objects()
        self._check_keys(edges.each("node"))
        has_cursors = bool(nodes) and "cursor" in edges.objects()[0]
        page = Page(
            nodes,
            info.part("totalCount").count(),
            info.part("hasNextPage").flag(),
            info.part("endCursor").text_or_null(),
            edges.each("cursor").texts() if has_cursors else None,
        )
        count = info.part("count").count()
        if count != len(nodes):
            raise PagingError(
                f"{operation}: ION says it has {count} rows and sends {len(nodes)}.",
                remedy="Nothing was kept. Try again; report it if it stays.",
            )
        self.pages += 1
        return page

    async def count(self, variables: Mapping[str, Any]) -> int:
        """Ask how many rows match. Raises IonApiError."""
        connection = await self._connection(self._query.count, {"first": 1, **variables}, f"{self._plan.name}, count")
        return connection.part("pageInfo").part("totalCount").count()

    async def pause(self, failures: int) -> None:
        """Wait after so many time-outs in a row."""
        await self._client.pause(failures)

    async def _connection(
        self, document: str, variables: Mapping[str, Any], operation: str, *, retry_timeouts: bool = True
    ) -> Part:
        try:
            answer: Answer = await self._client.request(
                document, variables, operation=operation, retry_timeouts=retry_timeouts
            )
        finally:
            self.requests += 1
        self.requests += answer.requests - 1
        self.bytes += answer.bytes
        return Part(answer.data, operation).part(self._plan.entity.root_field)

    def _check_keys(self, nodes: Parts) -> None:
        """What tells rows apart leads from page to page, before anybody looks at the columns."""
        if self._plan.paging == "keyset":
            nodes.each("id").whole_numbers()
            return
        for name in key_fields(self._plan.entity, self._query.shape) or ():
            nodes.each(name).scalars()
