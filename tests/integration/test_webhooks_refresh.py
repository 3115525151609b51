"""From events, in any order and however often, to the published file: what they name is read, and nothing else.

The receiver and the tenant are processes; the sensor's request is carried out as the daemon would.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import dagster as dg
import duckdb
import httpx
import pytest

from ion_pipeline.definitions import build_definitions
from ion_pipeline.pipeline.dbt import building
from ion_pipeline.pipeline.pipeline import real_pipeline
from ion_pipeline.pipeline.progress import NullReporter
from ion_pipeline.settings import Settings
from tests.integration.conftest import Built, continued, settings_for
from tests.integration.support.changing_world import Change, add, delete, update
from tests.integration.support.webhooks import SECRET, Receiver, free_port, running

pytestmark = [pytest.mark.slow]


@dataclass
class Tenant:
    """A tenant that people work in, its receiver, and the graph with its sensor."""

    url: str
    settings: Settings
    receiver: Receiver
    definitions: dg.Definitions
    instance: dg.DagsterInstance
    cursor: str | None = None

    def change(self, *changes: Change) -> None:
        httpx.post(f"{self.url}/_sandbox/changes", json=list(changes)).raise_for_status()

    def look(self) -> list[dg.RunRequest]:
        """One tick of the sensor."""
        repository = self.definitions.get_repository_def()
        context = dg.build_sensor_context(instance=self.instance, cursor=self.cursor, repository_def=repository)
        tick = repository.get_sensor_def("webhook_events").evaluate_tick(context)
        self.cursor = tick.cursor or self.cursor
        return list(tick.run_requests or ())

    def carry_out(self, request: dg.RunRequest) -> tuple[set[str], dict[str, int]]:
        """Do what was asked for.

        Returns:
            The operations that were run, and how often ION was asked for each root connection.
        """
        httpx.post(f"{self.url}/_sandbox/stats/reset").raise_for_status()
        job = self.definitions.resolve_job_def("refresh")
        result = job.execute_in_process(instance=self.instance, tags=request.tags)
        stats = httpx.get(f"{self.url}/_sandbox/stats").json()["by_entity"]
        done = {str(event.step_key) for event in result.all_events if event.is_step_success}
        return done, {entity: counts["requests"] for entity, counts in stats.items()}

    def raw(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.warehouse_path), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.settings.published_dir / "ion.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory, demo_warehouse: Built) -> Iterator[Tenant]:
    """The factory, read and published once."""
    data = tmp_path_factory.mktemp("webhooks") / "data"
    with (
        continued(demo_warehouse, data) as sandbox,
        running(data, ION_DATA_DIR=str(data), ION_WEBHOOK_REQUESTS_PER_SECOND="5") as receiver,
        dg.DagsterInstance.ephemeral(settings={"telemetry": {"enabled": False}}) as instance,
    ):
        settings = settings_for(sandbox, data, entities=("suppliers", "users", "parts"))
        yield Tenant(
            sandbox.api_url,
            settings,
            receiver,
            build_definitions(settings, pipeline=real_pipeline(settings, NullReporter())),
            instance,
        )


def without_dbt(*arguments: object, **options: object) -> None:
    raise AssertionError(f"dbt is started: {arguments}")


def test_what_events_name_is_read_built_and_published_and_nothing_else(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "run", without_dbt)
    [(changed,), (gone,)] = tenant.raw("select id from raw.suppliers order by id limit 2")
    [(user, name)] = tenant.raw("select id, name from raw.users order by id limit 1")
    tenant.change(
        add("suppliers", id=990_001, name="Came by event"),
        update("suppliers", changed, name="Changed by event", touch=True),
        delete("suppliers", gone),
        # Nobody says anything of this one.
        update("users", user, name="Changed without an event", touch=True),
    )
    # At least once, and in no order: the delete before the update, each of them three times.
    deliveries = [f"{kind}-{number}" for kind in ("create", "update", "delete") for number in (1, 1, 1)]
    random.Random(3).shuffle(deliveries)
    answers = [tenant.receiver.deliver(event_id, "suppliers") for event_id in deliveries]
    assert [answer.status_code for answer in answers] == [200] * 9
    [request] = tenant.look()
    assert request.tags["ion/entities"] == "suppliers"
    assert request.tags["ion/webhook_events"] == "3"

    done, asked = tenant.carry_out(request)
    assert done == {"extract", "load", "build", "publish"}
    assert set(asked) == {"me", "suppliers"}, "ION was asked for something else than whose key it is, and suppliers"
    wanted = {(990_001, "Came by event"), (changed, "Changed by event")}
    for found in (
        set(tenant.raw("select id, name from raw.suppliers")),
        set(tenant.published("select supplier_id, supplier_name from reference.suppliers")),
    ):
        assert wanted <= found
        assert gone not in {supplier for supplier, _ in found}
        assert len(found) > 2
    assert tenant.raw(f"select name from raw.users where id = {user}") == [(name,)]  # noqa: S608 -- an id


def test_replayed_events_ask_for_nothing_and_late_ones_cost_a_look(tenant: Tenant) -> None:
    for event_id in ("delete-1", "create-1", "update-1"):
        assert tenant.receiver.deliver(event_id, "suppliers").json() == {"status": "known"}
    assert tenant.look() == []
    # An event whose change was read already, by a refresh that was quicker than the event.
    assert tenant.receiver.deliver("late", "suppliers").json() == {"status": "stored"}
    [request] = tenant.look()
    loads = tenant.raw("select count(*) from raw._ion_loads")
    done, asked = tenant.carry_out(request)
    assert set(asked) == {"me", "suppliers"}, "ION was asked for something else than whose key it is, and suppliers"
    assert done == {"extract"}
    assert tenant.raw("select count(*) from raw._ion_loads") == loads


def test_a_flood_becomes_one_run(tenant: Tenant) -> None:
    waiting = [f"flood-{number}" for number in range(30)]
    refused = 0
    while waiting:
        statuses = {event_id: tenant.receiver.deliver(event_id, "suppliers").status_code for event_id in waiting}
        assert set(statuses.values()) <= {200, 429}
        # As ION does: what was not taken comes again.
        waiting = [event_id for event_id, status in statuses.items() if status == 429]
        refused += len(waiting)
        time.sleep(0.2)
    assert refused, "it was no flood"
    [request] = tenant.look()
    assert request.tags["ion/webhook_events"] == "30"
    assert tenant.look() == []


def until(is_so: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 120
    while not is_so():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.exhaustive
def test_a_watch_publishes_what_events_name_and_outlives_a_failure(tenant: Tenant) -> None:
    settings, port = tenant.settings, free_port()
    assert settings.client_secret
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ION_", "DAGSTER_"))},
        "ION_ENVIRONMENT": "custom",
        "ION_API_URL": str(settings.api_url),
        "ION_AUTH_URL": str(settings.auth_url),
        "ION_CLIENT_ID": settings.client_id,
        "ION_CLIENT_SECRET": settings.client_secret.get_secret_value(),
        "ION_DATA_DIR": str(settings.data_dir),
        "ION_ENTITIES": ",".join(settings.entities),
        "ION_WEBHOOK_SECRET": SECRET,
        "ION_MAX_ATTEMPTS": "1",
    }
    [(supplier,)] = tenant.raw("select max(id) from raw.suppliers")
    process = subprocess.Popen(
        [sys.executable, "-m", "ion_pipeline.cli", "watch", "--every", "3600", "--settle", "0.2", "--port", str(port)],
        env=environment,
        cwd=settings.data_dir,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    def name() -> str:
        with suppress(duckdb.Error):
            [(found,)] = tenant.published(
                f"select supplier_name from reference.suppliers where supplier_id = {supplier}"  # noqa: S608 -- an id
            )
            return str(found)
        return ""

    def is_ready() -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}/healthz").is_success
        return False

    with process, httpx.Client(timeout=20) as client:
        try:
            receiver = replace(tenant.receiver, url=f"http://127.0.0.1:{port}", client=client)
            # The first refresh reads everything that is selected.
            tenant.change(update("suppliers", supplier, name="Before the watch", touch=True))
            until(is_ready, process)
            until(lambda: name() == "Before the watch", process)
            # ION fails once: the refresh is repeated, and the event is not lost.
            fault = {"seed": 1, "rules": [{"kind": "status", "status": 500, "entity": "suppliers", "next": 1}]}
            httpx.post(f"{tenant.url}/_sandbox/faults", json=fault).raise_for_status()
            tenant.change(update("suppliers", supplier, name="By an event", touch=True))
            assert receiver.deliver("watched", "suppliers").json() == {"status": "stored"}
            until(lambda: name() == "By an event", process)
            # The line comes after the published file is there.
            assert process.stdout
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "read of suppliers" in line:
                    break
            process.send_signal(signal.SIGTERM)
            output = "".join([*lines, *process.stdout])
        finally:
            process.kill()
    assert "The refresh is repeated in 5 s." in output
    assert "read of suppliers" in output
    assert "; 1 event, received " in output
    assert "Traceback" not in output
