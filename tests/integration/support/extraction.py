"""Everything read from a sandbox into memory, and compared with the rows of the world that it serves."""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
from pydantic import SecretStr

from ion_pipeline.catalog import Column, Entity, Plan, known_catalog, negotiate
from ion_pipeline.client import ClientConfig, IonClient
from ion_pipeline.extract import EntityResult, fetch
from ion_pipeline.sandbox.server import SandboxAddress
from tests.oracle.world import World

CATALOG = known_catalog()
# Where the factory plants signed links.
SIGNED = re.compile(r"(https://files\.example/[^?]*)\?X-Amz-Signature=.*")
# Lists that the server works out from other rows; the world's files do not have them.
WORKED_OUT = {"purchase_order_requirements"}
#: What today's ION computes in another way than the world says (tests/unit/sandbox/test_today.py compares it with
#: planted facts).
COMPUTED = frozenset(
    {"PartInventory.status", "PartInventory.quantityAvailable", "PurchaseOrder.status", "PurchaseOrderLine.status"}
)
Row = dict[str, Any]


class Tables:
    """A sink that keeps rows as dictionaries, by table."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)

    def write(self, table: str, batch: pa.RecordBatch) -> None:
        assert batch.schema == CATALOG.tables[table].arrow_schema
        self.rows[table] += batch.to_pylist()

    def discard(self, table: str) -> None:
        self.rows.pop(table, None)


class Notes:
    """Keeps the notes of a read."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def started(self, entity: str, total: int | None) -> None: ...

    def advanced(self, entity: str, rows: int) -> None: ...

    def finished(self, entity: str) -> None: ...

    def note(self, message: str) -> None:
        self.notes.append(message)


class Extraction:
    """One read, by default of everything."""

    def __init__(
        self,
        address: SandboxAddress,
        *,
        page_size: int = 100,
        selection: Iterable[str] = CATALOG.entities,
        **changes: Any,
    ) -> None:
        self.tables = Tables()
        self.heard = Notes()
        self.plan: Plan
        self.results: dict[str, EntityResult]
        self.client: IonClient
        asyncio.run(self._run(config(address, **changes), selection, page_size))

    async def _run(self, settings: ClientConfig, selection: Iterable[str], page_size: int) -> None:
        async with IonClient(settings) as client:
            self.client = client
            self.plan = negotiate(await client.introspect(), CATALOG, selection)
            results = await fetch(client, self.plan, self.tables, progress=self.heard, page_size=page_size)
        self.results = {result.entity: result for result in results}


def config(address: SandboxAddress, **changes: Any) -> ClientConfig:
    values: dict[str, Any] = {
        "api_url": address.api_url,
        "auth_url": address.auth_url,
        "client_id": address.client_id,
        "client_secret": SecretStr(address.client_secret),
        "backoff_initial": 0.01,
        "max_attempts": 12,
    }
    return ClientConfig(**{**values, **changes})


def plain(value: Any, column: Column) -> Any:
    """A world's value as it should come out, worked out without the code under test."""
    if value is None:
        return None
    if isinstance(value, str):
        value = SIGNED.sub(r"\1", value)
    if column.is_json:
        return ("json", value)
    if column.graphql_type == "DateTime":
        return datetime.fromisoformat(value).astimezone(UTC)
    return float(value) if column.graphql_type == "Float" else value


def read_value(value: Any, column: Column) -> Any:
    """A value read, in the form of `plain`."""
    if column.is_json and value is not None:
        return ("json", json.loads(value))
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def distinct(rows: list[tuple[Any, ...]]) -> set[str]:
    """The rows as texts, since lists among the values cannot be hashed."""
    return set(map(repr, rows))


def expected_rows(world: World, entity: Entity, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
    return [tuple(plain(row.get(c.field), c) for c in columns) for row in world.get(entity.root_field, [])]


def expected_children(world: World, entity: Entity) -> dict[str, list[tuple[Any, ...]]]:
    children: dict[str, list[tuple[Any, ...]]] = {}
    for child in entity.children:
        children[child.table] = [
            (row["id"], *(plain(element.get(c.field), c) for c in child.columns))
            for row in world.get(entity.root_field, [])
            for element in _elements(row.get(child.field))
        ]
    return children


def _elements(value: Any) -> list[Row]:
    return value if isinstance(value, list) else [value] if value else []


def found_rows(tables: Tables, table: str, columns: tuple[Column, ...]) -> list[tuple[Any, ...]]:
    return [tuple(read_value(row[c.name], c) for c in columns) for row in tables.rows[table]]


def differences(world: World, read: Extraction, *, without: frozenset[str] = frozenset()) -> list[str]:
    """Tables whose rows are not those of the world; `without` names `Type.field`s the tenant lacks."""
    wrong = []
    compared = 0
    for entity in CATALOG.entities.values():
        result = read.results.get(entity.name)
        if result is None or result.status != "read":
            continue
        columns = tuple(c for c in entity.columns if f"{entity.node_type}.{c.field}" not in without)
        expected = {entity.name: (expected_rows(world, entity, columns), columns)}
        children = expected_children(world, entity)
        for child in entity.children:
            rows = children[child.table]
            expected[child.table] = (rows, (child.owner_column, *child.columns))
        for table in expected.keys() - WORKED_OUT:
            rows, its_columns = expected[table]
            found = found_rows(read.tables, table, its_columns)
            compared += len(rows)
            # Nested rows may come several times; all others exactly once.
            is_once = result.paging == "nested" or len(found) == len(rows)
            if not is_once or distinct(found) != distinct(rows):
                lost, odd = sorted(distinct(rows) - distinct(found)), sorted(distinct(found) - distinct(rows))
                wrong.append(f"{table}: {len(rows)} rows expected, {len(found)} found; {lost[:1]} became {odd[:1]}")
    assert compared > 1000
    return wrong
