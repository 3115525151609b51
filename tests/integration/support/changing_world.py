"""A small tenant that people change while it is read, and the same changes in plain Python: what `raw` should hold.

The model knows nothing of how the pipeline reads or how the sandbox stores: rows are the world's own JSON, a change
replaces values in them, and a table of `raw` is compared with them value by value.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import duckdb
import httpx
import uvicorn

from ion_pipeline.catalog.catalog import ChildList, Column, Entity, known_catalog
from ion_pipeline.pipeline import steps
from ion_pipeline.pipeline.reconcile import ReconcileReport, reconcile
from ion_pipeline.pipeline.steps import ExtractReport, ReadMode
from ion_pipeline.sandbox.server import SandboxAddress, SandboxOptions, build_app
from ion_pipeline.sandbox.world import World, write_world
from ion_pipeline.settings import Settings
from tests.integration.conftest import settings_for
from tests.integration.support.warehouse import same

Row = dict[str, Any]
Change = dict[str, Any]

# With and without lists inside, with and without an id, and one without an `_updated` filter.
ENTITIES = (
    "abom_installations",
    "build_requirements",
    "issue_part_inventories",
    "labels",
    "part_inventories",
    "parts",
    "validation_functions",
)
LONG_AGO = "2026-03-01T08:00:00.000000+00:00"
# One label changed a day later: what changed together with the last change is compared again by every refresh.
LATER = "2026-03-02T08:00:00.000000+00:00"
PAGE = 8
# No certificates: to read those of all authorities takes longer than most requests, and nothing here is encrypted.
_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def update(entity: str, row_id: Any, touch: bool = False, **values: Any) -> Change:
    return {"op": "update", "entity": entity, "id": row_id, "values": values, "touch": touch}


def delete(entity: str, row_id: Any) -> Change:
    return {"op": "delete", "entity": entity, "id": row_id}


def add(entity: str, **row: Any) -> Change:
    return {"op": "add", "entity": entity, "row": row}


def small_factory() -> World:
    """Some pages of everything, last changed long ago; one label a day later."""

    def rows(count: int, **values: Any) -> list[Row]:
        stamps = {"_created": LONG_AGO, "_updated": LONG_AGO}
        return [
            {"id": 10 * number, **stamps, **{name: value(number) for name, value in values.items()}}
            for number in range(1, count + 1)
        ]

    def attributes(number: int) -> list[Row]:
        stamp = {"Created": LONG_AGO, "Updated": LONG_AGO}
        return [{"key": key, "value": number, **stamp} for key in ("colour", "mass")[: number % 3]]

    return World(
        tables={
            "labels": [
                *rows(5, value=lambda number: f"label {number}"),
                {"id": 60, "_created": LONG_AGO, "_updated": LATER, "value": "label 6"},
            ],
            "parts": rows(30, partNumber=lambda number: f"P-{number}", attributes=attributes),
            "partInventories": rows(
                40,
                partId=lambda number: 10 * (number % 30 + 1),
                serialNumber=lambda number: f"S-{number}",
                quantity=lambda _: 1,
                attributes=attributes,
                labels=lambda number: [{"id": 10}, {"id": 20}] if number % 4 == 0 else [],
                fileAttachments=lambda number: (
                    [{"id": number, "filename": f"{number}.pdf", "_created": LONG_AGO, "_updated": LONG_AGO}]
                    if number % 5 == 0
                    else []
                ),
            ),
            "buildRequirements": rows(
                25,
                partId=lambda number: 10 * number,
                partInventories=lambda number: [{"id": 10 * number}],
                referenceDesignators=lambda number: [{"id": number, "value": f"R{number}"}] if number % 2 else [],
            ),
            "abomInstallations": rows(
                35,
                buildRequirementId=lambda n: 10 * (n % 25 + 1),
                partInventoryId=lambda n: 10 * n,
                quantity=lambda n: n,
            ),
            "issuePartInventories": [
                {"issueId": 1, "partInventoryId": 10 * number, "_created": LONG_AGO, "_updated": LONG_AGO}
                for number in range(1, 20)
            ],
            "validationFunctions": rows(5, functionName=lambda number: f"check {number}"),
        }
    )


class ChangingWorld:
    """The world's rows, with the changes applied to them in plain Python.

    Args:
        world: As served at first.
    """

    def __init__(self, world: World) -> None:
        self.rows = {
            entity.name: {self._key(entity, row): deepcopy(row) for row in world.tables[entity.root_field]}
            for entity in map(known_catalog().entities.__getitem__, ENTITIES)
        }
        self._by_root = {known_catalog().entities[name].root_field: name for name in ENTITIES}
        self._by_type = {known_catalog().entities[name].node_type: name for name in ENTITIES}

    @staticmethod
    def _key(entity: Entity, row: Row) -> tuple[Any, ...]:
        fields = {column.name: column.field for column in entity.columns}
        return tuple(row[fields[name]] for name in entity.key)

    def apply(self, change: Change) -> None:
        """What the change does to the rows. The system fields it moves are the server's to choose."""
        entity = known_catalog().entities[self._by_root[change["entity"]]]
        rows = self.rows[entity.name]
        if change["op"] == "add":
            key = self._key(entity, change["row"])
            assert key not in rows
            rows[key] = deepcopy(change["row"])
            return
        key = tuple(change["id"]) if isinstance(change["id"], list) else (change["id"],)
        if change["op"] == "delete":
            del rows[key]
            return
        columns = {column.field for column in entity.columns}
        if change["touch"] or change["values"].keys() & columns:
            rows[key].pop("_updated", None)
            rows[key].pop("_etag", None)
        rows[key].update(deepcopy(change["values"]))

    def differences(self, database: Path) -> list[str]:
        """Where `raw` is not as these rows: a line per row or value that is missing, too many or wrong."""
        found: list[str] = []
        with duckdb.connect(str(database), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for name, rows in self.rows.items():
                entity = known_catalog().entities[name]
                found += _compare(_kept(connection, name, entity.key), rows, name, entity.columns)
                for child in entity.children:
                    kept = _kept(connection, child.table, child.key)
                    found += _compare(kept, self._elements(child, rows), child.table, child.columns)
        return found

    def _elements(self, child: ChildList, owners: dict[tuple[Any, ...], Row]) -> dict[tuple[Any, ...], Row]:
        fields = {column.name: column.field for column in child.columns}
        target = self.rows.get(self._by_type.get(child.node_type, ""))
        elements = {}
        for (owner,), row in owners.items():
            for element in row.get(child.field) or ():
                # A link to what is no longer there is no link.
                if target is None or (element["id"],) in target:
                    elements[owner, *(element[fields[name]] for name in child.key[1:])] = element
        return elements


def _kept(connection: duckdb.DuckDBPyConnection, table: str, key: tuple[str, ...]) -> dict[tuple[Any, ...], Row]:
    found = connection.table(f"raw.{table}")
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    kept = {tuple(row[name] for name in key): row for row in rows}
    assert len(kept) == len(rows), f"raw.{table} repeats a key"
    return kept


def _compare(
    kept: dict[tuple[Any, ...], Row], wanted: dict[tuple[Any, ...], Row], table: str, columns: tuple[Column, ...]
) -> list[str]:
    kept = {tuple(map(str, key)): row for key, row in kept.items()}
    wanted = {tuple(map(str, key)): row for key, row in wanted.items()}
    wrong = [f"{table} {key} is missing" for key in wanted.keys() - kept.keys()]
    wrong += [f"{table} {key} is too many" for key in kept.keys() - wanted.keys()]
    for key in kept.keys() & wanted.keys():
        # What a row leaves out the server fills in.
        given = [column for column in columns if column.field in wanted[key]]
        wrong += [
            f"{table} {key}: {column.name} is {kept[key][column.name]!r}, not {wanted[key][column.field]!r}"
            for column in given
            if not same(column, kept[key][column.name], wanted[key][column.field])
        ]
    return sorted(wrong)


class Tenant:
    """A running sandbox, what is kept of it, and what it should be."""

    def __init__(self, address: SandboxAddress, settings: Settings, world: ChangingWorld) -> None:
        self.address, self.settings, self.world = address, settings, world

    def change(self, *changes: Change, before: dict[str, Any] | None = None) -> None:
        """Change the tenant, or say before which request it is to change; and the model, at once."""
        self.send(changes, before=before)
        for change in changes:
            self.world.apply(change)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Ask the sandbox for what a tenant has not."""
        return httpx.request(method, f"{self.address.api_url}{path}", verify=_NOBODY, trust_env=False, **options)

    def send(self, changes: Sequence[Change], before: dict[str, Any] | None = None) -> None:
        """Change the tenant by what the model has been changed by already."""
        body = {"changes": changes, "before": before} if before else list(changes)
        answer = self.ask("POST", "/_sandbox/changes", json=body)
        assert answer.status_code == 200, answer.text

    def waiting(self) -> int:
        return int(self.ask("GET", "/_sandbox/changes").json()["waiting"])

    def pass_by(self) -> None:
        """Somebody else's requests, until all changes have come that were to come before some request."""
        if not self.waiting():
            return
        realm = "/realms/api-keys/protocol/openid-connect/token"
        key = {"client_id": self.address.client_id, "client_secret": self.address.client_secret}
        token = self.ask("POST", realm, data={"grant_type": "client_credentials", **key}).json()["access_token"]
        while self.waiting():
            body, headers = {"query": "{ __typename }"}, {"Authorization": f"Bearer {token}"}
            self.ask("POST", "/graphql", json=body, headers=headers).raise_for_status()

    def refresh(self, **mode: bool) -> ExtractReport:
        report = steps.extract(self.settings, mode=ReadMode(**mode))
        steps.load(self.settings)
        return report

    def reconcile(self, **options: bool) -> ReconcileReport:
        report = reconcile(self.settings, **options)
        if not report.dry_run:
            steps.load(self.settings)
        return report

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def loads(self) -> list[str]:
        return sorted(path.name for path in (self.settings.lake_dir / "_loads").iterdir())

    def differences(self) -> list[str]:
        return self.world.differences(self.settings.warehouse_path)


@contextmanager
def changing_tenant(folder: Path, profile: str = "today", **overrides: Any) -> Iterator[Tenant]:
    """A sandbox in this process with the small factory, by default today's ION; nothing has been read yet."""
    world = small_factory()
    write_world(world, folder / "world")
    with served(folder / "world", profile) as address:
        settings = settings_for(
            address, folder / "data", **{"entities": ENTITIES, "page_size": PAGE, "max_concurrency": 4, **overrides}
        )
        yield Tenant(address, settings, ChangingWorld(world))


@contextmanager
def served(world: Path, profile: str, port: int = 0, **options: Any) -> Iterator[SandboxAddress]:
    """The sandbox in a thread: starting a process for each example would take longer than the example."""
    with serving(build_app(SandboxOptions(world=world, profile=profile, **options), "a secret").asgi, port) as address:
        yield address


@contextmanager
def serving(app: Any, port: int = 0, **options: Any) -> Iterator[SandboxAddress]:
    """An ASGI application at a port of this machine, in a thread; options are uvicorn's."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        # No idle connection is closed during a test, however slow the machine is; as `sandbox.server` has it.
        given = {"timeout_keep_alive": 75, **options}
        config = uvicorn.Config(app, http="h11", lifespan="off", log_level="critical", access_log=False, **given)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            yield SandboxAddress(url, url, "ion-sandbox", "a secret")
        finally:
            server.should_exit = True
            thread.join()
