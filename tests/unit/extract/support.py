"""Helpers for reading a mini ION through the real client."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from ion_pipeline.catalog import Plan, known_catalog, negotiate
from ion_pipeline.client import ClientConfig, IonClient
from ion_pipeline.extract import EntityResult, fetch
from tests.unit.extract.mini_ion import MiniIon


class Rows:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.batches: dict[str, list[pa.RecordBatch]] = defaultdict(list)
        self.discarded: list[str] = []

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        assert batch.schema == known_catalog().tables[table].arrow_schema
        self.batches[table].append(batch)

    def discard(self, table: str) -> None:
        self.discarded.append(table)
        self.batches.pop(table, None)

    def of(self, table: str, *columns: str) -> list[Any]:
        """Rows of a table as tuples of some columns (bare values for one column), in the order written."""
        found = [tuple(row[name] for name in columns) for batch in self.batches[table] for row in batch.to_pylist()]
        return [row[0] for row in found] if len(columns) == 1 else found


class Listener:
    """A progress that remembers."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, int | None]] = []
        self.notes: list[str] = []

    def started(self, entity: str, total: int | None) -> None:
        self.events.append(("started", entity, total))

    def advanced(self, entity: str, rows: int) -> None:
        self.events.append(("advanced", entity, rows))

    def finished(self, entity: str) -> None:
        self.events.append(("finished", entity, None))

    def note(self, message: str) -> None:
        self.notes.append(message)


def client_of(ion: MiniIon, **changes: Any) -> IonClient:
    """A client that retries without waiting."""
    values: dict[str, Any] = {"api_url": "https://ion.test", "auth_url": "https://ion.test", "backoff_initial": 0.0}
    return IonClient(ClientConfig(**{**values, "max_attempts": 4, **changes}), transport=ion)


class Read:
    """One read of a mini ION: plan, rows, results, and what was heard."""

    def __init__(self, ion: MiniIon, selection: Iterable[str], *, page_size: int = 500, **changes: Any) -> None:
        self.rows = Rows()
        self.heard = Listener()
        self.plan: Plan
        self.results: dict[str, EntityResult]
        asyncio.run(self._run(ion, selection, page_size, changes))

    async def _run(self, ion: MiniIon, selection: Iterable[str], page_size: int, changes: dict[str, Any]) -> None:
        async with client_of(ion, **changes) as client:
            self.plan = negotiate(await client.introspect(), known_catalog(), selection)
            results = await fetch(client, self.plan, self.rows, progress=self.heard, page_size=page_size)
        self.results = {result.entity: result for result in results}


def part(identifier: int, **fields: Any) -> dict[str, Any]:
    return {"id": identifier, "partNumber": f"P-{identifier}", "attributes": [], **fields}


def parts(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [part(identifier, **fields) for identifier in range(1, count + 1)]


def relations(count: int) -> list[dict[str, Any]]:
    return [{"originIssueId": number, "relatedIssueId": number + 1} for number in range(count)]
